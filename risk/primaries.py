"""How much of an order may its execution algorithm still send?

An order that names an algorithm, the primary, is approved whole and then stays inside the engine; the algorithm sends
children. What they take is taken from the primary, so that all of them together are never more than was approved, and
the book counts every unit once: as a child's, or as what is left of the primary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import ContingencyType, OrderInitialized, TriggerType

from risk.numbers import ZERO

if TYPE_CHECKING:
    from risk.book import Book


def is_child(order: OrderInitialized) -> bool:
    """Whether an algorithm made the order; a primary's spawn id is its own id."""
    spawned_from = order.exec_spawn_id
    return spawned_from is not None and spawned_from != order.client_order_id


@dataclass(slots=True)
class Child:
    """An order that an algorithm sent. `units` is all it may fill; `cut_out`: they came off the primary's quantity."""

    primary: Primary
    units: Decimal
    cut_out: bool
    filled: Decimal = ZERO


@dataclass(slots=True)
class Primary:
    """An order that an algorithm works.

    quantity: the engine's, what was asked for less what was cut out of it. beside: units of it that children took
    without being cut out. unsent: children cut out of it and not sent yet. spawned: those that were sent or refused.
    """

    order: OrderInitialized
    algorithm: str
    quantity: Decimal
    beside: Decimal = ZERO
    unsent: dict[str, Decimal] = field(default_factory=dict)
    spawned: set[str] = field(default_factory=set)
    working: int = 0

    @property
    def name(self) -> str:
        """Its client order id."""
        return str(self.order.client_order_id)

    @property
    def free(self) -> Decimal:
        """Units that no child has taken yet."""
        return self.quantity - self.beside

    def is_done(self) -> bool:
        """Whether nothing can come of it any more."""
        return self.free <= ZERO and not self.unsent and not self.working


class Primaries:
    """The orders that algorithms work, and their children."""

    def __init__(self, book: Book, on_done: Callable[[str], None]) -> None:
        """`on_done` hears of each primary (client order id) whose children have filled all of it."""
        self._book = book
        self._on_done = on_done
        self._held: dict[str, Primary] = {}  # client order id -> primary that has not left the engine
        self._children: dict[str, Child] = {}  # client order id -> child that may still fill
        self._ended = ""  # the primary that ended last

    def held(self, client_order_id: str) -> Primary | None:
        """The primary of this id, while an algorithm holds it."""
        return self._held.get(client_order_id)

    def concerns(self, client_order_id: str) -> bool:
        """Whether events of this order come from inside the engine, in the middle of somebody's call."""
        return client_order_id in self._held or client_order_id == self._ended

    # -- primaries --------------------------------------------------------------------------------------------------

    def opened(self, order: OrderInitialized) -> None:
        """A strategy's order was approved and goes to its algorithm."""
        primary = Primary(order, str(order.exec_algorithm_id), order.quantity.as_decimal())
        self._held[primary.name] = primary

    def resized(self, client_order_id: str, quantity: Decimal) -> bool:
        """The engine changed an order's quantity; answers whether it is a primary, which the book then follows."""
        primary = self._held.get(client_order_id)
        if primary is not None:
            primary.quantity = quantity
            self._count(primary)
            return True
        child = self._children.get(client_order_id)
        if child is not None:
            self._resize(child, quantity)
        return False

    def left_engine(self, client_order_id: str) -> None:
        """The algorithm sent the primary itself: an order like any other from now on."""
        self._held.pop(client_order_id, None)

    def ended(self, client_order_id: str) -> None:
        """An order can no longer fill."""
        if self._held.pop(client_order_id, None) is not None:
            self._ended = client_order_id
        self._child_ended(client_order_id)

    # -- children ---------------------------------------------------------------------------------------------------

    @contextmanager
    def cutting(self, primary: Primary) -> Iterator[dict[str, Decimal]]:
        """While the engine takes a new child off a primary's quantity; the child is written into what it gives."""
        primary.working += 1  # so that one of which nothing is left is not taken for done
        try:
            yield primary.unsent
        finally:
            primary.working -= 1

    def objection(self, order: OrderInitialized, algorithm: str) -> str | None:
        """Why this order may not be sent as a child, whatever the limits say; None when it may."""
        name = str(order.client_order_id)
        primary = self._held.get(str(order.exec_spawn_id))
        if primary is None or primary.algorithm != algorithm:
            return f"{name} is not spawned from an order that {algorithm} works now"
        if name in primary.spawned:
            return f"{name} was sent or refused before"
        reason = _differs(order, primary.order)
        if reason is not None:
            return f"{name} {reason}"
        units, free = order.quantity.as_decimal(), primary.free
        room = primary.unsent[name] + min(ZERO, free) if name in primary.unsent else free
        if units > room:
            whole = primary.order.quantity.as_decimal()
            return f"{name} is for {units:f}, but of {primary.name}'s {whole:f} only {max(ZERO, room):f} are left"
        return None

    @contextmanager
    def shrinking(self, primary: Primary, quantity: Decimal | None) -> Iterator[None]:
        """While the algorithm changes a primary in place; what it gives up makes up for children beside it first."""
        before = primary.quantity
        primary.working += 1
        try:
            yield
        finally:
            primary.working -= 1
            if quantity is not None:
                primary.beside -= min(primary.beside, max(ZERO, before - primary.quantity))
            self._count(primary)

    @contextmanager
    def making_room(self, order: OrderInitialized) -> Iterator[None]:
        """Count a child in its primary's place while it is decided on."""
        primary = self._held[str(order.exec_spawn_id)]
        if str(order.client_order_id) not in primary.unsent:
            self._count(primary, less=order.quantity.as_decimal())
        try:
            yield
        finally:
            self._count(primary)

    def sent(self, order: OrderInitialized) -> None:
        """A child was handed on."""
        primary, name = self._held[str(order.exec_spawn_id)], str(order.client_order_id)
        units, cut_out = order.quantity.as_decimal(), primary.unsent.pop(name, None) is not None
        self._children[name] = Child(primary, units, cut_out)
        primary.spawned.add(name)
        primary.working += 1
        primary.beside += ZERO if cut_out else units

    def refused(self, order: OrderInitialized) -> Decimal | None:
        """A child was refused; answers the units to give back to the primary, None when none were cut out of it."""
        primary, name = self._held.get(str(order.exec_spawn_id)), str(order.client_order_id)
        if primary is None or name in primary.spawned:
            return None
        primary.spawned.add(name)
        return primary.unsent.pop(name, None)

    def filled(self, client_order_id: str, units: Decimal) -> None:
        """A fill; one that completes a child may complete its primary."""
        child = self._children.get(client_order_id)
        if child is not None:
            child.filled += units
            if child.filled >= child.units:
                self._child_ended(client_order_id)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _child_ended(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None:
            child.primary.working -= 1
            self._resize(child, child.filled)
            del self._children[name]

    def _resize(self, child: Child, units: Decimal) -> None:
        if not child.cut_out:
            child.primary.beside = max(ZERO, child.primary.beside + units - child.units)
        child.units = units
        self._count(child.primary)

    def _count(self, primary: Primary, less: Decimal = ZERO) -> None:
        """Let the book count what is left of a primary; one of which nothing can come any more is forgotten."""
        if primary.name not in self._held:
            return
        if primary.is_done():
            del self._held[primary.name]
            self._ended = primary.name
            self._book.closed(primary.name)
            self._on_done(primary.name)
        else:
            self._book.resized(primary.name, max(ZERO, primary.free - less), None)


def unworkable(order: OrderInitialized) -> str | None:
    """Why an algorithm cannot work a strategy's order; None when it can."""
    if is_child(order):
        return "only the algorithm itself can spawn orders"
    if order.quote_quantity:
        return "its quantity is in quote currency; give it in units"
    if _trigger(order):
        return "it waits in the engine for a trigger first"
    if _linked(order):
        return "it is tied to other orders; send it alone"
    return None


def _trigger(order: OrderInitialized) -> bool:
    return order.emulation_trigger not in (None, TriggerType.NO_TRIGGER)


def _linked(order: OrderInitialized) -> bool:
    contingent = order.contingency_type not in (None, ContingencyType.NO_CONTINGENCY)
    return bool(contingent or order.linked_order_ids or order.parent_order_id is not None)


def _differs(order: OrderInitialized, primary: OrderInitialized) -> str | None:
    same: tuple[tuple[str, Any, Any], ...] = (
        ("strategy", order.strategy_id, primary.strategy_id),
        ("instrument", order.instrument_id, primary.instrument_id),
        ("side", order.order_side, primary.order_side),
        ("algorithm", order.exec_algorithm_id, primary.exec_algorithm_id),
    )
    for what, own, wanted in same:
        if own != wanted:
            return f"has the {what} {own}, but {primary.client_order_id} has {wanted}"
    if primary.reduce_only and not order.reduce_only:
        return f"is not reduce-only, but {primary.client_order_id} is"
    return unworkable_child(order)


def unworkable_child(order: OrderInitialized) -> str | None:
    """What no child may be."""
    if order.quote_quantity:
        return "has its quantity in quote currency"
    if _trigger(order):
        return "waits in the engine for a trigger"
    return "is tied to other orders" if _linked(order) else None
