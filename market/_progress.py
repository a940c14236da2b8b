"""How does somebody at a terminal see that a long preparation is alive?

Nothing for the first second, then a bar on stderr, only if that is a terminal; stdout belongs to results.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PATIENCE_SECS = 1.0


@contextmanager
def progress(title: str, steps: int) -> Iterator[Callable[[str], None]]:
    """Yield a function that starts the next of `steps` steps and says what it does."""
    from rich.console import Console  # noqa: PLC0415 - only who has to wait pays for the import
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - as above

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task(title, total=steps)
    begun = 0

    def step(what: str) -> None:
        nonlocal begun
        bar.update(task, description=f"{title}: {what}", completed=begun)
        begun += 1

    late = Timer(_PATIENCE_SECS, bar.start)
    late.daemon = True
    late.start()
    try:
        yield step
    finally:
        late.cancel()
        late.join()
        bar.stop()
