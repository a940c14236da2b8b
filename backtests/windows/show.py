"""What does a user read of a walk-forward: each window, the stitched result, and how steady the choice was?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backtests.search.show import cell, shown
from backtests.windows.result import name_of
from backtests.windows.settings import KFOLD
from backtests.windows.work import compounded, figures_of
from risk import measures
from runs.wording import UNDEFINED, percent, ratio, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtests.windows.result import Walked
    from backtests.windows.settings import WalkSettings

_SURE = 0.95
_LABEL = 18


def show(result: Walked, settings: WalkSettings, trials: int, folder: str, files: Sequence[str]) -> None:
    """Print it."""
    console = Console()
    console.print(
        Text.assemble(
            ("Walk-forward", "bold"),
            f"  {settings.kind}, {len(result.windows)} windows, {trials:,} trials in sample, "
            f"best by {settings.metric.replace('_', ' ')}",
        )
    )
    console.print(_windows(result, settings))
    console.print(_totals(result))
    for label, text in lines(result, settings):
        console.print(_labelled(label, text), highlight=False)
    console.print(_labelled("Folder", Text(folder)), soft_wrap=True)
    console.print(_labelled("Files", Text(", ".join(files))))


def lines(result: Walked, settings: WalkSettings) -> list[tuple[str, Text]]:
    """What is to be thought of it, as (label, sentence)."""
    luck, steady = result.luck, result.stability
    per_year = [percent(each, signed=True) for each in (result.annual_out_of_sample, result.annual_in_sample)]
    found = [
        (
            "Efficiency",
            Text.assemble(
                (percent(result.efficiency), "bold"),
                f": {per_year[0]} a year out of sample for {per_year[1]} in sample (mean, not compounded)",
            ),
        ),
        ("Stability", Text(stability_told(steady))),
    ]
    if luck.sharpe_low is not None:
        found.append(
            (
                "Luck",
                Text(
                    f"Sharpe {span(luck.sharpe_low, luck.sharpe_high, ratio)}, max drawdown "
                    f"{span(luck.max_drawdown_low, luck.max_drawdown_high, percent)}: 90% of resamples"
                ),
            )
        )
    if luck.deflated_sharpe is not None:
        sure = luck.deflated_sharpe >= _SURE
        found.append(
            (
                "Deflated Sharpe",
                Text.assemble(
                    (f"{luck.deflated_sharpe:.1%}", "green" if sure else "yellow"),
                    f" that the true Sharpe ratio is above zero, after {luck.trials_ledger:,} trials counted",
                ),
            )
        )
    found.append(("Note", Text(note(settings))))
    return found


def stability_told(steady: dict[str, Any]) -> str:
    """`the best point changed at 3 of 8 boundaries, ...`."""
    often = steady["most_often"]
    if often is None:
        return "no point was chosen in any window"
    return (
        f"the best point changed at {steady['changes']} of {steady['boundaries']} boundaries, by "
        f"{percent(steady['mean_move'])} of the grid on average; most often "
        f"{name_of(often)} ({steady['most_often_windows']} windows)"
    )


def note(settings: WalkSettings) -> str:
    """What the stitched result is not."""
    flat = "each window begins flat and is valued at its last close, so no costs of leaving are in it"
    if settings.kind == KFOLD:
        return f"folds are chosen on later days too: a check of the rule, no record anybody could have had; {flat}"
    return flat


def _windows(result: Walked, settings: WalkSettings) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    keys = list(result.points[0]) if result.points else []
    for name in ("", "test from", "until"):
        table.add_column(name, no_wrap=True)
    for key in keys:
        table.add_column(key.rpartition(".")[2], justify="right")
    wanted = [settings.metric] if settings.metric != "sharpe" else []
    for name in (*wanted, "Sharpe in", "out", "return", "drawdown"):
        table.add_column(name.replace("_", " "), justify="right")
    for each in result.windows:
        point = None if each.best is None else each.best.point
        inside = (
            None if each.best is None else measures.sharpe(each.best.outcome.returns, result.days_per_year)
        )
        returns = each.returns
        grown = measures.total_return(compounded(1.0, returns))
        table.add_row(
            str(each.number),
            str(each.legs.test.start),
            str(each.legs.test.end),
            *(UNDEFINED if point is None else cell(point[key]) for key in keys),
            *(shown(name, None if each.best is None else each.best.score) for name in wanted),
            ratio(inside),
            ratio(measures.sharpe(returns, result.days_per_year)),
            percent(grown, signed=True),
            percent(measures.max_drawdown(compounded(1.0, returns))),
        )
    return table


def _totals(result: Walked) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Out of sample", no_wrap=True, min_width=_LABEL)
    names = {"total_return": "Return", "cagr": "a year", "sharpe": "Sharpe", "sortino": "Sortino"}
    names |= {"volatility": "Volatility", "max_drawdown": "Drawdown"}
    for name in names.values():
        table.add_column(name, justify="right")
    rows = {f"{len(result.returns):,} days": result.returns, "Buy and hold": result.benchmark}
    for label, returns in rows.items():
        figures = figures_of(returns, result.days_per_year)
        table.add_row(label, *(shown(name, figures[name]) for name in names))
    return table


def _labelled(label: str, text: Text) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(min_width=_LABEL, no_wrap=True)
    grid.add_column()
    grid.add_row(Text(label, style="bold"), text)
    return grid
