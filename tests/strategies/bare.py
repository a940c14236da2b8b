"""Runs a strategy on the engine alone, over bars a test makes up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig, LogLevel
from nautilus_trader.execution import MakerTakerFeeModel, StaticLatencyModel
from nautilus_trader.model import (
    AccountType,
    Bar,
    BarType,
    Currency,
    Equity,
    InstrumentId,
    Money,
    OmsType,
    OrderSide,
    Price,
    Quantity,
    StrategyId,
    Symbol,
    TraderId,
    Venue,
)
from nautilus_trader.risk import RiskEngineConfig

from strategies.signal_strategy import SignalConfig, SignalStrategy

DAY = 86_400_000_000_000
START = 1_704_205_800_000_000_000  # 2024-01-02 14:30 UTC
USD = Currency.from_str("USD")
XNAS = Venue("XNAS")


def instrument_id(symbol: str = "AAPL") -> InstrumentId:
    return InstrumentId.from_str(f"{symbol}.XNAS")


def bar_type(symbol: str = "AAPL") -> BarType:
    return BarType.from_str(f"{symbol}.XNAS-1-DAY-LAST-EXTERNAL")


def share(symbol: str = "AAPL", lot: int = 1) -> Equity:
    return Equity(
        instrument_id(symbol), Symbol(symbol), USD, 2, Price(0.01, 2), 0, 0, lot_size=Quantity(lot, 0),
        margin_init=Decimal("0.5"), margin_maint=Decimal("0.5"),
    )  # fmt: skip


def bars(closes: Sequence[float], symbol: str = "AAPL", *, kind: BarType | None = None) -> list[Bar]:
    """A bar a day that opens at the close before it."""
    made, before = [], closes[0]
    for day, close in enumerate(closes):
        stamp, volume = START + day * DAY, Quantity(1_000_000, 0)
        high, low = Price(max(before, close), 2), Price(min(before, close), 2)
        opened, closed = Price(before, 2), Price(close, 2)
        made.append(Bar(kind or bar_type(symbol), opened, high, low, closed, volume, stamp, stamp))
        before = close
    return made


def given(symbols: Sequence[str] = ("AAPL",), number: int = 1) -> dict[str, Any]:
    """What Keel fills into every strategy's config."""
    return {
        "instrument_ids": [instrument_id(symbol) for symbol in symbols],
        "bar_types": [bar_type(symbol) for symbol in symbols],
        "strategy_id": StrategyId(f"TEST-{number:03d}"),
    }


@dataclass
class Ran:
    """What a run left behind; day counts from the first bar."""

    engine: BacktestEngine
    strategy: Any
    orders: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.orders = sorted(
            self.engine.cache.orders(), key=lambda order: int(str(order.client_order_id).rsplit("-", 1)[1])
        )

    @property
    def told(self) -> list[tuple[int, str, str, int, str]]:
        """(day, tag, side, quantity, status) of every order, in the order they were sent."""
        return [
            (
                (order.init_event.ts_init - START) // DAY,
                (order.tags or ["other"])[0],  # the engine's own orders have none
                "buy" if order.side == OrderSide.BUY else "sell",
                int(order.quantity.as_decimal()),
                order.status.name.lower(),
            )
            for order in self.orders
        ]

    @property
    def equity(self) -> Decimal:
        (money,) = self.engine.portfolio.equity(XNAS).values()
        return Decimal(money.as_decimal())


def run(
    strategy: SignalStrategy | Sequence[SignalStrategy],
    data: Sequence[Bar],
    *,
    cash: Money | None = None,
    instruments: Sequence[Any] | None = None,
    max_notional: Mapping[str, str] | None = None,
    latency: int = 0,
) -> Ran:
    """Run to the end; an exception in a callback fails the test."""
    several = [strategy] if isinstance(strategy, SignalStrategy) else list(strategy)
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("TEST-001"),
            logging=LoggerConfig(stdout_level=LogLevel.OFF),
            shutdown_on_error=True,
            risk_engine=RiskEngineConfig(max_notional_per_order=dict(max_notional or {})),
        )
    )
    cash = cash or Money(100_000, USD)
    engine.add_venue(
        XNAS, OmsType.NETTING, AccountType.MARGIN, [cash], base_currency=cash.currency, default_leverage=Decimal(4),
        fee_model=MakerTakerFeeModel(Decimal(0), Decimal(0)),
        latency_model=StaticLatencyModel(insert_latency_nanos=latency) if latency else None,
    )  # fmt: skip
    traded = sorted({str(bar.bar_type.instrument_id.symbol) for bar in data})
    for instrument in [share(symbol) for symbol in traded] if instruments is None else instruments:
        engine.add_instrument(instrument)
    engine.add_data(list(data))
    for one in several:
        engine.add_strategy(one)
    engine.run()
    assert engine.get_result().iterations == len(data), "a callback raised"
    return Ran(engine, several[0])


class Warmed(SignalStrategy):
    """Answers its requests for history from `past`, as Keel's gate does, or late, at the bar of that number."""

    past: Sequence[Bar] = ()
    late = 0
    asked: list[tuple[BarType, int | None]]

    def __init__(self, config: SignalConfig) -> None:
        super().__init__(config)
        self.asked = []
        self._seen = 0

    def request_bars(
        self,
        bar_type: BarType,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        client_id: Any = None,
        params: Any = None,
    ) -> str:
        del start, end, client_id, params
        self.asked.append((bar_type, limit))
        if not self.late:
            self.answer()
        return "request"

    def answer(self) -> None:
        self.on_historical_bars(list(self.past))

    def on_bar(self, bar: Bar) -> None:
        self._seen += 1
        if self.late and self._seen == self.late:
            self.answer()
        super().on_bar(bar)
