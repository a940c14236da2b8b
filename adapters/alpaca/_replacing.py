"""How is a working order changed at Alpaca? By another order in its place, which may come too late."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from adapters.account import VenueOrder
from adapters.alpaca._account import AccountReader
from adapters.alpaca._answers import RateLimitedError
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._names import WireName, read
from adapters.alpaca._parsing import ENDS, Row, amount, amount_or_zero
from adapters.alpaca.orders import text_of
from adapters.execution import Change
from adapters.outcomes import NotSentError, RefusedError, UnknownOutcomeError

FIRST_LOOK_SECS, LONGEST_LOOK_SECS = 0.3, 2.0


class Replacing:
    """The changes of one account's orders."""

    def __init__(self, api: AlpacaApi, reader: AccountReader) -> None:
        """For one account."""
        self._api, self._reader = api, reader
        self._revisions: dict[str, int] = {}
        self._moved: dict[str, asyncio.Event] = {}

    def moved(self, name: str) -> None:
        """News of an order came."""
        if (event := self._moved.get(name)) is not None:
            event.set()

    def under_way(self, name: str) -> bool:
        """Whether an order is being changed right now; it can be cancelled only afterwards."""
        return name in self._moved

    async def change(self, change: Change) -> VenueOrder:
        """Change an order; answers once its successor has taken its place. Raises as a client's `change` does."""
        name = str(change.client_order_id)
        row = self._reader.ledger.tip(name)
        if row is None:
            raise NotSentError(f"order {name} is not known at Alpaca")
        body = _body(change, row)
        if not body:
            return self._told(name)
        if name in self._moved:
            raise NotSentError("CHANGE: the change before this one has not been answered yet")
        body["client_order_id"] = str(self._next(name, row))
        event = self._moved[name] = asyncio.Event()
        doubted = self._reader.ledger.changing
        doubted.add(name)
        try:
            answer = await self._send(str(row["id"]), body)
            self._reader.ledger.note(answer, confirmed=False)
            order = await self._taken(name, str(row["id"]), str(answer["id"]), event)
        except (RefusedError, NotSentError):
            doubted.discard(name)
            raise
        else:
            doubted.discard(name)
            return order
        finally:
            del self._moved[name]

    async def _send(self, order_id: str, body: Row) -> Row:
        try:
            answer: Row = await self._api.call(
                self._api.trading.patch,
                f"/orders/{order_id}",
                body,
                urgent=True,
                once=True,
                at_most_secs=self._api.answer_secs,
            )
        except RateLimitedError as limited:
            raise RefusedError(str(limited)) from limited
        return answer

    async def _taken(self, name: str, old: str, new: str, event: asyncio.Event) -> VenueOrder:
        """Wait until the successor is in the order's place, or cannot be any more."""
        ledger, wait, looked = self._reader.ledger, FIRST_LOOK_SECS, 0.0
        while looked < self._api.answer_secs:
            before, after = ledger.known(old), ledger.known(new)
            if after is not None and after.row["status"] == "rejected":
                raise RefusedError(f"REPLACE_LOST: {_ending(before.row if before else None)}")
            if after is not None and after.confirmed:
                return self._told(name)
            if before is not None and before.row["status"] in ENDS:
                raise RefusedError(f"REPLACE_LOST: {_ending(before.row)}")
            if await _within(event, wait):
                continue
            looked, wait = looked + wait, min(LONGEST_LOOK_SECS, wait * 2)
            for order_id in (old, new):
                row = await self._reader.row(order_id)
                if row is not None:
                    ledger.note(row, confirmed=None if order_id == old else False)
        raise UnknownOutcomeError(f"Alpaca does not say whether {name} was changed")

    def _told(self, name: str) -> VenueOrder:
        order = self._reader.ledger.order(name)
        if order is None:
            raise UnknownOutcomeError(f"it is not clear how order {name} stands after its change")
        return order

    def _next(self, name: str, row: Row) -> WireName:
        wire = read(str(row["client_order_id"]))
        if wire.root != name:  # an exit that Alpaca named
            wire = WireName(name)
        revision = max(wire.revision, self._revisions.get(name, 0)) + 1
        self._revisions[name] = revision
        return WireName(name, wire.target, wire.stop, revision)


def _body(change: Change, row: Row) -> Row:
    """What to ask for; empty when the order is as wanted. Raises NotSentError for what Alpaca cannot change."""
    kind, body = str(row["type"]), {}
    quantity, filled = amount(row.get("qty")), amount_or_zero(row.get("filled_qty"))
    if quantity is None:
        raise NotSentError(
            "CHANGE: an order for an amount of dollars cannot be changed; cancel it and send another"
        )
    if change.quantity is not None and change.quantity != quantity:
        body["qty"] = _quantity(change.quantity, quantity, filled)
    prices = (
        ("limit_price", change.price, ("limit", "stop_limit")),
        ("stop_price", change.trigger_price, STOPS),
    )
    for key, wanted, kinds in prices:
        if wanted is None:
            continue
        if kind not in kinds:
            raise NotSentError(f"CHANGE: a {kind} order has no {key.replace('_', ' ')} to change at Alpaca")
        if wanted != amount(row.get(key)):
            body[key] = text_of(wanted)
    if body:
        for key, _, kinds in prices:
            if kind in kinds and row.get(key) is not None:
                body.setdefault(key, text_of(amount_or_zero(row[key])))
    return body


STOPS = ("stop", "stop_limit")


def _quantity(wanted: Decimal, now: Decimal, filled: Decimal) -> str:
    if wanted % 1 or now % 1:
        raise NotSentError("CHANGE: Alpaca changes whole shares only; cancel the order and send another")
    if filled:
        raise NotSentError(
            f"CHANGE: {text_of(filled)} of {text_of(now)} are filled already; cancel the order and send the rest anew"
        )
    return text_of(wanted)


def _ending(row: Row | None) -> str:
    if row is not None and row["status"] in ENDS:
        return f"the order was {row['status']} before its change came"
    return "the exchange rejected the change; the order works on as it was"


async def _within(event: asyncio.Event, secs: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), secs)
    except TimeoutError:
        return False
    event.clear()
    return True
