"""Has the price stretched too far from its mean, and is it back yet?"""

import math

from nautilus_trader.indicators import BollingerBands, MovingAverageType, RelativeStrengthIndex

from strategies.signals.opinion import Opinion

FORGOTTEN = 0.001
"""Share of the index's averages at which their first value counts as forgotten."""
STRETCHES = 5
"""Periods within which a stretch has begun and the price is back at the mean: the opinion remembers no more."""


class BollingerReversion:
    """Long from a close below the lower band until a close at or above the mean; short the other way round.

    The mean is that of the last `period` closes, the bands lie `width` population standard deviations from it.
    With an `rsi_period` a stretch counts only when Wilder's relative strength index (0 to 100) agrees: at or below
    `rsi_low` to go long, at or above `rsi_high` to go short.
    """

    def __init__(
        self,
        period: int,
        width: float,
        *,
        rsi_period: int | None = None,
        rsi_low: float = 30.0,
        rsi_high: float = 70.0,
    ) -> None:
        self.bands = BollingerBands(period, width)
        self.rsi = RelativeStrengthIndex(rsi_period, MovingAverageType.Wilder) if rsi_period else None
        self.rsi_low = rsi_low
        self.rsi_high = rsi_high
        self.opinion = Opinion.FLAT

    @property
    def warm_up_bars(self) -> int:
        """Closes until the bands and the index, which needs one more for its first change, have values."""
        return max(self.bands.period, self.rsi.period + 1 if self.rsi else 0)

    @property
    def history_bars(self) -> int:
        """Closes for some stretches and returns, after Wilder's averages, which keep 1 - 1 / period, forgot theirs."""
        bars = STRETCHES * self.bands.period
        if self.rsi and self.rsi.period > 1:
            bars += math.ceil(math.log(FORGOTTEN) / math.log(1 - 1 / self.rsi.period))
        return bars

    def learn(self, close: float) -> Opinion | None:
        """Take the next close; answers the opinion, or None while there were too few."""
        self.bands.update_raw(close)
        if self.rsi:
            self.rsi.update_raw(close)
        if not self.bands.initialized or (self.rsi and not self.rsi.initialized):
            return None
        self.opinion = self._next(close)
        return self.opinion

    def _next(self, close: float) -> Opinion:
        if close < self.bands.lower and (self.rsi is None or self.rsi.value <= self.rsi_low):
            return Opinion.LONG
        if close > self.bands.upper and (self.rsi is None or self.rsi.value >= self.rsi_high):
            return Opinion.SHORT
        back_up = self.opinion is Opinion.LONG and close >= self.bands.middle
        back_down = self.opinion is Opinion.SHORT and close <= self.bands.middle
        return Opinion.FLAT if back_up or back_down else self.opinion
