"""Changes of orders: none makes an order larger, dearer or somebody else's than the limits allow."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import Price, Quantity, QuoteTick, TriggerType

from tests.driving import MODES, Driven, bars, drive
from tests.risk.attacks import BUY, SELL, Attacked, Attacker, attacked
from tests.risk.test_limits_in_both_modes import OnQuotes, quotes


class Grows(Attacker):
    """Up to 5,000 may be held; each attack begins with an order of 20 at 90."""

    def begin(self, **fields: Any) -> Any:
        self.order = self.resting(BUY, 20, 90, **fields)
        self.submit_order(self.order)
        return self.order.client_order_id

    def tries_its_quantity(self) -> None:
        self.modify_order(self.begin(), Quantity(56, 0))

    def tries_its_price(self) -> None:
        order = self.resting(BUY, 49, 90)
        self.submit_order(order)
        self.modify_order(order.client_order_id, None, Price(100.01, 2))

    def tries_its_trigger(self) -> None:
        order = self.stop_at(BUY, 45, 105)
        self.submit_order(order)
        self.modify_order(order.client_order_id, None, None, Price(112, 2))

    def tries_both_at_once(self) -> None:
        self.modify_order(self.begin(), Quantity(51, 0), Price(99, 2))

    def tries_several_orders_at_once(self) -> None:
        """Each alone would pass, together they would not."""
        self.orders = [self.resting(BUY, 10, 90), self.resting(BUY, 10, 91)]
        for order in self.orders:
            self.submit_order(order)

    def later_several_orders_at_once(self) -> None:
        self.modify_orders([(order.client_order_id, Quantity(30, 0), None, None) for order in self.orders])

    def tries_the_same_order_twice_at_once(self) -> None:
        self.begin()

    def later_the_same_order_twice_at_once(self) -> None:
        name = self.order.client_order_id
        self.modify_orders([(name, Quantity(30, 0), None, None), (name, Quantity(56, 0), None, None)])

    def tries_two_changes_in_flight(self) -> None:
        """The answer to the first used to hide the second, and what was sent between them passed."""
        name = self.begin()
        self.modify_order(name, Quantity(30, 0))
        self.modify_order(name, Quantity(50, 0))

    def tries_an_order_in_flight(self) -> None:
        order = self.resting(BUY, 20, 90)
        self.submit_order(order)
        self.modify_order(order.client_order_id, Quantity(45, 0))
        self.submit_order(self.resting(BUY, 10, 90))

    def tries_a_sale_past_the_position(self) -> None:
        self.submit_order(self.market(BUY, 20))

    def later_a_sale_past_the_position(self) -> None:
        order = self.resting(SELL, 20, 110)
        self.submit_order(order)
        self.modify_order(order.client_order_id, Quantity(21, 0))

    def tries_somebody_elses_order(self) -> None:
        (theirs,) = [order for order in self.cache.orders_open() if order.strategy_id != self.strategy_id]
        self.modify_order(theirs.client_order_id, Quantity(2, 0))

    def tries_to_nothing(self) -> None:
        self.modify_order(self.begin(), Quantity.zero(0))

    def on_order_updated(self, event: Any) -> None:
        if str(event.quantity) == "30":
            self.submit_order(self.resting(BUY, 30, 89))


class Rests(Attacker):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.submit_order(self.resting(BUY, 1, 50))


@pytest.fixture(scope="module", params=MODES)
def grown(request: pytest.FixtureRequest) -> Attacked:
    risk = {"max_position_notional": 5_000, "allow_short": False}
    return attacked(request.param, Grows, beside=[Rests], risk=risk)


EXPECTED = {
    "several_orders_at_once": ["MAX_POSITION_NOTIONAL"]
    * 2,  # the second, and what is sent when the first is done
    "the_same_order_twice_at_once": ["CHANGE_PENDING", "MAX_POSITION_NOTIONAL"],
    "two_changes_in_flight": ["CHANGE_PENDING", "MAX_POSITION_NOTIONAL"],
    "a_sale_past_the_position": ["SHORT_SELLING"],
    "somebody_elses_order": ["FOREIGN_ORDER"],
    "to_nothing": [],
}


@pytest.mark.parametrize("attack", Grows.attacks())
def test_a_change_grows_nothing_past_a_limit(grown: Attacked, attack: str) -> None:
    outcome = grown.outcomes[attack]
    assert outcome.refused == EXPECTED.get(attack, ["MAX_POSITION_NOTIONAL"])
    assert outcome.least == 0


def test_every_order_ended_no_larger_than_the_limit_allows(grown: Attacked) -> None:
    assert grown.trips == []
    assert max(row["quantity"] for row in grown.driven.record.orders) <= 50
    (theirs,) = grown.driven.desk.book.orders.values()
    assert theirs.leaves == 1


class GrowsWhileHalted(Attacker):
    """Holds 50 of a price that falls by a fifth; a sale of part of it works when trading halts."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 50))
        if n == 2:
            self.sale = self.stop_at(SELL, 40, 70)
            self.submit_order(self.sale)
            self.entry = self.resting(BUY, 1, 50)
            self.submit_order(self.entry)
        if n == 5:
            self.modify_order(self.sale.client_order_id, Quantity(51, 0))
            self.modify_order(self.sale.client_order_id, Quantity(50, 0), None, Price(71, 2))
            self.modify_order(self.entry.client_order_id, Quantity(2, 0), Price(80, 2))


@pytest.mark.parametrize("mode", MODES)
def test_a_halt_lets_a_stop_follow_the_position_and_nothing_grow(mode: str) -> None:
    driven = drive(
        mode, GrowsWhileHalted, bars([100.0, 100, 100, 80, 80, 80]), risk={"max_drawdown_pct": 0.01}
    )
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]
    assert driven.limits == ["HALTED"]
    assert [(row["status"], row["quantity"]) for row in driven.record.orders] == [
        ("FILLED", 50), ("ACCEPTED", 50), ("CANCELED", 1),
    ]  # fmt: skip


class LoosensTheStop(Attacker):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.submit_order(self.market(BUY, 10))
        if n == 4:
            (stop,) = self.cache.orders_open()
            self.modify_order(stop.client_order_id, Quantity(1, 0), None, Price(1, 2))
            self.modify_orders([(stop.client_order_id, None, None, Price(1, 2))])


@pytest.mark.parametrize("mode", MODES)
def test_a_strategy_cannot_loosen_the_stop_that_is_attached_to_its_entry(mode: str) -> None:
    driven = drive(mode, LoosensTheStop, bars([100.0] * 6), risk={"default_stop_loss_pct": 0.05})
    assert driven.limits == ["FOREIGN_ORDER"] * 2
    (stop,) = driven.desk.book.orders.values()
    assert stop.leaves == 10
    assert stop.trigger == 95


class GrowsEmulated(OnQuotes):
    """An order that the engine emulates, changed while it waits, and released after a halt."""

    def at_bar(self, n: int, _quote: Any) -> None:
        if n == 2:
            self.order = self.limit(BUY, 20, 99.0, emulation_trigger=TriggerType.BID_ASK)
            self.buy(20)
        if n == 3:
            self.modify_order(self.order.client_order_id, Quantity(31, 0))
            self.modify_order(self.order.client_order_id, Quantity(30, 0))


def emulated(mode: str, rows: list[QuoteTick]) -> Driven:
    risk = {"max_position_notional": 5_000, "max_drawdown_pct": 0.001, "tick_confirmations": 1}
    return drive(mode, GrowsEmulated, rows, risk=risk, kind="quotes")


@pytest.mark.parametrize("mode", MODES)
def test_an_emulated_order_grows_no_further_and_is_not_released_after_a_halt(mode: str) -> None:
    """At 94.9 the book has lost 0.1%; at 90 the order would be released."""
    still, lower, far = (99.9, 100.0), (94.8, 99.5), (90.0, 90.1)
    driven = emulated(mode, quotes([still] * 5 + [lower] * 2 + [far] * 3))
    assert driven.limits == ["MAX_POSITION_NOTIONAL"]
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]
    assert [(row["status"], row["quantity"]) for row in driven.record.orders] == [
        ("CANCELED", 30),
        ("FILLED", 20),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_the_quote_that_releases_an_emulated_order_and_halts_fills_it(mode: str) -> None:
    """The engine's emulator sees a quote before any strategy does, and its release cannot be stopped (engine.md 2).

    What was released had passed the limits, so it is not beyond them; nothing comes after it.
    """
    still, far = (99.9, 100.0), (90.0, 90.1)
    driven = emulated(mode, quotes([still] * 5 + [far] * 5))
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]
    assert [(row["status"], row["quantity"]) for row in driven.record.orders] == [
        ("FILLED", 30),
        ("FILLED", 20),
    ]
    assert driven.desk.book.orders == {}
