"""How is the run doing, once a minute?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from risk.desk import RiskDesk
    from runs.logs.run_log import RunLog

EVERY_SECS = 60.0


class Heartbeat:
    """Writes health.check now and then; to be turned on the node's loop, where the desk may be read."""

    def __init__(
        self,
        log: RunLog,
        desk: RiskDesk,
        more: Callable[[], Mapping[str, Any]] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`more` answers further fields, such as how far the journal is behind."""
        self._log = log
        self._desk = desk
        self._more = more
        self._clock = clock
        self._next = 0.0

    def turn(self) -> None:
        """Write when a minute has passed and market time is known."""
        now = self._clock()
        if now >= self._next and self._desk.market_now():
            self._next = now + EVERY_SECS
            self._log.health(**health_of(self._desk), **(self._more() if self._more is not None else {}))


def health_of(desk: RiskDesk) -> dict[str, Any]:
    """State, equity and counts of a desk, as plain values; equity is None while nobody knows it."""
    book = desk.book
    try:
        equity = round(book.equity(), 2)
    except LookupError:
        equity = None
    return {
        "state": str(desk.breakers.state.state),
        "equity": equity,
        "currency": book.currency,
        "positions": len(list(book.held())),
        "working": len(book.orders),
        "held": len(desk.approvals.waiting),
    }
