"""`live history`: each kind of row, the filters, whose rows, and how they are told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from journal.config import JournalConfig
from journal.database import open_journal
from live.history import HELP, KINDS, history
from tests.journal.filled import DAY, HOUR, MONDAY, Desk, arguments, fill, journal_on

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The story, and how a verb finds it."""
    with journal_on(request.param, tmp_path_factory.mktemp("history")) as config:
        fill(config)
        yield arguments(config)


def asked(capsys: Capture, *given: str) -> dict[str, Any]:
    assert history([*given, "output=json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def column(found: dict[str, Any], name: str) -> list[Any]:
    return [row[name] for row in found["rows"]]


def refused(capsys: Capture, *given: str) -> str:
    assert history(list(given)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_an_account_is_one_history_over_all_its_runs(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal)
    assert (found["mode"], found["venue"], found["count"]) == ("paper", "alpaca_paper", 5)
    assert column(found, "pnl") == ["98", "-52", "198", "-152", "48"]
    assert column(found, "run_id") == ["paper-1"] * 3 + ["paper-2"] * 2
    assert found["rows"][0] == found["rows"][0] | {
        "instrument": "AAPL.XNAS",
        "side": "LONG",
        "quantity": "10",
        "entry_price": "100",
        "exit_price": "110",
        "pnl_pct": 0.098,
        "commission": "2",
        "closed_at": "2026-11-02T11:00:00.000000005-05:00",
        "holding_ns": 3_540_000_000_000,
    }


def test_a_day_far_away_bounds_nothing_and_nothing_is_beyond_it(journal: list[str], capsys: Capture) -> None:
    for far, count in (
        ("since=0001-01-01", 5), ("until=9999-12-31", 5), ("since=1600-01-01", 5), ("until=2400-01-01", 5),
        ("until=1600-01-01", 0), ("since=2400-01-01", 0), ("since=9999-12-31", 0),
    ):  # fmt: skip
        assert asked(capsys, *journal, far)["count"] == count, far


def test_paper_live_and_sandbox_never_mix(journal: list[str], capsys: Capture) -> None:
    for venue, mode in (("alpaca", "live"), ("alpaca_paper", "paper"), ("replay", "sandbox")):
        for kind in KINDS:
            found = asked(capsys, *journal, f"what={kind}", f"venue={venue}", "limit=all")
            assert {(row["venue"], row["mode"]) for row in found["rows"]} <= {(venue, mode)}


def test_a_sandbox_is_its_newest_run_unless_another_or_all_are_asked_for(
    journal: list[str], capsys: Capture
) -> None:
    assert column(asked(capsys, *journal, "venue=replay"), "run_id") == ["replay-2"]
    assert column(asked(capsys, *journal, "run=replay-1"), "pnl") == ["8"]
    found = asked(capsys, *journal, "venue=replay", "run=all")
    assert (column(found, "run_id"), found["scope"]) == (["replay-1", "replay-2"], None)


def test_one_run_of_an_account_can_be_looked_at_alone(journal: list[str], capsys: Capture) -> None:
    assert column(asked(capsys, *journal, "run=paper-2"), "pnl") == ["-152", "48"]
    said = refused(capsys, *journal, "run=paper-2", "venue=alpaca")
    assert said == "error: venue=alpaca: run paper-2 was on alpaca_paper\n"


def test_an_order_is_one_row_in_its_last_state(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "what=orders")
    assert found["count"] == len(set(column(found, "client_order_id"))) == 12
    assert column(found, "status").count("CANCELED") == 1
    assert found["rows"][0]["sent_at"].startswith("2026-11-02T10:01:00")


def test_the_same_order_number_in_two_sandbox_runs_is_two_orders(tmp_path: Path, capsys: Capture) -> None:
    config = JournalConfig(path=tmp_path / "j.db")
    fill(config)
    engine = create_engine(f"sqlite:///{config.file}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE orders SET client_order_id = 'O-1' WHERE mode = 'sandbox'"))
    engine.dispose()
    found = asked(capsys, *arguments(config), "what=orders", "venue=replay", "run=all")
    assert column(found, "run_id") == ["replay-1", "replay-2"]


def test_an_orders_id_shows_each_change_of_its_state(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "what=orders", "order=O-paper-1-8")
    events = ["INTENT", "SENDING", "SUBMITTED", "ACCEPTED", "CANCELED"]
    assert column(found, "event") == events


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (["symbol=AAPL"], 3),
        (["symbol=aapl.xnas"], 3),
        (["symbol=AAP"], 0),
        (["symbol=A%"], 0),
        (["strategy=EmaCross"], 3),
        (["strategy=BollingerReversion-002"], 2),
        (["side=long"], 5),
        (["side=SHORT"], 0),
        (["order=O-paper-1-2"], 1),
        (["symbol=AAPL", "strategy=EmaCross-001"], 2),
        (["what=fills", "side=BUY"], 6),
        (["what=decisions", "verdict=refuse"], 1),
        (["what=orders", "status=canceled"], 1),
        (["what=events", "kind=TRIP"], 1),
        (["what=events", "kind=RESUMED"], 0),
    ],
)
def test_filters_choose_rows(journal: list[str], capsys: Capture, given: list[str], count: int) -> None:
    found = asked(capsys, *journal, *given)
    assert found["count"] == len(found["rows"]) == count


@pytest.mark.parametrize(
    ("given", "pnls"),
    [
        (["since=2026-11-03"], ["198", "-152", "48"]),
        (["until=2026-11-03"], ["98", "-52", "198"]),
        (["since=2026-11-03", "until=2026-11-04"], ["198", "-152"]),
        (["since=2026-11-02T12:00"], ["-52", "198", "-152", "48"]),
        (["since=2026-11-02T17:00:00Z"], ["-52", "198", "-152", "48"]),
        (["until=2026-11-02T12:00"], ["98"]),
        (["until=2026-11-09", "period=6d"], ["-152", "48"]),
        (["until=2026-11-09", "period=1w"], ["198", "-152", "48"]),
        (["until=2026-11-09", "period=1mo"], ["98", "-52", "198", "-152", "48"]),
    ],
)
def test_days_are_those_of_the_run_and_the_last_one_is_included(
    journal: list[str], capsys: Capture, given: list[str], pnls: list[str]
) -> None:
    assert column(asked(capsys, *journal, *given), "pnl") == pnls


def test_periods_count_back_from_now_on_an_account_and_from_the_end_of_a_sandbox_run(
    tmp_path: Path, capsys: Capture
) -> None:
    config = JournalConfig(path=tmp_path / "j.db")
    fill(config, monday_ns=time.time_ns() - 7 * DAY - 7 * HOUR)
    of = arguments(config)
    assert column(asked(capsys, *of, "period=12h"), "pnl") == ["48"]
    assert len(asked(capsys, *of, "period=30d")["rows"]) == 5
    assert column(asked(capsys, *of, "venue=replay", "period=2h"), "pnl") == ["28"]


def test_the_newest_rows_are_shown_in_the_order_they_happened(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "limit=2")
    assert (column(found, "pnl"), found["count"]) == (["-152", "48"], 5)
    assert len(asked(capsys, *journal, "what=decisions", "limit=all")["rows"]) == 13


def test_a_command_is_shown_with_what_became_of_it(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "what=commands")
    resume, halt = found["rows"]
    assert (resume["verb"], resume["args"], resume["outcome"]) == ("resume", {"scope": "book"}, "DONE")
    assert (resume["why"], resume["text"]) == ("bad tick, checked with the broker", "resume: done")
    assert (halt["verb"], halt["outcome"], halt["text"]) == ("halt", None, None)


def test_runs_are_listed_for_all_accounts(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "what=runs")
    assert column(found, "run_id") == ["replay-1", "replay-2", "live-1", "paper-1", "paper-2"]
    assert column(asked(capsys, *journal, "what=runs", "venue=alpaca"), "run_id") == ["live-1"]
    assert found["rows"][-1]["ended_at"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_to_people_and_to_scripts(journal: list[str], capsys: Capture, kind: str) -> None:
    found = asked(capsys, *journal, f"what={kind}", "limit=all")
    floats = {key for row in found["rows"] for key, value in row.items() if isinstance(value, float)}
    assert floats <= {"pnl_pct", "leverage", "drawdown"}  # ratios; amounts are text
    assert not {key for row in found["rows"] for key in row if key in ("ts", "at", "opened_ns", "closed_ns")}
    assert history([*journal, f"what={kind}"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{kind.capitalize()}  ")
    assert "America/New_York" in shown.splitlines()[0]


def test_a_narrow_terminal_leaves_columns_out_and_says_so(
    journal: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    assert history([*journal]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[1:])) <= 70
    assert "Too narrow for Strategy, " in " ".join(lines)
    assert "+198.00" in "".join(lines)


def test_what_is_left_out_of_a_long_list_is_counted(journal: list[str], capsys: Capture) -> None:
    assert history([*journal, "limit=2"]) == 0
    assert "The newest 2 of 5; limit=all shows all of them." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["symbol=AAPLE"], "No trades with symbol=AAPLE; did you mean AAPL?"),
        (["strategy=zzz"], "No trades with strategy=zzz; there are BollingerReversion-002, EmaCross-001"),
        (["what=approvals"], "No approvals yet."),
        (["since=2030-01-01"], "No trades match."),
    ],
)
def test_nothing_found_says_what_there_is(
    journal: list[str], capsys: Capture, given: list[str], said: str
) -> None:
    assert history([*journal, *given]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["what=trade"], "what=trade: there are none of these; did you mean trades?"),
        (["verdict=PASS"], "verdict=PASS: trades have no verdict; it goes with what=decisions"),
        (["side=BUY"], "side=BUY: trades have LONG, SHORT"),
        (["what=decisions", "verdict=NO"], "verdict=NO: decisions have PASS, REFUSE, HOLD"),
        (["limit=0"], "limit=0: must be a whole number above 0, or all"),
        (["limit=ten"], "limit=ten: must be a whole number above 0, or all"),
        (["since=yesterday"], "since=yesterday: must be a day such as 2026-11-20, or a moment such as "),
        (
            ["period=3m"],
            "period=3m: must be a number and h, d, w, mo or y, such as 7d or 3mo, or today, or all; mo is",
        ),
        (["period=0d"], "period=0d: must be a number"),
        (["period=9999y"], "period=9999y: reaches back too far; period=all is everything"),
        (["period=7d", "since=2026-11-02"], "period=7d and since=2026-11-02: give one of them"),
        (["since=2026-11-05", "until=2026-11-03"], "until=2026-11-03: must come after since=2026-11-05"),
        (["simbol=AAPL"], "unknown key simbol; did you mean symbol?"),
        (["venue=nowhere"], "venue=nowhere: journal "),
        (["run=none"], "run=none: journal "),
        (["output=xml"], "output=xml: text or json"),
    ],
)
def test_bad_input_is_one_line(journal: list[str], capsys: Capture, given: list[str], said: str) -> None:
    assert refused(capsys, *journal, *given).startswith(f"error: {said}")


def test_without_a_journal_it_says_where_it_looked(tmp_path: Path, capsys: Capture) -> None:
    said = refused(capsys, f"journal.path={tmp_path / 'none.db'}")
    assert "there is no journal" in said


def test_a_run_whose_config_does_not_tell_its_days_is_told_in_utc(tmp_path: Path, capsys: Capture) -> None:

    config = JournalConfig(path=tmp_path / "j.db")
    engine = open_journal(config, create=True)
    with Desk(
        engine, config, "r", "r", "sandbox", "replay", MONDAY, yaml="data: {{source: gone:Gone}}"
    ) as desk:
        desk.trade(MONDAY, MONDAY + HOUR, "AAPL.XNAS", "1", "1", "2")
    found = asked(capsys, *arguments(config))
    assert found["rows"][0]["closed_at"] == "2026-11-02T16:00:00.000000005+00:00"


def test_help_ends_with_an_example(capsys: Capture) -> None:
    assert history(["--help"]) == 0
    assert capsys.readouterr().out == HELP
    assert HELP.splitlines()[-1].startswith("Example: python -m live history ")
