"""How is a window of many files cut into stretches of time of about so many rows each, without reading a row?

From the footers: each group of rows tells its first stamp, its last and how many it has, and within a group they are
taken to lie evenly. So a stretch has about as many rows as asked for, more where trading crowds into a part of the day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

type Span = tuple[int, int]
"""First and last stamp, UTC ns, both included."""

_STAMP = "ts_init"
_MOST_SPANS = 1_000_000


def spans(files: Iterable[Path], start_ns: int, end_ns: int, rows: int) -> list[Span]:
    """The window from `start_ns` to `end_ns` as stretches of about `rows` rows of all files together, oldest first.

    They touch and do not overlap, so that updates of one stamp are in the same one. One stretch where all fits.
    """
    firsts, lasts, counts = _groups(files, start_ns, end_ns)
    number = min(-(-int(counts.sum()) // rows), _MOST_SPANS)
    if number < 2:  # noqa: PLR2004 - nothing to cut
        return [(start_ns, end_ns)]
    points = np.unique(np.concatenate([firsts - 1, lasts]))
    # Between two points the number of rows rises evenly: each group that has begun and not ended adds its own slope.
    slopes = counts / (lasts - firsts + 1)
    rise = np.zeros(len(points))
    np.add.at(rise, np.searchsorted(points, firsts - 1), slopes)
    np.add.at(rise, np.searchsorted(points, lasts), -slopes)
    so_far = np.concatenate([[0.0], np.cumsum(np.cumsum(rise)[:-1] * np.diff(points))])
    wanted = so_far[-1] * np.arange(1, number) / number
    since = np.interp(
        wanted, so_far, (points - points[0]).astype(np.float64)
    )  # a stamp itself does not fit a float
    cuts = np.unique(since.astype(np.int64) + points[0])
    inside = [int(cut) for cut in cuts if start_ns <= cut < end_ns]
    return list(zip([start_ns, *(cut + 1 for cut in inside)], [*inside, end_ns], strict=True))


def _groups(
    files: Iterable[Path], start_ns: int, end_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """First stamp, last stamp and rows of each group, as far as it lies in the window: three of shape (groups,)."""
    import pyarrow as pa  # noqa: PLC0415 - as wherever Parquet is read
    from pyarrow import parquet  # noqa: PLC0415 - as above

    found = []
    for file in files:
        footer = parquet.read_metadata(file)
        column = footer.schema.names.index(_STAMP)
        for number in range(footer.num_row_groups):
            group = footer.row_group(number)
            told = group.column(column).statistics
            first, last = (
                pa.scalar(stamp, pa.timestamp("ns", tz="UTC")).value for stamp in (told.min, told.max)
            )
            low, high = max(first, start_ns), min(last, end_ns)
            if low <= high:
                found.append((low, high, group.num_rows * (high - low + 1) / (last - first + 1)))
    table = list(zip(*found, strict=True)) if found else [(), (), ()]
    return np.array(table[0], np.int64), np.array(table[1], np.int64), np.array(table[2], np.float64)
