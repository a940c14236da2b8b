"""Bet on a return to the average: enter outside the Bollinger bands, leave when the close is back across the middle."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from strategies.signals.reversion import BollingerReversion as Reversion
from strategies.targeting import Signal, TargetingConfig, TargetingStrategy

Period = Annotated[int, Field(ge=2, le=10_000)]


class BollingerReversionConfig(TargetingConfig):
    """`period` in bars, `width` in standard deviations; `rsi_low` between 0 and 1, where 1 asks nothing of the index."""

    def __init__(
        self,
        *args: Any,
        period: Period = 20,
        width: Annotated[float, Field(gt=0, le=10)] = 2.0,
        rsi_period: Period = 14,
        rsi_low: Annotated[float, Field(gt=0, le=1)] = 0.35,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError when the parameters do not fit together."""
        super().__init__(*args, **kwargs)
        self.period = period
        self.width = width
        self.rsi_period = rsi_period
        self.rsi_low = rsi_low


class BollingerReversion(TargetingStrategy):
    """Long below the lower band, short (where allowed) above the upper one, out at the middle."""

    def make_signal(self) -> Signal:
        """Bands and strength index."""
        config = self.config
        return Reversion(config.period, config.width, config.rsi_period, config.rsi_low)

    def warm_up_bars(self) -> int:
        """The longer of the two periods."""
        return int(max(self.config.period, self.config.rsi_period + 1))
