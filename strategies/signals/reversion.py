"""Has the price gone too far from its average, and has it come back?"""

from __future__ import annotations

from nautilus_trader.indicators import BollingerBands, RelativeStrengthIndex


class BollingerReversion:
    """Long below the lower band, short above the upper one, out once the close is back across the middle.

    An entry also wants the relative strength index (0 to 1) below `rsi_low` or above `1 - rsi_low`; 1 asks nothing.
    """

    def __init__(self, period: int, width: float, rsi_period: int, rsi_low: float) -> None:
        """Bands of `width` standard deviations around the mean of `period` closes."""
        self._bands = BollingerBands(period, width)
        self._strength = RelativeStrengthIndex(rsi_period)
        self._rsi_low = rsi_low
        self._opinion = 0

    def update(self, close: float) -> int | None:
        """Take one close; answers the opinion, None until bands and index have seen their whole period."""
        bands, strength = self._bands, self._strength
        bands.update_raw(close)
        strength.update_raw(close)
        if not (bands.initialized and strength.initialized):
            return None
        if (self._opinion > 0 and close >= bands.middle) or (self._opinion < 0 and close <= bands.middle):
            self._opinion = 0
        if close < bands.lower and strength.value <= self._rsi_low:
            self._opinion = 1
        elif close > bands.upper and strength.value >= 1 - self._rsi_low:
            self._opinion = -1
        return self._opinion
