"""How is Alpaca asked where an order or the whole account stands, so that the answer is true?

Several requests make one answer, and the account moves between them: what is read twice and agrees is told, anything
else is asked again. What cannot be told raises: never a guess, never an empty answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from adapters.account import VenueOrder, VenuePosition, VenueSnapshot
from adapters.alpaca._answers import AlpacaRefusedError
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._ledger import Ledger
from adapters.alpaca._names import read
from adapters.alpaca._parsing import (
    ENDS,
    REPLACED,
    Execution,
    Row,
    amount,
    amount_or_zero,
    execution_of_activity,
    iso,
    names_instrument,
    nanos,
    position_of,
)
from adapters.execution import Found
from adapters.outcomes import UnknownOutcomeError

log = logging.getLogger(__name__)
PAGE, ACTIVITIES_PAGE = 500, 100
MOST_PAGES = 20
MOST_LOOKS = 5
MOST_LINKS = 100
"""Changes of one order that are followed."""
NOT_FOUND = 404
SECOND, DAY = 1_000_000_000, 86_400_000_000_000
SCANNED = 7 * DAY
"""So far back a name is looked for among orders that have ended."""
GROUPED = ("bracket", "oco", "oto")


class AccountReader:
    """Questions about one account; what they bring is kept in `ledger`."""

    def __init__(self, api: AlpacaApi, warn: Callable[[str], None] = log.warning) -> None:
        """Asks nothing yet; `warn` tells what has to be left out."""
        self.ledger = Ledger()
        self._warn = warn
        self.sent_as: dict[str, str] = {}
        """name -> what its order, or the head of its group, was sent as, where that is another name"""
        self._api = api
        self._skipped: set[str] = set()  # ids of orders that name no instrument

    # -- one order

    async def find(self, name: str | None, venue_order_id: str | None) -> Found | None:
        """An order with its fills; None: Alpaca never took it. Raises when it does not tell."""
        row = await self._row(name, venue_order_id)
        if row is None:
            return None
        if not self.readable(row):
            raise UnknownOutcomeError(f"order {row['id']} names no instrument, so that it cannot be told")
        found = self.ledger.note(row)
        if name is None:
            name = found
        elif self.ledger.tip(name) is None:
            raise UnknownOutcomeError(f"{found} is there, but its exit {name} is not told yet")
        await self.complete(name, urgent=True)
        order = self.ledger.order(name)
        if order is None:
            raise UnknownOutcomeError(f"it is not clear yet how order {name} stands")
        return order, self.ledger.venue_fills(name)

    async def row(self, order_id: str, *, urgent: bool = True) -> Row | None:
        """One of Alpaca's orders with its exits; None: there is none of that id."""
        return await self._maybe(
            self._api.trading.get, f"/orders/{order_id}", {"nested": "true"}, urgent=urgent
        )

    def readable(self, row: Row) -> bool:
        """Whether an order names an instrument and a side; one that does not is left out, and that is said once."""
        if names_instrument(row):
            return True
        order_id = str(row["id"])
        if order_id not in self._skipped:
            self._skipped.add(order_id)
            self._warn(
                f"order {order_id} names no instrument or no side, as one of options with several legs does: it is "
                "left out; see to it at Alpaca"
            )
        return False

    async def _row(self, name: str | None, venue_order_id: str | None) -> Row | None:
        tip = None if name is None else self.ledger.tip(name)
        if tip is not None:
            return await self.row(str(tip["id"]))
        if name is None:
            return None if venue_order_id is None else await self.row(venue_order_id)
        row = await self._maybe(self._api.trading.get_order_by_client_id, self.sent_as.get(name, name))
        if row is not None:
            return await self.row(str(row["id"])) if row.get("order_class") in GROUPED else row
        if venue_order_id is not None and (row := await self.row(venue_order_id)) is not None:
            return row
        return await self._scan(name)

    async def _scan(self, name: str) -> Row | None:
        """Look for an order that was sent under a longer name: a group's head, which names its exits too."""
        rows = await self._list("open", nested=True, urgent=True)
        if (found := _named(rows, name)) is not None:
            return found
        since = await self.market_now(urgent=True) - SCANNED
        return _named(await self._list("all", nested=True, since_ns=since, urgent=True), name)

    async def complete(self, name: str, *, urgent: bool = False) -> None:
        """Ask for the rest of an order: what it replaced, what replaced it, and its fills."""
        for _ in range(MOST_LINKS):
            after = self.ledger.successor(name)
            other = after or self.ledger.missing(name)
            if other is None:
                break
            row = await self.row(str(other))
            if row is None:
                raise UnknownOutcomeError(f"order {other}, a part of {name}, is not there")
            self.ledger.note(row, confirmed=True if after else None)
        for each in self.ledger.chain(name):
            if each.told < amount_or_zero(each.row.get("filled_qty")) or each.carried is None:
                order_id = str(each.row["id"])
                found = await self._executions({"order_id": order_id}, urgent=urgent)
                self.ledger.fills(order_id, found)

    # -- the account

    async def market_now(self, *, urgent: bool = False) -> int:
        """Alpaca's own time, in nanoseconds: in a rehearsal it is not ours."""
        return nanos((await self._api.call(self._api.trading.get_clock, urgent=urgent))["timestamp"])

    async def positions(self) -> list[VenuePosition]:
        """What is held now, asked for ahead of all that is not urgent."""
        rows = await self._api.call(self._api.trading.get_all_positions, urgent=True)
        return [position_of(row) for row in rows]

    async def balances(self) -> VenueSnapshot:
        """Cash, equity and positions of one moment; no orders."""
        ask, trading = self._api.call, self._api.trading
        before = await ask(trading.get_account)
        for _ in range(MOST_LOOKS):
            positions, now = await asyncio.gather(ask(trading.get_all_positions), self.market_now())
            after = await ask(trading.get_account)
            if before["cash"] == after["cash"]:
                return _snapshot(after, positions, (), (), now)
            before = after
        raise UnknownOutcomeError("the account moves faster than it can be read")

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        """The account: all open orders, every order touched since with its fills, all positions."""
        self.ledger.prune()  # here, so that nothing is forgotten of what is read now, however much that is
        now = await self.market_now()
        for _ in range(MOST_LOOKS):
            told = await self._at_once(since_ns)
            if told is not None:
                account, positions, rows, executions = told
                names = await self._noted(rows, executions)
                orders = [order for each in names if (order := self.ledger.order(each)) is not None]
                if len(orders) == len(names):
                    return _snapshot(account, positions, orders, self._fills_of(orders), now)
        raise UnknownOutcomeError("the account moves faster than it can be read")

    async def _at_once(self, since_ns: int) -> tuple[Row, list[Row], list[Row], list[Execution]] | None:
        """Account, positions, orders and fills of one moment; None: they moved meanwhile."""
        ask, trading = self._api.call, self._api.trading
        before, first = await asyncio.gather(ask(trading.get_account), self._list("open"))
        positions, closed, fills = await asyncio.gather(
            ask(trading.get_all_positions),
            self._list("closed", since_ns=since_ns),
            self._executions({"after": iso(since_ns)}),
        )
        after, last = await asyncio.gather(ask(trading.get_account), self._list("open"))
        if before["cash"] != after["cash"] or _marks(first) != _marks(last):
            return None
        rows = {row["id"]: row for row in (*closed, *last)}
        for order_id in {each.order_id for each in fills} - rows.keys():
            row = await self.row(order_id)
            if row is not None and self.readable(row):
                rows[order_id] = row
        return after, positions, list(rows.values()), fills

    async def _noted(self, rows: Iterable[Row], executions: Iterable[Execution]) -> list[str]:
        """Take down rows and what belongs to them; answers the names of the orders that they are."""
        rows = list(rows)
        for row in rows:
            if self.ledger.stranger(row) and read(row["client_order_id"]).root == row["client_order_id"]:
                await self._name(row, {row["id"]})
        names = list(dict.fromkeys(self.ledger.note(row) for row in rows))
        for each in sorted(executions, key=lambda one: one.cum):
            self.ledger.fill(each)
        for name in names:
            await self.complete(name)
        for name in await self._exits(rows):
            if name not in names:
                names.append(name)
                await self.complete(name)
        return names

    async def _exits(self, rows: Iterable[Row]) -> list[str]:
        """The names of all exits of the groups that work: those that are held are on no list of open orders."""
        working = [row for row in rows if row["status"] not in (*ENDS, REPLACED)]
        listed = {self.ledger.name_of(row) for row in working}
        heads: dict[str, None] = {}
        for row in working:
            if row.get("order_class") in GROUPED and (head := await self._head(row)) is not None:
                heads[head] = None
        found: list[str] = []
        for head in heads:
            exits = self.ledger.exits(head)
            if exits and listed.issuperset(exits):
                continue
            tip = self.ledger.tip(head)
            group = None if tip is None else await self.row(str(tip["id"]), urgent=False)
            if group is None:
                raise UnknownOutcomeError(f"the exits of {head} are not told")
            self.ledger.note(group)
            found += self.ledger.exits(head)
        return found

    async def _head(self, row: Row) -> str | None:
        """The name of the head of the group that an order belongs to; None: it is not told."""
        name = self.ledger.name_of(row)
        if (
            found := self.ledger.head(name, row)
        ) is None:  # an exit that was changed: its group is older than it
            chain = [each.row for each in self.ledger.chain(name)]
            if len(chain) > 1:
                await self._name(chain[0], {each["id"] for each in chain})
                found = self.ledger.head(name, row)
        return found

    async def _name(self, row: Row, known_as: set[str]) -> None:
        """Ask for the group that an exit belongs to, by the ids that it had: its head's name tells the exit's."""
        born = nanos(row["created_at"])
        near = await self._list("all", nested=True, since_ns=born - 2 * SECOND, until_ns=born + 2 * SECOND)
        for each in near:
            if any(leg["id"] in known_as for leg in each.get("legs") or ()):
                self.ledger.note(each)

    def _fills_of(self, orders: Iterable[VenueOrder]) -> list[Any]:
        return [fill for each in orders for fill in self.ledger.venue_fills(each.name)]

    # -- lists

    async def _list(
        self,
        status: str,
        *,
        nested: bool = False,
        since_ns: int | None = None,
        until_ns: int | None = None,
        urgent: bool = False,
    ) -> list[Row]:
        """All orders of a status that name an instrument, page by page. Raises when there are too many."""
        found: dict[str, Row] = {}
        asked: Row = {"status": status, "limit": PAGE, "direction": "desc", "nested": str(nested).lower()}
        if since_ns is not None:
            asked["after"] = iso(since_ns)
        if until_ns is not None:
            asked["until"] = iso(until_ns)
        for _ in range(MOST_PAGES):
            page = await self._api.call(self._api.trading.get, "/orders", asked, urgent=urgent)
            new = [row for row in page if row["id"] not in found]
            found.update({row["id"]: row for row in new})
            if len(page) < PAGE or not new:
                return [row for row in found.values() if self.readable(row)]
            oldest = min(nanos(row["submitted_at"]) for row in page)
            asked = asked | {
                "until": iso(oldest + 1)
            }  # the end is exclusive; orders of one moment come twice
        raise UnknownOutcomeError(f"more than {PAGE * MOST_PAGES} {status} orders: too many to look through")

    async def _executions(self, asked: Row, *, urgent: bool = False) -> list[Execution]:
        rows = await activities(self._api, {"activity_types": "FILL", **asked}, urgent=urgent)
        return [execution_of_activity(row) for row in rows if row.get("order_id")]

    async def _maybe(self, method: Any, *arguments: Any, urgent: bool = True) -> Row | None:
        """A row; None where the broker says 404."""
        try:
            found: Row = await self._api.call(method, *arguments, urgent=urgent)
        except AlpacaRefusedError as refused:
            if refused.status == NOT_FOUND:
                return None
            raise
        return found


async def activities(api: AlpacaApi, asked: Row, *, urgent: bool = False) -> list[Row]:
    """Account activities, oldest first, all pages."""
    found: list[Row] = []
    asked = {"direction": "asc", "page_size": ACTIVITIES_PAGE, **asked}
    for _ in range(10 * MOST_PAGES):
        page = await api.call(api.trading.get, "/account/activities", asked, urgent=urgent)
        found.extend(page)
        if len(page) < ACTIVITIES_PAGE:
            return found
        asked = asked | {"page_token": page[-1]["id"]}
    raise UnknownOutcomeError("more account activities than can be looked through")


def _named(rows: Iterable[Row], name: str) -> Row | None:
    for row in rows:
        wire = read(str(row["client_order_id"]))
        if name in (wire.root, wire.target, wire.stop):
            return row
    return None


def _marks(rows: Iterable[Row]) -> set[tuple[Any, ...]]:
    """What would be different if an order had moved."""
    return {(row["id"], row["status"], row["filled_qty"]) for row in rows}


def _snapshot(
    account: Row, positions: Iterable[Row], orders: Iterable[VenueOrder], fills: Iterable[Any], now: int
) -> VenueSnapshot:
    return VenueSnapshot(
        account=str(account["account_number"]),
        currency=str(account.get("currency") or "USD"),
        cash=Decimal(str(account["cash"])),
        equity=amount(account.get("equity")),
        buying_power=amount(account.get("buying_power")),
        orders=tuple(orders),
        fills=tuple(fills),
        positions=tuple(position_of(row) for row in positions),
        ts=now,
    )
