"""Which files of data are opened while a strategy's modules are imported?

They were imported when the config was read, so a process of their own imports them again and tells what it opened.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from backtests.bias.opened import listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from configs.schema import RunConfig

_CHILD = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from backtests.bias.imported import tell; tell()"
_TIMEOUT_SECS = 600
_ALREADY = ("nautilus_trader.trading", "pandas", "numpy", "pydantic")
"""What is imported before anything counts."""
_SETTINGS = frozenset({".json", ".zip", ".gz", ".db"})
"""Kinds of files that installed packages read for themselves: of these they are no data."""
_INSTALLED = ("site-packages", "dist-packages")


@contextmanager
def importing(config: RunConfig) -> Iterator[Callable[[], tuple[list[str], list[str]]]]:
    """Begin to import the strategies' modules in a process of their own; yields what waits for its answer.

    The answer: the files of data that were opened, and notes of what could not be looked at.
    """
    strategies, algorithms = config.all_strategies.values(), config.exec_algorithms.values()
    paths = [path for spec in strategies for path in (spec.strategy_path, spec.config_path)]
    paths += [path for spec in algorithms for path in (spec.algorithm_path, spec.config_path)]
    names = {path.partition(":")[0] for path in paths}
    wanted = sorted(names - {"__main__"})
    folders = [*dict.fromkeys(filter(None, map(_elsewhere, wanted))), *sys.path]
    command = [sys.executable, "-c", _CHILD, json.dumps(folders), *wanted]
    child = subprocess.Popen(  # noqa: S603 - this Python, and modules that this process imported as well
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    def answer() -> tuple[list[str], list[str]]:
        notes = ["what a notebook opened before the check is not seen"] if "__main__" in names else []
        try:
            said, errors = (_lines(each) for each in child.communicate(timeout=_TIMEOUT_SECS))
        except subprocess.TimeoutExpired:
            said, errors = [], [f"it took more than {_TIMEOUT_SECS} s"]
        if child.returncode != 0 or not said:
            why = errors[-1] if errors else f"exit code {child.returncode}"
            return [], [*notes, f"what its modules open when they are imported could not be seen: {why}"]
        return [path for path in json.loads(said[-1]) if not _is_setting(path)], notes

    with child:
        try:
            yield answer
        finally:
            child.kill()


def tell() -> None:
    """In that process: import what the command line names, print the paths of data that were opened as JSON."""
    for name in _ALREADY:
        import_module(name)
    out, sys.stdout = sys.stdout, sys.stderr  # what a module prints is no answer
    with listening() as paths:
        for name in sys.argv[2:]:
            import_module(name)
    out.write(f"\n{json.dumps([str(Path(path).absolute()) for path in paths])}\n")


def _elsewhere(name: str) -> str | None:
    """The folder that holds a module's top-level package, where Python's path would find another one of that name."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return None
    own = Path(file).absolute()
    root = (own.parent if own.name == "__init__.py" else own).parents[name.count(".")]
    top = name.partition(".")[0]
    found = PathFinder.find_spec(top)
    places = [] if found is None else [found.origin, *(found.submodule_search_locations or ())]
    beside = {Path(place).absolute() for place in places if place is not None}
    return None if beside & {root / top, root / top / "__init__.py", root / f"{top}.py"} else str(root)


def _lines(said: bytes) -> list[str]:
    return said.decode(errors="replace").strip().splitlines()


def _is_setting(path: str) -> bool:
    found = Path(path)
    return found.suffix.lower() in _SETTINGS and any(place in found.parts for place in _INSTALLED)
