"""`python -m backtests holdout`: days that nobody looks at until the end, and who did."""

from __future__ import annotations

import io
import json
import sys
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backtests.run import whole_run
from backtests.trial import market_of
from backtests.windows.legs import calendar_of
from backtests.windows.settings import holdout_settings
from configs.closest import closest
from configs.edge import OK, guarded, one_line, told
from configs.errors import ConfigError
from configs.load import Composed, load, main, plain
from runs.prepare import prepare
from runs.trials import family_of
from runs.trials.file import file_of
from runs.trials.holdouts import (
    Holdout,
    HoldoutError,
    begin_opening,
    declare,
    end_opening,
    holdouts,
    in_force,
)
from runs.verbs import key_values
from runs.wording import percent, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtests.windows.settings import HoldoutSettings

KIND = "holdout"
"""What the ledger of trials calls a run on held-out days."""
HELP = """python -m backtests holdout [trials.path=FILE] [output=json]
python -m backtests holdout declare start=DATE [GROUP=OPTION] [KEY=VALUE] ...
python -m backtests holdout open reason=TEXT [GROUP=OPTION] [KEY=VALUE] ...

Sets the last days of the data aside. From then on every backtest, sweep and walk-forward of the same strategy on the
same instruments and bar that would trade on them is refused. `open` runs one config on them, once, and the ledger of
trials remembers who looked, when, why, with which config, and what came out. Without a word: all hold-outs.

declare and open take what `python -m backtests run` takes (its --help lists it), and:

  start=DATE       first day held out, in the data's zone
  share=0.2        instead: the last share of the session days
  reason=TEXT      why; open must have one
  again=true       open what was opened before; it is shown as spoiled ever after

Each of them may also be written holdout.start=, holdout.share= ...

Example: python -m backtests holdout declare strategy=ema_cross start=2010-01-01
Example: python -m backtests holdout output=json

Exit codes: 0 ok, 1 the run failed, 2 bad input or held out, 130 interrupted.
"""
_TURNS = ("declare", "open")
_NOT_OPENED = ("start", "end", "max_bars")
_RESULT = (
    "total_return",
    "cagr",
    "sharpe",
    "max_drawdown",
    "trades",
    "first_bar",
    "last_bar",
    "deflated_sharpe",
)


def holdout(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return OK
    return guarded(lambda: _holdout(list(argv)))


def _holdout(argv: list[str]) -> int:
    turns = [word for word in argv if "=" not in word and not word.startswith("-")]
    if not turns:
        return _list(argv)
    turn = argv[0]
    if turn not in _TURNS:
        near = closest(turn, _TURNS)
        hint = f"did you mean {near}?" if near else f"it takes {' or '.join(_TURNS)} first, then key=value"
        raise ConfigError(f"holdout {turn}: unknown; {hint}")
    settings, words = holdout_settings(argv[1:])
    work = _declare if turn == "declare" else _open
    return main("backtest", words, lambda composed: work(composed, settings))


def _list(argv: Sequence[str]) -> int:
    given = key_values("holdout", argv, ("trials.path", "output"))
    place = given.get("trials.path")
    path = Path(place).expanduser() if place else None
    if given.get("output", "text") not in ("text", "json"):
        raise ConfigError(f"output={given['output']}: must be text or json")
    found = holdouts(path)
    if given.get("output") == "json":
        _write({"ledger": str(file_of(path)), "holdouts": [_document(each) for each in found]})
        return OK
    console = Console()
    for each in found:
        _show(console, each)
    console.print(
        Text.assemble(("Ledger  ", "bold"), str(file_of(path)), "" if found else "  no hold-outs yet"),
        soft_wrap=True,
    )
    return OK


def _declare(composed: Composed, settings: HoldoutSettings) -> int:
    config = composed.config
    if (settings.start is None) == (settings.share is None):
        raise ConfigError("holdout declare: give one of start=2010-01-01 and share=0.2")
    if settings.again:
        raise ConfigError("holdout.again=true is for holdout open")
    market = market_of(config)
    calendar = calendar_of(config, market)
    start = settings.start
    if start is None:
        first = round(len(calendar) * (1 - (settings.share or 0.0)))
        if not 0 < first < len(calendar):
            raise ConfigError(
                f"holdout.share={settings.share}: {len(calendar):,} session days have no such share"
            )
        start = calendar.day(first)
    elif not calendar.day(0) < start <= calendar.day(len(calendar) - 1):
        raise ConfigError(
            f"holdout.start={start}: the data has days from {calendar.day(0)} to {calendar.day(len(calendar) - 1)}; "
            "choose one after the first"
        )
    held = declare(family_of(config, market.symbols), start, settings.reason, config.trials.path)
    if config.output == "json":
        _write(_document(held))
    else:
        _show(Console(), held)
    return OK


def _open(composed: Composed, settings: HoldoutSettings) -> int:
    config = composed.config
    if settings.reason is None:
        raise ConfigError('holdout open: say why, as in reason="the last check before paper trading"')
    if settings.start is not None or settings.share is not None:
        raise ConfigError("holdout open: start and share are for holdout declare; it opens what was declared")
    for key in _NOT_OPENED:
        if getattr(config.run, key) is not None:
            raise ConfigError(f"run.{key}: holdout open runs on all that is held out; leave it out")
    market, path = market_of(config), config.trials.path
    held = in_force(family_of(config, market.symbols), path)
    if held is None:
        raise HoldoutError(
            f"{family_of(config, market.symbols)}: nothing is held out; set days aside with "
            "python -m backtests holdout declare ... start=DATE"
        )
    chosen = _from(composed, date.fromisoformat(held.start))
    ready = prepare(chosen.config)
    number = begin_opening(
        held, chosen.config, ready.market, reason=settings.reason, again=settings.again, path=path
    )
    as_json = config.output == "json"
    try:
        with redirect_stdout(io.StringIO()) if as_json else nullcontext():
            summary = whole_run(chosen, ready, KIND)
    except Exception as error:
        if not isinstance(getattr(error, "exit_code", None), int):
            raise  # whatever it was, something may have been shown: it stays a look
        end_opening(number, error=one_line(error), path=path)
        return told(error)
    result = {name: getattr(summary, name) for name in _RESULT}
    end_opening(number, result=result, folder=str(Path(summary.run_dir).absolute()), path=path)
    now = in_force(held.family, path) or held
    if as_json:
        _write(_document(now))
    else:
        _show(Console(), now)
    return OK


def _from(composed: Composed, start: date) -> Composed:
    """The same run, traded from a day on; what lies before is history that it learns from."""
    import yaml  # noqa: PLC0415 - one use

    document = plain(composed.text)
    document["run"] = {**document.get("run", {}), "start": start.isoformat()}
    return load(yaml.safe_dump(document, sort_keys=False))


def _document(held: Holdout) -> dict[str, Any]:
    """A hold-out as JSON, with its state, and the config of each opening as it was."""
    openings = [
        {**asdict(each), "config": json.loads(each.config), "spoiled": each.again} for each in held.openings
    ]
    return {**asdict(held), "state": held.state, "openings": openings}


def _show(console: Console, held: Holdout) -> None:
    colours = {"closed": "green", "opened": "yellow", "spoiled": "red"}
    console.print(
        Text.assemble(
            (held.family, "bold"), f"  from {held.start} on: ", (held.state, f"bold {colours[held.state]}")
        )
    )
    why = f": {held.reason}" if held.reason else ""
    console.print(Text(f"  set aside by {held.by} on {held.at[:10]}{why}"))
    if held.seen:
        console.print(
            Text(
                f"  {held.seen:,} trials counted before may have seen these days: the test is not blind",
                style="yellow",
            )
        )
    if held.openings:
        console.print(_openings(held))


def _openings(held: Holdout) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("opened", "by", "why", "Sharpe", "return", "drawdown", ""):
        table.add_column(name, overflow="fold")
    for each in held.openings:
        result = each.result or {}
        state = "failed, showed nothing" if each.error else "spoiled" if each.again else ""
        if each.result is None and each.error is None:
            state = "killed; counts as a look"
        table.add_row(
            each.at[:10],
            each.by,
            each.reason,
            ratio(result.get("sharpe")),
            percent(result.get("total_return"), signed=True),
            percent(result.get("max_drawdown")),
            Text(state, style="red" if state else ""),
        )
    return table


def _write(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
