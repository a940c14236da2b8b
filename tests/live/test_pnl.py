"""`live pnl`: sums that are exact, days that are the run's own, equity that reconciles, and a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.config import JournalConfig
from journal.database import open_journal
from live._periods import Days
from live._pnl import BY, lines_of, total_of
from live._pnl_table import spark
from live.pnl import HELP, pnl
from tests.journal.filled import CONFIG, DAY, HOUR, MONDAY, NANOS, Desk, arguments, fill, journal_on

Capture = pytest.CaptureFixture[str]
PNG = b"\x89PNG\r\n\x1a\n"
ALL = "period=all"


@pytest.fixture(autouse=True)
def _a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The story, and how a verb finds it."""
    with journal_on(request.param, tmp_path_factory.mktemp("pnl")) as config:
        fill(config)
        yield arguments(config)


def asked(capsys: Capture, *given: str) -> dict[str, Any]:
    assert pnl([*given, "output=json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def by_key(found: dict[str, Any], name: str = "pnl") -> dict[str, Any]:
    return {row["key"]: row[name] for row in found["rows"]}


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NANOS


def written(folder: Path, yaml: str = CONFIG, mode: str = "sandbox") -> tuple[JournalConfig, Desk]:
    """An own journal with one run that a test fills."""
    config = JournalConfig(path=folder / "j.db")
    scope = "run" if mode == "sandbox" else f"{mode}:replay"
    desk = Desk(open_journal(config, create=True), config, "run", scope, mode, "replay", MONDAY, yaml=yaml)
    return config, desk


@pytest.mark.parametrize(
    ("by", "pnls"),
    [
        ("day", {"2026-11-02": "46", "2026-11-03": "198", "2026-11-04": "-152", "2026-11-09": "48"}),
        ("week", {"2026-W45": "92", "2026-W46": "48"}),
        ("month", {"2026-11": "140"}),
        ("instrument", {"AAPL.XNAS": "144", "MSFT.XNAS": "-4"}),
        ("strategy", {"EmaCross-001": "344", "BollingerReversion-002": "-204"}),
    ],
)
def test_trades_are_summed_up(journal: list[str], capsys: Capture, by: str, pnls: dict[str, str]) -> None:
    found = asked(capsys, *journal, f"by={by}", ALL)
    assert by_key(found) == pnls
    assert list(by_key(found)) == list(pnls)
    assert found["total"] == {
        "trades": 5,
        "wins": 3,
        "losses": 2,
        "pnl": "140",
        "commission": "10",
        "win_rate": 0.6,
        "average_win": "114.66666667",
        "average_loss": "-102",
        "profit_factor": 344 / 204,
    }


def test_equity_reconciles_with_closed_trades_and_open_positions(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, ALL)
    assert found["equity"] == {
        "start": "100000",
        "end": "100190",
        "change": "190",
        "fees_later": "0",
        "unexplained": "50",
        "as_of": "2026-11-09T16:00:00-05:00",
    }
    changes = {"2026-11-02": "46", "2026-11-03": "198", "2026-11-04": "-152", "2026-11-09": "98"}
    assert by_key(found, "equity_change") == changes
    assert list(by_key(found, "cumulative").values()) == ["46", "244", "92", "140"]


def test_equity_of_a_period_begins_with_what_was_before_it(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "since=2026-11-04", "until=2026-11-08")
    assert (found["equity"]["start"], found["equity"]["end"]) == ("100244", "100092")
    assert (found["equity"]["change"], found["equity"]["unexplained"]) == ("-152", "0")
    assert found["since"] == "2026-11-04T00:00:00-05:00"
    assert found["until"] == "2026-11-09T00:00:00-05:00"


def test_a_filter_leaves_equity_out_which_is_the_whole_accounts(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "strategy=EmaCross", ALL)
    assert (found["total"]["pnl"], found["equity"]["change"]) == ("344", None)


def test_sandbox_runs_that_each_started_fresh_are_added_up(journal: list[str], capsys: Capture) -> None:
    assert asked(capsys, *journal, "venue=replay")["total"]["pnl"] == "28"
    found = asked(capsys, *journal, "venue=replay", "run=all")
    assert (found["total"]["pnl"], found["scope"]) == ("36", None)
    equity = found["equity"]
    assert (equity["start"], equity["end"], equity["change"], equity["unexplained"]) == (
        None,
        None,
        "36",
        "0",
    )


def test_runs_in_different_currencies_are_not_added_up(tmp_path: Path, capsys: Capture) -> None:
    config = JournalConfig(path=tmp_path / "j.db")
    engine = open_journal(config, create=True)
    for number, currency in enumerate(("USD", "EUR")):
        Desk(
            engine, config, currency, currency, "sandbox", "replay", MONDAY + number, currency=currency
        ).close()
    assert pnl([*arguments(config), "run=all"]) == 2
    assert "count in EUR and USD, which do not add up; name one run=ID" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "day"),
    [
        ("session_start: 00:00", "2026-11-02"),
        ("session_start: '17:00'", "2026-11-03"),
        ("session_zone: UTC", "2026-11-03"),
        ("session_calendar: XNYS", "2026-11-03"),
        ("session_calendar: XTKS", "2026-11-04"),
    ],
)
def test_a_trade_belongs_to_the_session_day_on_which_it_closed(
    tmp_path: Path, capsys: Capture, settings: str, day: str
) -> None:
    yaml = f"data: {{{{source: market.us_equities:UsEquities}}}}\nrisk: {{{{{settings}}}}}"
    config, desk = written(tmp_path, yaml)
    evening = ns("2026-11-03T03:30")  # 22:30 in New York, 12:30 in Tokyo, where 3 November is a holiday
    desk.trade(evening - HOUR, evening, "AAPL.XNAS", "1", "100", "101")
    desk.close()
    assert list(by_key(asked(capsys, *arguments(config)))) == [day]


def test_clocks_that_change_move_the_day_with_them(tmp_path: Path, capsys: Capture) -> None:
    config, desk = written(tmp_path)
    for moment in ("2026-11-01T03:59:59", "2026-11-01T04:00", "2026-11-02T04:59:59", "2026-11-02T05:00"):
        desk.trade(ns(moment) - HOUR, ns(moment), "AAPL.XNAS", "1", "100", "102", fee="0")
    desk.close()
    found = by_key(asked(capsys, *arguments(config)), "trades")
    assert found == {"2026-10-31": 1, "2026-11-01": 2, "2026-11-02": 1}


def test_sums_stay_exact_where_floats_would_not(tmp_path: Path, capsys: Capture) -> None:
    config, desk = written(tmp_path)
    for number in range(10):
        desk.trade(
            MONDAY + number, MONDAY + number + 10, "AAPL.XNAS", "1", "100", "101.0000000000000001", fee="0"
        )
    desk.close()
    assert asked(capsys, *arguments(config))["total"]["pnl"] == "10.000000000000001"


def test_deposits_are_named_beside_the_equity_they_changed(tmp_path: Path, capsys: Capture) -> None:
    config, desk = written(tmp_path, mode="paper")
    desk.event(MONDAY, "CASH_FLOW", "CASH_FLOW: deposit of 500.00")
    desk.cash += Decimal(500)
    desk.snapshot(MONDAY + HOUR)
    desk.close()
    of = arguments(config)
    found = asked(capsys, *of, ALL)
    assert (found["equity"]["change"], found["equity"]["unexplained"]) == ("500", "500")
    assert [flow["reason"] for flow in found["cash_flows"]] == ["CASH_FLOW: deposit of 500.00"]
    assert pnl([*of, ALL]) == 0
    assert "2026-11-02 10:00:00  CASH_FLOW: deposit of 500.00" in capsys.readouterr().out


def test_days_on_which_nothing_changed_are_left_out(tmp_path: Path, capsys: Capture) -> None:
    config, desk = written(tmp_path)
    for number in range(5):
        desk.snapshot(MONDAY + number * DAY)
    desk.trade(MONDAY + 4 * DAY, MONDAY + 4 * DAY + 1, "AAPL.XNAS", "1", "100", "105")
    desk.close()
    assert list(by_key(asked(capsys, *arguments(config)))) == ["2026-11-06"]


@pytest.mark.parametrize(
    ("settings", "last"),
    [
        ("session_start: 00:00", ns("2026-11-03T05:00") - 1),
        ("session_calendar: XNYS", ns("2026-11-02T21:00")),
    ],
)
def test_equity_at_the_end_of_a_day_is_that_of_its_last_moment(
    tmp_path: Path, capsys: Capture, settings: str, last: int
) -> None:
    """A snapshot at the very end belongs to the day, one a nanosecond later to the next."""
    config, desk = written(
        tmp_path, f"data: {{{{source: market.us_equities:UsEquities}}}}\nrisk: {{{{{settings}}}}}"
    )
    for moment, equity in ((last - 1, 1), (last, 10), (last + 1, 100), (last + 2, 1000)):
        desk.cash = Decimal(100_000 + equity)
        desk.snapshot(moment)
    desk.close()
    assert by_key(asked(capsys, *arguments(config)), "equity_change") == {
        "2026-11-02": "10",
        "2026-11-03": "990",
    }


def test_days_whose_equity_was_not_kept_are_counted(tmp_path: Path, capsys: Capture) -> None:
    config, desk = written(tmp_path)
    for number in range(3):
        desk.trade(MONDAY + number * DAY, MONDAY + number * DAY + 1, "AAPL.XNAS", "1", "100", "105")
    desk.snapshot(MONDAY + 2 * DAY + HOUR)
    desk.close()
    of = arguments(config)
    assert by_key(asked(capsys, *of), "equity_change") == {
        "2026-11-02": "0",
        "2026-11-03": None,
        "2026-11-04": "9",
    }
    assert pnl(of) == 0
    assert "Equity was not kept on 1 day that has trades; its change stands on" in capsys.readouterr().out


def test_people_read_a_table_with_bars_and_totals(journal: list[str], capsys: Capture) -> None:
    assert pnl([*journal, ALL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "P&L by day  alpaca_paper (paper), all of it, in USD, days of America/New_York"
    assert "2026-11-04 Wed       1    0.0%  -152.00    ████████│" in lines[5]
    said = "\n".join(line.rstrip() for line in lines[7:])
    assert said == (
        "Total       +140.00 USD in 5 trades, 3 won (60.0%)\n"
        "Average     win +114.67, loss -102.00; profit factor 1.69\n"
        "Fees        10.00, taken off already\n"
        "Cumulative  ▁█▂▄\n"
        "Equity      100,000.00 to 100,190.00: +190.00 by 2026-11-09 16:00:00; closed trades +140.00, open positions "
        "and everything else +50.00"
    )


def test_a_long_list_shows_the_last_lines_and_totals_of_all(journal: list[str], capsys: Capture) -> None:
    assert pnl([*journal, ALL, "limit=1"]) == 0
    said = capsys.readouterr().out
    assert "The last 1 of 4 lines; limit=all shows all of them." in said
    assert "Total       +140.00 USD in 5 trades" in said
    assert "2026-11-04" not in said.partition("Total")[0]


@pytest.mark.parametrize(("by", "best"), [("instrument", "AAPL.XNAS"), ("strategy", "EmaCross-001")])
def test_of_instruments_and_strategies_the_best_are_shown_first(
    journal: list[str], capsys: Capture, by: str, best: str
) -> None:
    assert list(by_key(asked(capsys, *journal, f"by={by}", ALL, "limit=1"))) == [best]
    assert pnl([*journal, f"by={by}", ALL, "limit=1"]) == 0
    said = capsys.readouterr().out
    assert best in said
    assert "The first 1 of 2 lines; limit=all shows all of them." in said


@pytest.mark.parametrize("far", ["since=0001-01-01", "since=1600-01-01T00:00", "until=9999-12-31"])
def test_a_day_far_away_bounds_nothing(journal: list[str], capsys: Capture, far: str) -> None:
    found = asked(capsys, *journal, far)
    assert (found["total"]["pnl"], found["since"], found["until"]) == ("140", None, None)


def test_an_empty_period_says_so(journal: list[str], capsys: Capture) -> None:
    assert pnl([*journal, "since=2030-01-01"]) == 0
    said = capsys.readouterr().out
    assert "No trade was closed and no change of equity was kept in this time; period=all looks" in said
    found = asked(capsys, *journal, "since=2030-01-01")
    assert (found["rows"], found["total"]["pnl"], found["total"]["win_rate"]) == ([], "0", None)


@pytest.mark.parametrize("by", BY)
def test_a_chart_is_a_picture_file_and_is_made_anew(
    journal: list[str], capsys: Capture, tmp_path: Path, by: str
) -> None:
    file = tmp_path / "charts" / "pnl.png"
    for _ in range(2):
        assert pnl([*journal, ALL, f"by={by}", f"chart={file}"]) == 0
    assert file.read_bytes().startswith(PNG)
    assert [each.name for each in file.parent.iterdir()] == ["pnl.png"]
    assert str(file) in capsys.readouterr().out


def test_a_chart_of_nothing_is_drawn_too(journal: list[str], tmp_path: Path) -> None:
    file = tmp_path / "pnl.png"
    assert pnl([*journal, "since=2030-01-01", f"chart={file}"]) == 0
    assert file.read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["by=year"], "by=year: cannot be grouped so; one of day, week, month, instrument, strategy"),
        (["by=symbol"], "by=symbol: cannot be grouped so; one of day, week, month, instrument, strategy"),
        (["by=weeks"], "by=weeks: cannot be grouped so; did you mean week?"),
        (["chart=pnl.jpg"], "chart=pnl.jpg: must be the name of a PNG file, such as chart=pnl.png"),
        (["chart=/proc/none/pnl.png"], "chart=/proc/none/pnl.png: cannot be written ("),
        (["side=BUY"], "side=BUY: trades have LONG, SHORT"),
        (["limit=-1"], "limit=-1: must be a whole number above 0, or all"),
        (
            ["period=1M"],
            "period=1M: must be a number and h, d, w, mo or y, such as 7d or 3mo, or today, or all; mo",
        ),
    ],
)
def test_bad_input_is_one_line(journal: list[str], capsys: Capture, given: list[str], said: str) -> None:
    assert pnl([*journal, *given]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {said}")
    assert shown.err.count("\n") == 1


def test_help_ends_with_an_example(capsys: Capture) -> None:
    assert pnl(["--help"]) == 0
    assert capsys.readouterr().out == HELP
    assert HELP.splitlines()[-1].startswith("Example: python -m live pnl ")


AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=16)
TRADES = st.lists(
    st.builds(
        lambda pnl_, ts, name: {
            "pnl": pnl_,
            "commission": abs(pnl_) / 1000,
            "closed_ns": ts,
            "instrument": name,
            "strategy": name,
        },
        AMOUNTS,
        st.integers(MONDAY - 400 * DAY, MONDAY + 400 * DAY),
        st.sampled_from(["A", "B", "C"]),
    ),
    max_size=40,
)


@given(trades=TRADES, by=st.sampled_from(BY))
def test_however_trades_are_grouped_they_add_up_to_the_same(trades: list[dict[str, Any]], by: str) -> None:
    days = Days.of_run({"config": "data: {source: market.us_equities:UsEquities}"})
    lines = lines_of(trades, by, days, {})
    total = total_of(lines)
    assert total.pnl.as_integer_ratio() == _exact_sum(trade["pnl"] for trade in trades)
    assert total.trades == len(trades)
    assert total.wins + total.losses == sum(bool(trade["pnl"]) for trade in trades)


def _exact_sum(amounts: Iterator[Decimal]) -> tuple[int, int]:
    whole = sum(int(amount.scaleb(16)) for amount in amounts)
    return (Decimal(whole) / 1).scaleb(-16).as_integer_ratio()


@given(st.lists(st.decimals(min_value=-1000, max_value=1000, places=2), min_size=1, max_size=300))
def test_a_sparkline_has_a_sign_for_each_amount_and_no_more_than_fit(amounts: list[Decimal]) -> None:
    drawn = spark(amounts)
    assert len(drawn) == min(len(amounts), 60)
    if len(amounts) <= 60 and len(set(amounts)) > 1:
        assert drawn[amounts.index(max(amounts))] == "█"
        assert drawn[amounts.index(min(amounts))] == "▁"
