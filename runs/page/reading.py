"""What does the folder of a finished run hold, read back as its page needs it?"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from configs.errors import ConfigError
from configs.load import load
from runs.days import day_ends
from runs.folder import CONFIG, SUMMARY
from runs.page.config_text import kept_in
from runs.page.related import related_to
from runs.page.seen import Seen
from runs.trades import Trade

if TYPE_CHECKING:
    from pathlib import Path

    from configs.schema import RunConfig
    from runs.record import Row
    from runs.summary import Summary

_NO_RUNS = {
    "walk_forward.json": "is the folder of a walk-forward, which has no page: look at walk_forward.png and "
    "summary.json in it, or give the folder of a run",
    "sweep.json": "is the folder of a sweep, not of a run: python -m backtests report makes its page again, and "
    "python -m backtests rerun makes a run of best/ in it",
}
"""A file that only such a folder holds -> what to say of it."""
_TIMES = ("ts", "entry_ts", "exit_ts")


@dataclass(frozen=True)
class Finished:
    """A run folder: its config, and its run without prices, which lie with the data."""

    path: Path
    config: RunConfig
    seen: Seen


def read_run(path: Path) -> Finished:
    """Read a finished run back. Raises ConfigError, one line, where the folder holds none that has a page."""
    summary = _summary(path)
    try:
        config = load((path / CONFIG).read_text(encoding="utf-8")).config
    except OSError as error:
        raise ConfigError(f"{path}: its {CONFIG} cannot be read: {error.strerror}") from error
    equity = _table(path, "equity")
    if not len(equity["ts"]):
        raise ConfigError(f"{path}: that run saw no bar, so there is nothing to show")
    ts = _stamps(equity["ts"])
    kept = kept_in(path)
    seen = Seen(
        title=config.strategy.strategy_path.rpartition(":")[2],
        summary=summary,
        zone=config.data.zone,
        days_per_year=config.data.days_per_year,
        ts=ts,
        equity=equity["equity"].cast("float64").to_numpy(),
        gross=equity["gross_exposure"].to_numpy(),
        benchmark=equity["buy_and_hold"].to_numpy(),
        days=day_ends(ts, config.data.zone),
        prices={},
        trades=[_trade(row) for row in _rows(path, "positions")],
        refusals=_rows(path, "refusals"),
        trips=_rows(path, "trips"),
        notices=_rows(path, "notices"),
        kept=kept,
        related=related_to(kept, config.symbols, summary.data_version, path),
    )
    return Finished(path, config, seen)


def summary_of(text: str | bytes) -> Summary:
    """A `summary.json`, exact: amounts are Decimals again. Keys of other versions are left out or None."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - with what its hints name, which only a reader needs

    from runs import portfolio, summary  # noqa: PLC0415 - as above

    adapter: Any = TypeAdapter(summary.Summary)
    names = {name: getattr(portfolio, name) for name in ("Capacity", "Contribution", "Together")}
    adapter.rebuild(force=True, _types_namespace={**vars(summary), **names})
    read: Summary = adapter.validate_json(text)
    return read


def _summary(path: Path) -> Summary:
    if not path.is_dir():
        raise ConfigError(
            f"{path}: there is no such folder; give that of a finished run, as in outputs/backtests/NAME"
        )
    try:
        text = (path / SUMMARY).read_bytes()
    except OSError:
        what = "holds an unfinished run" if (path / CONFIG).is_file() else "holds no run"
        raise ConfigError(
            f"{path} {what} ({SUMMARY} is missing); give the folder of a finished one"
        ) from None
    try:
        return summary_of(text)
    except ValueError as error:
        for file, told in _NO_RUNS.items():
            if (path / file).is_file():
                raise ConfigError(f"{path} {told}") from error
        raise ConfigError(f"{path / SUMMARY} is not the summary of a run: {_first(error)}") from error


def _first(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"


def _table(path: Path, name: str) -> Any:
    file = path / f"{name}.parquet"
    try:
        return pq.read_table(file)
    except OSError as error:
        raise ConfigError(
            f"{path}: {file.name} is missing or broken; of a run on a broker's account python -m live report tells"
        ) from error
    except ValueError as error:  # what pyarrow raises for a file that is none of its own
        raise ConfigError(f"{file} cannot be read: {error}") from error


def _rows(path: Path, name: str) -> list[Row]:
    table = _table(path, name)
    columns = {
        column: _stamps_or_none(table[column]) if column in _TIMES else table[column].to_pylist()
        for column in table.column_names
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _trade(row: Row) -> Trade:
    return Trade(**{field.name: row[field.name] for field in fields(Trade)})


def _stamps(column: Any) -> Any:
    return column.cast("int64").to_numpy().astype(np.int64)


def _stamps_or_none(column: Any) -> list[int | None]:
    stamps: list[int | None] = column.cast("int64").to_pylist()
    return stamps
