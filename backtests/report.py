"""`python -m backtests report RUN_DIR`: the page of a finished run or sweep, made again from its folder."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backtests.trial import market_of
from configs.edge import OK, guarded, say
from configs.errors import ConfigError
from runs.artifacts import TEARSHEET
from runs.folder import reopened_folder
from runs.page.reading import Finished, read_run
from runs.page.seen import closes_of
from runs.prices import read_prices
from runs.tearsheet import page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.page.seen import Seen

HELP = """python -m backtests report RUN_DIR [output=json]

Writes the page of a finished run (tearsheet.html) or sweep (sweep.html) again, from what its folder holds: with the
bias checks and sweeps that were made since, and after run.tearsheet=false. It needs no network, and neither does the
page. Prices lie with the data: where that is gone or another version, trades are drawn without them. Runs that
python -m live made of past data have the same page.

output=json       one JSON document: page, kind

Example: python -m backtests report outputs/backtests/NAME

Exit codes: 0 ok, 1 failed, 2 bad input.
"""
SWEEP = "sweep.json"
SWEEP_PAGE = "sweep.html"


def report(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person asked to read
        return OK
    return guarded(lambda: _report(argv))


def _report(argv: Sequence[str]) -> int:
    [path], output = folders("report", argv, 1)
    kind, name, page = (
        ("sweep", SWEEP_PAGE, _sweep(path)) if (path / SWEEP).is_file() else ("run", TEARSHEET, _run(path))
    )
    with reopened_folder(path) as folder:
        written = folder.write(name, page)
    told = {"page": str(written), "kind": kind}
    sys.stdout.write((json.dumps(told) if output == "json" else f"Page of the {kind}: {written}") + "\n")
    return OK


def folders(verb: str, argv: Sequence[str], count: int) -> tuple[list[Path], str]:
    """The folders a verb was given, and how it is to print. Raises ConfigError."""
    outputs = [word.removeprefix("output=") for word in argv if word.startswith("output=")]
    words = [word.removeprefix("run_dir=") for word in argv if not word.startswith("output=")]
    if len(words) != count:
        names = " ".join(["RUN_DIR"] if count == 1 else ["RUN_A", "RUN_B"])
        raise ConfigError(
            f"{verb} takes {count} run folder{'s' * (count > 1)}, not {len(words)}: python -m backtests {verb} {names}"
        )
    output = outputs[-1] if outputs else "text"
    if output not in ("text", "json"):
        raise ConfigError(f"output={output}: must be text or json")
    return [Path(word).expanduser() for word in words], output


def _run(path: Path) -> str:
    return page_of(with_prices(read_run(path)))


def with_prices(run: Finished) -> Seen:
    """The run with the prices it saw, where its data is still there; else it says why not."""
    seen = run.seen
    why = None
    try:
        market = market_of(run.config)
        if market.version == seen.summary.data_version:
            return replace(seen, prices=closes_of(read_prices(market, int(seen.ts[-1]))))
        why = f"that run saw data {seen.summary.data_version}, now there is {market.version}"
    except Exception as error:  # noqa: BLE001 - whatever keeps a source from opening, the page tells it
        why = str(error)
    say(f"prices are left out: {why}")
    return replace(seen, no_prices=f"Prices are left out: {why}.")


def _sweep(path: Path) -> str:
    from backtests.search.again import page_again  # noqa: PLC0415 - a run's page needs nothing of sweeps

    return page_again(path)
