"""How does a client learn what it missed? It asks the venue: for one order, or for everything since it last knew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.account import VenueFill, VenueOrder
from adapters.tracking import Tracked
from adapters.waiting import Waits

if TYPE_CHECKING:
    from adapters.execution import KeelExecutionClient

MARGIN_NS = 120_000_000_000
"""So far before the last snapshot the next one begins: clocks differ and venues answer from behind."""


class Reconciling:
    """The questions of one client."""

    def __init__(self, client: KeelExecutionClient) -> None:
        """For one client."""
        self._client = client
        self._catching_up = False
        self._strays: set[str] = set()
        self.seen_ns = 0
        """The venue's time of the last whole snapshot."""

    async def look(self, tracked: Tracked) -> bool | None:
        """Ask for one order: True it is there, False the venue never took it, None it does not tell now."""
        client = self._client
        try:
            found = await asyncio.wait_for(
                client.find(tracked.client_order_id, tracked.venue_order_id), client.patience.answer_secs
            )
            if found is not None:
                client.book.bundle(*found)
        except Exception as error:  # noqa: BLE001 - no answer is no answer, whatever the reason
            client.log.warning(
                f"the venue does not tell about {tracked.client_order_id}: {type(error).__name__}: {error}"
            )
            return None
        return found is not None

    def ask_soon(self, tracked: Tracked) -> None:
        """Ask for an order whose fills are missing, unless they come by themselves."""
        if not tracked.asking:
            tracked.asking = True
            self._client.background(self._ask(tracked), f"ask for {tracked.client_order_id}")

    def ask_stray(self, fill: VenueFill) -> None:
        """Ask for the order of a fill that nobody has heard of."""
        if fill.venue_order_id not in self._strays:
            self._strays.add(fill.venue_order_id)
            self._client.background(self._ask_stray(fill), f"ask for {fill.venue_order_id}")

    async def catch_up(self) -> None:
        """Ask for everything since the last snapshot, until the venue tells."""
        if self._catching_up:
            return
        self._catching_up = True
        try:
            waits = Waits(self._client.patience)
            while not await self._snapshot():
                await waits.pause()
        finally:
            self._catching_up = False

    async def look_now_and_then(self) -> None:
        """Look at the whole account from time to time: news can be lost without anybody noticing."""
        while True:
            await asyncio.sleep(self._client.patience.reconcile_secs)
            try:
                if self._client.ready:
                    await self.catch_up()
            except Exception:  # whatever it was, the next look may go well, and without looks news are lost
                self._client.log.exception("a look at the account failed")

    async def _ask(self, tracked: Tracked) -> None:
        waits = Waits(self._client.patience)
        try:
            await waits.up_to(self._client.patience.missing_secs, tracked.over)
            while not tracked.closed:
                if await self.look(tracked) is True and _is_complete(tracked):
                    return
                await waits.pause(tracked.over)
        finally:
            tracked.asking = False

    async def _ask_stray(self, fill: VenueFill) -> None:
        client, waits = self._client, Waits(self._client.patience)
        try:
            while True:
                try:
                    found = await client.find(fill.client_order_id, fill.venue_order_id)
                except Exception as error:  # noqa: BLE001 - no answer is no answer, whatever the reason
                    client.log.warning(f"the venue does not tell about {fill.venue_order_id}: {error}")
                else:
                    if found is not None:
                        client.book.bundle(*found)
                        return
                await waits.pause()
        finally:
            self._strays.discard(fill.venue_order_id)

    async def _snapshot(self) -> bool:
        client = self._client
        try:
            account = await asyncio.wait_for(
                client.snapshot(max(0, self.seen_ns - MARGIN_NS)), client.patience.answer_secs
            )
            client.account_news(account)
        except Exception as error:  # noqa: BLE001 - no answer is no answer, whatever the reason
            client.log.warning(f"the venue does not tell about the account: {type(error).__name__}: {error}")
            return False
        self.seen_ns = account.ts
        told = {order.venue_order_id for order, fills in account.by_order() if self._bundled(order, fills)}
        for tracked in list(client.book):
            if tracked.live and not tracked.closed and tracked.venue_order_id not in told:
                self.ask_soon(tracked)
        return True

    def _bundled(self, order: VenueOrder, fills: tuple[VenueFill, ...]) -> bool:
        """Take in an order with its fills; one that cannot be taken in keeps no other from it."""
        try:
            self._client.book.bundle(order, fills)
        except Exception:  # the others have to be told all the same
            self._client.log.exception(f"order {order.name} of the account cannot be taken in")
            return False
        return True


def _is_complete(tracked: Tracked) -> bool:
    return tracked.last is not None and tracked.filled >= tracked.last.filled and tracked.ending is None
