"""How big is a node, and what runs in it? A line a second from inside the process, and what the lines tell."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TextIO

EVERY_SECS = 1.0
MIB = 1024 * 1024
STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment of a process."""

    at: float
    """Seconds of the wall clock."""
    mib: float
    """Resident memory."""
    tasks: Counter[str]
    """What a task runs -> how many do."""
    threads: Counter[str]
    """Name of a Python thread, without its number -> how many there are."""


class Sampling:
    """Writes a line a second, on the node's own loop."""

    def __init__(self, path: Path) -> None:
        """Begin. Has to be made on a running loop."""
        self._loop = asyncio.get_running_loop()
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)
        self._sample()

    def _sample(self) -> None:
        self._loop.call_later(EVERY_SECS, self._sample)
        self._file.write(json.dumps(_line()) + "\n")


def samples(path: Path) -> list[Sample]:
    """The lines of a file, oldest first; none while there is no file."""
    return list(_read(path)) if path.exists() else []


def _read(path: Path) -> Iterator[Sample]:
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):  # the last one may be half written
            row = json.loads(line)
            yield Sample(row["at"], row["mib"], Counter(row["tasks"]), Counter(row["threads"]))


def _line() -> dict[str, Any]:
    pages = int(STATM.read_text(encoding="ascii").split()[1])
    return {
        "at": time.time(),
        "mib": pages * os.sysconf("SC_PAGE_SIZE") / MIB,
        "tasks": Counter(_named(each) for each in asyncio.all_tasks()),
        "threads": Counter(each.name.rpartition("_")[0] or each.name for each in threading.enumerate()),
    }


def _named(task: asyncio.Task[Any]) -> str:
    """The name that a task was given, or else what it runs."""
    name, work = task.get_name(), task.get_coro()
    return str(getattr(work, "__qualname__", work)) if name.startswith("Task-") else name


@dataclass(frozen=True, slots=True)
class Growth:
    """How much more memory there is at the end than there was after the warm-up."""

    first_mib: float
    last_mib: float

    @property
    def mib(self) -> float:
        """How much more."""
        return self.last_mib - self.first_mib

    @property
    def share(self) -> float:
        """The same as a fraction of what there was."""
        return self.mib / self.first_mib if self.first_mib else 0.0


def growth(found: Sequence[Sample], warm_up: float, window: float) -> Growth:
    """From the median of a window after the warm-up to that of the last one; both are shares of the whole."""
    least, size = int(len(found) * warm_up), max(1, int(len(found) * window))
    first, last = found[least : least + size], found[-size:]
    return Growth(*(median(each.mib for each in part) if part else 0.0 for part in (first, last)))


def left_over(before: Counter[str], after: Counter[str]) -> list[str]:
    """What there is more of than there was: `2 x name`."""
    return [f"{count} x {name}" for name, count in sorted((after - before).items())]
