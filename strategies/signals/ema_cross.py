"""Is the fast exponential average of the closes above or below the slow one?"""

from nautilus_trader.indicators import ExponentialMovingAverage

from strategies.signals.opinion import Opinion


class EmaCross:
    """Long while the fast average is above the slow one, short while it is below, flat while they are equal.

    An average starts as the plain mean of its first `period` closes; from then on it moves by 2 / (period + 1) of the
    way to each close.
    """

    def __init__(self, fast: int, slow: int) -> None:
        self.fast = ExponentialMovingAverage(fast)
        self.slow = ExponentialMovingAverage(slow)

    @property
    def warm_up_bars(self) -> int:
        """Closes until the slower average has its first value."""
        return max(self.fast.period, self.slow.period)

    def learn(self, close: float) -> Opinion | None:
        """Take the next close; answers the opinion, or None while there were too few."""
        self.fast.update_raw(close)
        self.slow.update_raw(close)
        if not (self.fast.initialized and self.slow.initialized):
            return None
        fast, slow = self.fast.value, self.slow.value
        return Opinion((fast > slow) - (fast < slow))
