"""After thousands of random orders, changes, cancels and fills the book agrees with the engine's own cache."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, OrderType, Price, Quantity

from tests.driving import MODES, Scripted, bars, drive

BARS = 250
A_CENT_A_FILL = Decimal("0.01")
"""The engine rounds what each fill earned to cents, the book never does."""
SYMBOLS = ("AAPL", "MSFT")


def walk(seed: int, symbol: str) -> list[float]:
    rng, price, path = random.Random(f"{seed}{symbol}"), 100.0, []  # noqa: S311 - a seeded walk
    for _ in range(BARS):
        price = max(5.0, round(price * (1 + rng.gauss(0, 0.02)), 2))
        path.append(price)
    return path


class Random(Scripted):
    """Does something at random on every bar, then compares the desk's book with the engine's cache."""

    seed = 0

    def on_start(self) -> None:
        super().on_start()
        self.random = random.Random(f"{self.seed}{self.strategy_id}")  # noqa: S311 - a seeded strategy
        self.compared = 0

    def at_bar(self, _n: int, bar: Any) -> None:
        self.compare()
        instrument_id = bar.bar_type.instrument_id
        close = float(bar.close)
        for _ in range(self.random.randrange(3)):
            acts: list[Any] = [self.market, self.rest, self.rest, self.change, self.drop, self.leave]
            act = self.random.choice(acts)
            act(instrument_id, close)

    def market(self, instrument_id: Any, _close: float) -> None:
        side = self.random.choice([OrderSide.BUY, OrderSide.SELL])
        self.submit_order(self.order_factory.market(instrument_id, side, self.size()))

    def rest(self, instrument_id: Any, close: float) -> None:
        side = self.random.choice([OrderSide.BUY, OrderSide.SELL])
        price = Price(close * self.random.uniform(0.97, 1.03), 2)
        makes: list[Any] = [self.order_factory.limit, self.order_factory.stop_market]
        make = self.random.choice(makes)
        self.submit_order(make(instrument_id, side, self.size(), price))

    def change(self, instrument_id: Any, close: float) -> None:
        for order in self.resting(instrument_id)[:1]:
            price = Price(close * self.random.uniform(0.97, 1.03), 2)
            is_limit = order.order_type == OrderType.LIMIT
            self.modify_order(
                order.client_order_id,
                self.size(),
                price=price if is_limit else None,
                trigger_price=None if is_limit else price,
            )

    def drop(self, instrument_id: Any, _close: float) -> None:
        for order in self.resting(instrument_id)[:2]:
            self.cancel_order(order.client_order_id)

    def leave(self, instrument_id: Any, _close: float) -> None:
        self.close_all_positions(instrument_id)

    def size(self) -> Any:
        return Quantity(self.random.randrange(1, 60), 0)

    def resting(self, instrument_id: Any) -> list[Any]:
        return list(self.cache.orders_open(instrument_id=instrument_id, strategy_id=self.strategy_id))

    def compare(self) -> None:
        book, me = self.desk.book, str(self.strategy_id)  # type: ignore[attr-defined]
        self.desk.prices.mark_held()  # type: ignore[attr-defined]
        for instrument_id in self.settings.instrument_ids:
            holding = book.holding(me, str(instrument_id))
            assert self.engine_position(str(instrument_id)) == holding.position  # type: ignore[attr-defined]
            mine = {str(o.client_order_id): o for o in self.resting(instrument_id)}
            assert {name: o.leaves_qty.as_decimal() for name, o in mine.items()} == {
                name: holding.working[name].leaves for name in mine if name in holding.working
            }
            self.compared += 1
        theirs = self.portfolio.equity(self.settings.instrument_ids[0].venue)
        (money,) = theirs.values()
        if not book.unpriced():
            assert abs(money.as_decimal() - book.equity()) <= A_CENT_A_FILL * (1 + self.count_fills())

    def count_fills(self) -> int:
        return sum(len(order.trade_ids) for order in self.cache.orders())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_book_agrees_with_the_engines_cache_on_every_bar(mode: str, seed: int) -> None:
    rows = sorted((bar for s in SYMBOLS for bar in bars(walk(seed, s), s, wick=1.0)), key=lambda b: b.ts_init)
    Random.seed = seed
    driven = drive(
        mode, [Random, Random], rows, risk={"allow_self_crossing": True}, symbols=SYMBOLS,
        venue={"starting_cash": 10_000_000, "leverage": 10, "taker_fee": 0.001},
    )  # fmt: skip
    assert min(strategy.compared for strategy in driven.strategies) > 3 * BARS
    assert abs(driven.desk.book.equity() - driven.record.final_equity) < A_CENT_A_FILL * len(
        driven.record.fills
    )
    assert len(driven.record.fills) > BARS


class ChangesTooLate(Scripted):
    """Asks for more of an order that fills while the change is on its way."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.order = self.limit(OrderSide.BUY, 10, 95.0)
        if n == 4:
            self.modify_order(self.order.client_order_id, Quantity(20, 0))
            self.working = dict(self.desk.book.orders)  # type: ignore[attr-defined]


def test_an_order_that_fills_before_its_change_arrives_works_no_more() -> None:
    a_day_and_a_half = 36 * 3_600_000
    rows = bars([100.0] * 4 + [94.0] + [100.0] * 5, wick=0.5)
    driven = drive("backtest", ChangesTooLate, rows, venue={"latency_ms": a_day_and_a_half})
    strategy = driven.strategies[0]
    assert [order.changing for order in strategy.working.values()] == [True]
    assert [(fill["quantity"], driven.record.orders[0]["status"]) for fill in driven.record.fills] == [
        (10, "FILLED")
    ]
    assert driven.desk.book.orders == {}
    assert driven.desk.book.gross() == 1_000
