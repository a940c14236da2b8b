"""What does the engine complain about? Its log is read as it grows, and errors and warnings become events of ours.

The engine writes its own log, which nothing of Keel's can filter or be told of. Lines at other levels are skipped.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.engine import ENGINE_LOG

if TYPE_CHECKING:
    from runs.logs.events import EventName, Level
    from runs.logs.run_log import RunLog

EVERY_SECS = 0.25
MOST_BYTES = 2_000_000  # read at once: about a millisecond
MOST_READS = 20
ALIKE_SECS = 60.0
_MOST_KINDS = 1_000
_STEM, _SUFFIX = ENGINE_LOG.rsplit(".", 1)
_LOUD = re.compile(rb'"level":"(?:ERROR|WARN)')
_LEVELS: dict[str, Level] = {"ERROR": "error", "WARN": "warning", "WARNING": "warning"}
_OF_DATA = re.compile(r"nautilus_data|data_?(?:engine|client)|::data(?:::|$)", re.IGNORECASE)
_DATA_CALL = re.compile(r"operation _?(?:un)?(?:subscribe|request)")
_NUMBERS = re.compile(r"\d+")
_LEFT_OPEN = ("nautilus_common::cache", "Residual ")
"""Whose lines, beginning how, only say that a position or an order was left when the node stopped: no complaint, the
run's summary tells it, and whether they reach the file before its last reading is chance."""


class EngineTail:
    """Follows the engine's log files of one run folder, through their rotation."""

    def __init__(
        self,
        folder: Path,
        log: RunLog,
        strategies: Callable[[], Collection[str]] = tuple,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`strategies` answers the ids of the run's own: what they log themselves is told as theirs."""
        self._folder = folder
        self._log = log
        self._strategies = strategies
        self._clock = clock
        self._next = 0.0
        self._file: Path | None = None
        self._offset = 0
        self._alike: dict[tuple[str, str], tuple[float, int]] = {}  # -> (until when, how many were left out)

    def turn(self) -> None:
        """Tell what is new, a few times a second at most. Never raises: what cannot be read is no reason to stop."""
        now = self._clock()
        if now >= self._next:
            self._next = now + EVERY_SECS
            self.read()

    def read(self) -> None:
        """Tell what is new; of a log that grows as fast as it is read, the rest comes next time."""
        try:
            for _ in range(MOST_READS):
                if not self._read_some():
                    return
        except OSError as error:
            self._next = self._clock() + ALIKE_SECS
            self._log.engine_error(f"the engine's log cannot be read: {error.strerror}", level="warning")

    def _read_some(self) -> bool:
        """Read on in the file at hand, or go on to the next one; answers whether there may be more."""
        if self._file is None:
            return self._go_on()
        try:
            with self._file.open("rb") as file:
                file.seek(self._offset)
                data = file.read(MOST_BYTES)
        except FileNotFoundError:  # rotated away before it was read
            return self._go_on()
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == MOST_BYTES:
            whole = len(data)  # no line of the engine's is that long
        if not whole:
            return self._go_on()
        self._offset += whole
        for found in _LOUD.finditer(data, 0, whole):
            start, end = data.rfind(b"\n", 0, found.start()) + 1, data.find(b"\n", found.start())
            self._tell(data[start:end])
        return True

    def _go_on(self) -> bool:
        files = sorted(self._folder.glob(f"{_STEM}*.{_SUFFIX}"))
        later = files if self._file is None else [file for file in files if file.name > self._file.name]
        if not later:
            return False
        self._file, self._offset = later[0], 0
        return True

    def _tell(self, line: bytes) -> None:
        try:
            row: Any = json.loads(line)
            level, component, said = _LEVELS[row["level"]], str(row["component"]), str(row["message"])
        except (ValueError, KeyError, TypeError):  # the words stood inside a message, or the line was cut
            return
        if component == _LEFT_OPEN[0] and said.startswith(_LEFT_OPEN[1]):
            return
        is_own = component in self._strategies()
        if (
            is_own and level != "error"
        ):  # what a strategy warns of is its own affair, and often a refusal, told already
            return
        left_out = self._left_out(component, said)
        if left_out is None:
            return
        more = {"left_out": left_out} if left_out else {}
        shown = {"quiet": True} if level == "error" else {}  # the engine prints its errors on stderr itself
        if is_own:
            fields = {"strategy": component, "where": "log", "reason": said}
            self._log.emit("policy.error", None, level, **fields, **more, **shown)
        else:
            name: EventName = "market_data.error" if _is_of_data(component, said) else "engine.error"
            self._log.emit(name, None, level, component=component, reason=said, **more, **shown)

    def _left_out(self, component: str, said: str) -> int | None:
        """None for a line that is like one told just now; else how many were left out since that one."""
        now, like = self._clock(), (component, _NUMBERS.sub("0", said)[:200])
        until, left_out = self._alike.get(like, (0.0, 0))
        if now < until:
            self._alike[like] = (until, left_out + 1)
            return None
        if len(self._alike) >= _MOST_KINDS:
            self._alike.clear()
        self._alike[like] = (now + ALIKE_SECS, 0)
        return left_out


def _is_of_data(component: str, said: str) -> bool:
    return _OF_DATA.search(component) is not None or _DATA_CALL.search(said) is not None
