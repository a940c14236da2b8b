"""`make soak`, or `python -m soak kills=20`: is anything lost when a node is killed again and again?"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from configs.edge import guarded
from configs.errors import ConfigError
from runs.verbs import key_values
from soak import alpaca
from soak.scenarios import SCENARIOS, Scenario
from soak.trial import Figures, Trial

KEYS = ("kills", "seed", "only", "to", "keep")
KILLS, SEED = 200, 1
HELP = """python -m soak [kills=200] [seed=1] [only=WORDS] [to=FILE.json] [keep=FOLDER]
python -m soak alpaca [minutes=30] [seed=1]

Kills a live node on a local paper account at moments drawn from a seed, starts it again, and compares journal, node and
broker each time: no order and no fill lost, none sent or counted twice, halts and peaks right, every hash chain whole.

  kills=N     how many, shared out over the scenarios (200)
  only=WORDS  only scenarios whose name holds these words
  to=FILE     the figures as JSON too
  keep=FOLDER where journals and logs stay; else they are removed

With `alpaca` first: one node at a local Alpaca, one fault after another; python -m soak alpaca --help says more.

Exit codes: 0 nothing was wrong, 1 something was, 2 bad input. Example: python -m soak kills=20 only=faults
"""


def shares(kills: int, scenarios: Sequence[Scenario]) -> list[int]:
    """How many kills each scenario gets; they add up, and none gets less than one."""
    whole = sum(each.share for each in scenarios)
    found = [max(1, kills * each.share // whole) for each in scenarios]
    found[-1] = max(1, found[-1] + kills - sum(found))
    return found


def main(argv: Sequence[str]) -> int:
    """Run the soak; answers the exit code."""
    if argv and argv[0] == "alpaca":
        return alpaca.main(argv[1:])
    return guarded(lambda: _main(argv))


def _main(argv: Sequence[str]) -> int:
    console = Console()
    if "--help" in argv or "-h" in argv:
        console.print(HELP, end="", highlight=False, soft_wrap=True, markup=False)
        return 0
    given = key_values("soak", argv, KEYS)
    kills, seed = _number(given, "kills", KILLS), _number(given, "seed", SEED)
    chosen = [each for each in SCENARIOS if given.get("only", "") in each.name]
    if not chosen:
        raise ConfigError(
            f"only={given['only']}: no such scenario; there are {', '.join(e.name for e in SCENARIOS)}"
        )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(given.get("keep", scratch)).absolute()
        found = _run(folder, kills, seed, chosen)
    console.print(_table(found))
    problems = [f"{name}: {each}" for name, figures in found.items() for each in figures.problems]
    for problem in problems:
        console.print(problem, highlight=False, markup=False, soft_wrap=True)
    if "to" in given:
        text = json.dumps({name: asdict(figures) for name, figures in found.items()}, indent=2)
        Path(given["to"]).write_text(text + "\n", encoding="utf-8")
    console.print(
        "Nothing was lost." if not problems else f"{len(problems)} things were wrong.", highlight=False
    )
    return 1 if problems else 0


def _run(folder: Path, kills: int, seed: int, chosen: Sequence[Scenario]) -> dict[str, Figures]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found = {}
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=kills)
        for number, (scenario, share) in enumerate(zip(chosen, shares(kills, chosen), strict=True)):
            progress.update(task, description=scenario.name)
            trial = Trial(scenario, folder / str(number), seed + number)
            found[scenario.name] = trial.run(
                share,
                lambda: progress.advance(task),
                lambda text, name=scenario.name: progress.console.print(  # type: ignore[misc]
                    f"{name}: {text}", highlight=False, markup=False, soft_wrap=True
                ),
            )
    return found


def _number(given: dict[str, str], key: str, default: int) -> int:
    text = given.get(key, str(default))
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(f"{key}={text}: a whole number above 0")
    return int(text)


def _table(found: dict[str, Figures]) -> Table:
    table = Table(title="Killed and started again", box=None, padding=(0, 1))
    names = ("kills", "broker_kills", "compared", "orders", "fills", "trips", "resumed", "unknown", "secs")
    table.add_column("scenario")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_column("wrong", justify="right")
    for scenario, figures in found.items():
        row = [f"{getattr(figures, name):,.0f}" for name in names]
        table.add_row(scenario, *row, str(len(figures.problems)))
    totals = [f"{sum(getattr(each, name) for each in found.values()):,.0f}" for name in names]
    table.add_row("all", *totals, str(sum(len(each.problems) for each in found.values())), style="bold")
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
