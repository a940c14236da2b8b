"""What would holding the run's instruments have earned?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from runs.prices import FloatArray, IntArray, Prices


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
