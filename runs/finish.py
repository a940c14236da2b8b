"""What happens once a run has ended: its files are written and its result is shown?"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from configs.edge import say
from runs.analysis import analyse
from runs.artifacts import write_record, write_reports
from runs.folder import CONFIG, VERSIONS
from runs.logs.secrets import scrubber_for
from runs.portfolio import with_portfolio
from runs.summary import Summary, summarise
from runs.table import show
from runs.trials.judging import judged
from runs.trials.trial import code_of
from runs.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from configs.load import Composed
    from configs.schema import RunConfig
    from runs.folder import RunFolder
    from runs.prepare import Prepared
    from runs.record import RunRecord

ERRORS = "errors.txt"


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to its end: why it ended, the positions and orders it left, and as what it counts as a trial.

    trial: how it was run, as the ledger of trials says it (run, replay); None: it is no trial.
    """

    ready: Prepared
    record: RunRecord
    until_ns: int
    ended: str
    left: tuple[str, ...] = ()
    trial: str | None = None


def headline(kind: str, ready: Prepared) -> None:
    """Say on stderr what is about to run and what is doubtful about its data."""
    config = ready.config
    strategies = ", ".join(spec.strategy_path.rpartition(":")[2] for spec in config.all_strategies.values())
    say(f"{kind}: {strategies} on {', '.join(ready.market.symbols)} {config.bar}, venue {config.venue.name}")
    for doubt in ready.market.doubts:
        say(f"doubt: {doubt}")


def write_origin(folder: RunFolder, composed: Composed, data_version: str) -> None:
    """Write, before the run, what is needed to repeat it: the composed config and the versions."""
    folder.write(CONFIG, composed.text)
    write_versions(folder, composed.config, data_version)


def write_versions(folder: RunFolder, config: RunConfig, data_version: str) -> None:
    """Write which code, engine, Python and data are used."""
    found = versions(data_version, code_of(config))
    folder.write(VERSIONS, json.dumps(found, indent=2) + "\n")


def finish(run: Finished, folder: RunFolder) -> Summary:
    """Write the run's files, print its result on stdout as the config asks, answer the summary."""
    config, record = run.ready.config, run.record
    write_record(folder, record)
    analysis = analyse(
        record, zone=config.data.zone, days_per_year=config.data.days_per_year, until_ns=run.until_ns
    )
    summary = judged(config, analysis, summarise(analysis, folder.path), run.trial)
    summary = with_portfolio(summary, analysis)
    title = run.ready.config.strategy.strategy_path.rpartition(":")[2]
    write_reports(folder, analysis, summary, title, plots=config.run.plots, tearsheet=config.run.tearsheet)
    if config.output == "json":
        sys.stdout.write(summary.to_json() + "\n")
    else:
        console = Console()
        show(console, analysis, summary, title, folder.files())
        if run.ended != "end of data":
            console.print(f"Stopped: {run.ended}", highlight=False)
        for left in run.left:
            console.print(f"Left open: {left}", highlight=False)
    return summary


@contextmanager
def keeping_errors(ready: Prepared, folder: RunFolder) -> Iterator[None]:
    """Write what strategies raise, with tracebacks, to the run folder, whether the run survives it or not."""
    try:
        yield
    finally:
        errors = ready.recorder.errors
        if errors:
            path = folder.write(ERRORS, scrubber_for(ready.config).text("\n".join(errors)))
            say(f"{len(errors)} error(s) raised by strategies, with tracebacks: {path}")
