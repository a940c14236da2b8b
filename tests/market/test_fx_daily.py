"""The shipped fixings keep market convention, their fixed end and the hour they were made."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from market import DataError, open_market
from market.fx_daily import FxDaily

MAJORS = ("EURUSD", "GBPUSD", "AUDUSD", "NZDUSD", "USDJPY", "USDCHF", "USDCAD", "EURJPY", "EURGBP", "CHFJPY")


@pytest.mark.parametrize("symbol", MAJORS)
def test_pairs_follow_market_convention_and_raise_no_doubt(symbol: str, catalog_dir: Path) -> None:
    market = open_market(FxDaily(catalog_dir=catalog_dir, allow_doubts=False), [symbol])
    assert str(market.instruments[0].id) == f"{symbol}.ECB"
    assert market.instruments[0].price_precision == (3 if symbol.endswith("JPY") else 5)


def test_every_pair_on_offer_is_a_different_pair_of_currencies() -> None:
    pairs = FxDaily().available()
    assert len(pairs) == len({frozenset((pair[:3], pair[3:])) for pair in pairs}) == 153


def test_the_wrong_way_round_gets_the_right_one_offered(catalog_dir: Path) -> None:
    with pytest.raises(DataError, match=r"no symbol 'USDEUR': did you mean 'EURUSD'\?"):
        open_market(FxDaily(catalog_dir=catalog_dir), ["USDEUR"])


def test_the_data_ends_on_its_fixed_day_whatever_the_package_holds() -> None:
    frame = FxDaily().frame("EURUSD", "1d")
    assert str(pd.Timestamp(frame["ts"].iloc[0])) == "1999-01-04 13:15:00"
    assert str(pd.Timestamp(frame["ts"].iloc[-1])) == "2025-12-31 13:15:00"
    assert frame["close"].iloc[0] == 1.1789
    assert len(frame) == 6913


def test_fixings_are_stamped_at_14_15_in_frankfurt_summer_and_winter() -> None:
    moments = pd.DatetimeIndex(FxDaily().frame("EURUSD", "1d")["ts"]).tz_localize("UTC")
    assert set(moments.strftime("%H:%M")) == {"13:15", "12:15"}
    assert set(moments.tz_convert("Europe/Berlin").strftime("%H:%M")) == {"14:15"}


def test_a_cross_is_the_quotient_of_the_euro_rates_rounded_once() -> None:
    dollars, yen, cross = (FxDaily().frame(pair, "1d")["close"] for pair in ("EURUSD", "EURJPY", "USDJPY"))
    for one, two, three in zip(dollars[:500], yen[:500], cross[:500], strict=True):
        assert round(Decimal(str(two)) / Decimal(str(one)), 3) == Decimal(str(three))


def test_the_day_the_franc_was_freed_is_there() -> None:
    frame = FxDaily().frame("EURCHF", "1d")
    moves = frame["close"].pct_change()
    assert moves.min() == pytest.approx(-0.144, abs=0.0005)
    assert str(pd.Timestamp(frame["ts"].iloc[int(moves.argmin())]).date()) == "2015-01-15"


def test_a_fixing_has_one_price_and_a_stand_in_volume() -> None:
    frame = FxDaily().frame("GBPJPY", "1d")
    assert (frame[["open", "high", "low"]].eq(frame["close"], axis=0)).all(axis=None)
    assert set(frame["volume"]) == {1e9}
