"""Which files of data does a strategy open by itself, while it is imported and while it runs?

What Python opens is seen (pandas.read_csv, numpy.load, gzip, a data package's first import); what a library opens below
Python (Arrow, the engine's catalog) is not: backtests/bias/foreign.py looks at what comes of that.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backtests.bias.finding import Finding, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from configs.schema import RunConfig
    from market.market_data import MarketData

OPENED = "files opened"
_DATA = frozenset(
    {
        ".csv",
        ".gz",
        ".zip",
        ".tsv",
        ".bz2",
        ".xz",
        ".zst",
        ".parquet",
        ".pq",
        ".feather",
        ".arrow",
        ".json",
        ".jsonl",
        ".npy",
        ".npz",
        ".pkl",
        ".pickle",
        ".joblib",
        ".h5",
        ".hdf5",
        ".xls",
        ".xlsx",
        ".db",
        ".sqlite",
        ".sqlite3",
        ".duckdb",
    }
)
_OPENS = frozenset({"open", "sqlite3.connect"})
_PACKAGE = "bokeh_sampledata"
_EACH = "{symbol}"  # in `data.path`: one file for each
_heard: list[list[str]] = []  # the lists that paths go to at the moment
_listening: list[bool] = []  # not empty once Python tells of what it opens; it cannot be told to stop


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect the paths of files of data that Python code opens meanwhile."""
    if not _listening:
        sys.addaudithook(_hear)
        _listening.append(True)
    paths: list[str] = []
    _heard.append(paths)
    try:
        yield paths
    finally:
        _heard.remove(paths)


def _hear(event: str, args: tuple[object, ...]) -> None:
    if event not in _OPENS or not _heard:
        return
    path = args[0]
    if isinstance(path, str | bytes | os.PathLike):
        name = os.fsdecode(path)
        if os.path.splitext(name)[1].lower() in _DATA:  # noqa: PTH122 - no object for each of thousands of files
            _heard[-1].append(name)


def opened(
    config: RunConfig, market: MarketData, imported: list[str], paths: list[str]
) -> tuple[Finding, list[str]]:
    """The finding, caught where one of the files holds the run's own data, and a note of others.

    imported, paths: what was opened while the strategy's modules were imported, and while it ran.
    """
    when = dict.fromkeys(map(_absolute, paths), "while it ran") | dict.fromkeys(
        map(_absolute, imported), "while it was imported"
    )
    own = [path for path in when if _is_own(config, market, Path(path))]
    others = [path for path in when if path not in own]
    notes = [f"it opened {path} by itself: what it takes from there is not checked" for path in others]
    if not own:
        return passed(OPENED, len(when), "it opened no file of the run's own data"), notes
    text = f"{when[own[0]]} it opened {own[0]}, the run's own data, which holds the future as well"
    return Finding(OPENED, caught=True, tried=len(when), failed=len(own), evidence=text), notes


def _absolute(path: str) -> str:
    return str(Path(path).absolute())


def _is_own(config: RunConfig, market: MarketData, path: Path) -> bool:
    """Whether a file holds the run's own data, by whichever link it was opened."""
    if config.data.source.startswith("market.us_equities:") and _PACKAGE in path.parts:
        return True
    path = path.resolve()
    if path.is_relative_to(market.catalog_path.resolve()):
        return True
    given = getattr(config.data, "path", None)
    if given is None or config.data.source.startswith("market.us_equities:"):
        return False
    folder = Path(given).expanduser().resolve()
    if folder.is_dir():
        return path.is_relative_to(folder)
    return path in {Path(str(folder).replace(_EACH, symbol)) for symbol in (_EACH, *market.symbols)}
