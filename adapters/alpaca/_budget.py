"""How many requests may still leave? One account has one budget, shared by all calls, orders first."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Mapping

WINDOW_SECS = 60.0
RESERVED = 0.2
"""Share of the budget that only urgent calls may use: orders, cancels and questions about them."""
LONGEST_HOLD_SECS = 65.0
"""However far away the broker's clock says that its next window is."""
SHORTEST_WAIT_SECS = 0.01


class Budget:
    """So many calls in any 60 seconds; safe to use from several threads.

    Urgent calls leave in the order in which they came, ahead of all others, and have a share of their own.
    """

    def __init__(self, calls_per_min: int) -> None:
        """Nothing is used yet."""
        self.calls_per_min = calls_per_min
        self._others = max(1, calls_per_min - max(1, int(calls_per_min * RESERVED)))
        self._sent: deque[float] = deque()
        self._held_until = 0.0
        self._urgent_waiting = 0
        self._lock = threading.Lock()
        self._lines = (asyncio.Lock(), asyncio.Lock())

    @property
    def used(self) -> int:
        """Calls of the last minute."""
        with self._lock:
            self._forget(time.monotonic())
            return len(self._sent)

    async def take(self, *, urgent: bool, at_most_secs: float | None = None) -> bool:
        """Wait for leave to make one call; False: it did not come in time. With leave there is no await."""
        deadline = None if at_most_secs is None else time.monotonic() + at_most_secs
        if not self._lines[urgent].locked() and not self._wait(urgent=urgent):
            return True
        if urgent:
            self._urgent_waiting += 1
        try:
            async with self._lines[urgent]:
                while wait := self._wait(urgent=urgent, first=True):
                    if deadline is not None and time.monotonic() + wait > deadline:
                        return False
                    await asyncio.sleep(wait)
        finally:
            if urgent:
                self._urgent_waiting -= 1
        return True

    def take_blocking(self) -> None:
        """As `take`, for the further pages that an SDK call fetches by itself in its own thread."""
        while wait := self._wait(urgent=False):
            time.sleep(wait)

    def hold(self, secs: float) -> None:
        """Let nothing leave for so long: the broker said that the budget is used up."""
        with self._lock:
            until = time.monotonic() + min(LONGEST_HOLD_SECS, max(0.0, secs))
            self._held_until = max(self._held_until, until)

    def _wait(self, *, urgent: bool, first: bool = False) -> float:
        """Seconds until it is worth asking again; 0: leave is given and counted."""
        with self._lock:
            now = time.monotonic()
            self._forget(now)
            if now < self._held_until:
                return self._held_until - now + SHORTEST_WAIT_SECS
            if self._urgent_waiting and not (urgent and first):
                return SHORTEST_WAIT_SECS
            most = self.calls_per_min if urgent else self._others
            if len(self._sent) >= most:
                freed = self._sent[len(self._sent) - most]
                return max(SHORTEST_WAIT_SECS, freed + WINDOW_SECS - now)
            self._sent.append(now)
            return 0.0

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0] <= now - WINDOW_SECS:
            self._sent.popleft()


def wait_by_headers(headers: Mapping[str, str], now: float) -> float:
    """Seconds that a 429 asks for; `now` is the wall clock in unix seconds. A second where it says nothing."""
    for name, offset in (("Retry-After", 0.0), ("X-RateLimit-Reset", now)):
        try:
            secs = float(headers[name]) - offset
        except (KeyError, ValueError):
            continue
        return min(LONGEST_HOLD_SECS, max(0.2, secs))
    return 1.0
