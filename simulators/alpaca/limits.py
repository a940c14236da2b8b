"""How many calls may a key make in a minute?"""

from __future__ import annotations

import time
from collections import deque

WINDOW_SECS = 60.0


class RateLimit:
    """Calls of the last minute, by wall clock. 0 is without limit."""

    def __init__(self, per_min: int) -> None:
        self.per_min = per_min
        self._calls: deque[float] = deque()

    def take(self) -> bool:
        """Count one; whether it is still allowed."""
        now = time.monotonic()
        while self._calls and self._calls[0] <= now - WINDOW_SECS:
            self._calls.popleft()
        if self.per_min and len(self._calls) >= self.per_min:
            return False
        self._calls.append(now)
        return True

    def headers(self) -> dict[str, str]:
        """As on every answer."""
        oldest = self._calls[0] if self._calls else time.monotonic()
        reset = time.time() + max(0.0, WINDOW_SECS - (time.monotonic() - oldest))
        limit = self.per_min or 1_000_000
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - len(self._calls))),
            "X-RateLimit-Reset": str(int(reset) + 1),
        }
