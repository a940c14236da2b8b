"""How do two people count their trials together? One file out, one file in, and nothing is counted twice.

JSON Lines: first what the file is, then a line a trial and a line a run. Run folders stay out of it: they are places on
the machine of whoever ran them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, Integer, func, select

from configs.errors import ConfigError
from runs.trials.file import reading, writing
from runs.trials.tables import RUNS, TRIALS
from runs.trials.writing import add

if TYPE_CHECKING:
    from sqlalchemy import Table

_HEAD = "keel_trials"
_FORMAT = 1  # of an exported file, whatever the version of the ledger it came from


def export_trials(file: Path, path: Path | None = None) -> int:
    """Write the ledger to a new file and answer how many trials it holds. Raises ConfigError and LedgerError."""
    trials: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    with reading(path) as connection:
        if connection is not None:
            trials = [
                dict(row) for row in connection.execute(select(TRIALS).order_by(TRIALS.c.key)).mappings()
            ]
            kept = [column for column in RUNS.columns if column.name != "folder"]
            runs = [dict(row) for row in connection.execute(select(*kept).order_by(RUNS.c.id)).mappings()]
    lines = [{_HEAD: _FORMAT}, *({"trial": row} for row in trials), *({"run": row} for row in runs)]
    try:
        with file.open("x", encoding="utf-8") as out:
            out.writelines(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    except FileExistsError:
        raise ConfigError(f"file={file}: is there already, and nothing is ever overwritten") from None
    except OSError as error:
        raise ConfigError(f"file={file}: cannot be written: {error.strerror}") from error
    return len(trials)


def import_trials(file: Path, path: Path | None = None) -> tuple[int, int]:
    """Merge a file of `export_trials` and answer how many trials it holds, and how many of them were new.

    Raises ConfigError for a file that cannot be read or is something else, LedgerError for the ledger.
    """
    trials, runs = _read(file)
    with writing(path) as connection:
        count = select(func.count()).select_from(TRIALS)
        before = connection.execute(count).scalar_one()
        if trials:
            add(connection, trials, runs)
        return len(trials), connection.execute(count).scalar_one() - before


def _read(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise ConfigError(f"file={file}: cannot be read: {why}") from error
    trials: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            document = json.loads(line)
            kind, row = next(iter(document.items()))
        except (ValueError, AttributeError, StopIteration):
            raise _not_ours(file, number) from None
        if (kind == _HEAD) != (number == 1):
            raise _not_ours(file, number)
        if kind == _HEAD:
            _check_version(file, row)
        elif kind == "trial":
            trials.append(_row(TRIALS, row, file, number))
        elif kind == "run":
            runs.append({**_row(RUNS, {"folder": None, **row}, file, number), "folder": None})
        else:
            raise _not_ours(file, number)
    if not lines:
        raise _not_ours(file, 1)
    return _whole(trials, runs, file)


def _whole(
    trials: list[dict[str, Any]], runs: list[dict[str, Any]], file: Path
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both, if they belong together."""
    if {row["key"] for row in trials} != {row["trial"] for row in runs}:
        raise ConfigError(f"file={file}: is cut short; export it again")
    return trials, runs


def _check_version(file: Path, version: object) -> None:
    if version != _FORMAT:
        raise ConfigError(
            f"file={file}: is of version {version}, this Keel reads {_FORMAT}; export it with the same Keel"
        )


def _row(table: Table, row: object, file: Path, number: int) -> dict[str, Any]:
    """A row with the columns of a table, each of its kind."""
    if not isinstance(row, dict) or set(row) != {column.name for column in table.columns}:
        raise _not_ours(file, number)
    for column in table.columns:
        value = row[column.name]
        kinds = (
            (int, float)
            if isinstance(column.type, Float)
            else (int,)
            if isinstance(column.type, Integer)
            else (str,)
        )
        if not (value is None and column.nullable) and (type(value) not in kinds):
            raise ConfigError(f"file={file}, line {number}: {column.name} is {value!r}; the file was changed")
    return row


def _not_ours(file: Path, number: int) -> ConfigError:
    return ConfigError(
        f"file={file}, line {number}: not a ledger of trials; make one with `trials export file=FILE`"
    )
