"""Every way to hand the engine an order, or to change one, without the gate: nothing leaves, and it is told."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from nautilus_trader.core import UUID4
from nautilus_trader.model import ClientOrderId, OmsType, OrderUpdated, Price, Quantity
from nautilus_trader.trading import Strategy, StrategyConfig

import risk.gate  # noqa: F401 - the command line, too, imports the gate before any strategy
from risk.guard import refuse_engine_settings
from runs.strategies import InstrumentError
from tests.driving import MODES, bars, drive
from tests.risk.attacks import BUY, Attacked, Attacker, attacked

KEPT_FROM_BEFORE = Strategy.submit_order  # as a strategy's module may keep it at its import
KEPT_PARTIAL = partial(Strategy.submit_order)
CHANGE = Strategy.modify_order
FLAT = bars([100.0] * 8)


class PastTheGate(Attacker):
    """Each attack would buy 20, which the limits allow: only the way is wrong."""

    def tries_the_base_class(self) -> None:
        Strategy.submit_order(self, self.market(BUY, 20))

    def tries_the_base_class_by_keyword(self) -> None:
        Strategy.submit_order(self, order=self.market(BUY, 20))

    def tries_the_base_class_with_a_list(self) -> None:
        Strategy.submit_order_list(self, order_list=[self.resting(BUY, 20, 100)])

    def tries_super(self) -> None:
        super().submit_order(self.market(BUY, 20))

    def tries_the_classs_dictionary(self) -> None:
        Strategy.__dict__["submit_order"](self, self.market(BUY, 20))

    def tries_the_order_of_resolution(self) -> None:
        for base in type(self).__mro__:
            if "submit_order" in vars(base) and base.__name__ == "Strategy":
                vars(base)["submit_order"](self, self.market(BUY, 20))

    def tries_a_method_kept_at_import(self) -> None:
        KEPT_FROM_BEFORE(self, self.market(BUY, 20))

    def tries_a_partial_kept_at_import(self) -> None:
        KEPT_PARTIAL(self, self.market(BUY, 20))

    def tries_a_method_of_its_own_on_the_instance(self) -> None:
        self.submit_order = partial(Strategy.submit_order, self)  # type: ignore[method-assign]
        self.submit_order(self.market(BUY, 20))
        del self.submit_order

    def tries_a_method_of_its_own_on_the_class(self) -> None:
        gated = type(self).submit_order
        type(self).submit_order = KEPT_FROM_BEFORE  # type: ignore[method-assign]
        self.submit_order(self.market(BUY, 20))
        type(self).submit_order = gated  # type: ignore[method-assign]

    def tries_an_order_changed_since_it_was_made(self) -> None:
        order = self.market(BUY, 20)
        larger = Quantity(5_000, 0)
        order.apply(
            OrderUpdated(
                order.trader_id,
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                larger,
                UUID4(),
                0,
                0,
                False,  # noqa: FBT003 - the engine's
            )
        )
        self.submit_order(order)

    def tries_an_order_made_for_a_strategy_that_is_not_there(self) -> None:
        self.submit_order(self.market(BUY, 20, strategy_id="Ghost-009"))

    def tries_an_order_made_for_another_strategy(self) -> None:
        self.submit_order(self.market(BUY, 20, strategy_id="Beside-002"))

    def tries_the_base_class_with_no_order_at_all(self) -> None:
        with pytest.raises((TypeError, AttributeError)):
            Strategy.submit_order(self, None)


class Beside(Attacker):
    pass


@pytest.fixture(scope="module", params=MODES)
def past(request: pytest.FixtureRequest) -> Attacked:
    return attacked(request.param, PastTheGate, beside=[Beside])


@pytest.mark.parametrize("attack", PastTheGate.attacks())
def test_nothing_leaves_past_the_gate(past: Attacked, attack: str) -> None:
    outcome = past.outcomes[attack]
    expected = "FOREIGN_ORDER" if "made_for" in attack else "BYPASS"
    assert outcome.refused == ([] if "no_order" in attack else [expected])
    assert outcome.most == outcome.least == 0


def test_attempts_that_left_nothing_halt_nobody(past: Attacked) -> None:
    assert past.trips == []
    assert past.driven.record.fills == []
    assert past.driven.desk.book.orders == {}
    assert past.driven.strategies[0].events.count("OrderDenied") == len(PastTheGate.attacks()) - 1


class SmugglesWhatWasKept(Attacker):
    """The engine's own method, from before anything guarded it: what a module imported before Keel may hold."""

    def tries_it(self) -> None:
        raw = KEPT_FROM_BEFORE.__closure__
        (original,) = [
            cell.cell_contents
            for cell in raw or ()
            if type(cell.cell_contents).__name__ != "str" and not isinstance(cell.cell_contents, type)
        ]
        original(self, self.market(BUY, 20))
        self.submit_order(self.market(BUY, 1))


@pytest.mark.parametrize("mode", MODES)
def test_a_method_from_before_the_guard_fills_but_halts_at_once(mode: str) -> None:
    """The engine calls nobody between such a call and the fill of a market order, so it can only be noticed."""
    ran = attacked(mode, SmugglesWhatWasKept)
    assert ran.trips == ["BYPASS"]
    assert ran.outcomes["it"].most == 20
    assert "HALTED" in ran.outcomes["it"].refused
    assert ran.driven.desk.book.is_flat()  # the closing at the end of the attack passed


class Reuses(Attacker):
    """Client order ids that were used before."""

    def tries_the_id_of_a_filled_order(self) -> None:
        first = self.market(BUY, 20)
        self.submit_order(first)
        self.notes["name"] = str(first.client_order_id)

    def later_the_id_of_a_filled_order(self) -> None:
        self.submit_order(self.market(BUY, 5, client_order_id=self.notes["name"]))

    def tries_the_id_of_a_working_order(self) -> None:
        first = self.resting(BUY, 20, 90)
        self.submit_order(first)
        self.submit_order(self.market(BUY, 5, client_order_id=str(first.client_order_id)))

    def tries_the_id_of_a_cancelled_order(self) -> None:
        first = self.resting(BUY, 20, 90)
        self.submit_order(first)
        self.cancel_order(first.client_order_id)
        self.notes["gone"] = str(first.client_order_id)

    def later_the_id_of_a_cancelled_order(self) -> None:
        self.submit_order(self.market(BUY, 5, client_order_id=self.notes["gone"]))

    def tries_an_id_of_the_strategy_beside(self) -> None:
        theirs = [str(order.client_order_id) for order in self.cache.orders_open()]
        self.submit_order(self.market(BUY, 5, client_order_id=theirs[0]))

    def tries_one_id_twice_in_a_list(self) -> None:
        first = self.resting(BUY, 20, 90)
        self.submit_order_list([first, self.resting(BUY, 20, 91, client_order_id=str(first.client_order_id))])


class Rests(Attacker):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.submit_order(self.resting(BUY, 1, 50))


@pytest.fixture(scope="module", params=MODES)
def reused(request: pytest.FixtureRequest) -> Attacked:
    return attacked(request.param, Reuses, beside=[Rests], risk={"max_position_notional": 5_000})


@pytest.mark.parametrize("attack", Reuses.attacks())
def test_an_id_is_used_once_whoever_used_it(reused: Attacked, attack: str) -> None:
    outcome = reused.outcomes[attack]
    assert outcome.refused == ["SENT_BEFORE"] * (2 if "twice_in_a_list" in attack else 1)
    assert outcome.most == (20 if "filled" in attack else 0)


def test_reused_ids_leave_the_book_as_it_is(reused: Attacked) -> None:
    assert reused.trips == []
    assert [order.leaves for order in reused.driven.desk.book.orders.values()] == [1]


class Rewrites(Attacker):
    """Overrides the methods of sending, and hands on something else than what the gate let pass."""

    larger = False

    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        super().submit_order(self.remade(order, quantity="5000") if self.larger else order, *args, **kwargs)

    def submit_order_list(self, order_list: Any, *args: Any, **kwargs: Any) -> None:
        super().submit_order_list(
            [self.remade(order, quantity="5000") for order in order_list], *args, **kwargs
        )

    def modify_order(self, client_order_id: Any, quantity: Any = None, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - rewritten
        super().modify_order(client_order_id, Quantity(5_000, 0), *args, **kwargs)

    def modify_orders(self, updates: Any = (), *args: Any, **kwargs: Any) -> None:
        super().modify_orders(
            [(name, Quantity(5_000, 0), None, None) for name, *_ in updates], *args, **kwargs
        )

    def tries_an_order(self) -> None:
        self.larger = True
        self.submit_order(self.market(BUY, 20))
        self.larger = False

    def tries_a_list(self) -> None:
        self.submit_order_list([self.resting(BUY, 20, 90)])

    def tries_a_change(self) -> None:
        order = self.resting(BUY, 20, 90)
        self.submit_order(order)
        self.modify_order(order.client_order_id, Quantity(21, 0))

    def tries_changes(self) -> None:
        order = self.resting(BUY, 20, 90)
        self.submit_order(order)
        self.modify_orders([(order.client_order_id, Quantity(21, 0), None, None)])

    def tries_a_change_of_nothing(self) -> None:
        self.modify_order(ClientOrderId("O-0"), Quantity(1, 0))
        CHANGE(self, client_order_id=ClientOrderId("O-0"), quantity=Quantity(1, 0), price=Price(1, 2))


@pytest.fixture(scope="module", params=MODES)
def rewritten(request: pytest.FixtureRequest) -> Attacked:
    return attacked(request.param, Rewrites)


@pytest.mark.parametrize("attack", Rewrites.attacks())
def test_what_was_let_pass_is_what_leaves(rewritten: Attacked, attack: str) -> None:
    outcome = rewritten.outcomes[attack]
    assert outcome.refused == (["BYPASS"] if attack in ("an_order", "a_list", "a_change", "changes") else [])
    assert outcome.most == outcome.least == 0


def test_what_an_override_kept_to_itself_is_not_counted(rewritten: Attacked) -> None:
    assert rewritten.driven.desk.book.orders == {}
    assert max(row["quantity"] for row in rewritten.driven.record.orders) == 20


@pytest.mark.parametrize(
    "setting", [{"oms_type": OmsType.HEDGING}, {"market_exit_reduce_only": False}], ids=str
)
def test_engine_settings_that_would_make_the_book_wrong_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        refuse_engine_settings(Strategy(StrategyConfig(**setting)))
    refuse_engine_settings(Strategy(StrategyConfig()))


def test_names_of_the_gate_are_the_gates() -> None:
    with pytest.raises(InstrumentError, match="that name is the risk gate's"):
        drive("backtest", TakesAName, FLAT)


class TakesAName(Attacker):
    def latest(self) -> float:
        return 1.0
