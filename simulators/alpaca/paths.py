"""How did the price get from a day's open to its close? Made up: seeded, through the day's real high and low.

Nothing between the four prices of a day is recorded. The same seed, symbol and day give the same path, so that
history asked for later is what was streamed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

POINTS = 4
"""Trades a minute bar is made of."""

_NOISE = 0.06


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar; `start` is UTC nanoseconds, its first moment."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int = POINTS

    @property
    def vwap(self) -> Decimal:
        """A stand-in for the volume-weighted price: the mean of the four."""
        return (self.open + self.high + self.low + self.close) / 4


def path(seed: str, day: Bar, count: int, tick: Decimal) -> list[tuple[Decimal, ...]]:
    """`count` minutes of four prices each, from the day's open to its close, touching its high and low once."""
    first, high, low, last = (_ticks(price, tick) for price in (day.open, day.high, day.low, day.close))
    high, low = max(first, high, last), min(first, low, last)
    rng = random.Random(seed)  # noqa: S311 - a price path is no secret
    total = POINTS * count
    at_high, at_low = rng.sample(range(1, total - 1), 2)
    anchors = sorted({0: first, at_high: high, at_low: low, total - 1: last}.items())
    points = [first]
    for (begin, start), (end, stop) in pairwise(anchors):
        length = end - begin
        for step in range(1, length + 1):
            room = min(step, length - step) / length
            noise = rng.gauss(0, 1) * _NOISE * (high - low) * room
            points.append(min(high, max(low, round(start + (stop - start) * step / length + noise))))
    prices = [tick * point for point in points]
    return [tuple(prices[at : at + POINTS]) for at in range(0, total, POINTS)]


def walk(seed: str, days: int, start: Decimal, tick: Decimal, spread: float) -> list[Bar]:
    """Daily bars of something that has no recorded ones; their `start` is only a number from 0."""
    rng = random.Random(seed)  # noqa: S311 - a price path is no secret
    price = float(start)
    bars = []
    for number in range(days):
        close = max(price * (1 + rng.gauss(0, spread)), float(start) / 10)
        high = max(price, close) * (1 + abs(rng.gauss(0, spread / 2)))
        low = min(price, close) * (1 - abs(rng.gauss(0, spread / 2)))
        opened, highest, lowest, last = (_rounded(each, tick) for each in (price, high, low, close))
        volume = Decimal(rng.randrange(100_000, 1_000_000))
        bars.append(Bar(number, opened, highest, lowest, last, volume))
        price = close
    return bars


def merged(bars: list[Bar], start: int) -> Bar:
    """Several bars as one. `bars` is not empty."""
    return Bar(
        start,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum((bar.volume for bar in bars), Decimal(0)),
        sum(bar.trades for bar in bars),
    )


def _ticks(price: Decimal, tick: Decimal) -> int:
    return max(1, int((price / tick).to_integral_value(ROUND_HALF_EVEN)))


def _rounded(price: float, tick: Decimal) -> Decimal:
    return _ticks(Decimal(str(price)), tick) * tick
