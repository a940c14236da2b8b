"""What would holding the run's instruments have earned?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from risk import measures

if TYPE_CHECKING:
    from runs.prices import FloatArray, IntArray, Prices

_FAR_APART = 2.0  # volatilities that differ by more cannot be drawn on one scale


def buy_and_hold(starting: float, prices: dict[str, Prices], ts: IntArray) -> FloatArray:
    """Value at each stamp of starting equity split equally over the instruments and held to the last close.

    Each share buys at its instrument's first close (fractions of a unit allowed, no costs) and lies in cash
    until then; a foreign currency is bought with it and held. ts: shape (n,), UTC ns. Gives shape (n,), amounts.
    """
    value = np.zeros(len(ts))
    for own in prices.values():
        closes = own.close_in_base
        grown = np.concatenate([[1.0], closes / closes[:1]])
        value += starting / len(prices) * grown[np.searchsorted(own.ts, ts, side="right")]
    return value


def at_equal_volatility(
    own: FloatArray, held: FloatArray, starting: float, days: IntArray
) -> tuple[float | None, FloatArray]:
    """Buy-and-hold as it can be drawn beside a run: with so much of the money that it is as volatile.

    own, held: shape (n,), amounts at each bar; days: shape (days,), the places of the last bar of each session day. The
    share of the money that is held, kept at that by each bar, and what it comes to, shape (n,). None and `held` itself
    where volatilities by day are within a factor of two, or one of them is none.
    """
    by_day = [measures.returns(np.concatenate([[starting], each[days]])) for each in (own, held)]
    by_bar = measures.returns(np.concatenate([[starting], held]))
    if by_bar is None or any(each is None or len(each) < 2 for each in by_day):  # noqa: PLR2004 - a deviation takes two
        return None, held
    mine, theirs = (float(np.std(each)) for each in by_day if each is not None)
    share = mine / theirs if theirs > 0 else 1.0
    if share == 0 or 1 / _FAR_APART <= share <= _FAR_APART or float(by_bar.min()) * share <= -1:
        return None, held
    grown: FloatArray = starting * np.cumprod(1.0 + share * by_bar)
    return share, grown
