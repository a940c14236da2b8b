"""The check finds every wrong row, names the first, and leaves sound rows alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import open_market
from market.bar_length import BarLength
from market.files import ParquetFiles
from market.quality import QualityRules, check

type Bars = Callable[..., pd.DataFrame]

HOUR = 3_600_000_000_000
NEW_YORK = "America/New_York"
CRYPTO_DAYS = QualityRules(length=BarLength.parse("1d"), calendar="24/7", price_precision=2, size_precision=0)


@st.composite
def sound_bars(draw: st.DrawFn) -> pd.DataFrame:
    """Bars of any length whose four prices fit together, in cents."""
    count = draw(st.integers(2, 40))
    cents = st.integers(1, 10_000_000)
    rows = [sorted(draw(st.lists(cents, min_size=4, max_size=4))) for _ in range(count)]
    turned = [
        (low, open_, close, high) if draw(st.booleans()) else (low, close, open_, high)
        for low, open_, close, high in rows
    ]
    frame = (
        pd.DataFrame([(o, h, low, c) for low, o, c, h in turned], columns=["open", "high", "low", "close"])
        / 100
    )
    steps = draw(st.lists(st.integers(10, 10**15), min_size=count, max_size=count))
    frame.insert(0, "ts", np.cumsum(steps))
    frame["volume"] = draw(st.lists(st.integers(0, 10**9), min_size=count, max_size=count))
    return frame.astype({"volume": float})


def _put(column: str, value: Callable[[pd.DataFrame, int], float]) -> Callable[[pd.DataFrame, int], None]:
    """Something that spoils one cell of a frame."""

    def spoil(frame: pd.DataFrame, at: int) -> None:
        frame[column] = frame[column].astype("int64" if column == "ts" else "float64")
        frame.loc[at, column] = value(frame, at)

    return spoil


def _cell(
    column: str, plus: float = 0, before: int = 0, times: float = 1
) -> Callable[[pd.DataFrame, int], float]:
    """A number made from another cell."""
    return lambda frame, at: frame[column].to_list()[at - before] * times + plus


BREAKS = {
    "NaN": ("close is empty", _put("close", lambda *_: np.nan)),
    "infinite": ("volume is empty or no number", _put("volume", lambda *_: np.inf)),
    "zero": ("low is zero or negative", _put("low", lambda *_: 0.0)),
    "negative": ("open is zero or negative", _put("open", lambda *_: -1.0)),
    "high below low": ("high is below low", _put("high", _cell("low", times=0.5))),
    "close above high": ("open or close lies outside", _put("close", _cell("high", plus=1))),
    "twice": ("the same stamp twice", _put("ts", _cell("ts", before=1))),
    "backwards": ("stamps run backwards", _put("ts", _cell("ts", before=1, plus=-1))),
}


@given(sound_bars())
@settings(deadline=None, max_examples=60)
def test_sound_bars_have_no_errors(frame: pd.DataFrame) -> None:
    assert check(frame, "bars", "X", QualityRules(price_precision=2, size_precision=0)).errors == []


@pytest.mark.parametrize("fault", BREAKS)
@given(frame=sound_bars(), where=st.integers(1, 39))
@settings(deadline=None, max_examples=15)
def test_one_broken_row_is_found_and_named(fault: str, frame: pd.DataFrame, where: int) -> None:
    said, spoil = BREAKS[fault]
    at = 1 + where % (len(frame) - 1)
    spoil(frame, at)
    errors = [line for line in check(frame, "bars", "X").errors if said in line]
    assert len(errors) == 1
    assert errors[0].startswith("X: ")
    assert f"row {at} (" in errors[0]


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=50))
@settings(deadline=None, max_examples=60)
def test_quotes_are_wrong_exactly_when_one_is_crossed(pairs: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(
        {"ts": 1, "bid": [float(bid) for bid, _ in pairs], "ask": [float(ask) for _, ask in pairs]}
    )
    frame = frame.assign(bid_size=1.0, ask_size=1.0)
    frame["ask"] = frame["ask"].clip(lower=1)
    assert bool(check(frame, "quotes", "X").errors) == bool((frame["bid"] > frame["ask"]).any())


def test_a_sound_frame_raises_no_doubt(bars: Bars) -> None:
    assert check(bars(200), "bars", "X", CRYPTO_DAYS).doubts == []


def test_a_missing_day_is_a_gap(bars: Bars) -> None:
    (doubt,) = check(bars(20).drop(index=[5, 6, 11]), "bars", "X", CRYPTO_DAYS).doubts
    assert doubt == "X: 2 gaps, 3 days missing, the longest (2) after 2020-01-05"


def test_holidays_are_no_gap_but_a_missing_week_is(bars: Bars) -> None:
    rules = QualityRules(length=BarLength.parse("1d"), calendar="weekdays")
    frame = bars(40)
    days = pd.DatetimeIndex(frame["ts"] - 1)
    weekdays = frame[days.day_of_week < 5]
    christmas = weekdays.drop(index=weekdays.index[[7, 8]])
    assert check(christmas, "bars", "X", rules).doubts == []
    (doubt,) = check(weekdays.drop(index=weekdays.index[5:10]), "bars", "X", rules).doubts
    assert "1 gap, 5 days missing" in doubt


def test_missing_sessions_are_counted_against_the_exchange() -> None:
    frame = _new_york("2001-09-06 16:00", "2001-09-07 16:00", "2001-09-10 16:00", "2001-09-18 16:00")
    assert check(frame, "bars", "X", _equity("1d")).doubts == [
        "X: no bar for 1 of 5 sessions of XNYS, first 2001-09-17"
    ]


def test_daily_bars_at_midnight_are_outside_the_sessions() -> None:
    frame = _new_york("2020-01-06", "2020-01-07", "2020-01-08")
    (doubt, *_) = check(frame, "bars", "X", _equity("1d")).doubts
    assert doubt.startswith("X: rows end outside the sessions of XNYS: 3 rows, first row 0 (2020-01-05)")
    assert "2020-01-06 00:00 in America/New_York; 100.0% of all: are data.zone," in doubt


def test_intraday_bars_in_the_wrong_zone_are_outside_the_sessions() -> None:
    stamps = [
        f"2020-01-{day:02} {hour}:30" for day in (6, 7, 8) for hour in range(15, 22)
    ]  # UTC read as New York
    (doubt, *_) = check(_new_york(*stamps), "bars", "X", _equity("1h")).doubts
    assert "rows end outside the sessions of XNYS: 18 rows" in doubt


def test_currencies_do_not_trade_on_saturday(bars: Bars) -> None:
    doubts = check(
        bars(10), "bars", "X", QualityRules(length=BarLength.parse("1d"), calendar="weekdays")
    ).doubts
    assert doubts[0].startswith("X: rows end on a Saturday in UTC: 1 row, row 3 (2020-01-04)")


@pytest.mark.parametrize(("ratio", "name"), [(2, "2:1"), (7, "7:1"), (1.5, "3:2"), (0.1, "1:10")])
def test_an_unadjusted_split_is_named(ratio: float, name: str, bars: Bars) -> None:
    frame = bars(20)
    frame.loc[10:, ["open", "high", "low", "close"]] /= ratio
    (doubt,) = check(frame.round(6), "bars", "X", QualityRules(length=BarLength.parse("1d"))).doubts
    verb = "falls" if ratio > 1 else "rises"
    assert doubt.startswith(f"X: 2020-01-11 close {verb} ")
    assert doubt.endswith(f"looks like an unadjusted {name} split")


def test_a_crash_is_no_split_and_a_known_one_no_doubt(bars: Bars) -> None:
    frame = bars(20)
    frame.loc[10:, ["open", "high", "low", "close"]] *= 0.62
    rules = QualityRules(length=BarLength.parse("1d"))
    (doubt,) = check(frame.round(2), "bars", "X", rules).doubts
    assert "a bad price, or an adjustment that is missing?" in doubt
    known = QualityRules(length=BarLength.parse("1d"), known_jumps=("2020-01-11",))
    assert check(frame.round(2), "bars", "X", known).doubts == []


def test_open_and_close_swapped_is_a_doubt(bars: Bars) -> None:
    swapped = bars(50).rename(columns={"open": "close", "close": "open"})
    assert "are the columns open and close swapped" in check(swapped, "bars", "X").doubts[0]


def test_an_unfinished_bar_is_a_doubt(bars: Bars) -> None:
    frame = bars(10)
    (doubt,) = check(frame, "bars", "X", QualityRules(now_ns=int(frame["ts"].iloc[-1]) - 1)).doubts
    assert "stamps lie in the future in 1 row, row 9" in doubt


def test_a_volume_of_zero_is_a_doubt(bars: Bars) -> None:
    frame = bars(10)
    frame.loc[3:4, "volume"] = 0.0
    (doubt,) = check(frame, "bars", "X").doubts
    assert doubt.startswith("X: volume is 0, and nothing fills there, in 2 rows, first row 3")


def test_a_number_too_large_to_be_exact_is_an_error(bars: Bars) -> None:
    frame = bars(5)
    frame.loc[2, "volume"] = 1e15
    rules = QualityRules(price_precision=2, size_precision=2)
    assert (
        "volume is too large to be exact at 2 decimals in 1 row, row 2"
        in check(frame, "bars", "X", rules).errors[0]
    )


def test_an_hour_without_quotes_is_a_gap() -> None:
    frame = pd.DataFrame(
        {"ts": [1, HOUR, 5 * HOUR], "bid": 1.0, "ask": 1.0, "bid_size": 1.0, "ask_size": 1.0}
    )
    (doubt,) = check(frame, "quotes", "X", QualityRules(calendar="24/7")).doubts
    assert doubt == "X: 1 gap, 4 hours missing, after 1970-01-01T01:00:00Z"


@pytest.mark.parametrize(
    ("file", "settings", "bar", "said"),
    [
        (
            "lean_us_equity_daily",
            {"columns": {"time": "ts", "symbol": "symbol"}, "symbols": ["AAPL"]},
            "1d",
            "AAPL: 2000-06-21 close falls 45.0%: looks like an unadjusted 2:1 split (5 such moves)",
        ),
        (
            "lean_us_equity_1h",
            {"columns": {"time": "ts", "symbol": "symbol"}, "symbols": ["IBM"]},
            "1h",
            "looks like an unadjusted 2:1 split",
        ),
        (
            "lean_us_equity_1h",
            {"columns": {"time": "ts", "symbol": "symbol"}, "symbols": ["IBM"], "label": "END"},
            "1h",
            "14.3% of all: are data.zone, data.stamp_zone and data.label right?",
        ),
        (
            "lean_btcusd_coinbase_1m_trade",
            {"columns": {"time": "ts"}, "symbols": ["BTCUSD"], "instrument_class": "crypto"},
            "1m",
            "BTCUSD: 99 gaps, 775,257 bars missing",
        ),
    ],
)
def test_real_files_show_their_known_faults(
    file: str, settings: dict[str, object], bar: str, said: str, shared_data: Path, catalog_dir: Path
) -> None:
    plain = {"label": "START", "path": str(shared_data / f"{file}.parquet"), "catalog_dir": catalog_dir}
    market = open_market(ParquetFiles.model_validate(plain | settings), bar=bar)
    assert any(said in doubt for doubt in market.doubts), market.doubts


@pytest.mark.parametrize(
    "file", ["gte_btcusd_1h_2018_2022", "lean_eurusd_oanda_1h_bidask", "naut_btcperp_ftx_1m_202201"]
)
def test_real_files_that_are_sound_raise_few_doubts(file: str, shared_data: Path, catalog_dir: Path) -> None:
    sides = {name: f"bid_{name}" for name in ("open", "high", "low", "close")} | {"volume": None}
    source = ParquetFiles.model_validate(
        {
            "path": str(shared_data / f"{file}.parquet"),
            "label": "END" if "ftx" in file else "START",
            "instrument_class": "fx" if "eurusd" in file else "crypto",
            "symbols": ["EURUSD" if "eurusd" in file else "BTCUSD"],
            "columns": {"time": "ts"} | (sides if "bidask" in file else {}),
            "fill_size": 1_000_000,
            "catalog_dir": catalog_dir,
        }
    )
    market = open_market(source, bar="1m" if "1m" in file else "1h")
    assert len(market.doubts) <= 1


def _new_york(*local: str) -> pd.DataFrame:
    stamps = pd.DatetimeIndex(local).tz_localize(NEW_YORK).tz_convert("UTC").as_unit("ns").asi8
    return pd.DataFrame(
        {"ts": stamps, "open": 10.0, "high": 10.5, "low": 9.5, "close": 10.0, "volume": 100.0}
    )


def _equity(bar: str) -> QualityRules:
    return QualityRules(length=BarLength.parse(bar), zone=NEW_YORK, calendar="XNYS")
