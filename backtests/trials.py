"""`python -m backtests trials`: how much has been tried, and what is the best of it worth after so many trials?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from configs.closest import closest
from configs.edge import guarded
from configs.errors import ConfigError
from runs.trials.file import file_of
from runs.trials.reading import Counted, Family, best_of, deflated, families, trials_of
from runs.trials.sharing import export_trials, import_trials
from runs.verbs import key_values
from runs.wording import percent, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = 0
HELP = """python -m backtests trials [KEY=VALUE] ...
python -m backtests trials export file=FILE
python -m backtests trials import file=FILE

Every backtest, trial of a sweep and replay is counted in a ledger, one file in your state folder. Without a word: the
families (the same strategy on the same instruments and bar), how many trials each has, the best of them, and its
deflated Sharpe ratio: how sure that one is above zero after so many trials. The same config on the same data and code
is one trial, however often it is run; one that failed is kept and not counted.

family=TEXT       the trials of one family; a part of its name is enough
trials.path=FILE  another ledger
output=json       one JSON document

export writes the ledger to a new file, import merges such a file of a colleague's; nothing is counted twice.

Example: python -m backtests trials family=ema_cross
Example: python -m backtests trials export file=my_trials.jsonl
"""
_MOST_KEYS = 6
_ROOMY = 10_000  # wider than any family name
_TURNS = ("export", "import")


def trials(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return OK
    return guarded(lambda: _trials(argv))


def _trials(argv: Sequence[str]) -> int:
    words = [word for word in argv if "=" not in word]
    if words and words[0] not in _TURNS:
        near = closest(words[0], _TURNS)
        hint = f"did you mean {near}?" if near else f"it takes {' or '.join(_TURNS)}, or key=value"
        raise ConfigError(f"trials {words[0]}: unknown; {hint}")
    turn = words[0] if words else None
    rest = [word for word in argv if word != turn]
    keys = ("family" if turn is None else "file", "trials.path", "output")
    given = key_values(f"trials {turn}" if turn else "trials", rest, keys)
    output, place = given.get("output", "text"), given.get("trials.path")
    path = Path(place).expanduser() if place else None
    if output not in ("text", "json"):
        raise ConfigError(f"output={output}: must be text or json")
    if turn is not None:
        return _share(turn, given.get("file"), path, output)
    if "family" in given:
        return _show_trials(given["family"], path, output)
    return _show_families(path, output)


def _share(turn: str, file: str | None, path: Path | None, output: str) -> int:
    if not file:
        raise ConfigError(f"trials {turn}: file is missing; give file=FILE, such as file=my_trials.jsonl")
    place = Path(file).expanduser()
    if turn == "export":
        told: dict[str, Any] = {"file": file, "trials": export_trials(place, path)}
        line = f"{told['trials']:,} trials written to {file}"
    else:
        there, new = import_trials(place, path)
        told = {"file": file, "trials": there, "new": new}
        line = f"{there:,} trials in {file}, {new:,} of them new"
    sys.stdout.write((json.dumps(told) if output == "json" else line) + "\n")
    return OK


def _show_families(path: Path | None, output: str) -> int:
    found = families(path)
    if output == "json":
        document = {"ledger": str(file_of(path)), "trials": sum(each.trials for each in found)}
        rows = [{**asdict(each), "best": _document(each.best)} for each in found]
        sys.stdout.write(json.dumps({**document, "families": rows}, indent=2, allow_nan=False) + "\n")
        return OK
    console = Console()
    if found:
        table = _with_names(found)
        roomy = console.options.update(max_width=_ROOMY)
        if console.measure(table, options=roomy).minimum <= console.width:
            console.print(table)
        else:
            console.print(_as_lines(found), soft_wrap=True)
        console.print(
            Text("Deflated: how sure the best Sharpe ratio is above 0 after so many trials", style="dim")
        )
    console.print(
        Text.assemble(("Ledger  ", "bold"), str(file_of(path)), "" if found else "  no trials yet"),
        soft_wrap=True,
    )
    return OK


def _with_names(found: Sequence[Family]) -> Table:
    """A line of figures a family, its name at the end, where it may be folded."""
    table = _table()
    for name in ("Trials", "Failed", "Best", "Deflated"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Last", no_wrap=True)
    table.add_column("Family", overflow="fold")
    for each in found:
        table.add_row(*_cells(each), Text(each.name))
    return table


def _as_lines(found: Sequence[Family]) -> Text:
    """A family's name on a line and its figures below it, where a table would break names inside a word."""
    lines = []
    for each in found:
        trials, failed, best, sure, last = _cells(each)
        lines += [each.name, f"  trials {trials}, {failed} failed, best {best}, deflated {sure}, last {last}"]
    return Text("\n".join(lines) + "\n")


def _cells(family: Family) -> tuple[str, ...]:
    return (
        f"{family.trials:,}",
        f"{family.failed:,}",
        ratio(None if family.best is None else family.best.sharpe),
        percent(family.deflated_sharpe),
        _day(family.last_at),
    )


def _show_trials(text: str, path: Path | None, output: str) -> int:
    name = _one_family(text, path)
    found = trials_of(name, path)
    best = best_of(found)
    sure = None if best is None else deflated(best, found)
    if output == "json":
        document = {
            "family": name,
            "trials": sum(each.error is None for each in found),
            "best": None if best is None else best.key,
            "deflated_sharpe": sure,
            "rows": [_document(each) for each in found],
        }
        sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")
        return OK
    console = Console()
    console.print(Text(name, style="bold"))
    table = _table()
    for heading in ("Sharpe", "Return", "Drawdown", "Days", "Runs"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("First", no_wrap=True)
    table.add_column("What differs", overflow="fold")
    for each, differs in zip(found, _differences(found), strict=True):
        table.add_row(
            ratio(each.sharpe),
            percent(each.total_return, signed=True),
            percent(each.max_drawdown),
            f"{each.days:,}",
            f"{each.repeats + 1:,}",
            _day(each.first_at),
            Text(f"failed: {each.error}" if each.error else differs),
            style="bold" if each is best else "",
        )
    console.print(table)
    if best is not None:
        count = sum(each.error is None for each in found)
        console.print(f"Deflated Sharpe of the best after {count:,} trials: {percent(sure)}", highlight=False)
    return OK


def _day(stamp: str) -> str:
    """The UTC day of a time in the ledger."""
    return stamp[:10]


def _one_family(text: str, path: Path | None) -> str:
    names = [each.name for each in families(path)]
    found = [name for name in names if name == text] or [
        name for name in names if text.lower() in name.lower()
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"family={text}: is in {len(found)} of them: {'; '.join(found)}; write more of one")
    raise ConfigError(f"family={text}: no such family in the ledger; `python -m backtests trials` lists them")


def _differences(found: Sequence[Counted]) -> list[str]:
    """Of each trial the keys that are not the same in all, as a user writes them; code and data where only they are."""
    flat = [dict(_leaves("", json.loads(each.config))) for each in found]
    keys = sorted({key for each in flat for key in each})
    own = [key for key in keys if len({json.dumps(each.get(key)) for each in flat}) > 1]
    own.sort(key=lambda key: not key.startswith("strateg"))
    told = []
    for each, leaves in zip(found, flat, strict=True):
        shown = [key for key in own if key in leaves]
        parts = [f"{key.replace('.params.', '.')}={leaves[key]}" for key in shown[:_MOST_KEYS]]
        parts += [f"and {len(shown) - _MOST_KEYS} more keys"] if len(shown) > _MOST_KEYS else []
        parts += [f"code {each.code[:8]}"] if len({other.code for other in found}) > 1 else []
        parts += [f"data {each.data_version[:8]}"] if len({other.data_version for other in found}) > 1 else []
        told.append(" ".join(parts))
    return told


def _leaves(prefix: str, node: object) -> list[tuple[str, Any]]:
    if not isinstance(node, dict):
        return [(prefix, node)]
    return [
        leaf for key, child in node.items() for leaf in _leaves(f"{prefix}.{key}" if prefix else key, child)
    ]


def _document(trial: Counted | None) -> dict[str, Any] | None:
    """A trial as JSON: its config as it was, `sharpe` a year's and `sharpe_daily` a day's."""
    if trial is None:
        return None
    track = trial.track
    document = {**asdict(trial), "config": json.loads(trial.config), "kinds": list(trial.kinds)}
    del document["track"]
    return {**document, "sharpe_daily": None if track is None else track.sharpe}


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False)
