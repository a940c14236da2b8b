"""What does a person see while a node runs? One line on stderr that is kept up to date."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from runs.progress import status_line

if TYPE_CHECKING:
    from types import TracebackType

    from risk.desk import RiskDesk
    from runs.record import Recorder

EVERY_SECS = 0.25
EVERY_SECS_PLAIN = 5.0


class Progress:
    """A line that renews itself on a terminal; elsewhere a line now and then, unless a machine reads the log there."""

    def __init__(
        self,
        desk: RiskDesk,
        recorder: Recorder,
        console: Console | None = None,
        *,
        for_machines: bool = False,
    ) -> None:
        """`update` is to be called on the thread of the engine: it reads the desk. `console`: where the log writes.

        for_machines: the log's lines there are JSON; `health.check` tells how it goes.
        """
        self._desk = desk
        self._recorder = recorder
        self._console = console or Console(stderr=True)
        self._line = Live(Text(""), console=self._console, auto_refresh=False, transient=True)
        self._is_silent = for_machines and not self._console.is_terminal
        self._every = EVERY_SECS if self._console.is_terminal else EVERY_SECS_PLAIN
        self._next = time.monotonic() + (0.0 if self._console.is_terminal else EVERY_SECS_PLAIN)

    def __enter__(self) -> Self:
        """Begin."""
        if self._console.is_terminal:
            self._line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        self._line.stop()

    def update(self) -> None:
        """Renew the line when it is due."""
        now = time.monotonic()
        if self._is_silent or now < self._next or not self._desk.market_now():
            return
        self._next = now + self._every
        line = status_line(self._desk, self._recorder)
        if self._console.is_terminal:
            self._line.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)
        else:
            self._console.print(line, soft_wrap=True, highlight=False)
