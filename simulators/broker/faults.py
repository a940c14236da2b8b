"""What goes wrong at the local broker, on demand, so that tests see what a real one does on a bad day?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from simulators.broker.orders import RefusedError

REORDER_SECS = 0.05


@dataclass(slots=True)
class Faults:
    """Faults in force. Counts are of requests `on` to come and run out by themselves; the rest stays until changed."""

    on: str = "submit"
    """The operation that the counts are about: submit, modify, cancel, order, snapshot."""
    drop_answer: int = 0
    """Do it, never answer."""
    lose_request: int = 0
    """Never do it, never answer."""
    cut_after: int = 0
    """Do it, then close the connection instead of answering."""
    cut_before: int = 0
    """Close the connection instead of doing it."""
    reject_next: int = 0
    """Refuse it."""
    delay_ms: int = 0
    """Answer every request so much later; it is taken at once."""
    event_delay_ms: int = 0
    """Send every event so much later."""
    duplicate_events: bool = False
    """Send every event twice."""
    reorder_events: bool = False
    """Hold events for a moment and send them newest first."""
    drop_events: bool = False
    """Send no events of orders and fills at all."""
    refuse_secs: float = 0.0
    """Refuse new connections for so long from now."""

    def set(self, request: Mapping[str, Any]) -> None:
        """Change some of them. Raises RefusedError for an unknown name or a value of another type."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in request.items():
            if name not in known:
                raise RefusedError("INVALID", f"there is no fault {name}; there is {', '.join(known)}")
            if not isinstance(value, (known[name], int) if known[name] is float else known[name]):
                raise RefusedError("INVALID", f"{name}={value}: must be a {known[name].__name__}")
            setattr(self, name, known[name](value))

    def take(self, name: str, op: object) -> bool:
        """Whether a counted fault hits this request; it then counts down."""
        left: int = getattr(self, name) if op == self.on else 0
        if left:
            setattr(self, name, left - 1)
        return bool(left)


class Outbox:
    """Sends one connection's answers and events, as late, often and disordered as the faults want it."""

    def __init__(self, faults: Faults, send: Callable[[Mapping[str, Any]], None]) -> None:
        """`send` writes one message."""
        self._faults = faults
        self._send = send
        self._held: list[Mapping[str, Any]] = []

    def answer(self, message: Mapping[str, Any]) -> None:
        """Send an answer to a request."""
        self._after(self._faults.delay_ms / 1000, lambda: self._send(message))

    def event(self, message: Mapping[str, Any], *, market: bool = False) -> None:
        """Send news. Those of the market are only ever late."""
        faults = self._faults
        if not market and faults.drop_events:
            return
        if not market and faults.reorder_events:
            if not self._held:
                self._after(REORDER_SECS, self._release)
            self._held.append(message)
            return
        for _ in range(2 if faults.duplicate_events and not market else 1):
            self._after(faults.event_delay_ms / 1000, lambda: self._send(message))

    def _release(self) -> None:
        held, self._held = self._held, []
        for message in reversed(held):
            for _ in range(2 if self._faults.duplicate_events else 1):
                self._send(message)

    @staticmethod
    def _after(secs: float, work: Callable[[], None]) -> None:
        if secs:
            asyncio.get_running_loop().call_later(secs, work)
        else:
            work()
