"""Which columns and rows does a user's file really hold?

Every reader answers with an Arrow table whose columns carry our names: `time` as the file has it (text,
number or timestamp), everything else as float64 with NaN for empty cells.
"""

from __future__ import annotations

import re
from csv import reader
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from market.errors import FileError

if TYPE_CHECKING:
    import pyarrow as pa

_AS_WRITTEN = ("time", "symbol")
_ROW = re.compile(r"Row #(\d+)")
_VALUE = re.compile(r"invalid value '(.*)'", re.DOTALL)
_HEADER_BYTES = 65_536
_COLUMN = re.compile(r"CSV column #(\d+)")


def read_csv(file: Path, columns: dict[str, str], delimiter: str) -> pa.Table:
    """Rows of a CSV file; `columns`: our name -> the file's. Raises FileError with row and column."""
    import pyarrow as pa  # noqa: PLC0415 - only a file that is really read costs the import
    from pyarrow import csv  # noqa: PLC0415 - as above

    header = _csv_header(file, delimiter)
    _refuse_twice(file, columns, header)
    names = match_columns(file, columns, header)
    parse = csv.ParseOptions(delimiter=delimiter)
    types = {name: pa.string() if ours in _AS_WRITTEN else pa.float64() for ours, name in names.items()}
    convert = csv.ConvertOptions(
        column_types=types, include_columns=list(names.values()), strings_can_be_null=True
    )
    try:
        table = csv.read_csv(file, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid:
        table = _read_slowly(file, parse, convert, header)
    return table.rename_columns(list(names))


def read_parquet(file: Path, columns: dict[str, str]) -> pa.Table:
    """Rows of a Parquet file; `columns`: our name -> the file's. Raises FileError."""
    import pyarrow as pa  # noqa: PLC0415 - only a file that is really read costs the import
    from pyarrow import parquet  # noqa: PLC0415 - as above

    try:
        names = match_columns(file, columns, parquet.read_schema(file).names)
        table = parquet.read_table(file, columns=list(names.values()), partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{file}: not a readable Parquet file ({_one_line(error)}); write it again") from None
    cast = [
        table[name] if ours in _AS_WRITTEN else _floats(file, name, table[name])
        for ours, name in names.items()
    ]
    return pa.table(dict(zip(names, cast, strict=True)))


def match_columns(file: Path, wanted: dict[str, str], header: list[str]) -> dict[str, str]:
    """Our name -> the header's spelling (case and blanks around it do not matter). Raises FileError."""
    spelled = {name.strip().casefold(): name for name in reversed(header)}
    found = {}
    for ours, name in wanted.items():
        actual = name if name in header else spelled.get(name.strip().casefold())
        if actual is None:
            raise FileError(f"{file}: no column {name!r} for {ours}{_offer(ours, name, header)}")
        found[ours] = actual
    return found


def _refuse_twice(file: Path, wanted: dict[str, str], header: list[str]) -> None:
    """Raise FileError where a column that is read stands in the header more than once: which is meant?"""
    plain = [name.strip().casefold() for name in header]
    for ours, name in wanted.items():
        meant = name.strip().casefold()
        exact = header.count(name)
        if exact > 1 or (exact == 0 and plain.count(meant) > 1):
            raise FileError(
                f"{file}: the header names the column {name!r} ({ours}) more than once; "
                f"rename one of them, or name another with data.columns.{ours}"
            )


def _offer(ours: str, name: str, header: list[str]) -> str:
    if len(header) == 1 and (mark := next((mark for mark in ";\t|" if mark in header[0]), None)):
        return f"; the columns seem to be divided by {mark!r}: set data.delimiter"
    close = get_close_matches(name.casefold(), [one.casefold() for one in header], n=1)
    best = next((one for one in header if close and one.casefold() == close[0]), None)
    hint = f"did you mean data.columns.{ours}={best}?" if best else f"set data.columns.{ours}"
    without = "" if ours not in {"volume", "bid_size", "ask_size"} else " or to null, with data.fill_size"
    return f"; it has {', '.join(header[:20])}: {hint}{without}"


def _csv_header(file: Path, delimiter: str) -> list[str]:
    """Names in the first line, of a compressed file too."""
    import pyarrow as pa  # noqa: PLC0415 - see read_csv

    try:
        with pa.input_stream(str(file)) as stream:
            first = stream.read(_HEADER_BYTES).decode("utf-8-sig", errors="ignore").split("\n", 1)[0]
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{file}: cannot be read ({_one_line(error)})") from None
    if not first.strip() or "\0" in first:
        raise FileError(
            f"{file}: not a CSV file with a header line; write one, as in time,open,high,low,close,volume"
        )
    return next(reader([first.rstrip("\r")], delimiter=delimiter))


def _read_slowly(file: Path, parse: Any, convert: Any, header: list[str]) -> pa.Table:
    """Read again on one thread: only then does Arrow know the row it stumbles over."""
    import pyarrow as pa  # noqa: PLC0415 - see read_csv
    from pyarrow import csv  # noqa: PLC0415 - as above

    try:
        read = csv.ReadOptions(use_threads=False)
        return csv.read_csv(file, read_options=read, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid as error:
        raise FileError(f"{file}{_stumble(str(error), header)}") from None


def _stumble(text: str, header: list[str]) -> str:
    """Arrow's complaint in a reader's words; the header is row 1."""
    row, value, column = _ROW.search(text), _VALUE.search(text), _COLUMN.search(text)
    where = f" row {row[1]}" if row else ""
    if value and column:
        return (
            f"{where}, column {header[int(column[1])]}: {value[1]!r} is no number; correct or remove the row"
        )
    return f"{where}: {_one_line(text)}; correct or remove that row"


def _floats(file: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa  # noqa: PLC0415 - see read_parquet

    try:
        if pa.types.is_float32(column.type):  # by its shortest spelling: 1.1, not 1.10000002384
            column = column.cast(pa.string())
        return column.cast(pa.float64())
    except pa.ArrowException as error:
        raise FileError(
            f"{file}, column {name}: holds {column.type}, not numbers ({_one_line(error)})"
        ) from None


def _one_line(error: object) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 120 else f"{text[:117]}..."  # noqa: PLR2004 - what fits a line
