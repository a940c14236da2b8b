"""Does a fast average of the price lie above or below a slow one?"""

from __future__ import annotations

from nautilus_trader.indicators import ExponentialMovingAverage


class EmaCross:
    """+1 while the fast exponential average is above the slow one, -1 while it is below, 0 when they are equal."""

    def __init__(self, fast: int, slow: int) -> None:
        """Averages over `fast` and `slow` bars."""
        self._fast = ExponentialMovingAverage(fast)
        self._slow = ExponentialMovingAverage(slow)

    def update(self, close: float) -> int | None:
        """Take one close; answers the opinion, None until the slow average has seen its whole period."""
        fast, slow = self._fast, self._slow
        fast.update_raw(close)
        slow.update_raw(close)
        if not slow.initialized:
            return None
        difference = fast.value - slow.value
        return (difference > 0) - (difference < 0)
