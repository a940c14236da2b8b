"""Ways around through somebody else: an order that waits for a person, an execution algorithm that is careless."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.core import UUID4
from nautilus_trader.model import LimitOrder, OrderInitialized, OrderUpdated, Quantity
from nautilus_trader.trading import ExecutionAlgorithm, Strategy

from tests.driving import MODES, bars, drive
from tests.risk.attacks import BUY, SELL, Attacker
from tests.risk.slicing import WORK, Works, units

both_modes = pytest.mark.parametrize("mode", MODES)
FLAT = bars([100.0] * 8)


class Asks(Attacker):
    """Buys 10 on the second bar, which needs approval; takes it back on the third; is approved on the fourth."""

    def on_start(self) -> None:
        super().on_start()
        me: Any = self
        self.office = me.desk.approvals
        self.office.assumed = False
        me.desk.decisions.asks_people = True

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.order = self.market(BUY, 10)
            self.submit_order(self.order)
        if n == 3:
            self.take_back()
        if n == 4:
            self.answer = self.office.approve(str(self.order.client_order_id))

    def take_back(self) -> None:
        self.cancel_all_orders(self.iid)


class TakesOneSideBack(Asks):
    def take_back(self) -> None:
        self.cancel_all_orders(self.iid, BUY)


class TakesAListBack(Asks):
    def take_back(self) -> None:
        self.cancel_orders([self.order.client_order_id])


class TakesTheOtherSideBack(Asks):
    def take_back(self) -> None:
        self.cancel_all_orders(self.iid, SELL)


class SendsItMeanwhile(Asks):
    """What waits is sent past the person: again, by the base class, and as part of a list."""

    def take_back(self) -> None:
        self.submit_order(self.order)
        Strategy.submit_order(self, self.order)
        self.submit_order_list([self.order])


@both_modes
@pytest.mark.parametrize("asks", [Asks, TakesOneSideBack, TakesAListBack])
def test_what_a_strategy_took_back_nobody_can_approve(mode: str, asks: type[Asks]) -> None:
    driven = drive(mode, asks, FLAT, risk={"require_approval": True, "approval_timeout_mins": 9_999})
    assert driven.strategies[0].denied == ["APPROVAL: withdrawn by the strategy"]
    assert "no order" in str(driven.strategies[0].answer)
    assert driven.record.fills == []


@both_modes
@pytest.mark.parametrize("asks", [TakesTheOtherSideBack, SendsItMeanwhile])
def test_what_still_waits_is_sent_once_and_only_by_the_person(mode: str, asks: type[Asks]) -> None:
    driven = drive(mode, asks, FLAT, risk={"require_approval": True, "approval_timeout_mins": 9_999})
    assert driven.limits == (["SENT_BEFORE"] * 3 if asks is SendsItMeanwhile else [])
    assert driven.strategies[0].answer is None
    assert [row["quantity"] for row in driven.record.fills] == [10]
    assert driven.desk.book.orders == {}


class Hands(Attacker):
    """Hands an order of 20 at 90 to an algorithm."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.limit(BUY, 20, 90.0, **WORK)


KEPT_FROM_BEFORE = ExecutionAlgorithm.submit_order


class Rewrites(Works):
    """Overrides submit_order and sends fifty times what the gate let pass."""

    def on_order(self, order: Any) -> None:
        self.submit_order(self.spawn_limit(order, units(10), order.price))

    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        fields = {**order.init_event.to_dict(), "quantity": "500"}
        super().submit_order(LimitOrder.create(OrderInitialized.from_dict(fields)), *args, **kwargs)


class Changes(Works):
    """Changes its child before sending it."""

    def on_order(self, order: Any) -> None:
        child = self.spawn_limit(order, units(10), order.price)
        child.apply(
            OrderUpdated(
                child.trader_id,
                child.strategy_id,
                child.instrument_id,
                child.client_order_id,
                Quantity(500, 0),
                UUID4(),
                0,
                0,
                False,  # noqa: FBT003 - the engine's
            )
        )
        self.submit_order(child)


class Keeps(Works):
    """Sends a child by the engine's method, kept when the module was imported."""

    def on_order(self, order: Any) -> None:
        KEPT_FROM_BEFORE(self, self.spawn_limit(order, units(10), order.price))


@both_modes
@pytest.mark.parametrize("algorithm", [Rewrites, Changes, Keeps])
def test_an_algorithm_sends_what_was_let_pass_or_nothing(
    mode: str, algorithm: type[ExecutionAlgorithm]
) -> None:
    driven = drive(mode, Hands, FLAT, algorithms={"WORK": algorithm}, risk={"max_position_notional": 5_000})
    assert driven.limits == ["BYPASS"]
    assert {row["quantity"] for row in driven.record.orders} <= {10, 20}
    assert {row["status"] for row in driven.record.orders} <= {"INITIALIZED", "DENIED"}
    assert driven.record.trips == []
