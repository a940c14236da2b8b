"""Does the terminal show what a user looks for, at the widths users have?"""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from runs.record import RunRecord
from runs.summary import summarise
from runs.table import show
from tests.runs.records import analysis_of, fill, market_of, notice, record_of, refusal, stamp, trip

FILES = ("config.yaml", "equity.parquet", "run.png", "summary.json", "tearsheet.html")
LONG_DIR = (
    "/a/rather/long/way/down/to/where/the/runs/are/kept/outputs/backtests/2024-01-02_16-00-00-ema_cross"
)


def shown(record: RunRecord, width: int = 80, until_ns: int | None = None) -> str:
    analysis = analysis_of(record, until_ns)
    console = Console(file=io.StringIO(), width=width)
    show(console, analysis, summarise(analysis, LONG_DIR), "EmaCross", FILES)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def busy() -> RunRecord:
    return record_of(
        market_of(AAPL=[10.0, 11.0, 12.0]),
        [fill(0, "BUY", "10", "10", fee="1.00")],
        final="1019.00",
        halted=True,
        refusals=[refusal(0), refusal(1), refusal(1, "DRY_RUN")],
        trips=[trip(1)],
    )


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_but_the_path(width: int) -> None:
    lines = shown(busy(), width).splitlines()
    assert [line for line in lines if len(line.rstrip()) > width and LONG_DIR not in line] == []
    assert any(LONG_DIR in line for line in lines)


def test_the_strategy_stands_beside_buy_and_hold() -> None:
    [line] = [line for line in shown(busy()).splitlines() if line.strip().startswith("Return")]
    assert line.split() == ["Return", "+1.9%", "+20.0%"]


def test_each_limit_tells_when_about_how_much_and_the_arithmetic_of_the_largest() -> None:
    """500 shares at 10 and at 11 are 10,500 USD; the second is the largest."""
    text = " ".join(shown(busy()).split())
    assert (
        "MAX_LEVERAGE 2 2024-01-02 16:00 to 2024-01-03 16:00, about 10,500 USD in all, the largest 5,500 USD: "
        "2024-01-03 16:00 AAPL.XNAS would be too much at bar 1" in text
    )
    assert "DRY_RUN 1 2024-01-03 16:00, about 5,500 USD: AAPL.XNAS would be too much at bar 1" in text


def test_refusals_without_a_price_tell_the_first() -> None:
    record = record_of(market_of(AAPL=[10.0]), refusals=[refusal(-2), refusal(-1)])
    text = " ".join(shown(record).split())
    assert "2 2023-12-31 16:00 to 2024-01-01 16:00, the first: 2023-12-31 16:00 AAPL.XNAS" in text


def test_a_trip_tells_when_and_how_much() -> None:
    text = " ".join(shown(busy()).split())
    assert (
        "2024-01-03 16:00 DRAWDOWN equity 700.00 USD is 30% below its peak 1,000.00 USD; "
        "halted to the end of the run" in text
    )


def test_a_trip_of_one_strategy_names_it() -> None:
    record = record_of(market_of(AAPL=[10.0]), trips=[trip(0, scope="strategy:EMA-001")])
    assert "DRAWDOWN strategy:EMA-001: equity 700.00 USD" in " ".join(shown(record).split())


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("HALT_ENDED", "halted until its session day ended, 2024-01-03 16:00"),
        ("RESUMED", "halted until a person resumed, 2024-01-03 16:00"),
    ],
)
def test_a_trip_tells_how_long_trading_was_halted(kind: str, told: str) -> None:
    record = record_of(market_of(AAPL=[10.0, 10.0]), trips=[trip(0, "DAILY_LOSS")], notices=[notice(1, kind)])
    assert told in " ".join(shown(record).split())


def test_how_long_a_halt_lasted_is_not_guessed() -> None:
    record = record_of(market_of(AAPL=[10.0, 10.0]), trips=[trip(0, "DAILY_LOSS"), trip(1)], halted=True)
    text = " ".join(shown(record).split())
    assert text.count("; halted to the end of the run") == 1


def test_notices_are_counted_and_those_that_need_a_person_are_told() -> None:
    rows = [*(notice(bar, "ALARM", reason=f"still long at bar {bar}") for bar in range(9)), notice(3)]
    text = shown(record_of(market_of(AAPL=[10.0] * 9), notices=rows))
    assert "Notices     9 ALARM, 1 WARNING (notices.parquet)" in text
    assert [f"still long at bar {bar}" in text for bar in range(9)] == [False] * 4 + [True] * 5


def test_a_quiet_run_speaks_of_no_notices() -> None:
    assert "Notices" not in shown(busy())


def test_a_halted_run_says_so() -> None:
    assert "HALTED" in shown(busy())
    assert "HALTED" not in shown(record_of(market_of(AAPL=[10.0])))


def test_many_trips_are_cut_short_with_the_place_of_the_rest() -> None:
    record = record_of(market_of(AAPL=[10.0] * 20), trips=[trip(bar) for bar in range(12)])
    assert "and 7 more in trips.parquet" in shown(record)


def test_the_files_are_listed() -> None:
    text = shown(busy())
    assert all(name in text for name in FILES)


def test_a_run_without_a_bar_can_be_shown() -> None:
    assert "no bars" in shown(record_of(market_of(AAPL=[10.0])), until_ns=stamp(-1))


def test_brackets_in_a_reason_are_text_not_markup() -> None:
    odd = {**refusal(0), "reason": "MAX_LEVERAGE: [red]5[/red] is too much"}
    assert "[red]5[/red]" in shown(record_of(market_of(AAPL=[10.0]), refusals=[odd]))
