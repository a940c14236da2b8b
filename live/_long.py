"""What does a person see while something takes long? A bar on a terminal, elsewhere a line now and then; on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

AFTER_SECS = 0.5  # what is over sooner needs no bar
EVERY_SECS_PLAIN = 5.0


class Advance(Protocol):
    """Told how much more is done."""

    def __call__(self, more: int, total: int | None = None) -> None:
        """total: where it was not known when the work began."""


@contextmanager
def watched(what: str, total: int) -> Iterator[Advance]:
    """Gives a function that is to be told how much more is done and, where that was not known before, of how much."""
    screen = Console(stderr=True)
    work = _Drawn(what, total, screen) if screen.is_terminal else _Said(what, total, screen)
    try:
        yield work.advance
    finally:
        work.stop()


class _Said:
    """A line every few seconds."""

    def __init__(self, what: str, total: int, screen: Console) -> None:
        self._what, self._total, self._screen = what, total, screen
        self._done, self._said = 0, time.monotonic()

    def advance(self, more: int, total: int | None = None) -> None:
        self._done, self._total = self._done + more, self._total if total is None else total
        now = time.monotonic()
        if now - self._said >= EVERY_SECS_PLAIN:
            self._said = now
            of = f" of {self._total:,}" if self._total else ""
            self._screen.print(f"{self._what}: {self._done:,}{of}", soft_wrap=True, highlight=False)

    def stop(self) -> None:
        """Nothing is left to take away."""


class _Drawn:
    """A bar, once it is worth one; rich keeps the total where it is given None."""

    def __init__(self, what: str, total: int, screen: Console) -> None:
        columns = (TextColumn(what), BarColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=screen, transient=True)
        self._task = self._bar.add_task(what, total=total or None)
        self._begun = time.monotonic()

    def advance(self, more: int, total: int | None = None) -> None:
        if not self._bar.live.is_started and time.monotonic() - self._begun >= AFTER_SECS:
            self._bar.start()
        self._bar.update(self._task, advance=more, total=total or None)

    def stop(self) -> None:
        self._bar.stop()
