"""How is an account made flat at its venue when no node trades it?

Cancel first, and see it done, because venues hold shares for working orders; then close with reduce-only orders. An
order that may have arrived is looked for by its name before anything is sent again, so nothing is closed twice. What an
order filled while it was being cancelled counts, and no close is larger than what the venue holds at that time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from adapters.account import Operator, VenueOrder, VenuePosition, VenueSnapshot
from adapters.errors import AdapterError
from live._flatten_plan import ZERO, Close, Late, Plan

POLL_SECS = 0.25
AGAIN_SECS = 2.0
"""After so long a cancel is asked for again."""
CANCEL_SECS = 5.0
"""So long a cancel is waited for; then closing goes on around what still works: it only reduces."""
GRACE_SECS = 2.0
"""For so long a venue has to say that it never took a close, or that it holds nothing (more): it may not know yet."""
LONGEST_WAIT_SECS = 16.0
"""Between two tries of a close that the venue refuses; the first wait is 1 s, each doubles."""


@dataclass(slots=True)
class Flattened:
    """What became of a plan: the account afterwards, and what is not done, in one line each."""

    snapshot: VenueSnapshot
    troubles: tuple[str, ...]
    working: tuple[VenueOrder, ...]
    held: tuple[Close, ...]
    rest: tuple[VenuePosition, ...] = ()
    """What the venue holds besides, where all of the account was to be flat."""

    @property
    def is_done(self) -> bool:
        """Whether all of the plan was done."""
        return not self.working and not self.held and not self.rest


class Flattening:
    """Carries out one plan. Its rule: a close is sent again only once the venue says how the last one ended."""

    def __init__(
        self,
        operator: Operator,
        plan: Plan,
        since_ns: int,
        intend: Callable[[Close], None],
    ) -> None:
        """`since_ns`: from when on orders and fills are asked for; `intend` puts a close on record before it leaves."""
        self._operator = operator
        self._plan = plan
        self._since = since_ns
        self._intend = intend
        self._troubles: dict[str, str] = {}  # what -> the newest trouble with it
        self._asked: dict[str, float] = {}  # venue order id -> when its cancel was asked for last
        self._late = Late(plan)
        self._held = [replace(close) for close in plan.closes]
        self._sent: set[str] = set()  # client order ids of closes that may be at the venue
        self._missing: dict[
            str, float
        ] = {}  # client order id -> since when the venue says that it never took it
        self._gone: dict[
            str, float
        ] = {}  # client order id -> since when there is nothing left for it to close
        self._rest_since: float | None = None
        self._refused = 0
        self._next_try = 0.0

    async def run(self, first: VenueSnapshot, timeout_secs: float) -> Flattened:
        """Do it; ends when all is done or the time is up."""
        snapshot, started = first, time.monotonic()
        while True:
            working, now = self._working(snapshot), time.monotonic()
            for order in working:
                await self._cancel(order, now)
            self._late.see(snapshot)
            if not working or now - started >= CANCEL_SECS:
                self._count_late()
                for close in tuple(self._held):
                    await self._step(close, snapshot, now)
            rest = self._rest(snapshot)
            is_over = not working and not self._held and not self._late.owed and self._is_settled(rest, now)
            if is_over or now - started >= timeout_secs:
                return Flattened(snapshot, tuple(self._troubles.values()), working, tuple(self._held), rest)
            await asyncio.sleep(POLL_SECS)
            try:
                snapshot = await self._operator.snapshot(self._since)
                self._troubles.pop("venue", None)
            except AdapterError as error:
                self._troubles["venue"] = str(error)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _working(self, snapshot: VenueSnapshot) -> tuple[VenueOrder, ...]:
        wanted = {order.venue_order_id for order in self._plan.cancels}
        return tuple(each for each in snapshot.orders if each.is_open and each.venue_order_id in wanted)

    async def _cancel(self, order: VenueOrder, now: float) -> None:
        name = order.venue_order_id
        if now - self._asked.get(name, -AGAIN_SECS) >= AGAIN_SECS:
            self._asked[name] = now
            await self._tried(name, self._operator.cancel(name))

    async def _step(self, close: Close, snapshot: VenueSnapshot, now: float) -> None:
        """Send a close, or see what became of the one that was sent."""
        name = close.client_order_id
        if name not in self._sent:
            if self._fits(close, snapshot, now) and now >= self._next_try:
                self._intend(close)
                self._sent.add(name)
                await self._tried(name, self._operator.close_position(close.instrument, close.quantity, name))
            return
        order = _order_of(close, snapshot)
        if order is None:
            await self._look_for(close, now)
        elif order.status == "FILLED":
            self._held.remove(close)
            self._troubles.pop(name, None)
        elif not order.is_open:
            self._ended(close, order, now)

    def _fits(self, close: Close, snapshot: VenueSnapshot, now: float) -> bool:
        """Cut a close to what the venue still holds and no other close is closing; the rest waits as another one.

        Where that is nothing the close falls away, once the venue has had the time to say otherwise.
        """
        flying = [each for each in self._sent_of(close.instrument) if each.quantity * close.quantity > ZERO]
        room = _room(close, snapshot) - sum((_leaves(each, snapshot) for each in flying), ZERO)
        if room <= ZERO:
            if not flying and now - self._gone.setdefault(close.client_order_id, now) >= GRACE_SECS:
                self._drop(close)
            return False
        self._gone.pop(close.client_order_id, None)
        if room < abs(close.quantity):
            part = room if close.quantity > ZERO else -room
            self._held.append(Close.of(close.strategy, close.instrument, close.quantity - part))
            close.quantity = part
        return True

    def _sent_of(self, instrument: str) -> list[Close]:
        return [
            each
            for each in self._held
            if each.instrument == instrument and each.client_order_id in self._sent
        ]

    def _drop(self, close: Close) -> None:
        self._held.remove(close)
        self._troubles.pop(close.client_order_id, None)

    def _count_late(self) -> None:
        """Close less, or more, by what cancelled orders filled; of a close that was sent, once it has ended."""
        for key, more in tuple(self._late.owed.items()):
            of_it = [close for close in self._held if (close.strategy, close.instrument) == key]
            if any(close.client_order_id in self._sent for close in of_it):
                continue
            del self._late.owed[key]
            planned = sum((close.quantity for close in of_it), ZERO)
            for close in of_it:
                self._drop(close)
            left = planned + more
            # Where more than all of it was closed, the other side may be another strategy's, netted with this one.
            if left and (self._plan.is_whole or left * (planned or more) > ZERO):
                self._held.append(Close.of(*key, left))

    def _rest(self, snapshot: VenueSnapshot) -> tuple[VenuePosition, ...]:
        """What the venue holds and no close is about; nothing where others' positions are to stay."""
        closing = {close.instrument for close in self._held}
        return tuple(
            each
            for each in snapshot.positions
            if self._plan.is_whole and each.quantity and each.instrument not in closing
        )

    def _is_settled(self, rest: tuple[VenuePosition, ...], now: float) -> bool:
        """Whether nothing is held, or that has not changed for a while: positions may be told late."""
        if not rest:
            self._rest_since = None
            return True
        if self._rest_since is None:
            self._rest_since = now
        return now - self._rest_since >= GRACE_SECS

    async def _look_for(self, close: Close, now: float) -> None:
        """The account does not show it: ask for it by name. One that the venue never took goes under another name."""
        name = close.client_order_id
        try:
            found = await self._operator.order(name)
        except AdapterError as error:
            self._troubles[name] = str(error)
            return
        missing_since = self._missing.setdefault(name, now)
        if found is not None:
            del self._missing[name]
        elif now - missing_since >= GRACE_SECS:
            self._once_more(close, close.quantity, now)

    def _ended(self, close: Close, order: VenueOrder, now: float) -> None:
        """It ended before all was closed: the rest goes in another order."""
        self._troubles[close.client_order_id] = (
            f"{close}: {order.status.lower()}{f' ({order.reason})' if order.reason else ''}"
        )
        rest = close.quantity - (order.filled if close.quantity > 0 else -order.filled)
        self._once_more(close, rest, now, refused=not order.filled)

    def _once_more(self, close: Close, quantity: Decimal, now: float, *, refused: bool = True) -> None:
        """Close under another name, later each time it is refused."""
        self._held.remove(close)
        if refused:
            self._next_try = now + min(2.0**self._refused, LONGEST_WAIT_SECS)
            self._refused += 1
        again = Close.of(close.strategy, close.instrument, quantity)
        trouble = self._troubles.pop(close.client_order_id, None)
        if trouble is not None:
            self._troubles[again.client_order_id] = trouble
        self._held.append(again)

    async def _tried(self, what: str, work: Awaitable[None]) -> None:
        try:
            await work
        except AdapterError as error:
            self._troubles[what] = str(error)
        else:
            self._troubles.pop(what, None)


def _order_of(close: Close, snapshot: VenueSnapshot) -> VenueOrder | None:
    return next((each for each in snapshot.orders if each.client_order_id == close.client_order_id), None)


def _room(close: Close, snapshot: VenueSnapshot) -> Decimal:
    """How much of what the venue holds is on the side of a close."""
    net = sum((each.quantity for each in snapshot.positions if each.instrument == close.instrument), ZERO)
    return abs(net) if net * close.quantity > ZERO else ZERO


def _leaves(close: Close, snapshot: VenueSnapshot) -> Decimal:
    """How much a close that was sent may still fill: all of it while the venue does not show it."""
    order = _order_of(close, snapshot)
    if order is None:
        return abs(close.quantity)
    return order.quantity - order.filled if order.is_open else ZERO
