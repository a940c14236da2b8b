"""Is the fast exponential average of the closes above or below the slow one?"""

import math

from nautilus_trader.indicators import ExponentialMovingAverage

from strategies.signals.opinion import Opinion

FORGOTTEN = 0.001
"""Share of an average at which its first value counts as forgotten."""


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

    @property
    def history_bars(self) -> int:
        """Closes until the slower average owes a thousandth of its value to where it began.

        Each close leaves (period - 1) / (period + 1) of what the average was.
        """
        period = self.warm_up_bars
        if period == 1:
            return 1
        return period + math.ceil(math.log(FORGOTTEN) / math.log((period - 1) / (period + 1)))

    def learn(self, close: float) -> Opinion | None:
        """Take the next close; answers the opinion, or None while there were too few."""
        self.fast.update_raw(close)
        self.slow.update_raw(close)
        if not (self.fast.initialized and self.slow.initialized):
            return None
        fast, slow = self.fast.value, self.slow.value
        return Opinion((fast > slow) - (fast < slow))
