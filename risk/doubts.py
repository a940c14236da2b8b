"""What is not known for certain, so that nothing new is opened there?

An order whose outcome nobody knows, a position that no order of Keel explains, a record that cannot be written. Orders
that only reduce pass all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """An order that left, and of which nobody knows what became. `since` is market time, UTC ns."""

    client_order_id: str
    instrument: str
    why: str
    since: int


class Doubts:
    """Answers why new exposure is refused in an instrument. Its rule: a doubt ends by an answer, never by time."""

    def __init__(self, recorded: Callable[[], str | None] | None = None) -> None:
        """`recorded` answers why nothing can be recorded now, None while it can."""
        self.unknown: dict[str, Unknown] = {}  # client order id -> the order nobody knows of
        self.frozen: dict[str, str] = {}  # instrument id -> why nothing is opened in it
        self._recorded = recorded

    def block(self, order: Unknown) -> None:
        """Nobody knows what became of this order."""
        self.unknown[order.client_order_id] = order

    def resolve(self, client_order_id: str) -> Unknown | None:
        """It is known now; answers what was asked about it, None when nothing was."""
        return self.unknown.pop(client_order_id, None)

    def freeze(self, instrument: str, why: str) -> None:
        """Open nothing in an instrument."""
        self.frozen[instrument] = why

    def refuses(self, instrument: str) -> str | None:
        """Why an order that adds exposure in an instrument is refused now; None when nothing is in doubt."""
        if self._recorded is not None:
            problem = self._recorded()
            if problem is not None:
                return f"JOURNAL: {problem}; only reducing orders pass"
        if self.unknown:
            for order in self.unknown.values():
                if order.instrument == instrument:
                    return (
                        f"UNKNOWN_ORDER: nobody knows what became of {order.client_order_id} in {instrument} "
                        f"({order.why}); only reducing orders pass until it is known"
                    )
        if instrument in self.frozen:
            return f"FROZEN: {self.frozen[instrument]}; only reducing orders pass in {instrument}"
        return None
