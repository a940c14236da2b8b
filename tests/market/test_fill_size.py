"""Why rows without a volume get one: what the engine does with a bar of volume 0."""

from __future__ import annotations

from decimal import Decimal

import pytest
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig, LogLevel
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.model import (
    AccountType,
    Bar,
    BarType,
    Currency,
    Money,
    OmsType,
    OrderFilled,
    OrderRejected,
    OrderSide,
    Price,
    Quantity,
    StrategyId,
    TraderId,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig

from market.instruments import equity

BARS = BarType.from_str("AAPL.XNAS-1-DAY-LAST-EXTERNAL")


class _BuyOnce(Strategy):
    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.events: list[object] = []

    def on_start(self) -> None:
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        if not self.events:
            order = self.order_factory.market(
                bar.bar_type.instrument_id, OrderSide.BUY, Quantity.from_int(100)
            )
            self.submit_order(order)

    def on_order_event(self, event: object) -> None:
        self.events.append(event)


def _events(volume: int) -> list[object]:
    engine = BacktestEngine(
        BacktestEngineConfig(trader_id=TraderId("T-001"), logging=LoggerConfig(stdout_level=LogLevel.OFF))
    )
    usd = Currency.from_str("USD")
    engine.add_venue(
        Venue("XNAS"),
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000, usd)],
        base_currency=usd,
        fee_model=MakerTakerFeeModel(Decimal(0), Decimal(0)),
    )
    engine.add_instrument(equity("AAPL", "XNAS", "USD", 2))
    price, size = Price.from_str("100.00"), Quantity.from_int(volume)
    engine.add_data([Bar(BARS, price, price, price, price, size, at, at) for at in (1, 2, 3)])
    strategy = _BuyOnce(StrategyConfig(strategy_id=StrategyId("BUY-001")))
    engine.add_strategy(strategy)
    engine.run()
    engine.dispose()
    return strategy.events


def test_a_market_order_is_rejected_on_a_bar_of_volume_0() -> None:
    assert any(isinstance(event, OrderRejected) for event in _events(0))


@pytest.mark.parametrize(("volume", "fills"), [(400, 1), (100, 2)])
def test_a_quarter_of_the_volume_fills_at_the_price_and_the_rest_a_tick_worse(
    volume: int, fills: int
) -> None:
    prices = [str(event.last_px) for event in _events(volume) if isinstance(event, OrderFilled)]
    assert prices == ["100.00", "100.01"][:fills]
