"""When did each row of a user's file really end, in UTC?

Text, numbers and timestamps become UTC nanoseconds; then a bar labelled by its START is moved to its END,
because a bar that shows its close at its own start lets a strategy see the future.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from market.bar_length import BarLength
from market.errors import FileError
from market.sessions import DAY_NANOS, Nanos, Sessions

if TYPE_CHECKING:
    import pyarrow as pa

type Unit = Literal["s", "ms", "us", "ns"]

_NANOS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_OLDEST, _NEWEST = pd.Timestamp("1900-01-01", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC")
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"


@dataclass(frozen=True)
class StampRule:
    """How a file writes time: zone of stamps without an offset, unit of numbers, strptime format of odd text.

    `where` names the file, `rows` numbers its rows, both for messages.
    """

    where: str
    rows: Nanos
    zone: str
    unit: Unit | None
    text_format: str | None

    def fail(self, at: int, value: object, problem: str) -> FileError:
        """One line naming file, row and column."""
        return FileError(f"{self.where} row {self.rows[at]}: time {str(value)!r} {problem}")


def utc_nanos(column: pa.ChunkedArray, rule: StampRule) -> Nanos:
    """Stamps of a column as UTC nanoseconds. Raises FileError for the first one that cannot be understood."""
    import pyarrow as pa  # noqa: PLC0415 - only a file that is really read costs the import

    if column.null_count:
        at = int(np.argmax(column.is_null().to_numpy()))
        raise rule.fail(at, "", "is no time; correct or remove that row")
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        if pa.types.is_date(column.type):
            column = column.cast(pa.timestamp("ms"))
        return _in_utc(pd.DatetimeIndex(column.to_pandas()), rule)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        if rule.text_format is None:
            return _from_numbers(column.to_numpy(), rule)
        column = column.cast(pa.string())
    text = pd.Series(column.cast(pa.string()).to_pandas(), dtype="str").str.strip()
    if rule.unit is not None:
        return _from_numbers(_numbers(text, rule), rule)
    return _from_text(text, rule)


def ends(starts: Nanos, length: BarLength, zone: str, sessions: Sessions | None) -> Nanos:
    """End of each bar that starts at these stamps.

    With an exchange a day ends at the close of that date's session, and no bar runs past the close of the
    session it starts in; without one a day ends when clocks in `zone` show the same time a day later.
    """
    if not length.is_daily:
        return _capped(starts, starts + length.nanos, sessions)
    local = pd.DatetimeIndex(starts).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    later = (local + pd.Timedelta(days=length.step)).tz_localize(
        zone, ambiguous=True, nonexistent="shift_forward"
    )
    following = later.tz_convert("UTC").as_unit("ns").asi8
    if sessions is None or length.step != 1:
        return following
    closes = sessions.close_of(local.as_unit("ns").asi8 // DAY_NANOS)
    return np.where(closes > starts, closes, following)


def _capped(starts: Nanos, following: Nanos, sessions: Sessions | None) -> Nanos:
    if sessions is None or not len(sessions.days):
        return following
    at = np.searchsorted(sessions.closes, starts, side="right").clip(max=len(sessions.days) - 1)
    inside = (sessions.opens[at] <= starts) & (starts < sessions.closes[at])
    return np.where(inside, np.minimum(following, sessions.closes[at]), following)


def _numbers(text: pd.Series[str], rule: StampRule) -> np.ndarray:
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.isna().any():
        at = int(numbers.isna().argmax())
        raise rule.fail(
            at, text.iloc[at], f"is not a number of {rule.unit} since 1970: set data.time_unit=null"
        )
    return numbers.to_numpy()


def _from_numbers(numbers: np.ndarray, rule: StampRule) -> Nanos:
    likely = _likely_unit(float(np.median(np.abs(numbers)))) if len(numbers) else "s"
    if rule.unit is None:
        raise rule.fail(0, numbers[0] if len(numbers) else "", f"is a number: set data.time_unit ({likely}?)")
    factor = _NANOS[rule.unit]
    outside = ~(
        (numbers >= _OLDEST.value / factor) & (numbers <= _NEWEST.value / factor)
    )  # NaN is outside too
    if outside.any():
        at = int(outside.argmax())
        raise rule.fail(at, numbers[at], f"is no time in {rule.unit}: did you mean data.time_unit={likely}?")
    if np.issubdtype(numbers.dtype, np.integer):
        return numbers.astype(np.int64) * factor
    whole = np.floor(numbers)
    return whole.astype(np.int64) * factor + np.rint((numbers - whole) * factor).astype(np.int64)


def _likely_unit(size: float) -> Unit:
    if size < 1e11:  # noqa: PLR2004 - seconds of the year 5138
        return "s"
    if size < 1e14:  # noqa: PLR2004 - the same in milliseconds
        return "ms"
    return "us" if size < 1e17 else "ns"  # noqa: PLR2004 - the same in microseconds


def _from_text(text: pd.Series[str], rule: StampRule) -> Nanos:
    if rule.text_format is None and len(text) and text.iloc[0].isdigit() and len(text.iloc[0]) > 8:  # noqa: PLR2004 - longer than 20200131
        return _from_numbers(_numbers(text, rule), rule)
    with_offset = text.str.contains(_OFFSET) & text.str.contains(":")
    if with_offset.any() and not with_offset.all():
        at = int((~with_offset).argmax())
        raise rule.fail(at, text.iloc[at], "has no offset, other rows have one: write all alike")
    aware = bool(with_offset.any()) or "%z" in (rule.text_format or "")
    moments = pd.to_datetime(text, format=rule.text_format or "ISO8601", utc=aware, errors="coerce")
    if moments.isna().any():
        at = int(moments.isna().argmax())
        known = (
            f"does not fit data.time_format={rule.text_format}" if rule.text_format else "is no ISO 8601 time"
        )
        raise rule.fail(at, text.iloc[at], f"{known}: set data.time_format, as in '%d/%m/%Y %H:%M'")
    return _in_utc(pd.DatetimeIndex(moments), rule)


def _in_utc(moments: pd.DatetimeIndex, rule: StampRule) -> Nanos:
    years = moments.year
    if ((years < _OLDEST.year) | (years >= _NEWEST.year)).any():
        at = int(((years < _OLDEST.year) | (years >= _NEWEST.year)).argmax())
        raise rule.fail(at, moments[at], "is no likely time: set data.time_unit or data.time_format")
    if moments.tz is not None:
        return moments.tz_convert("UTC").as_unit("ns").asi8
    try:
        local = moments.tz_localize(rule.zone, ambiguous="infer", nonexistent="raise")
    except ValueError:
        local = moments.tz_localize(rule.zone, ambiguous="NaT", nonexistent="NaT")
        at = int(local.isna().argmax())
        problem = (
            f"does not name one moment in {rule.zone} (clocks change): write it in UTC or with its offset"
        )
        raise rule.fail(at, moments[at], problem) from None
    return local.tz_convert("UTC").as_unit("ns").asi8
