"""The shipped shares are what they say: adjusted, at real closes, without a doubt left open."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bokeh_sampledata import stocks
from pydantic import ValidationError

from market import DataError, open_market
from market.us_equities import UsEquities

SYMBOLS = ("AAPL", "IBM", "MSFT", "GOOG")


def _days(frame: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(frame["ts"]).tz_localize("UTC").tz_convert("America/New_York")


def _close_on(symbol: str) -> pd.Series[float]:
    frame = UsEquities().frame(symbol, "1d")
    return frame["close"].set_axis(_days(frame).strftime("%Y-%m-%d"))


@pytest.mark.parametrize(
    ("symbol", "drawdown"), [("AAPL", -0.818), ("MSFT", -0.675), ("GOOG", -0.653), ("IBM", -0.583)]
)
def test_adjusted_prices_have_the_drawdowns_that_were_measured_elsewhere(
    symbol: str, drawdown: float
) -> None:
    close = UsEquities().frame(symbol, "1d")["close"]
    assert (close / close.cummax() - 1).min() == pytest.approx(drawdown, abs=0.0006)


def test_the_worst_day_of_apple_is_the_real_one_and_no_split() -> None:
    moves = _close_on("AAPL").pct_change()
    assert moves.idxmin() == "2000-09-29"
    assert moves.min() == pytest.approx(-0.519, abs=0.0005)


@pytest.mark.parametrize(
    ("symbol", "day"), [("AAPL", "2000-06-21"), ("AAPL", "2005-02-28"), ("MSFT", "2003-02-18")]
)
def test_split_days_are_ordinary_days(symbol: str, day: str) -> None:
    assert abs(_close_on(symbol).pct_change()[day]) < 0.1


def test_the_three_dollar_dividend_of_microsoft_is_no_fall() -> None:
    raw = pd.Series(stocks.MSFT["close"], index=stocks.MSFT["date"]).pct_change()
    assert raw["2004-11-15"] == pytest.approx(-0.0861, abs=0.0005)
    assert abs(_close_on("MSFT").pct_change()["2004-11-15"]) < 0.02


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_closes_are_the_adjusted_closes_rounded_once(symbol: str) -> None:
    adjusted = [round(Decimal(str(value)), 4) for value in getattr(stocks, symbol)["adj_close"]]
    assert [Decimal(str(value)) for value in UsEquities().frame(symbol, "1d")["close"]] == adjusted


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_high_and_low_hold_open_and_close_after_rounding_to_cents(symbol: str) -> None:
    frame = UsEquities(price_precision=2).frame(symbol, "1d")
    assert (frame["high"] >= frame[["open", "close", "low"]].max(axis=1)).all()
    assert (frame["low"] <= frame[["open", "close"]].min(axis=1)).all()
    assert (np.round(frame["open"], 2) == frame["open"]).all()


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        ("2000-03-31", "21:00"),  # winter
        ("2000-04-03", "20:00"),  # summer
        ("2000-07-03", "17:00"),  # half day, 13:00 in New York
        ("2012-11-23", "18:00"),  # half day in winter
    ],
)
def test_a_bar_is_stamped_at_the_real_close_of_its_session(day: str, utc: str) -> None:
    frame = UsEquities().frame("AAPL", "1d")
    stamps = pd.DatetimeIndex(frame["ts"])
    assert pd.Timestamp(f"{day} {utc}") in stamps


def test_every_symbol_is_sound_and_raises_no_doubt(catalog_dir: Path) -> None:
    market = open_market(UsEquities(catalog_dir=catalog_dir, allow_doubts=False), SYMBOLS)
    assert market.doubts == ()
    assert [len(market.frame(symbol)) for symbol in SYMBOLS] == [3270, 3270, 3270, 2148]


def test_instruments_trade_on_one_venue_and_have_margins(catalog_dir: Path) -> None:
    market = open_market(UsEquities(catalog_dir=catalog_dir), SYMBOLS)
    assert [str(one.id) for one in market.instruments] == [f"{symbol}.XNAS" for symbol in SYMBOLS]
    assert all(one.margin_init > 0 and one.margin_maint > 0 for one in market.instruments)
    assert str(market.bar_types[0]) == "AAPL.XNAS-1-DAY-LAST-EXTERNAL"


def test_the_default_is_apple(catalog_dir: Path) -> None:
    assert open_market(UsEquities(catalog_dir=catalog_dir)).symbols == ("AAPL",)


def test_another_bar_length_names_the_one_there_is(catalog_dir: Path) -> None:
    with pytest.raises(DataError, match=r"^bar=15m: data=us_equities has only bar=1d$"):
        open_market(UsEquities(catalog_dir=catalog_dir), ["AAPL"], "15m")


def test_a_misspelt_symbol_gets_its_close_match(catalog_dir: Path) -> None:
    with pytest.raises(DataError, match=r"^data=us_equities has no symbol 'APPL': did you mean 'AAPL'\?$"):
        open_market(UsEquities(catalog_dir=catalog_dir), ["APPL"])


def test_the_version_follows_what_makes_the_bars_and_nothing_else() -> None:
    version = UsEquities().version()
    assert UsEquities(price_precision=2).version() != version
    assert (
        UsEquities(symbols=("MSFT",), catalog_dir=Path("elsewhere"), days_per_year=365).version() == version
    )


def test_settings_out_of_range_are_refused_by_name() -> None:
    for settings in ({"price_precision": 1}, {"price_precision": True}, {"calendar": "XLON"}, {"speed": 1}):
        with pytest.raises(ValidationError, match=next(iter(settings))):
            UsEquities.model_validate(settings)
