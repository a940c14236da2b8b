"""`python -m backtests compare RUN_A RUN_B`: two finished runs side by side, with what differs in their configs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backtests.report import SWEEP, folders
from backtests.versus.difference import difference
from backtests.versus.words import document, show, to_json
from configs.edge import OK, guarded
from configs.errors import ConfigError
from runs.folder import open_folder
from runs.page.reading import read_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.page.reading import Finished

HELP = """python -m backtests compare RUN_A RUN_B [KEY=VALUE] ...

Puts two finished runs side by side: their figures and the difference, the keys in which their configs differ, whether
they saw the same data and ran the same code, and both equity curves on one page. A and B may be backtests or runs that
python -m live made of past data.

run.dir=FOLDER    where the page goes; none makes a new folder under outputs/compares/
output=json       one JSON document: figures, config, versions, notes, page

Example: python -m backtests compare outputs/backtests/ONE outputs/backtests/OTHER

Exit codes: 0 ok, 1 failed, 2 bad input.
"""
PAGE, DOCUMENT = "compare.html", "compare.json"
_DIR = "run.dir="


def compare(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person asked to read
        return OK
    return guarded(lambda: _compare(argv))


def _compare(argv: Sequence[str]) -> int:
    places = [word.removeprefix(_DIR) for word in argv if word.startswith(_DIR)]
    paths, output = folders("compare", [word for word in argv if not word.startswith(_DIR)], 2)
    found = difference(*(_run(path) for path in paths))
    with open_folder("compares", "compare", Path(places[-1]) if places else None) as folder:
        page = str(folder.path / PAGE)
        told = document(found, page)
        from backtests.versus.page import page_of  # noqa: PLC0415 - bad input is refused before

        folder.write(PAGE, page_of(found, told))
        folder.write(DOCUMENT, to_json(told) + "\n")
    if output == "json":
        sys.stdout.write(to_json(told) + "\n")
    else:
        show(found, page)
    return OK


def _run(path: Path) -> Finished:
    if (path / SWEEP).is_file():
        raise ConfigError(
            f"{path} holds a sweep; compare takes two runs, and rerun {path}/best makes one of its best"
        )
    return read_run(path)
