"""What does a venue say about an account, in plain values, and how is it asked without a node?

Amounts are Decimal, stamps UTC nanoseconds, ids text: nothing here belongs to the engine, so that the journal, the
verbs and a watchdog understand every venue alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

OPEN = ("PENDING", "ACCEPTED", "PARTIALLY_FILLED")
"""Statuses of an order that may still fill."""
ENDED = ("FILLED", "CANCELED", "REJECTED", "EXPIRED")


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue tells it; `ts` is its last change there."""

    client_order_id: str | None
    """None: not sent by anybody who names orders, such as a person on the broker's page."""
    venue_order_id: str
    instrument: str
    side: str
    """BUY or SELL."""
    type: str
    """MARKET, LIMIT, STOP_MARKET, STOP_LIMIT, or another of the engine's order types."""
    quantity: Decimal
    filled: Decimal
    average_price: Decimal | None
    price: Decimal | None
    trigger_price: Decimal | None
    tif: str
    status: str
    """PENDING (taken, not yet live), ACCEPTED, PARTIALLY_FILLED, FILLED, CANCELED, REJECTED or EXPIRED."""
    reduce_only: bool
    ts: int
    reason: str | None = None
    """Why it was rejected or cancelled, where the venue says so."""

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in OPEN

    @property
    def name(self) -> str:
        """What it is called here: its client order id, or one made of the venue's."""
        return self.client_order_id or nameless(self.venue_order_id)


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One execution as the venue tells it; `trade_id` is told once by a venue, and known again by it."""

    trade_id: str
    client_order_id: str | None
    venue_order_id: str
    instrument: str
    side: str
    """BUY or SELL."""
    quantity: Decimal
    price: Decimal
    commission: Decimal
    currency: str
    """Of the commission."""
    liquidity: str
    """MAKER, TAKER, or UNKNOWN."""
    ts: int

    @property
    def name(self) -> str:
        """What its order is called here."""
        return self.client_order_id or nameless(self.venue_order_id)


def nameless(venue_order_id: str) -> str:
    """What an order is called here that its sender gave no client order id."""
    return f"venue:{venue_order_id}"


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """A net position; `quantity` is negative for a short one."""

    instrument: str
    quantity: Decimal
    average_price: Decimal


@dataclass(frozen=True, slots=True)
class VenueFlow:
    """Money or shares that came (above zero) or went without an order: a dividend, a fee, a transfer, a split."""

    id: str
    """Told once by a venue, and known again by it."""
    kind: str
    """transfer, dividend, interest, fee, split, or the venue's own word."""
    amount: Decimal
    """What it did to the cash."""
    currency: str
    instrument: str | None
    quantity: Decimal | None
    """What it did to the shares of `instrument`; None: nothing."""
    status: str
    """executed, correct or canceled: a venue takes some back."""
    text: str
    ts: int

    @property
    def moves_shares(self) -> bool:
        """Whether positions are not what the fills say any more."""
        return self.quantity is not None

    def __str__(self) -> str:
        """One line for a log."""
        of = "" if self.instrument is None else f" of {self.instrument}"
        shares = "" if self.quantity is None else f", {self.quantity:f} shares"
        return f"{self.kind}{of}: {self.amount:,.2f} {self.currency}{shares} ({self.text}, {self.status})"


@dataclass(frozen=True, slots=True)
class VenueSnapshot:
    """An account at one moment: every open order, every order touched since, all fills of these, all positions."""

    account: str
    currency: str
    cash: Decimal
    equity: Decimal | None
    buying_power: Decimal | None
    orders: tuple[VenueOrder, ...]
    fills: tuple[VenueFill, ...]
    positions: tuple[VenuePosition, ...]
    ts: int

    def by_order(self) -> list[tuple[VenueOrder, tuple[VenueFill, ...]]]:
        """Each order with its fills."""
        fills: dict[str, list[VenueFill]] = {}
        for fill in self.fills:
            fills.setdefault(fill.venue_order_id, []).append(fill)
        return [(order, tuple(fills.get(order.venue_order_id, ()))) for order in self.orders]

    @property
    def balance(self) -> Decimal:
        """What a margin account of the engine calls its balance: cash and what open positions cost."""
        return self.cash + sum((each.quantity * each.average_price for each in self.positions), Decimal(0))


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What a person should know of an account before it is traded."""

    number: str
    currency: str
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    trading_blocked: bool
    blocked: tuple[str, ...] = ()
    """Every reason for which the venue would refuse orders, in its own words; empty: none."""
    multiplier: Decimal = Decimal(1)
    """How many times its equity it may hold."""
    shorting: bool = False
    """Whether it may sell short."""


class Operator(Protocol):
    """The venue's account without a node, over a connection of its own.

    Used before a node is built, by a flatten without a node, and by a watchdog. Every method raises AdapterError, one
    line, when the venue cannot tell or does not answer: never a guess, never an empty answer.
    """

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Hang up; never raises."""

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        """The account: all open orders, every order touched since with its fills, all positions."""

    async def order(self, client_order_id: str) -> VenueOrder | None:
        """One order by its client order id; None: the venue says that it never took it.

        One that has ended is in later snapshots with its fills, whatever they are asked since.
        """

    async def cancel(self, venue_order_id: str) -> None:
        """Cancel an order; one that has ended meanwhile is no error."""

    async def close_position(self, instrument: str, quantity: Decimal, client_order_id: str) -> None:
        """Close a position of `quantity` (signed as held, negative for a short one) by a reduce-only market order."""
