"""Who writes the log, so that nothing on an order's way waits for a disk?

A thread of its own. The engine's thread only puts what it heard into a queue: plain values and the engine's events,
which are values too. The queue is bounded; what does not fit is counted, never waited for.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runs.logs.rendering import Line

if TYPE_CHECKING:
    from runs.logs.events import EventName, Level
    from runs.logs.outlets import Outlets

EVERY_SECS = 0.05
BATCH = 200
MOST_WAITING = 20_000
CLOSE_SECS = 5.0
NAP_SECS = 0.0001
"""Before each line: Python lets a thread that works keep others waiting for 5 ms, and one of them sends orders."""
PATIENT_UP_TO = 5_000  # with more waiting, no naps
_TELLINGS = 4  # how often outlets that fail and recover may cause more lines about it at a time


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be written: an event and its fields. Stamps are UTC nanoseconds; `ts` is market time where known."""

    event: EventName
    level: Level
    fields: dict[str, Any]
    ts: int | None
    at: int


Tell = Callable[..., Iterable[Entry]]
"""What makes entries of what was heard; called on the log's own thread."""


class Writer:
    """Takes what was heard from any thread, and writes it on its own, which begins with the first of it."""

    def __init__(self, outlets: Outlets, log: Callable[[], Callable[[Entry], Line | None]]) -> None:
        """`log` makes, on the log's own thread, what turns an entry into a line (None: nobody takes its level)."""
        self._outlets = outlets
        self._log = log
        self._queue: deque[tuple[Tell, tuple[Any, ...]]] = deque()
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._overflowed = 0
        self._told = 0  # of those
        self._faults = 0

    @property
    def lost(self) -> int:
        """How many lines were not written somewhere they belong."""
        return self._outlets.lost + self._overflowed + self._faults

    def put(self, tell: Tell, *heard: Any) -> None:
        """Queue something. Never raises, never waits."""
        if self._closed or len(self._queue) >= MOST_WAITING:
            self._overflowed += 1
            return
        self._queue.append((tell, heard))
        if self._thread is None:
            self._start()

    def close(self) -> None:
        """Write what waits, and stop; a disk that hangs is given up after some seconds."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECS)
            if self._thread.is_alive():
                return
        self._outlets.close()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="keel-log", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        log = self._log()
        while True:
            last = self._closed
            self._wake.wait(EVERY_SECS)
            while self._queue:
                self._write_some(log)
            if last:
                return

    def _write_some(self, log: Callable[[Entry], Line | None]) -> None:
        lines: list[Line | None] = []
        for _ in range(min(BATCH, len(self._queue))):
            if not self._closed and len(self._queue) < PATIENT_UP_TO:
                time.sleep(NAP_SECS)
            tell, heard = self._queue.popleft()
            try:
                lines += [log(entry) for entry in tell(*heard)]
            except Exception as error:  # noqa: BLE001 - what cannot be told must not silence the rest
                self._faults += 1
                lines.append(
                    log(_lost(1, "log", f"an event cannot be told: {type(error).__name__}: {error}"))
                )
        more = self._overflowed - self._told
        if more:
            self._told += more
            lines.append(log(_lost(more, "log", f"more than {MOST_WAITING} events waited to be written")))
        for _ in range(_TELLINGS):  # an outage and its end are told by whoever takes lines meanwhile
            losses = self._outlets.write([line for line in lines if line is not None])
            lines = [log(_lost(loss.lines, loss.where, loss.reason)) for loss in losses]
            if not lines:
                return


def _lost(lines: int, where: str, reason: str) -> Entry:
    fields = {"lines": lines, "where": where, "reason": reason}
    return Entry("log.lost", "error", fields, None, time.time_ns())
