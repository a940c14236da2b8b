"""Can a reader of the picture and of the tear sheet see what was refused, what tripped, and when?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from runs.plots import figure_of
from runs.record import Row, RunRecord
from runs.summary import summarise
from runs.tearsheet import tear_sheet
from tests.runs.pages import embedded, own_part, section
from tests.runs.records import DAY, T0, analysis_of, fill, market_of, notice, record_of, refusal, stamp, trip

FLAT = market_of(AAPL=[10.0, 12.0, 11.0, 13.0, 12.0, 14.0])
LONG = market_of(AAPL=np.linspace(5.0, 90.0, 800).round(2).tolist())


def panels(record: RunRecord) -> list[Axes]:
    analysis = analysis_of(record)
    return figure_of(analysis, summarise(analysis, "x"), "Test").axes


def legend(panel: Axes) -> list[str]:
    shown = panel.get_legend()
    return [] if shown is None else [text.get_text() for text in shown.get_texts()]


def days_drawn(panel: Axes, label: str) -> list[float]:
    [line] = [line for line in panel.lines if line.get_label() == label]
    return [float(day) for day in np.asarray(line.get_xdata(), float)]


def days_at(*numbers: float) -> list[float]:
    return [stamp(number) / DAY for number in numbers]


def sheet(record: RunRecord) -> str:
    analysis = analysis_of(record)
    return own_part(tear_sheet(analysis, summarise(analysis, "x"), "Test"))


def traces(drawn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = embedded(drawn, "charts")["equity"]["data"]
    return found


def test_each_limits_refusals_stand_where_they_happened_with_its_name() -> None:
    [_, _, prices] = panels(record_of(FLAT, refusals=[refusal(1), refusal(2, "DRY_RUN"), refusal(4)]))
    assert days_drawn(prices, "refused MAX_LEVERAGE (2)") == days_at(1, 4)
    assert days_drawn(prices, "refused DRY_RUN (1)") == days_at(2)


def test_refusals_hide_no_price() -> None:
    rows = [refusal(1), refusal(2, "DRY_RUN"), refusal(3, "MAX_ORDER")]
    for market in (FLAT, LONG):
        [_, _, panel] = panels(record_of(market, refusals=rows))
        ticks = [line for line in panel.lines if str(line.get_label()).startswith("refused")]
        highest = max(float(np.max(np.asarray(line.get_ydata(), float))) for line in ticks)
        lowest = float(np.min(np.asarray(panel.lines[0].get_ydata(), float)))
        place = panel.transAxes.inverted().transform(panel.transData.transform((0.0, lowest)))[1]
        assert highest < place
        assert len({line.get_color() for line in ticks}) == 3


def test_many_limits_make_three_entries_at_most() -> None:
    rows = [refusal(1, limit) for limit in ("A", "B", "C", "D", "A", "A", "B")]
    [_, _, prices] = panels(record_of(FLAT, refusals=rows))
    assert legend(prices) == ["refused A (3)", "refused B (2)", "refused by other limits (2)"]


def test_refusals_of_an_instrument_without_a_panel_are_marked_too() -> None:
    market = market_of(**{name: [10.0, 11.0] for name in "ABCDEF"})
    [equity, *_] = panels(record_of(market, refusals=[refusal(1, symbol="F")]))
    assert "refused elsewhere (1)" in legend(equity)


def test_each_breaker_has_its_own_line_and_name() -> None:
    trips = [trip(1, "DAILY_LOSS"), trip(2), trip(3, "WIN_RATE"), trip(3, "WIN_RATE", "strategy:EMA-001")]
    [equity, *others] = panels(record_of(FLAT, trips=trips))
    assert legend(equity)[2:] == [
        "DAILY_LOSS tripped (1)",
        "DRAWDOWN tripped (1)",
        "WIN_RATE tripped (1)",
        "WIN_RATE strategy:EMA-001 tripped (1)",
        "halted",
    ]
    lines = [each for each in equity.collections if "tripped" in str(each.get_label())]
    assert len({str(each.get_linestyle()) for each in lines}) == 4
    assert not any("tripped" in label for panel in others for label in legend(panel))


def test_a_halt_is_tinted_from_its_trip_to_its_end() -> None:
    trips = [trip(1, "DAILY_LOSS"), trip(4)]
    [equity, *_] = panels(record_of(FLAT, trips=trips, notices=[notice(2, "HALT_ENDED")], halted=True))
    spans = [(each.get_x(), each.get_x() + each.get_width()) for each in equity.patches]  # type: ignore[attr-defined]
    assert spans == [tuple(days_at(1, 2)), tuple(days_at(4, 5))]


def test_halts_that_overlap_are_one_tint() -> None:
    [equity, *_] = panels(record_of(FLAT, trips=[trip(1), trip(2, "UNGATED_ORDER")], halted=True))
    assert len(equity.patches) == 1


def test_many_trips_do_not_cover_the_curves() -> None:
    """Lines through the whole panel for a few, strokes at its top for many."""
    for count, foot in ((5, 0.0), (300, 0.9)):
        [equity, *_] = panels(record_of(LONG, trips=[trip(bar, "DAILY_LOSS") for bar in range(count)]))
        [lines] = [each for each in equity.collections if "tripped" in str(each.get_label())]
        assert min(np.asarray(path.vertices)[:, 1].min() for path in lines.get_paths()) == foot


def test_warnings_are_lighter_than_trips() -> None:
    [equity, *_] = panels(record_of(FLAT, trips=[trip(3)], notices=[notice(2), notice(3, "ALARM")]))
    assert days_drawn(equity, "warning (1)") == days_at(2)
    colours = {str(line.get_label()): line.get_color() for line in equity.lines}
    assert colours["warning (1)"] != colours["ALARM (1)"]


def test_exits_stand_at_the_price_of_the_instrument_they_name() -> None:
    rows = [
        notice(1, "PROTECTED", reason="stop for AAPL.XNAS at 9"),
        notice(2.5, "EXIT", reason="AAPL.XNAS: held for 60 minutes"),
        notice(3, "TIMEOUT", reason="order in MSFT.XNAS"),
        notice(3, "TIMEOUT", reason="order in AAPL.XNASX, XAAPL.XNAS"),
    ]
    market = market_of(AAPL=[10.0, 12.0, 11.0, 13.0], MSFT=[20.0, 21.0, 22.0, 23.0])
    [_, _, apple, microsoft] = panels(record_of(market, notices=rows))
    assert legend(apple) == ["exit attached (1)", "time exit (1)"]
    assert legend(microsoft) == ["order timed out (1)"]
    heights = {str(line.get_label()): list(np.asarray(line.get_ydata(), float)) for line in apple.lines}
    assert (heights["exit attached (1)"], heights["time exit (1)"]) == ([12.0], [11.0])


def test_the_tear_sheet_tells_when_and_why_where_the_mouse_rests() -> None:
    rows = [refusal(1), refusal(2), {**refusal(3, "DRY_RUN"), "reason": "DRY_RUN: 5 < 6"}]
    drawn = traces(sheet(record_of(FLAT, refusals=rows, trips=[trip(3)], notices=[notice(2)])))
    said = {
        each["name"]: each["text"] for each in drawn if each.get("mode") == "markers" and each["showlegend"]
    }
    assert said["refused MAX_LEVERAGE (2)"][0] == (
        "2024-01-03 16:00<br>MAX_LEVERAGE: AAPL.XNAS would be too much at bar 1"
    )
    assert said["refused DRY_RUN (1)"] == ["2024-01-05 16:00<br>DRY_RUN: 5 &lt; 6"]
    assert set(said) == {
        "refused MAX_LEVERAGE (2)",
        "refused DRY_RUN (1)",
        "warning (1)",
        "DRAWDOWN tripped (1)",
    }


def test_the_tear_sheet_stays_small_however_many_orders_were_refused() -> None:
    rows: Sequence[Row] = [{**refusal(0), "ts": T0 + number * DAY // 50} for number in range(30_000)]
    drawn = sheet(record_of(LONG, refusals=rows))
    assert "refused MAX_LEVERAGE (300 of 30,000)" in drawn
    assert len(drawn) < 1_000_000


def test_the_tear_sheet_has_refusals_and_trips_in_words_where_there_are_any() -> None:
    drawn = sheet(record_of(FLAT, refusals=[refusal(1)], trips=[trip(2)], halted=True))
    told = section(drawn, "refusals")
    assert "2024-01-03 16:00, about 6,000 USD: AAPL.XNAS would be too much at bar 1" in told
    assert "halted to the end of the run" in drawn
    assert "No order was refused." in sheet(record_of(FLAT))


def test_the_tear_sheet_says_how_many_more_there_are() -> None:
    drawn = sheet(record_of(LONG, trips=[trip(bar, "DAILY_LOSS") for bar in range(50)]))
    assert "and 10 more in trips.parquet" in drawn


def test_buy_and_hold_that_moves_far_more_is_drawn_at_equal_volatility_and_says_so() -> None:
    closes = np.asarray(LONG.frames["AAPL"]["close"])
    rows = [fill(0, "BUY", "1", str(closes[0]))]
    ended = record_of(LONG, rows, final=str(1000 + Decimal(str(closes[-1])) - Decimal(str(closes[0]))))
    [equity, *_] = panels(ended)
    name = next(each for each in legend(equity) if each.startswith("buy and hold"))
    assert re.fullmatch(
        r"buy and hold \+1,700\.0%, drawn at equal volatility \(with \d+% of the money\)", name
    )
    assert equity.get_yscale() == "linear"
    assert name in [trace["name"] for trace in traces(sheet(ended))]
