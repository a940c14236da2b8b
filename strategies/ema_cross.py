"""Is the trend up or down? Follow it while a fast average of the closes stays on one side of a slow one."""

from decimal import Decimal
from typing import Annotated

from nautilus_trader.model import BarType, InstrumentId
from pydantic import ConfigDict, Field, validate_call

from strategies.signal_strategy import Direction, SignalConfig, SignalStrategy
from strategies.signals import EmaCross as EmaCrossSignal
from strategies.sizing import Bars, LeveragedShare, Method, Quantity, Share, ShareBelowOne, Sizing


class EmaCrossConfig(SignalConfig):
    """Parameters of `EmaCross`; `strategies.sizing.Sizing` says what each size parameter means."""

    @validate_call(config=ConfigDict(arbitrary_types_allowed=True))
    def __init__(
        self,
        instrument_ids: list[InstrumentId],
        bar_types: list[BarType],
        fast: Annotated[int, Field(ge=1)] = 20,
        slow: Annotated[int, Field(ge=2)] = 50,
        direction: Direction = "long",
        sizing: Method = "volatility_target",
        quantity: Quantity = Decimal(100),
        size_pct: Share = Decimal("0.09"),
        volatility_pct: Share = Decimal("0.04"),
        volatility_bars: Annotated[int, Field(ge=2)] = 60,
        bars_per_year: Bars = 252,
        risk_pct: Share = Decimal("0.01"),
        max_size_pct: LeveragedShare = Decimal(1),
        stop_loss_pct: ShareBelowOne | None = None,
        **_: object,
    ) -> None:
        """Raises ValueError in one line when parameters contradict each other."""
        if fast >= slow:
            raise ValueError(f"fast={fast} must be below slow={slow}")
        size = Sizing(
            method=sizing,
            quantity=quantity,
            size_pct=size_pct,
            volatility_pct=volatility_pct,
            volatility_bars=volatility_bars,
            bars_per_year=bars_per_year,
            risk_pct=risk_pct,
            max_size_pct=max_size_pct,
            stop_loss_pct=stop_loss_pct,
        )
        super().__init__(instrument_ids, bar_types, direction, size)
        self.fast = fast
        self.slow = slow


class EmaCross(SignalStrategy):
    """Long while the fast average is above the slow one, short (if the direction allows) while it is below."""

    def __init__(self, config: EmaCrossConfig) -> None:
        super().__init__(config)
        self._fast = config.fast
        self._slow = config.slow

    def make_signal(self) -> EmaCrossSignal:
        """A new pair of averages."""
        return EmaCrossSignal(self._fast, self._slow)
