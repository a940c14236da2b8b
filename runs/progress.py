"""How far is the run? A line on stderr, only where a person watches."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from market.catalog import MarketData
    from risk.desk import RiskDesk
    from runs.record import Recorder

NANOS = 1_000_000_000
AFTER_SECS = 0.5  # a run that is over by then needs no bar
EVERY_SECS = 0.2


def day_of(stamp: int) -> str:
    """A stamp (UTC ns) as a date and time."""
    return f"{datetime.fromtimestamp(stamp / NANOS, tz=UTC):%Y-%m-%d %H:%M}"


def status_line(desk: RiskDesk, recorder: Recorder) -> str:
    """Market time, equity, positions, orders and refusals in one line."""
    held = (
        ", ".join(f"{h.instrument.instrument} {h.position.normalize():f}" for h in desk.book.held()) or "flat"
    )
    try:
        equity = f"{desk.book.equity():,.2f} {desk.book.currency}"
    except LookupError:
        equity = "unknown"
    return (
        f"{day_of(desk.market_now())}  equity {equity}  {held}  orders {recorder.sent}  "
        f"refusals {recorder.refused_count}  {desk.breakers.state.state}"
    )


@contextmanager
def watched(desk: RiskDesk, market: MarketData) -> Iterator[None]:
    """A progress bar over market time while the engine is busy; nothing where stderr is not a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only where a run is watched

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    done = threading.Event()
    follower = threading.Thread(target=_follow, args=(desk, market, console, done), daemon=True)
    follower.start()
    try:
        yield
    finally:
        done.set()
        follower.join()


def _follow(desk: RiskDesk, market: MarketData, console: Console, done: threading.Event) -> None:
    if done.wait(AFTER_SECS):
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - see above

    with Progress(
        TextColumn("backtest {task.fields[day]}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task("", total=market.end_ns - market.start_ns, day="")
        while not done.wait(EVERY_SECS):
            last = desk.last  # a plain value: the only thing of the engine's that another thread may touch
            if last is not None:
                bar.update(task, completed=last.ts_event - market.start_ns, day=day_of(last.ts_event))
