"""Which files of data does a strategy open by itself while it runs?

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
        ".parquet",
        ".feather",
        ".arrow",
        ".json",
        ".npy",
        ".npz",
        ".pkl",
        ".h5",
        ".hdf5",
        ".xlsx",
        ".db",
    }
)
_PACKAGE = "bokeh_sampledata"
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
    if event != "open" or not _heard:
        return
    path = args[0]
    if isinstance(path, str | bytes | os.PathLike):
        name = os.fsdecode(path)
        if os.path.splitext(name)[1].lower() in _DATA:  # noqa: PTH122 - no object for each of thousands of files
            _heard[-1].append(name)


def opened(config: RunConfig, market: MarketData, paths: list[str]) -> tuple[Finding, list[str]]:
    """The finding, caught where one of the files holds the run's own data, and a note of others."""
    distinct = list(dict.fromkeys(str(Path(path).absolute()) for path in paths))
    own = [path for path in distinct if _is_own(config, market, Path(path))]
    others = [path for path in distinct if path not in own]
    notes = [f"it opened {path} by itself: what it takes from there is not checked" for path in others]
    if not own:
        return passed(OPENED, len(distinct), "it opened no file of the run's own data"), notes
    text = f"while it ran it opened {own[0]}, the run's own data, which holds the future as well"
    return Finding(OPENED, caught=True, tried=len(distinct), failed=len(own), evidence=text), notes


def _is_own(config: RunConfig, market: MarketData, path: Path) -> bool:
    if path.is_relative_to(market.catalog_path.absolute()):
        return True
    if config.data.source.startswith("market.us_equities:"):
        return _PACKAGE in path.parts
    given = getattr(config.data, "path", None)
    if given is None:
        return False
    folder = Path(given).expanduser().absolute()
    return path == folder or path.is_relative_to(folder if folder.is_dir() else folder / "*")
