"""Which words and tables does the page of a sweep have beside its pictures?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtests.search.result import pbo_note
from backtests.search.show import cell, shown
from backtests.search.work import DONE
from runs.page.config_text import kept_in
from runs.page.honesty import sure_sentence
from runs.page.html import folded, lines, paragraph, table
from runs.page.parts import escaped_lines
from runs.wording import UNDEFINED, percent

if TYPE_CHECKING:
    from pathlib import Path

    from backtests.search.result import Result
    from backtests.search.settings import SweepSettings

MOST_TRIALS = 100
"""Rows of the table; trials.parquet has all."""
_FIGURES = ("sharpe", "total_return", "cagr", "max_drawdown", "trades", "refusals")
_MOST_ERRORS = 5


def tiles_of(result: Result, settings: SweepSettings) -> list[tuple[str, str, str]]:
    """The large figures: name, figure, what is to be said of it."""
    best = result.ranked[0]
    counts = result.counts
    others = ", ".join(f"{count:,} {status}" for status, count in counts.items() if count and status != DONE)
    ledger = (
        "none counted" if result.trials_ledger is None else f"after {result.trials_ledger:,} trials counted"
    )
    fitted = f"by Sharpe ratio, among {result.pbo_trials:,} trials" if result.pbo_trials else ""
    return [
        ("Trials", f"{len(result.trials):,}", others or "all done"),
        (f"Best {settings.metric.replace('_', ' ')}", shown(settings.metric, best.score), f"trial {best.number}"),
        ("Return of the best", shown("total_return", best.outcome.figures.get("total_return")),
         f"max drawdown {shown('max_drawdown', best.outcome.figures.get('max_drawdown'))}"),
        ("Deflated Sharpe", percent(result.deflated_sharpe), ledger),
        ("Overfitting (PBO)", percent(result.pbo), fitted),
    ]  # fmt: skip


def trials_table(result: Result, settings: SweepSettings) -> str:
    """The trials, best first, and why others have no score."""
    keys = list(result.ranked[0].point)
    figures = [name for name in _FIGURES if name != settings.metric]
    rows = [
        (
            str(trial.number),
            *(cell(trial.point[key]) for key in keys),
            shown(settings.metric, trial.score),
            *(shown(name, trial.outcome.figures.get(name)) for name in figures),
        )
        for trial in result.ranked[:MOST_TRIALS]
    ]
    head = ("Trial", *keys, settings.metric.replace("_", " "), *(name.replace("_", " ") for name in figures))
    rest = len(result.trials) - len(rows)
    more = (
        paragraph(f"and {rest:,} more in trials.parquet, of which some have no score", "note") if rest else ""
    )
    failed = [trial for trial in result.trials if trial.outcome.error]
    errors = [f"trial {trial.number}: {trial.outcome.error}" for trial in failed[:_MOST_ERRORS]]
    if len(failed) > len(errors):
        errors.append(f"and {len(failed) - len(errors):,} more")
    return table(head, rows) + more + (f"<h3>Errors</h3>{lines(errors)}" if errors else "")


def judgement(result: Result, settings: SweepSettings) -> str:
    """What choosing the best among so many is worth."""
    ledger = "n/a" if result.trials_ledger is None else f"{result.trials_ledger:,}"
    many = f"{len(result.trials):,} trials in this sweep, {ledger} counted in the ledger of this strategy on this data."
    said = [f"{many} The best of many looks good by chance alone."]
    if result.deflated_sharpe is None:
        said.append(f"Deflated Sharpe: {UNDEFINED}.")
    else:
        sure = sure_sentence(result.deflated_sharpe, result.trials_ledger or 1)
        said.append(f"Deflated Sharpe {result.deflated_sharpe:.3f}, of the best one: {sure}.")
    note = pbo_note(settings)
    if note is not None:
        said.append(f"Overfitting probability {note}.")
    elif result.pbo is None:
        said.append("Overfitting probability: not defined; it takes several trials over the same days.")
    else:
        said.append(
            f"Overfitting probability {percent(result.pbo)}: how often the best by Sharpe ratio of one half of the "
            f"days falls below the median of {result.pbo_trials:,} trials on the other."
        )
    return lines(said)


def config_part(folder: Path | None) -> str:
    """The config of the best trial, and the versions; secrets are replaced."""
    kept = None if folder is None else kept_in(folder / "best")
    if kept is None:
        return paragraph("No config is kept with this sweep.", "note")
    again = f"python -m backtests rerun {folder}/best repeats it."
    return paragraph(again, "note") + folded("config.yaml", f"<pre>{escaped_lines(kept.text)}</pre>")
