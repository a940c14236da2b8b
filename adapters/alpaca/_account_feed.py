"""Who sees to it that the news of an account keeps coming, whatever happens to the stream?"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from nautilus_trader.common import Logger

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing import Row
from adapters.alpaca._trade_stream import Ears, TradeStream

POLL_SECS = 2.0
"""Between two looks at the account while no updates come, at least."""
LOOK_CALLS, ACCOUNT_CALLS = 10, 4
"""Requests that one look takes, at orders and all, and at what the account holds."""
LOOK_SHARE, ACCOUNT_SHARE = 0.5, 0.25
"""Of the budget that such looks may use up."""
GRACE_SECS = 0.5
"""Without updates before polling begins: most lines are back by then."""
OWED_SECS = 5.0
"""How long Alpaca may take to tell of an order that it has just taken."""
MOST_TOLD = 200
"""Updates whose orders are remembered: they may overtake the answer to the request."""
REFRESH_SECS = 0.25
"""From a fill to a look at the account, so that many fills cost one look."""
HANG_UP_SECS = 2.0
"""So long the end of what listens is waited for."""


@dataclass(frozen=True, slots=True)
class Hearers:
    """What is done with news."""

    update: Callable[[Row], None]
    """A trade update."""
    gap: Callable[[], None]
    """Something may have been missed."""
    look: Callable[[], Awaitable[None]]
    """Ask for everything once more; ends when the broker has told."""
    account: Callable[[], Awaitable[None]]
    """Ask what the account holds."""


class AccountFeed:
    """The stream, polling in its place while it is away, and looks at the account after fills."""

    def __init__(self, api: AlpacaApi, hearers: Hearers) -> None:
        """Nothing is connected before `open`."""
        self._hearers = hearers
        self._answer_secs = api.answer_secs
        calls_per_sec = api.budget.calls_per_min / 60
        self._poll_secs = max(POLL_SECS, LOOK_CALLS / (calls_per_sec * LOOK_SHARE))
        self._refresh_secs = max(REFRESH_SECS, ACCOUNT_CALLS / (calls_per_sec * ACCOUNT_SHARE))
        ears = Ears(self._update, self._up, self._down)
        self.stream = TradeStream(api.endpoints, api.keys, ears, api.answer_secs)
        self.log = Logger("ExecutionClient-ALPACA")
        self.polling = False
        """Whether the account is polled because no updates come."""
        self._owed: dict[str, float] = {}  # order id -> when Alpaca took it
        self._told: deque[str] = deque(maxlen=MOST_TOLD)  # ids of the newest updates
        self._changed = asyncio.Event()
        self._came = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin to listen; ends when updates come, or after the time that an answer may take: then polling begins."""
        loop = asyncio.get_running_loop()
        for work in (self.stream.run, self._poll, self._refresh, self._collect):
            self._tasks.append(loop.create_task(work()))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), self._answer_secs)

    async def close(self) -> None:
        """Hang up."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:  # a node has to end in time, whatever one of them still waits for
            await asyncio.wait(tasks, timeout=HANG_UP_SECS)

    def owe(self, order_id: str) -> None:
        """Alpaca took an order or a change, so it has to tell of it, unless it did before it answered."""
        if self.stream.up and order_id not in self._told:
            self._owed[order_id] = asyncio.get_running_loop().time()

    def moved(self) -> None:
        """The account holds something else now."""
        self._changed.set()

    # -- below

    def _update(self, update: Row) -> None:
        order_id = str(update["order"]["id"])
        self._told.append(order_id)
        self._owed.pop(order_id, None)
        self._hearers.update(update)

    def _up(self) -> None:
        self._came.set()
        if self.polling:
            self.log.warning("trade updates are back; polling ends")
        self.polling = False
        self._hearers.gap()

    def _down(self, why: str) -> None:
        self._owed.clear()
        self.log.warning(f"trade updates have stopped: {why}")
        if self.stream.refused:
            self._came.set()

    async def _poll(self) -> None:
        """Look at the account again and again while there are no updates."""
        while True:
            await asyncio.sleep(GRACE_SECS)
            if self.stream.up:
                continue
            await asyncio.sleep(GRACE_SECS)
            while not self.stream.up:
                if not self.polling:
                    self.polling = True
                    self.log.warning(
                        f"no trade updates: the account is polled every {self._poll_secs:.1f} s instead"
                    )
                try:
                    await self._hearers.look()
                except Exception:  # whatever it was, the next look may go well
                    self.log.exception("a look at the account failed")
                await asyncio.sleep(self._poll_secs)

    async def _refresh(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(REFRESH_SECS)
            self._changed.clear()
            try:
                await self._hearers.account()
            except Exception as error:  # noqa: BLE001 - no answer is no answer, whatever the reason
                self.log.warning(f"Alpaca does not tell what the account holds: {error}")
                self._changed.set()
            await asyncio.sleep(self._refresh_secs)

    async def _collect(self) -> None:
        """Open the stream anew when it does not tell of what Alpaca has taken."""
        while True:
            await asyncio.sleep(OWED_SECS / 5)
            now = asyncio.get_running_loop().time()
            late = [order_id for order_id, since in self._owed.items() if now - since > OWED_SECS]
            if late:
                self._owed.clear()
                await self.stream.again(f"no word of {len(late)} orders that Alpaca took {OWED_SECS:g} s ago")
