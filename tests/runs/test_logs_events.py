"""docs/logs.md and the log say the same: names, levels, fields and examples; each event is brought about for real."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from risk.breaker import Notice, Trip
from risk.state import NoticeKind
from runs.logs.events import COMMON, EVENTS, NOTICE_LEVELS, RESUMES, EventName
from runs.logs.orders import NAMES
from runs.logs.rendering import as_text
from runs.logs.run_log import BREAKERS
from tests.runs.log_scenes import SCENES, STYLE, T0, TRIP, Scene, events, fill, order, told

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
AS_TEXT = replace(STYLE, as_json=False)
ROWS = {
    cells[0].strip("`"): cells[1:]
    for line in PAGE.splitlines()
    if re.match(r"\| `\w+\.\w+` \| \w", line)
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    if len(cells) == 5
}


def rows(scene: Scene) -> list[dict[str, Any]]:
    return [json.loads(line.text) for line in told(scene)]


def row_of(event: str, scene: Scene) -> dict[str, Any]:
    (row,) = [row for row in rows(scene) if row["event"] == event]
    return row


def test_the_page_has_every_event_in_the_order_of_the_code() -> None:
    assert list(ROWS) == list(EVENTS)
    assert set(EVENTS) == set(get_args(EventName)) == set(SCENES)


def test_the_issue_s_events_are_there() -> None:
    wanted = """order.submitted order.filled fill.received order.rejected order.refused risk.violation trading.halted
    health.check market_data.error policy.error engine.error"""
    assert set(wanted.split()) <= set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_level_occasion_and_fields_are_those_of_the_page(name: EventName) -> None:
    level, when, fields, _ = ROWS[name]
    event = EVENTS[name]
    assert level == (event.level if name != "risk.notice" else "by kind")
    assert when == event.when
    assert fields == " ".join([*event.fields, *(["..."] if event.open else [])])


@pytest.mark.parametrize("name", EVENTS)
def test_the_log_writes_the_fields_it_promises(name: EventName) -> None:
    row = row_of(name, SCENES[name])
    own = tuple(row)[len(COMMON) :]
    assert tuple(row)[: len(COMMON)] == COMMON
    assert set(own) == set(EVENTS[name].fields)
    assert own == EVENTS[name].fields or EVENTS[name].open
    assert row["level"] == (EVENTS[name].level if name != "risk.notice" else "warning")


@pytest.mark.parametrize("name", EVENTS)
def test_the_example_of_the_page_is_what_is_written(name: EventName) -> None:
    (line,) = [line for line in told(SCENES[name], AS_TEXT) if line.like[0] == name]
    words = line.text.splitlines()[0].split(maxsplit=1)[1]
    words = re.sub(r" at=\S+$", "", re.sub(r"^(\w+)\s+(\S+)\s+", r"\1 \2 ", words))
    assert ROWS[name][3].strip("`") == words


def test_the_line_of_the_page_is_what_a_machine_gets() -> None:
    (line,) = re.findall(r"^    (\{.*\})$", PAGE, re.MULTILINE)
    shown, row = json.loads(line), row_of("fill.received", SCENES["fill.received"])
    assert list(shown) == list(row)
    assert {**shown, "at": ""} == {**row, "at": ""}


def test_stamps_are_iso_8601_with_their_zone() -> None:
    row = row_of("order.approved", events())
    assert row["ts"] == "2024-01-02T16:00:00-05:00"
    assert datetime.fromisoformat(row["at"]).utcoffset() is not None
    assert row_of("run.started", SCENES["run.started"])["ts"] is None


def test_every_order_event_of_the_engine_has_a_name() -> None:
    import nautilus_trader.model as m  # noqa: PLC0415 - its names are looked at, not used

    others = {"OrderBookDelta", "OrderBookDeltas", "OrderInitialized"}
    engine_s = {
        name
        for name in dir(m)
        if name.startswith("Order")
        and hasattr(getattr(m, name), "client_order_id")
        and hasattr(getattr(m, name), "event_id")
    }
    assert engine_s - others == set(NAMES)
    assert set(NAMES.values()) <= set(EVENTS)


@pytest.mark.parametrize("kind", get_args(NoticeKind.__value__))
def test_every_kind_of_notice_is_told(kind: NoticeKind) -> None:
    (row,) = rows(lambda log: log.noticed(Notice(kind, "a reason", T0)))
    assert row["event"] == ("trading.resumed" if kind in RESUMES else "risk.notice")
    assert row["kind"] == kind
    assert row["level"] == ("warning" if kind in RESUMES else NOTICE_LEVELS.get(kind, "info"))
    assert f"`{kind}`" in PAGE or row["level"] == "info"


def test_every_breaker_is_a_violation_and_every_fault_only_a_halt() -> None:
    sources = "".join(
        (ROOT / "risk" / name).read_text(encoding="utf-8") for name in ("performance.py", "gauge.py")
    )
    assert set(re.findall(r'return "([A-Z_]+)", ', sources)) < BREAKERS
    assert [row["event"] for row in rows(lambda log: log.tripped(TRIP))] == [
        "risk.violation",
        "trading.halted",
    ]
    fault = Trip("STRATEGY_ERROR", "STRATEGY_ERROR: EmaCross-001 raised in on_bar", T0)
    assert [row["event"] for row in rows(lambda log: log.tripped(fault))] == ["trading.halted"]


@pytest.mark.parametrize(
    ("reason", "names"),
    [
        ("MAX_LEVERAGE: too much", ["order.refused", "risk.violation"]),
        ("HALTED: DAILY_LOSS: equity is gone", ["order.refused"]),
        ("NO_PRICE: AAPL.XNAS has none yet", ["order.refused"]),
    ],
)
def test_only_a_limit_that_refuses_is_violated(reason: str, names: list[str]) -> None:
    assert [row["event"] for row in rows(lambda log: log.refused(T0, order(), reason))] == names


def test_what_the_engine_repeats_of_a_refusal_is_no_second_warning() -> None:
    import nautilus_trader.model as m  # noqa: PLC0415 - one event of it

    from tests.runs.log_scenes import STAMPS, WHO  # noqa: PLC0415 - what it is made of

    def scene(log: Any) -> None:
        log.refused(T0, order(), "HALTED: for a reason")
        log.event(T0, m.OrderDenied(**WHO, **STAMPS, reason="HALTED: for a reason"))

    assert [(row["event"], row["level"]) for row in rows(scene)] == [
        ("order.refused", "info"),
        ("order.denied", "debug"),
    ]


def test_an_order_is_filled_once_all_its_parts_are_and_a_part_told_twice_counts_once() -> None:
    found = rows(events(fill(40), fill(40), fill(60, 187.10, "T-2"), fill(60, 187.10, "T-2")))
    assert [row["event"] for row in found] == [
        "order.approved",
        "fill.received",
        "fill.received",
        "order.filled",
        "fill.received",
    ]
    assert found[3]["average_price"] == "187.12"
    assert (found[3]["quantity"], found[3]["fills"]) == ("100", 2)


def test_amounts_are_exact_text_and_never_exponents() -> None:
    (row,) = rows(
        lambda log: log.health(equity=Decimal("1E+7"), dust=Decimal("0.00000001"), ratio=float("nan"))
    )
    assert (row["equity"], row["dust"], row["ratio"]) == ("10000000", "0.00000001", None)


def test_text_from_outside_moves_no_cursor_and_makes_no_line() -> None:
    evil = "rejected\x1b[2J\n2024-01-02 INFO order.filled\u202e\r\x9b"
    (line,) = told(lambda log: log.engine_error(evil), AS_TEXT)
    assert line.text.isprintable()
    assert r"rejected\x1b[2J\n2024" in line.text


def test_a_traceback_stands_below_its_line() -> None:
    (line,) = told(SCENES["policy.error"], AS_TEXT)
    first, *below = line.text.splitlines()
    assert "policy.error" in first
    assert all(each.startswith("    ") for each in below)
    assert below[-1] == "    ZeroDivisionError: division by zero"


def test_words_with_spaces_are_quoted() -> None:
    row = {
        "ts": None,
        "at": "now",
        "level": "info",
        "event": "health.check",
        "note": "two words",
        "none": None,
    }
    assert as_text(row).endswith('note="two words"')
