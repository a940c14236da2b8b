"""Whatever an algorithm does with an order, its children and what is left of it are never more than was approved."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    ClientOrderId,
    ExecAlgorithmId,
    InstrumentId,
    MarketOrder,
    OrderInitialized,
    OrderSide,
    Quantity,
    StrategyId,
    TimeInForce,
    TraderId,
)

from risk.book import Book, WorkingOrder
from risk.primaries import Primaries

AAPL = InstrumentId.from_str("AAPL.XNAS")
APPROVED = 30
some = st.sampled_from((1, 5, 7, 10, 14, 17, 20, 29, 30, 31))
mostly = st.sampled_from((True, True, True, False))


def order(name: str, units: int, spawned_from: str) -> OrderInitialized:
    """An order that algorithm WORK got (`spawned_from` itself) or made."""
    made: OrderInitialized = MarketOrder(
        TraderId("T-001"), StrategyId("S-001"), AAPL, ClientOrderId(name), OrderSide.BUY, Quantity(units, 0),
        UUID4(), 0, TimeInForce.GTC, reduce_only=False, quote_quantity=False, exec_algorithm_id=ExecAlgorithmId("WORK"),
        exec_spawn_id=ClientOrderId(spawned_from),
    ).init_event  # fmt: skip
    return made


def counted(event: OrderInitialized) -> WorkingOrder:
    """The order as the book counts it."""
    name, units = str(event.client_order_id), event.quantity.as_decimal()
    return WorkingOrder(name, "S-001", str(AAPL), True, units, None, False, name)  # noqa: FBT003 - fields by place


class Working(RuleBasedStateMachine):
    """An engine that knows only quantities: what it does to a primary when children are cut out, filled or refused."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.book = Book(Decimal(100_000), "USD")
        self.book.add_instrument(str(AAPL), Decimal(1))
        self.primaries = Primaries(self.book, self.done.append)
        primary = order("P", APPROVED, "P")
        self.book.submitted(counted(primary))
        self.primaries.opened(primary)
        self.quantity = APPROVED  # the engine's, of the primary
        self.made = 0
        self.cut: set[str] = set()
        self.unsent: dict[str, OrderInitialized] = {}
        self.working: dict[str, list[int]] = {}  # child -> [units, filled]
        self.filled = 0

    def alive(self) -> bool:
        return self.primaries.held("P") is not None

    @precondition(alive)
    @rule(units=some, at_once=mostly)
    def spawns_out_of_it(self, units: int, *, at_once: bool) -> None:
        if units > self.quantity:
            return  # the engine raises
        self.made += 1
        name, held = f"P-E{self.made}", self.primaries.held("P")
        assert held is not None
        with self.primaries.cutting(held) as unsent:
            self.resize(self.quantity - units)
            unsent[name] = Decimal(units)
        self.cut.add(name)
        self.unsent[name] = order(name, units, "P")
        if at_once:
            self.send(name, limits_allow=True)

    @rule(units=some, at_once=mostly)
    def spawns_beside_it(self, units: int, *, at_once: bool) -> None:
        self.made += 1
        name = f"P-E{self.made}"
        self.unsent[name] = order(name, units, "P")
        if at_once:
            self.send(name, limits_allow=True)

    @precondition(lambda self: self.unsent)
    @rule(data=st.data(), limits_allow=mostly)
    def sends(self, data: st.DataObject, *, limits_allow: bool) -> None:
        self.send(data.draw(st.sampled_from(sorted(self.unsent))), limits_allow=limits_allow)

    def send(self, name: str, *, limits_allow: bool) -> None:
        event = self.unsent.pop(name)
        units = int(event.quantity.as_decimal())
        if self.primaries.objection(event, "WORK") is None and limits_allow:
            with self.primaries.making_room(event):
                self.book.submitted(counted(event))
                self.primaries.sent(event)
            self.working[name] = [units, 0]
            return
        given_back = self.primaries.refused(event)
        if given_back is not None:
            assert given_back == units
            self.resize(self.quantity + units)

    @precondition(lambda self: self.working)
    @rule(data=st.data(), units=some)
    def fills(self, data: st.DataObject, units: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.working)))
        child = self.working[name]
        units = min(units, child[0] - child[1])
        child[1] += units
        self.filled += units
        self.book.resized(name, Decimal(child[0] - child[1]), None)
        self.primaries.filled(name, Decimal(units))
        if child[0] == child[1]:
            del self.working[name]
            self.book.closed(name)

    @precondition(lambda self: self.working)
    @rule(data=st.data(), rejected=st.booleans())
    def ends(self, data: st.DataObject, *, rejected: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.working)))
        units, filled = self.working.pop(name)
        if rejected and not filled and name in self.cut and self.alive():
            self.resize(
                self.quantity + units
            )  # the engine gives back what it cut out, cancelled children not
        self.book.closed(name)
        self.primaries.ended(name)

    @precondition(alive)
    @rule(units=some)
    def shrinks_in_place(self, units: int) -> None:
        held = self.primaries.held("P")
        assert held is not None
        if 0 < units <= self.quantity:
            with self.primaries.shrinking(held, Decimal(units)):
                self.resize(units)

    @precondition(lambda self: self.alive() and self.made > 3)
    @rule()
    def is_cancelled(self) -> None:
        self.book.closed("P")
        self.primaries.ended("P")

    def resize(self, quantity: int) -> None:
        self.quantity = quantity
        self.primaries.resized("P", Decimal(quantity))

    @invariant()
    def never_more_than_approved(self) -> None:
        live = sum(units - filled for units, filled in self.working.values())
        held = self.primaries.held("P")
        free = Decimal(0) if held is None else max(Decimal(0), held.free)
        assert self.filled + live + free <= APPROVED

    @invariant()
    def the_book_counts_each_unit_once(self) -> None:
        live = sum(units - filled for units, filled in self.working.values())
        held = self.primaries.held("P")
        free = Decimal(0) if held is None else max(Decimal(0), held.free)
        assert self.book.holding("S-001", str(AAPL)).committed(buys=True) == live + free

    @invariant()
    def it_is_forgotten_once_nothing_can_come_of_it(self) -> None:
        if self.done:
            assert self.done == ["P"]
            assert "P" not in self.book.orders


TestWorking = Working.TestCase
TestWorking.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
