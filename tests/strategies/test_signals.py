"""Signals against independent implementations of their textbook formulas, on shipped prices."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from strategies.signals import BollingerReversion, EmaCross, Opinion, Signal
from tests.strategies.textbook import bollinger_opinions, ema_opinions, rsi, shipped_closes


def opinions(signal: Signal, prices: pd.Series) -> list[Opinion | None]:
    return [signal.learn(price) for price in prices]


@pytest.mark.parametrize("symbol", ["AAPL", "IBM", "MSFT", "GOOG"])
@pytest.mark.parametrize(("fast", "slow"), [(1, 2), (5, 30), (20, 50)])
def test_ema_cross_says_what_the_formula_says(symbol: str, fast: int, slow: int) -> None:
    prices = shipped_closes(symbol)
    assert opinions(EmaCross(fast, slow), prices) == ema_opinions(prices, fast, slow)


@pytest.mark.parametrize("symbol", ["AAPL", "IBM"])
@pytest.mark.parametrize(("period", "width"), [(20, 2.0), (10, 1.0), (40, 2.5)])
@pytest.mark.parametrize("rsi_period", [None, 14, 5])
def test_bollinger_reversion_says_what_the_formula_says(
    symbol: str, period: int, width: float, rsi_period: int | None
) -> None:
    prices = shipped_closes(symbol)
    signal = BollingerReversion(period, width, rsi_period=rsi_period, rsi_low=35.0, rsi_high=65.0)
    found = opinions(signal, prices)
    assert found == bollinger_opinions(prices, period, width, rsi_period, 35.0, 65.0)
    assert {Opinion.LONG, Opinion.FLAT, Opinion.SHORT} <= set(found)


@pytest.mark.parametrize(
    "signal",
    [EmaCross(3, 7), EmaCross(7, 3), BollingerReversion(5, 2.0), BollingerReversion(5, 2.0, rsi_period=9)],
)
def test_a_signal_has_its_first_opinion_after_its_warm_up(signal: EmaCross | BollingerReversion) -> None:
    found = opinions(signal, shipped_closes("MSFT").head(40))
    assert [opinion is None for opinion in found].index(False) == signal.warm_up_bars - 1


@pytest.mark.parametrize("symbol", ["AAPL", "IBM", "MSFT", "GOOG"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: EmaCross(5, 20),
        lambda: EmaCross(20, 50),
        lambda: BollingerReversion(20, 2.0),
        lambda: BollingerReversion(20, 2.0, rsi_period=14),
    ],
    ids=["5/20", "20/50", "bands", "bands with index"],
)
def test_a_signal_that_begins_later_with_its_history_says_what_it_would_have_said(
    make: Callable[[], EmaCross | BollingerReversion], symbol: str
) -> None:
    prices = shipped_closes(symbol)
    whole, needed = opinions(make(), prices), make().history_bars
    starts = range(needed, len(prices) - 1, 7)
    later = [opinions(make(), prices[start - needed : start + 1])[-1] for start in starts]
    differing = [start for start, said in zip(starts, later, strict=True) if said is not whole[start]]
    assert differing == []


def test_equal_averages_are_no_opinion_of_a_side() -> None:
    assert opinions(EmaCross(2, 3), pd.Series([5.0] * 6))[2:] == [Opinion.FLAT] * 4


def test_the_textbook_index_is_wilders() -> None:
    """His own example (New Concepts in Technical Trading Systems, 1978) rises without a loss: 100."""
    assert rsi(pd.Series(np.arange(1.0, 20.0)), 14).iloc[-1] == 100.0
