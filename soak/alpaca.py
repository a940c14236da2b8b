"""`python -m soak alpaca`: is anything lost, sent twice or left behind when everything goes wrong at Alpaca?"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from configs.edge import guarded
from configs.errors import ConfigError
from runs.verbs import HELP as HELP_WORDS
from runs.verbs import key_values
from soak.alpaca_trial import MOST_GROWTH, AlpacaFigures, AlpacaTrial

KEYS = ("minutes", "seed", "keep", "output")
MINUTES, SEED, MOST_MINUTES = "30", "1", 1440.0
OK, WRONG = 0, 1
HELP = """python -m soak alpaca [minutes=30] [seed=1] [keep=FOLDER] [output=json]

A live node trades at a local Alpaca while something goes wrong there every two to five seconds: lost, late and cut
answers, bursts of 429, streams that are cut, refused or silent, news that are lost, late, doubled or out of order, lost
races, a wrong clock. Then all is cleared, the market stands still, and journal, node and broker are compared: every
fill once, nothing sent twice, equal positions, cash and orders, no order unknown, memory flat, no task and no thread
left.

  minutes=N    how long it trades, 0.2 to 1440 (30); memory is judged from 10 on, rare losses of news come from 2 on
  seed=N       of the faults, the prices and the strategy (1)
  keep=FOLDER  where journal, logs and samples stay; else they are removed
  output=json  the figures as one document

Exit codes: 0 nothing was wrong, 1 something was, 2 bad input. Example: python -m soak alpaca minutes=2 seed=7
"""


def main(argv: Sequence[str]) -> int:
    """Run the soak; answers the exit code."""
    return guarded(lambda: _main(argv))


def _main(argv: Sequence[str]) -> int:
    console = Console()
    if any(word in HELP_WORDS for word in argv):
        console.print(HELP, end="", highlight=False, soft_wrap=True, markup=False)
        return OK
    given = key_values("soak alpaca", argv, KEYS)
    minutes, seed = _minutes(given.get("minutes", MINUTES)), _seed(given.get("seed", SEED))
    if given.get("output", "json") != "json":
        raise ConfigError(f"output={given['output']}: must be json, or leave it out")
    with tempfile.TemporaryDirectory() as scratch:
        figures = _run(Path(given.get("keep", scratch)).absolute(), minutes, seed)
    if "output" in given:
        sys.stdout.write(json.dumps({"minutes": minutes, "seed": seed, **asdict(figures)}, indent=2) + "\n")
    else:
        console.print(_table(figures))
        for problem in figures.problems:
            console.print(problem, highlight=False, markup=False, soft_wrap=True)
        console.print(_verdict(figures), highlight=False)
    return WRONG if figures.problems else OK


def _run(folder: Path, minutes: float, seed: int) -> AlpacaFigures:
    trial = AlpacaTrial(folder, minutes, seed)
    columns = (BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=minutes * 60)
        return trial.run(lambda secs, fault: progress.update(task, completed=secs, description=fault))


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0.2 <= minutes <= MOST_MINUTES:  # noqa: PLR2004 - less is over before anything was traded
        raise ConfigError(f"minutes={text}: must be a number from 0.2 to {MOST_MINUTES:g}")
    return minutes


def _seed(text: str) -> int:
    if not text.isdigit():
        raise ConfigError(f"seed={text}: must be a whole number, 0 or more")
    return int(text)


def _table(figures: AlpacaFigures) -> Table:
    table = Table(title="One fault after another at Alpaca", box=None, padding=(0, 1), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    allowed = f"at most {MOST_GROWTH:.0%}" if figures.judged else "too short to judge"
    memory = f"{figures.first_mib:,.1f} -> {figures.last_mib:,.1f} MiB"
    rows = (
        ("faults", f"{figures.faults:,} of {len(figures.kinds)} kinds"),
        ("sessions of the market", f"{figures.days:,}"),
        ("orders sent", f"{figures.orders:,}"),
        ("fills", f"{figures.fills:,}"),
        ("requests", f"{figures.requests:,}"),
        ("outcomes unknown for a while", f"{figures.unknown:,}"),
        ("halts of exits that did not reduce", f"{figures.resumed:,}"),
        ("agreed after", f"{figures.settled_secs:.1f} s"),
        ("memory", f"{memory}, {figures.growth_pct:+.1f}% ({allowed})"),
        ("tasks at the end", f"{figures.tasks}, left over: {', '.join(figures.tasks_left) or 'none'}"),
        ("threads at the end", f"{figures.threads}, left over: {', '.join(figures.threads_left) or 'none'}"),
        ("seconds", f"{figures.secs:,.0f}"),
        ("wrong", str(len(figures.problems))),
    )
    for row in rows:
        table.add_row(*row)
    return table


def _verdict(figures: AlpacaFigures) -> str:
    if figures.problems:
        return f"{len(figures.problems)} things were wrong."
    return "Nothing was lost, sent twice or left behind."
