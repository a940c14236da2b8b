"""What has to be cancelled and closed at the venue, so that an account no node trades is flat?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

from adapters.account import VenueOrder, VenueSnapshot
from risk.foreign import EXTERNAL

ZERO = Decimal(0)
Positions = Mapping[tuple[str, str], Mapping[str, Any]]
"""(strategy, instrument) -> the newest row of a position, as live/_past.py reads them."""


@dataclass(slots=True)
class Close:
    """One reduce-only market order that is to be sent: whose position, and how much of it (signed as held)."""

    strategy: str
    instrument: str
    quantity: Decimal
    client_order_id: str

    @classmethod
    def of(cls, strategy: str, instrument: str, quantity: Decimal) -> Close:
        """A close with a name of its own, which the venue takes once."""
        return cls(strategy, instrument, quantity, f"KEEL-FLAT-{uuid4().hex[:12]}")

    def __str__(self) -> str:
        """Tell it to a person."""
        return f"{self.quantity.normalize():+f} {self.instrument} of {self.strategy}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders to cancel and positions to close; `left` is what a person has to look at, in one line each."""

    cancels: tuple[VenueOrder, ...]
    closes: tuple[Close, ...]
    left: tuple[str, ...] = ()
    owners: Mapping[str, str | None] = field(default_factory=dict)
    """Client order id -> its strategy by the journal."""
    is_whole: bool = False
    """Whether it is about all that the account holds."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.cancels and not self.closes

    def owner_of(self, order: VenueOrder) -> str:
        """Whose an order is; EXTERNAL's where the journal does not tell."""
        return self.owners.get(order.client_order_id or "") or EXTERNAL

    def exceeds(self, seen: Plan) -> bool:
        """Whether it does anything that is not in a plan that was seen: another order, more of a position."""
        known = {order.venue_order_id for order in seen.cancels}
        shown = {(close.strategy, close.instrument): close.quantity for close in seen.closes}
        return any(order.venue_order_id not in known for order in self.cancels) or any(
            not ZERO <= close.quantity / shown.get((close.strategy, close.instrument), -close.quantity) <= 1
            for close in self.closes
        )

    def lines(self) -> list[str]:
        """What will be done, for a person."""
        cancels = [f"cancel {order_text(order)}" for order in self.cancels]
        return [*cancels, *(f"close  {close}" for close in self.closes), *self.left]


class Late:
    """What orders of a plan filled after it was made, while they were being cancelled.

    owed: (strategy, instrument) -> how much more (signed as held) there is to close than the plan says.
    """

    def __init__(self, plan: Plan) -> None:
        """Counted from what they had filled when the plan was made."""
        self._plan = plan
        self._filled = {order.venue_order_id: order.filled for order in plan.cancels}
        self.owed: dict[tuple[str, str], Decimal] = {}

    def see(self, snapshot: VenueSnapshot) -> None:
        """Count what is new in a snapshot."""
        for order in snapshot.orders:
            before = self._filled.get(order.venue_order_id)
            if before is not None and order.filled > before:
                self._filled[order.venue_order_id] = order.filled
                key = self._plan.owner_of(order), order.instrument
                more = order.filled - before
                self.owed[key] = self.owed.get(key, ZERO) + (more if order.side == "BUY" else -more)


def planned(
    snapshot: VenueSnapshot, positions: Positions, owners: Mapping[str, str | None], strategy: str | None
) -> Plan:
    """The plan for the whole account, or for what one strategy holds and works.

    owners: client order id -> its strategy by the journal. What no order of Keel explains is EXTERNAL's, and closed
    with the rest when everything is.
    """
    cancels = tuple(
        order
        for order in snapshot.orders
        if order.is_open and strategy in (None, owners.get(order.client_order_id or ""))
    )
    closes, left = list[Close](), list[str]()
    for position in snapshot.positions:
        if position.quantity:
            own = [(name, row) for (name, what), row in positions.items() if what == position.instrument]
            closes += _shared(position.instrument, position.quantity, own, strategy)
    if strategy is not None:
        left += _not_there(positions, closes, strategy)
    return Plan(cancels, tuple(closes), tuple(left), owners, strategy is None)


def order_text(order: VenueOrder) -> str:
    """An order, for a person."""
    price = order.price if order.price is not None else order.trigger_price
    at = "" if price is None else f" at {price.normalize():f}"
    leaves = (order.quantity - order.filled).normalize()
    name = order.client_order_id or order.venue_order_id
    return f"{order.side} {leaves:f} {order.instrument} {order.type}{at} ({name})"


def _shared(
    instrument: str, net: Decimal, own: Iterable[tuple[str, Mapping[str, Any]]], strategy: str | None
) -> list[Close]:
    """Share out what the venue holds, net, among the strategies on its side; the rest is EXTERNAL's."""
    closes, rest = [], net
    for name, row in own:
        quantity = Decimal(row["quantity"])
        if quantity * net <= ZERO or not rest:
            continue
        part = quantity if abs(quantity) < abs(rest) else rest
        rest -= part
        if strategy in (None, name):
            closes.append(Close.of(name, instrument, part))
    if rest and strategy is None:
        closes.append(Close.of(EXTERNAL, instrument, rest))
    return closes


def _not_there(positions: Positions, closes: Iterable[Close], strategy: str) -> list[str]:
    """What the journal has of the strategy and the venue has no room for, because it nets."""
    closing = {(close.strategy, close.instrument): close.quantity for close in closes}
    lines = []
    for (name, instrument), row in positions.items():
        missing = Decimal(row["quantity"]) - closing.get((name, instrument), ZERO)
        if name == strategy and missing:
            lines.append(
                f"left   {missing.normalize():+f} {instrument} of {name}: the venue holds it netted with another "
                "strategy's, or not at all; flatten without strategy= closes what there is"
            )
    return lines
