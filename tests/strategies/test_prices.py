"""Each close is learned once, in the order of time, however history and bars come together."""

from collections.abc import Sequence

import pytest
from nautilus_trader.model import Bar

from strategies.holding import Prices
from strategies.signals import Opinion
from tests.strategies.bare import bars

CLOSES = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
EVERYTHING = bars(CLOSES)


class Listening:
    """A signal that keeps what it was told and has an opinion after `warm_up_bars` closes."""

    def __init__(self, warm_up_bars: int) -> None:
        self.warm_up_bars = self.history_bars = warm_up_bars
        self.closes: list[float] = []

    def learn(self, close: float) -> Opinion | None:
        self.closes.append(close)
        return Opinion.LONG if len(self.closes) >= self.warm_up_bars else None


def told(prices: Prices) -> list[float]:
    assert isinstance(prices.signal, Listening)
    return prices.signal.closes


@pytest.mark.parametrize("history", [EVERYTHING[:3], EVERYTHING[:4], EVERYTHING[2::-1]])
def test_history_before_the_bars(history: Sequence[Bar]) -> None:
    """Whether it ends before them or holds the first of them too, and in either direction."""
    prices = Prices(Listening(2), window=4)
    prices.history(history, Listening(2))
    for bar in EVERYTHING[3:]:
        prices.streamed(bar)
    assert told(prices) == CLOSES
    assert list(prices.closes) == CLOSES[-4:]


@pytest.mark.parametrize("overlap", [0, 1, 2])
def test_history_after_the_first_bars(overlap: int) -> None:
    prices = Prices(Listening(6), window=9)
    for bar in EVERYTHING[2:4]:
        assert prices.streamed(bar) is None
    prices.history(EVERYTHING[: 2 + overlap], Listening(6))
    for bar in EVERYTHING[4:]:
        prices.streamed(bar)
    assert told(prices) == CLOSES
    assert list(prices.closes) == CLOSES
    assert prices.opinion is Opinion.LONG


def test_history_that_comes_too_late_changes_nothing() -> None:
    prices = Prices(Listening(2), window=3)
    for bar in EVERYTHING[3:]:
        prices.streamed(bar)
    prices.history(EVERYTHING[:3], Listening(2))
    assert told(prices) == CLOSES[3:]


def test_a_bar_sent_twice_is_learned_once() -> None:
    prices = Prices(Listening(2), window=3)
    for bar in [*EVERYTHING[:2], EVERYTHING[1], EVERYTHING[0]]:
        prices.streamed(bar)
    assert told(prices) == CLOSES[:2]
