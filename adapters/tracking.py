"""What was the engine told of each order, and what does news from the venue add to it?

News may come twice, late, in any order, or not at all. So: a fill counts once, by its trade id; an order is told live
before anything else of it; an order that ended is told so after the last of its fills, and where one is missing the
venue is asked; news older than what was told is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from adapters.account import VenueFill, VenueOrder

ZERO = Decimal(0)
MOST_CLOSED = 1_000
"""Closed orders that are kept, about 5 KB each with what the engine has of them: their news may still come again."""


class Voice(Protocol):
    """How the engine is told of one order."""

    def live(self, tracked: Tracked, ts: int) -> None:
        """The venue took it."""

    def filled(self, tracked: Tracked, fill: VenueFill) -> None:
        """A fill, already counted in `tracked`."""

    def changed(self, tracked: Tracked, news: VenueOrder) -> None:
        """It has another quantity or price than before."""

    def ended(self, tracked: Tracked, news: VenueOrder) -> None:
        """It will fill no further."""

    def rejected(self, reason: str, ts: int) -> None:
        """The venue never had it."""


@dataclass(slots=True, eq=False)
class Tracked:
    """One order and what the engine knows of it."""

    voice: Voice
    own: bool
    """Whether this node sent it."""
    client_order_id: str | None
    instrument: str
    side: str
    quantity: Decimal
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    venue_order_id: str | None = None
    last: VenueOrder | None = None
    live: bool = False
    closed: bool = False
    absent: bool = False
    """Told dead, because the venue said that it never came."""
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    """Sum of quantity times price of its fills."""
    before: Decimal = ZERO
    """What was filled of it before this node: the engine knows only the rest of such an order."""
    paid_before: Decimal = ZERO
    ts: int = 0
    changes: int = 0
    """How often another quantity or price was told."""
    trades: set[str] = field(default_factory=set)
    ending: VenueOrder | None = None
    """Its end, while fills that belong before it are still missing."""
    known: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the venue is known to have it, or never to get it."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it is closed."""
    cancelling: bool = False
    asking: bool = False

    def close(self) -> None:
        """Nothing more will come."""
        self.closed = True
        self.known.set()
        self.over.set()

    def rest(self, order: VenueOrder, filled: Decimal) -> VenueOrder:
        """The order as the engine knows it, with so much of all of it filled: without what was filled before."""
        own = max(ZERO, filled - self.before)
        average = (self.paid - self.paid_before) / own if own else None
        return replace(order, quantity=order.quantity - self.before, filled=own, average_price=average)

    def count(self, fill: VenueFill) -> bool:
        """Add a fill; answers whether it is a new one."""
        if fill.trade_id in self.trades:
            return False
        self.trades.add(fill.trade_id)
        self.filled += fill.quantity
        self.paid += fill.quantity * fill.price
        return True


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who else is told."""

    foreign: Callable[[VenueOrder], Tracked]
    """Makes the tracked order of one that this node did not send."""
    foreign_order: Callable[[VenueOrder], None]
    foreign_fill: Callable[[VenueFill], None]
    own_fill: Callable[[VenueFill], None]
    missing: Callable[[Tracked], None]
    """Fills of an order are missing: ask the venue."""
    stray: Callable[[VenueFill], None]
    """A fill of an order nobody has heard of: ask the venue."""
    risen: Callable[[VenueOrder], None]
    """An order told dead is at the venue after all."""


class OrderBook:
    """Every order that was told of."""

    def __init__(self, listeners: Listeners) -> None:
        """An empty book."""
        self._listeners = listeners
        self._by_client: dict[str, Tracked] = {}
        self._by_venue: dict[str, Tracked] = {}
        self._early: dict[str, list[VenueFill]] = {}

    def __iter__(self) -> Iterator[Tracked]:
        """All of them, own ones first."""
        yield from self._by_client.values()
        yield from (each for each in self._by_venue.values() if each.client_order_id not in self._by_client)

    def add(self, tracked: Tracked) -> None:
        """Track an order."""
        if tracked.client_order_id is not None:
            self._by_client[tracked.client_order_id] = tracked
        if tracked.venue_order_id is not None:
            self._by_venue[tracked.venue_order_id] = tracked
        if len(self._by_client) + len(self._by_venue) > 4 * MOST_CLOSED:
            self._forget()

    def find(self, client_order_id: str | None, venue_order_id: str | None = None) -> Tracked | None:
        """An order by one of its ids."""
        found = self._by_client.get(client_order_id) if client_order_id is not None else None
        return found or (self._by_venue.get(venue_order_id) if venue_order_id is not None else None)

    def seed(self, order: VenueOrder, fills: Iterable[VenueFill]) -> None:
        """An order from before this node: the engine knows what is left of it; what was filled it has as a position."""
        tracked = self._listeners.foreign(order)
        for fill in fills:
            tracked.count(fill)
            self._listeners.foreign_fill(fill)
        tracked.before, tracked.paid_before = max(tracked.filled, order.filled), tracked.paid
        tracked.live = True
        tracked.known.set()
        self._note(tracked, order)
        self.add(tracked)
        self._listeners.foreign_order(order)
        if not order.is_open:
            tracked.close()

    def bundle(self, order: VenueOrder, fills: Iterable[VenueFill]) -> None:
        """An order with all of its fills, as the venue answers when it is asked."""
        tracked = self._tracked(order)
        for fill in sorted(fills, key=lambda each: each.ts):
            self._fill(tracked, fill)
        self.order(order)

    def order(self, news: VenueOrder) -> None:
        """The venue says where an order stands."""
        tracked = self._tracked(news)
        if not tracked.own and news != tracked.last:
            self._listeners.foreign_order(news)
        if tracked.absent:
            self._rise(tracked, news)
        if tracked.closed:
            return
        if news.status == "REJECTED" and not tracked.live:
            tracked.voice.rejected(news.reason or "rejected by the venue", news.ts)
            tracked.close()
            return
        if news.is_open and news.ts < tracked.ts:
            return
        self._changed(tracked, news)
        for fill in self._early.pop(news.venue_order_id, ()):
            self._fill(tracked, fill)
        if news.filled > tracked.filled:
            tracked.ending = tracked.ending if news.is_open else news
            self._listeners.missing(tracked)
        elif not news.is_open and not tracked.closed:
            self._end(tracked, news)

    def fill(self, news: VenueFill) -> None:
        """The venue tells a fill."""
        tracked = self.find(news.client_order_id, news.venue_order_id)
        if tracked is None:
            self._early.setdefault(news.venue_order_id, []).append(news)
            self._listeners.stray(news)
        else:
            self._fill(tracked, news)

    def _tracked(self, news: VenueOrder) -> Tracked:
        tracked = self.find(news.client_order_id, news.venue_order_id)
        if tracked is None:
            tracked = self._listeners.foreign(news)
            self.add(tracked)
            self._listeners.foreign_order(news)  # before the engine hears of it
        return tracked

    def _fill(self, tracked: Tracked, fill: VenueFill) -> None:
        if tracked.absent:
            self._listeners.stray(fill)
            return
        if not tracked.count(fill):
            return
        (self._listeners.own_fill if tracked.own else self._listeners.foreign_fill)(fill)
        self._live(tracked, fill.venue_order_id, fill.ts)
        tracked.voice.filled(tracked, fill)
        if tracked.filled >= tracked.quantity:
            tracked.close()
        elif tracked.ending is not None and tracked.filled >= tracked.ending.filled:
            self._end(tracked, tracked.ending)

    def _live(self, tracked: Tracked, venue_order_id: str, ts: int) -> None:
        tracked.venue_order_id = venue_order_id
        self._by_venue[venue_order_id] = tracked
        if not tracked.live:
            tracked.live = True
            tracked.voice.live(tracked, ts)
            tracked.known.set()

    def _changed(self, tracked: Tracked, news: VenueOrder) -> None:
        before = (tracked.quantity, tracked.price, tracked.trigger_price)
        self._live(tracked, news.venue_order_id, news.ts)
        self._note(tracked, news)
        if before != (tracked.quantity, tracked.price, tracked.trigger_price):
            tracked.changes += 1
            tracked.voice.changed(tracked, news)

    @staticmethod
    def _note(tracked: Tracked, news: VenueOrder) -> None:
        tracked.last = news
        tracked.ts = max(tracked.ts, news.ts)
        tracked.venue_order_id = news.venue_order_id
        tracked.quantity, tracked.price, tracked.trigger_price = news.quantity, news.price, news.trigger_price

    def _forget(self) -> None:
        """Drop the older half of the closed orders."""
        for orders in (self._by_client, self._by_venue):
            closed = [name for name, each in orders.items() if each.closed]
            for name in closed[: -MOST_CLOSED or None]:
                del orders[name]

    @staticmethod
    def _end(tracked: Tracked, news: VenueOrder) -> None:
        if news.status != "FILLED":  # the last fill tells that
            tracked.voice.ended(tracked, news)
        tracked.close()

    def _rise(self, tracked: Tracked, news: VenueOrder) -> None:
        """From now on it is an order that this node did not send: the engine was told that its own is dead."""
        again = self._listeners.foreign(replace(news, client_order_id=None))
        if tracked.client_order_id is not None:
            self._by_client[tracked.client_order_id] = again
        self._by_venue[news.venue_order_id] = again
        self._listeners.risen(news)
        self._listeners.missing(again)
