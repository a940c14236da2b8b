"""What of the log does a person see on stderr while a run goes on?

Lines at warning and above, without drowning anybody: of those that are alike only the first in a while is shown.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

    from runs.logs.rendering import Line

ALIKE_SECS = 60.0
LEAST = {"debug": "debug", "info": "warning", "warning": "warning", "error": "error"}
"""log.level -> the level from which on lines are shown: all of them only to who asks for debug."""


class Screen:
    """stderr as a stream that never raises: a terminal that was closed, or a full disk behind it, stops no run."""

    def __init__(self, stream: TextIO) -> None:
        """`stream` is what is written to."""
        self._stream = stream
        self.encoding = stream.encoding
        self.error: OSError | ValueError | None = None
        """Why the last write failed; whoever reads it sets it back to None."""

    def write(self, text: str) -> int:
        """Write as much as is possible."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        self._try(self._stream.flush)

    def isatty(self) -> bool:
        """Whether a person sees it at once."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The number of its file. Raises OSError where it has none."""
        return self._stream.fileno()

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except (OSError, ValueError) as error:
            self.error = error


def screen_console() -> tuple[Console, Screen]:
    """A console on stderr for everything that a person reads while a run goes on, and the stream behind it."""
    from rich.console import Console  # noqa: PLC0415 - a backtest has no use for it

    screen = Screen(sys.stderr)
    return Console(file=cast("TextIO", screen)), screen


class StderrOutlet:
    """Prints on the console that the progress line uses too, so that neither writes over the other."""

    name = "stderr"

    def __init__(
        self,
        console: Console,
        least: int,
        *,
        screen: Screen | None = None,
        shows_all: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`least`: level of the lines it takes; `shows_all`: for machines; `screen`: what the console writes to."""
        self.console = console
        self.least = least
        self._screen = screen
        self._shows_all = shows_all
        self._clock = clock
        self._shown: dict[
            tuple[str, ...], tuple[float, int]
        ] = {}  # like -> (until when, how many were left out)

    def write(self, lines: Sequence[Line]) -> None:
        """Print what has to be seen. Raises OSError or ValueError where nobody could see it."""
        now = self._clock()
        for line in lines:
            if self._shows_all:
                self._print(line.text)
            elif not line.quiet:
                self._show(line, now)
        self._check()
        if len(self._shown) > _MOST_KINDS:
            self._shown = {like: each for like, each in self._shown.items() if each[0] > now}

    def close(self) -> None:
        """Say how much was left out."""
        for like, (_, left_out) in self._shown.items():
            if left_out:
                self._print(f"{left_out} more like: {' '.join(word for word in like if word)}")
        self._shown.clear()
        self._check()

    def _show(self, line: Line, now: float) -> None:
        until, left_out = self._shown.get(line.like, (0.0, 0))
        if now < until:
            self._shown[line.like] = (until, left_out + 1)
            return
        self._shown[line.like] = (now + ALIKE_SECS, 0)
        self._print(f"{line.text} ({left_out} more like it before)" if left_out else line.text)

    def _check(self) -> None:
        if self._screen is not None and self._screen.error is not None:
            error, self._screen.error = self._screen.error, None
            raise error

    def _print(self, text: str) -> None:
        from rich.text import Text  # noqa: PLC0415 - only where something is shown

        self.console.print(Text(text), soft_wrap=True, highlight=False)


_MOST_KINDS = 1_000
