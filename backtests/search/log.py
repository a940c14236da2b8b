"""How are a sweep's trials kept, so that a kill at any moment loses none that had ended?

Trials are appended to one Arrow stream as they end; what a kill tore off at its end is dropped when it is read. The
Parquet table is made of it every few seconds and when the sweep ends or is interrupted, each time whole or not at all.
"""

from __future__ import annotations

import io
import json
import os
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from backtests.search.work import Trial
from backtests.trial import Outcome
from configs.load import Axis
from runs.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from backtests.search.space import Space
    from runs.folder import RunFolder

LOG = "trials.arrows"
TABLE = "trials.parquet"
_SERIES = ("reports", "days", "returns")  # columns of the stream that the table leaves out
_KINDS = {
    "int": pa.int64(),
    "bool": pa.bool_(),
    "str": pa.string(),
    "Decimal": pa.float64(),
    "float": pa.float64(),
}
FIGURES = {
    field.name: _KINDS[kind]
    for field in fields(Summary)
    if (kind := str(field.type).removesuffix(" | None")) in _KINDS
    and field.default is MISSING
    and field.name != "run_dir"
}
"""Column -> Arrow type of every figure of a trial: the summary's, without what only a run folder has."""


def schema_of(space: Space) -> pa.Schema:
    """The columns of a sweep's stream: number, swept keys, how the trial ended, its score, its figures, its days."""
    keys = [(key, _kind(axis)) for key, axis in zip(space.keys, space.axes, strict=True)]
    ended = [
        ("status", pa.string()),
        ("error", pa.string()),
        ("exit_code", pa.int64()),
        ("score", pa.float64()),
    ]
    series = [pa.list_(pa.float64()), pa.list_(pa.int64()), pa.list_(pa.float64())]
    return pa.schema(
        [("number", pa.int64()), *keys, *ended, *FIGURES.items(), *zip(_SERIES, series, strict=True)]
    )


class TrialLog:
    """The trials of one sweep, on disk as soon as they end; rule: one process writes."""

    def __init__(self, folder: RunFolder, space: Space) -> None:
        """Take up what is there; `trials` has it by number."""
        self._path = folder.path / LOG
        self._schema = schema_of(space)
        self._space = space
        self.trials: dict[int, Trial] = {trial.number: trial for trial in self._kept()}
        self._rows: dict[int, pa.RecordBatch] = {}
        part = self._path.with_name(f".{LOG}.part")
        self._file = part.open("wb")
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._stream = pa.ipc.new_stream(self._file, self._schema, options=options)
        for trial in self.trials.values():
            self._write(trial)
        self._file.flush()
        os.fsync(self._file.fileno())
        part.replace(self._path)

    def append(self, trial: Trial) -> None:
        """One trial that ended."""
        self._write(trial)
        self._file.flush()
        self.trials[trial.number] = trial

    def table(self) -> bytes:
        """The Parquet table so far: a row a trial in the order of their numbers, without the returns by day."""
        if not self._rows:
            return b""
        table = pa.Table.from_batches([self._rows[number] for number in sorted(self._rows)])
        buffer = io.BytesIO()
        parquet.write_table(table.combine_chunks(), buffer, compression="zstd")
        return buffer.getvalue()

    def close(self) -> None:
        """No more trials come."""
        self._stream.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _kept(self) -> Iterator[Trial]:
        if self._path.exists():
            for row in read_rows(self._path):
                yield self._trial(row)

    def _write(self, trial: Trial) -> None:
        batch = self._batch(trial)
        self._stream.write_batch(batch)
        self._rows[trial.number] = batch.drop_columns(list(_SERIES))

    def _batch(self, trial: Trial) -> pa.RecordBatch:
        outcome = trial.outcome
        row: dict[str, Any] = {
            "number": trial.number,
            **{key: _cell(trial.point[key], self._schema.field(key).type) for key in self._space.keys},
            "status": trial.status,
            "error": outcome.error,
            "exit_code": outcome.exit_code,
            "score": trial.score,
            **{name: outcome.figures.get(name) for name in FIGURES},
            "reports": list(trial.reports),
            "days": outcome.days,
            "returns": outcome.returns,
        }
        return pa.RecordBatch.from_arrays(
            [pa.array([row[field.name]], field.type) for field in self._schema], schema=self._schema
        )

    def _trial(self, row: dict[str, Any]) -> Trial:
        outcome = Outcome(
            returns=np.asarray(row["returns"], np.float64),
            days=np.asarray(row["days"], np.int64),
            figures={name: row.get(name) for name in FIGURES} if row["total_return"] is not None else {},
            error=row["error"],
            exit_code=row["exit_code"],
        )
        point = {
            key: _value(row[key], axis) for key, axis in zip(self._space.keys, self._space.axes, strict=True)
        }
        return Trial(row["number"], point, row["status"], outcome, row["score"], tuple(row["reports"]))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a stream, as far as it is whole."""
    with path.open("rb") as file:
        try:
            stream = pa.ipc.open_stream(file)
            for batch in stream:
                yield from batch.to_pylist()
        except (pa.ArrowInvalid, OSError, EOFError):  # torn where a process was killed
            return


def _kind(axis: Axis) -> pa.DataType:
    values: Sequence[Any] = axis.values if axis.high is None else (axis.low, axis.high)
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else pa.string()


def _cell(value: Any, kind: pa.DataType) -> Any:
    return value if kind != pa.string() or isinstance(value, str) else json.dumps(value)


def _value(cell: Any, axis: Axis) -> Any:
    """The value of a cell as it was given: text that is none of the axis' values is one of them as JSON."""
    if axis.high is not None or not isinstance(cell, str) or cell in axis.values:
        return next((value for value in axis.values if value == cell), cell)
    return json.loads(cell)
