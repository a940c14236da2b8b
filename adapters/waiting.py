"""How long to wait before a venue is asked again?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.execution import Patience


class Waits:
    """Waits that double, up to the longest, and end early when an event comes."""

    def __init__(self, patience: Patience) -> None:
        """Begin with the shortest."""
        self._next = patience.first_wait_secs
        self._longest = patience.longest_wait_secs

    async def pause(self, event: asyncio.Event | None = None) -> None:
        """Wait for the next length of time."""
        secs, self._next = self._next, min(self._longest, self._next * 2)
        if event is None:
            await asyncio.sleep(secs)
        else:
            await self.up_to(secs, event)

    @staticmethod
    async def up_to(secs: float, event: asyncio.Event) -> None:
        """Wait for an event, at most so long."""
        try:
            await asyncio.wait_for(event.wait(), secs)
        except TimeoutError:
            return
