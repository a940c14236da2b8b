"""What goes wrong at the local Alpaca, on demand?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from simulators.alpaca.refusal import RefusedError

KINDS = ("status", "hang", "lose", "cut_after", "cut_before", "delay", "garbage")
FOREVER = 3600.0


@dataclass(slots=True)
class HttpFault:
    """A fault of the next `times` requests of the operation `on`; `*` is any."""

    kind: str
    """status: answer `status`, not done. hang: done, never answered. lose: not done, never answered. cut_after: done,
    then the connection is cut. cut_before: cut, not done. delay: done at once, answered `secs` later. garbage: done,
    answered with what is not JSON."""

    on: str = "*"
    times: int = 1
    status: int = 500
    secs: float = FOREVER
    after: bool = False
    """With status: do it first, then answer the status, as a gateway does that timed out."""


@dataclass(slots=True)
class StreamFaults:
    """Faults of the streams, in force until changed."""

    event_delay_ms: int = 0
    duplicate_events: bool = False
    reorder_events: bool = False
    drop_events: bool = False
    drop_next_events: int = 0
    data_delay_ms: int = 0
    duplicate_data: bool = False
    drop_data: bool = False
    refuse_streams: bool = False
    clock_skew_secs: float = 0.0


@dataclass(slots=True)
class Faults:
    """All faults in force."""

    http: list[HttpFault] = field(default_factory=list)
    streams: StreamFaults = field(default_factory=StreamFaults)

    def set(self, request: Mapping[str, Any]) -> None:
        """Change them: `kind` with its details, any of the stream's faults, or kind=clear. Raises RefusedError."""
        given = dict(request)
        kind = given.pop("kind", None)
        if kind == "clear":
            self.http.clear()
            self.streams = StreamFaults()
        elif kind is not None:
            if kind not in KINDS:
                raise RefusedError(400, 40010000, f"kind={kind}: there is {', '.join(KINDS)}, clear")
            names = [each.name for each in fields(HttpFault)]
            details = {name: given.pop(name) for name in names if name in given}
            self.http.append(HttpFault(kind, **details))
        known = [each.name for each in fields(StreamFaults)]
        for name, value in given.items():
            if name not in known:
                raise RefusedError(
                    400, 40010000, f"there is no fault {name}; there is kind, {', '.join(known)}"
                )
            setattr(self.streams, name, value)

    def take(self, op: str) -> HttpFault | None:
        """The fault that hits this request, counted down."""
        for fault in self.http:
            if fault.on in ("*", op) and fault.times > 0:
                fault.times -= 1
                return fault
        return None
