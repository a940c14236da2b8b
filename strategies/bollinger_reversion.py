"""Has the price gone too far? Buy below the lower Bollinger band, sell short above the upper, leave at the mean."""

from decimal import Decimal
from typing import Annotated

from nautilus_trader.model import BarType, InstrumentId
from pydantic import ConfigDict, Field, validate_call

from strategies.signal_strategy import Direction, SignalConfig, SignalStrategy
from strategies.signals import BollingerReversion as BollingerReversionSignal
from strategies.sizing import Bars, LeveragedShare, Method, Quantity, Share, ShareBelowOne, Sizing


class BollingerReversionConfig(SignalConfig):
    """Parameters of `BollingerReversion`; `strategies.sizing.Sizing` says what each size parameter means.

    `rsi_period` null leaves the relative strength index out.
    """

    @validate_call(config=ConfigDict(arbitrary_types_allowed=True))
    def __init__(
        self,
        instrument_ids: list[InstrumentId],
        bar_types: list[BarType],
        period: Annotated[int, Field(ge=2)] = 20,
        width: Annotated[float, Field(gt=0, le=10)] = 2.0,
        rsi_period: Annotated[int, Field(ge=2)] | None = 14,
        rsi_low: Annotated[float, Field(ge=0, le=100)] = 35.0,
        rsi_high: Annotated[float, Field(ge=0, le=100)] = 65.0,
        direction: Direction = "long",
        sizing: Method = "percent_of_equity",
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
        if rsi_low >= rsi_high:
            raise ValueError(f"rsi_low={rsi_low} must be below rsi_high={rsi_high}")
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
        self.period = period
        self.width = width
        self.rsi_period = rsi_period
        self.rsi_low = rsi_low
        self.rsi_high = rsi_high


class BollingerReversion(SignalStrategy):
    """Long below the lower band, short (if the direction allows) above the upper, flat from the mean on."""

    def __init__(self, config: BollingerReversionConfig) -> None:
        super().__init__(config)
        self._own = config

    def make_signal(self) -> BollingerReversionSignal:
        """New bands and, when wanted, a new index."""
        own = self._own
        return BollingerReversionSignal(
            own.period, own.width, rsi_period=own.rsi_period, rsi_low=own.rsi_low, rsi_high=own.rsi_high
        )
