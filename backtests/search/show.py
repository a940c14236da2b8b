"""What does a user see of a sweep: how far it is, and in the end its best trials?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backtests.search.result import pbo_note
from backtests.search.work import DONE, FAILED, PRUNED, REFUSED
from runs.wording import UNDEFINED, percent, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from backtests.search.result import Result
    from backtests.search.settings import SweepSettings
    from backtests.search.work import Trial

TOP = 10
_DOUBTFUL_PBO, _SURE_DSR = 0.5, 0.95
_AS_PERCENT = {"total_return", "cagr", "max_drawdown", "volatility", "win_rate"}


@contextmanager
def progress(total: int, done: int, settings: SweepSettings) -> Iterator[Callable[[Trial], None]]:
    """A bar on stderr with the time that is left and the best so far; nothing where nobody watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _trial: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - only where a sweep is watched

    best: float | None = None
    with Progress(
        TextColumn("sweep"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[best]}"),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task("", total=total, completed=done, best="")

        def ended(trial: Trial) -> None:
            nonlocal best
            if trial.score is not None:
                better = max if settings.maximize else min
                best = trial.score if best is None else better(best, trial.score)
            told = "" if best is None else f"best {settings.metric} {shown(settings.metric, best)}"
            bar.update(task, advance=1, best=told)

        yield ended


def show(result: Result, settings: SweepSettings, folder: str, files: Sequence[str]) -> None:
    """Print the best trials, what is to be thought of them, and where everything is."""
    console = Console()
    console.print(_headline(result))
    if result.ranked:
        console.print(_table(result, settings))
        for line in _judgement(result, settings):
            console.print(line, highlight=False)
    if result.first_error is not None:
        console.print(Text.assemble(("First error  ", "bold"), result.first_error))
    console.print(Text.assemble(("Sweep folder  ", "bold"), folder), soft_wrap=True)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(Text("Files       ", style="bold"), Text(", ".join(files)))
    console.print(grid)


def shown(name: str, value: Any) -> str:
    """A figure as people write it."""
    if value is None:
        return UNDEFINED
    if name in _AS_PERCENT:
        return percent(value)
    return ratio(value) if isinstance(value, float) else str(value)


def _headline(result: Result) -> Text:
    counts = result.counts
    words = {DONE: "done", PRUNED: "pruned", REFUSED: "refused", FAILED: "failed"}
    told = ", ".join(f"{counts[status]:,} {word}" for status, word in words.items() if counts[status])
    return Text.assemble(("Sweep", "bold"), f"  {len(result.trials):,} trials: {told or 'none'}")


def _table(result: Result, settings: SweepSettings) -> Table:
    keys = list(result.ranked[0].point)
    figures = [
        name for name in ("sharpe", "total_return", "max_drawdown", "trades") if name != settings.metric
    ]
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("trial", justify="right")
    for key in keys:
        table.add_column(key, justify="right")
    table.add_column(settings.metric, justify="right", style="bold")
    for name in figures:
        table.add_column(name.replace("_", " "), justify="right")
    for trial in result.ranked[:TOP]:
        own = trial.outcome.figures
        table.add_row(
            str(trial.number),
            *(cell(trial.point[key]) for key in keys),
            shown(settings.metric, trial.score),
            *(shown(name, own.get(name)) for name in figures),
        )
    return table


def cell(value: Any) -> str:
    """A value of a swept key."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _judgement(result: Result, settings: SweepSettings) -> list[Text]:
    """The lines about luck."""
    lines = []
    if result.deflated_sharpe is not None:
        sure = result.deflated_sharpe >= _SURE_DSR
        lines.append(
            Text.assemble(
                ("Deflated Sharpe  ", "bold"),
                (f"{result.deflated_sharpe:.1%}", "green" if sure else "yellow"),
                f" that the best has a true Sharpe ratio above zero, after {result.trials_ledger:,} trials counted",
            )
        )
    note = pbo_note(settings)
    if note is not None:
        lines.append(Text.assemble(("Overfitting      ", "bold"), note))
    if result.pbo is not None:
        doubtful = result.pbo >= _DOUBTFUL_PBO
        lines.append(
            Text.assemble(
                ("Overfitting      ", "bold"),
                (f"{result.pbo:.1%}", "red" if doubtful else "green"),
                f" that the best by Sharpe ratio of one half of the days is below the median of "
                f"{result.pbo_trials:,} on the other",
            )
        )
    return lines
