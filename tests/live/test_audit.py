"""`live audit`: what a person reads of a journal that was tampered with, and of an order that was sent or refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from journal import tables
from journal.config import JournalConfig
from journal.reader import Reader
from live import _audit_sentences as say
from live._audit_numbers import arithmetic
from live.audit import audit
from tests.journal.filled import arguments
from tests.journal.invented import LIMITS, Node, Step
from tests.journal.verified import Place, changed, fill, place_on

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
BUY = Step("order", quantity=3, price=Decimal("100.5"), parts=3)
SELL = Step("order", quantity=-3, price=Decimal(1110))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_on(request.param, tmp_path_factory.mktemp("audit")) as found:
        yield found


def ran(place: Place, *steps: Step) -> None:
    place.renew()
    node = Node(place.engine, place.config, "one")
    node.live(steps)
    node.end()


def said(capsys: Capture, code: int, *given: str) -> str:
    assert audit(given) == code
    shown = capsys.readouterr()
    return shown.out if code < 2 else shown.err


# -- verify -----------------------------------------------------------------------------------------------------------


def test_a_clean_journal_is_said_to_be_clean(place: Place, capsys: Capture) -> None:
    fill(place)
    shown = said(capsys, 0, "verify", *arguments(place.config))
    assert "rows of 3 runs and the commands" in shown
    assert "Clean    every row is as it was written, none is missing, and the rows agree" in shown


def test_what_was_changed_is_named_and_the_exit_code_tells(place: Place, capsys: Capture) -> None:
    ran(place, BUY, SELL)
    with changed(place) as connection:
        connection.execute(text("UPDATE fills SET price = '1' WHERE trade_id = 'T-one-1-0'"))
    shown = said(capsys, 1, "verify", *arguments(place.config))
    assert "fills seq 5 of one (client_order_id O-one-1, trade_id T-one-1-0)" in shown
    assert "its values were changed: they do not give its hash any more" in shown
    found = json.loads(said(capsys, 1, "verify", "output=json", *arguments(place.config)))
    assert not found["clean"]
    assert found["findings"][0] == found["findings"][0] | {
        "kind": "CHANGED",
        "run": "one",
        "table": "fills",
        "seq": 5,
        "key": {"client_order_id": "O-one-1", "trade_id": "T-one-1-0"},
    }
    assert found["found"] == sum(found["found_by_kind"].values())


def test_one_run_and_another_folder_of_heads_can_be_asked_for(
    place: Place, capsys: Capture, tmp_path: Path
) -> None:
    fill(place)
    found = json.loads(said(capsys, 0, "verify", "run=paper-2", "output=json", *arguments(place.config)))
    assert found["chains"] == ["paper-2", "control"]
    shown = said(capsys, 1, "verify", f"heads={tmp_path}", *arguments(place.config))
    assert "the file of its head is not there" in shown
    assert "Clean" in said(capsys, 0, "verify", "heads=off", *arguments(place.config))


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (["verify", "run=paper-3"], "did you mean paper-2?"),
        (["verify", "heads=/nowhere"], "heads=/nowhere: there is no such folder"),
        (["verify", "output=xml"], "output=xml: text or json"),
        (["verify", "order=x"], "unknown key order"),
        (["verfy"], "audit verfy: did you mean verify?"),
        (["explain"], "which order?"),
        (["explain", "a", "b"], "which order?"),
        (["explain", "O-paper-2-99"], "did you mean O-paper-2-"),
        (["explain", "nothing like it"], "python -m live history what=orders lists them"),
        (["explain", "O-paper-2-1", "run=sandbox-1"], "not on the account of run sandbox-1"),
    ],
)
def test_bad_input_costs_one_line_that_says_what_to_do(
    place: Place, capsys: Capture, given: list[str], answer: str
) -> None:
    fill(place)
    shown = said(capsys, 2, *given, *arguments(place.config))
    assert shown.strip().startswith("error: ")
    assert shown.count("\n") == 1
    assert answer in shown


@pytest.mark.parametrize("given", [[], ["--help"], ["verify", "--help"], ["explain", "-h"]])
def test_help_shows_how_it_is_used(capsys: Capture, given: list[str]) -> None:
    assert "python -m live audit" in said(capsys, 0, *given)


# -- explain ----------------------------------------------------------------------------------------------------------


def test_the_story_of_an_order_goes_from_the_wish_to_the_profit(place: Place, capsys: Capture) -> None:
    ran(place, BUY, SELL)
    shown = " ".join(said(capsys, 0, "explain", "O-one-1", *arguments(place.config)).split())
    parts = [
        "Order O-one-1: buy 3 AAPL.XNAS, filled, 3 at 100.625",
        "replay (sandbox), run one, times of UTC",
        "EmaCross-001 wanted to buy 3 AAPL.XNAS at the market, DAY. The newest price was 100.5.",
        "The gate let it pass (limits ",
        "Its sending was put on record, ",
        "The venue took it and calls it V1.",
        "Bought 1 at 100.5, just the price of the decision; commission 0.35 USD (trade T-one-1-0). 1 of 3 are filled.",
        "Bought 1 at 100.625, 0.125 (0.12%) above the price of the decision, 100.5: slippage cost 0.12 USD;",
        "All of it is filled.",
        "It opened a round trip long 3 AAPL.XNAS from 100.625 to 1,110,",
        "P&L +3,026.72 USD (+1002.64%) after commission 1.40 USD, slippage 0.38 USD. Order O-one-2 closed it.",
    ]
    places = [shown.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)


def test_a_refused_order_is_told_with_the_arithmetic(place: Place, capsys: Capture) -> None:
    reason = "AAPL.XNAS would be 14,210.00 USD, 28.4% of equity 50,000.00 USD; limit 10.0%"
    ran(place, Step("refusal", text=reason))
    shown = " ".join(said(capsys, 0, "explain", "order=O-one-1", *arguments(place.config)).split())
    assert "Order O-one-1: buy 1 AAPL.XNAS, refused" in shown
    assert f"The gate refused it (MAX_POSITION): {reason}." in shown


def test_for_scripts_the_story_comes_with_the_rows_it_is_made_of(place: Place, capsys: Capture) -> None:
    ran(place, BUY)
    found = json.loads(said(capsys, 0, "explain", "T-one-1-2", "output=json", *arguments(place.config)))
    assert (found["order"], found["status"], found["run"]) == ("O-one-1", "FILLED", "one")
    assert found["filled"] == {
        "quantity": "3",
        "average_price": "100.625",
        "commission": "1.05",
        "slippage": "0.375",
    }
    assert [line["what"] for line in found["story"]] == [
        "wanted", "passed", "sending", "accepted", "fill", "fill", "fill", "position",
    ]  # fmt: skip
    assert found["story"][0]["time"] == "2026-01-02T15:00:01+00:00"
    assert len(found["fills"]) == 3


def test_what_a_person_approved_or_asked_for_is_told(place: Place, capsys: Capture) -> None:
    ran(place, Step("approval", text="not today (ann)"))
    shown = said(capsys, 0, "explain", "O-one-1", *arguments(place.config))
    assert "It waited for a person's approval." in shown
    assert "A person rejected it: not today (ann)." in shown


NUMBERS = {
    "currency": "USD", "equity": "50000", "instrument": "AAPL.XNAS", "notional": "4210", "exposure_after": "4210",
    "gross_after": "14210", "orders_today": 0,
}  # fmt: skip


def test_what_a_decision_compared_is_told_beside_the_limits_that_were_on() -> None:
    lines = arithmetic(json.dumps(NUMBERS), LIMITS.model_dump(mode="json"))
    assert lines == [
        "AAPL.XNAS would be 4,210.00 USD, 8.4% of equity 50,000.00 USD; limit 10.0%",
        "gross exposure would be 14,210.00 USD, 0.28x equity 50,000.00 USD; limit 1x",
        "it is order 1 of the session day; limit 100",
    ]


@pytest.mark.parametrize(
    "numbers", ["{}", "", "[]", "null", '{"equity": "much"}', '{"equity": "0", "gross_after": "1"}']
)
def test_numbers_that_are_not_kept_are_left_out(numbers: str) -> None:
    assert arithmetic(numbers, LIMITS.model_dump(mode="json")) == []
    assert arithmetic(json.dumps(NUMBERS), None) == []


EVENTS = (
    "SENDING", "SUBMITTED", "ACCEPTED", "TRIGGERED", "EMULATED", "RELEASED", "PENDING_UPDATE", "PENDING_CANCEL",
    "MODIFY_REJECTED", "CANCEL_REJECTED", "UPDATED", "CANCELED", "EXPIRED", "REJECTED", "DENIED", "NOT_SENT", "ABSENT",
    "UNKNOWN", "RESOLVED", "RECONCILED", "FILLED", "PARTIALLY_FILLED", "SOMETHING_NEW",
)  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("source", ["engine", "reconciled"])
def test_every_change_of_an_order_is_one_sentence(event: str, source: str) -> None:
    row: dict[str, Any] = {
        "event": event, "status": "ACCEPTED", "reason": "because", "venue_order_id": "V1", "quantity": Decimal(1200),
        "filled": Decimal(200), "source": source, "instrument": "AAPL.XNAS", "price": Decimal("1.5"),
        "trigger_price": None,
    }  # fmt: skip
    sentence = say.changed(row, {**row, "price": Decimal(2)})
    assert sentence.endswith(".")
    assert sentence[0].isupper() or sentence[0].isdigit()
    assert ".." not in sentence
    if event == "CANCELED":
        assert "with 1,000 of 1,200 not filled" in sentence
    if event == "UPDATED":
        assert "limit price 1.5 (was 2)" in sentence


# -- a run ------------------------------------------------------------------------------------------------------------


def test_the_journal_of_a_run_is_clean_and_tells_of_each_of_its_orders(
    tmp_path: Path, capsys: Capture
) -> None:
    command = [
        sys.executable,
        "-m",
        "live",
        "run",
        "journal.path=j.db",
        "run.max_bars=120",
        "run.plots=false",
    ]
    command += [
        "run.tearsheet=false",
        "run.dir=run",
        "risk.max_order_notional=4400",
        "strategy.fast=3",
        "strategy.slow=6",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state")}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=240)
    journal = f"journal.path={tmp_path / 'j.db'}"
    shown = json.loads(said(capsys, 0, "verify", "output=json", journal))
    assert shown["clean"], shown["findings"][:3]
    run = shown["chains"][0]
    done = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert done["fills"] > 0
    assert done["refusals"] > 0
    reader = Reader(JournalConfig(path=tmp_path / "j.db"))
    named = [
        row["client_order_id"] for table in (tables.decisions, tables.orders) for row in reader.rows(table)
    ]
    for order in sorted(set(named)):
        text_of = said(capsys, 0, "explain", order, f"run={run}", journal)
        assert "The gate let it pass" in text_of or "The gate refused it" in text_of
