"""What becomes of a command that was sent to a venue: submit, modify, cancel, each until its outcome is known?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from nautilus_trader.model import ClientOrderId, VenueOrderId

from adapters.account import ENDED, VenueOrder
from adapters.gatekeeper import ABSENT, NOT_SENT, REJECTED
from adapters.outcomes import NotSentError, RefusedError
from adapters.tracking import Tracked
from adapters.waiting import Waits

if TYPE_CHECKING:
    from adapters.execution import Change, KeelExecutionClient, Outgoing

OLD_ANSWERS = 3
"""How often a venue has to show the old values before a change whose answer was lost counts as refused."""


class Sending:
    """The commands of one client."""

    def __init__(self, client: KeelExecutionClient) -> None:
        """For one client."""
        self._client = client

    async def submit(self, tracked: Tracked, outgoing: Outgoing) -> None:
        """Send an order; ends when it is known what became of it."""
        client, name = self._client, str(tracked.client_order_id)
        try:
            answer = await client.send(outgoing)
        except RefusedError as refused:
            if not tracked.live:
                self._never(tracked, str(refused))
            client.told("resolved", name, _status(tracked))
        except NotSentError as error:
            self._never(tracked, f"NOT_SENT: {error}")
            client.told("resolved", name, NOT_SENT)
        except asyncio.CancelledError:
            if not tracked.known.is_set():
                client.told("unknown", name, "the node stopped before the venue answered")
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the order may be at the venue
            await self._resolve(tracked, f"{type(error).__name__}: {error}")
        else:
            client.told("sent", name, answer.venue_order_id)
            client.book.order(answer)

    async def modify(self, change: Change) -> None:
        """Change an order; ends when the change is told or refused."""
        client = self._client
        tracked = client.book.find(change.client_order_id, change.venue_order_id)
        if tracked is None:
            self._not_modified(change, "the venue's answer to this order is not known here")
            return
        await tracked.known.wait()
        change, told = _addressed(change, tracked), tracked.changes
        try:
            answer = await client.change(change)
        except (RefusedError, NotSentError) as refused:
            self._not_modified(change, str(refused))
        except Exception as error:  # noqa: BLE001 - whatever it was, the order may have changed
            await self._settle_change(tracked, change, told, f"{type(error).__name__}: {error}")
        else:
            client.book.order(answer)
            self._modified(tracked, told, answer)

    async def cancel(self, client_order_id: str | None, venue_order_id: str | None) -> None:
        """Cancel an order, again and again until it has ended or the venue says why not."""
        client = self._client
        tracked = client.book.find(client_order_id, venue_order_id)
        if tracked is None:
            self._not_cancelled(client_order_id, venue_order_id, "there is no such order at the venue")
        elif not tracked.cancelling and not tracked.closed:
            tracked.cancelling = True
            try:
                await tracked.known.wait()
                await self._until_over(tracked)
            finally:
                tracked.cancelling = False

    # -- submit

    async def _resolve(self, tracked: Tracked, why: str) -> None:
        """Ask until the venue tells. Its word that it never got the order counts only when it is repeated."""
        client, name = self._client, str(tracked.client_order_id)
        if tracked.known.is_set():  # its news came, only the answer did not
            client.told("sent", name, tracked.venue_order_id)
            return
        client.log.warning(f"order {name}: outcome unknown ({why}); the venue is asked")
        client.told("unknown", name, why)
        patience, waits = client.patience, Waits(client.patience)
        answers, since = 0, 0.0
        while not tracked.known.is_set():
            await waits.pause(tracked.known)
            found = await client.reconciling.look(tracked)
            now = asyncio.get_running_loop().time()
            if found is not False:  # it was found, or the venue did not tell
                answers = 0
                continue
            answers, since = answers + 1, since if answers else now
            if answers >= patience.absent_answers and now - since >= patience.absent_secs:
                tracked.absent = True
                self._never(tracked, "NEVER_RECEIVED: the venue says that it never received this order")
                client.told("resolved", name, ABSENT)
                return
        client.told("resolved", name, _status(tracked))

    def _never(self, tracked: Tracked, reason: str) -> None:
        tracked.voice.rejected(reason, self._client.clock.timestamp_ns())
        tracked.close()

    # -- modify

    async def _settle_change(self, tracked: Tracked, change: Change, told: int, why: str) -> None:
        client, waits = self._client, Waits(self._client.patience)
        client.log.warning(f"change of {change.client_order_id}: outcome unknown ({why}); the venue is asked")
        shown = 0
        while not tracked.closed:
            await waits.pause(tracked.over)
            if await client.reconciling.look(tracked) is not True or tracked.last is None:
                continue
            if _is_as_wanted(change, tracked.last):
                self._modified(tracked, told, tracked.last)
                return
            shown += 1
            if shown >= OLD_ANSWERS:
                self._not_modified(
                    change, f"no answer to the change ({why}), and the venue shows the old values"
                )
                return

    @staticmethod
    def _modified(tracked: Tracked, told: int, order: VenueOrder) -> None:
        """Answer a change that no news has answered: it left everything as it was."""
        if not tracked.closed and tracked.changes == told:
            tracked.voice.changed(tracked, tracked.last or order)

    def _not_modified(self, change: Change, reason: str) -> None:
        client = self._client
        order = client.cache.order(ClientOrderId(str(change.client_order_id)))
        if order is not None:
            now = client.clock.timestamp_ns()
            client.generate_order_modify_rejected(order, _venue_id(change.venue_order_id), reason, now)

    # -- cancel

    async def _until_over(self, tracked: Tracked) -> None:
        client, waits = self._client, Waits(self._client.patience)
        while not tracked.closed:
            try:
                await client.withdraw(tracked.client_order_id, tracked.venue_order_id)
            except RefusedError as refused:
                if await self._still_open(tracked):
                    self._not_cancelled(tracked.client_order_id, tracked.venue_order_id, str(refused))
                    return
            except Exception as error:  # noqa: BLE001 - whatever it was, a cancel may be sent again
                client.log.warning(
                    f"cancel of {tracked.client_order_id}: {type(error).__name__}: {error}; tried again"
                )
            else:
                await waits.up_to(client.patience.answer_secs, tracked.over)
                if not tracked.closed:
                    await client.reconciling.look(tracked)
            if not tracked.closed:
                await waits.pause(tracked.over)

    async def _still_open(self, tracked: Tracked) -> bool:
        """Whether the venue says, when asked, that an order has not ended."""
        found = await self._client.reconciling.look(tracked)
        return found is True and not tracked.closed and tracked.ending is None

    def _not_cancelled(self, client_order_id: str | None, venue_order_id: str | None, reason: str) -> None:
        client = self._client
        order = None if client_order_id is None else client.cache.order(ClientOrderId(client_order_id))
        if order is None or order.is_closed:
            client.log.warning(f"order {client_order_id or venue_order_id} was not cancelled: {reason}")
            return
        client.generate_order_cancel_rejected(
            order, _venue_id(venue_order_id), reason, client.clock.timestamp_ns()
        )


def _venue_id(name: str | None) -> VenueOrderId | None:
    return None if name is None else VenueOrderId(name)


def _status(tracked: Tracked) -> str:
    if tracked.last is not None and tracked.last.status in ENDED:
        return tracked.last.status
    if tracked.filled:
        return "FILLED" if tracked.filled >= tracked.quantity else "PARTIALLY_FILLED"
    return "ACCEPTED" if tracked.live else REJECTED


def _addressed(change: Change, tracked: Tracked) -> Change:
    """The change in the venue's terms: its quantity is of all of the order."""
    quantity = None if change.quantity is None else change.quantity + tracked.before
    return replace(
        change,
        client_order_id=tracked.client_order_id,
        venue_order_id=tracked.venue_order_id,
        quantity=quantity,
    )


def _is_as_wanted(change: Change, order: VenueOrder) -> bool:
    wanted = (
        (change.quantity, order.quantity), (change.price, order.price), (change.trigger_price, order.trigger_price)
    )  # fmt: skip
    return all(value is None or value == there for value, there in wanted)
