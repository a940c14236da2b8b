"""How does a long series become a chart that opens quickly, on a light page and on a dark one?"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from runs.prices import FloatArray, IntArray

BLUE, GREY, GREEN, RED, AMBER, VIOLET = "#3f83cf", "#8c939c", "#2a9d6f", "#d0504a", "#d98a0b", "#8a63c0"
LIMITS = (AMBER, VIOLET, GREY)
TRIP, WARNING = RED, "#dd9a95"
LOG_FROM = 10.0  # a series that grows tenfold is drawn on a log scale
_SECOND_NS = 1_000_000_000
_FIGURES = 6  # of a number on a chart

type Chart = dict[str, Any]
"""A Plotly figure: `data` and `layout`."""


def line(ts: IntArray, values: FloatArray, zone: str, name: str, *, points: int, **style: Any) -> Chart:
    """A curve of at most about `points` points, so thinned that no peak and no trough is lost. NaN are gaps."""
    kept = thinned(values, points)
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": stamps_of(ts[kept], zone), "y": numbers(values[kept]),
        **style,
    }  # fmt: skip


def stamps_of(ts: IntArray, zone: str) -> list[str]:
    """Stamps as a chart reads them, on the clock of `zone`; a bar that ends at midnight ends its own day."""
    clock = ZoneInfo(zone)
    return [
        datetime.fromtimestamp(stamp // _SECOND_NS, clock).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
        for stamp in ts.tolist()
    ]


def numbers(values: FloatArray) -> list[float | None]:
    """Numbers to six figures, what is none as a gap."""
    return [float(f"{value:.{_FIGURES}g}") if np.isfinite(value) else None for value in values.tolist()]


def thinned(values: FloatArray, points: int) -> npt.NDArray[np.intp]:
    """Places of the lowest and the highest value of each of many stretches: what a line that wide can show."""
    if len(values) <= points:
        return np.arange(len(values))
    starts = np.linspace(0, len(values), points // 2 + 1).astype(np.intp)
    shown = np.where(np.isfinite(values), values, 0.0)
    kept: list[int] = [0, len(values) - 1]
    for start, end in pairwise(starts):
        stretch = shown[start:end]
        kept += [int(start + stretch.argmin()), int(start + stretch.argmax())]
    return np.unique(kept)


def is_log(*series: FloatArray) -> bool:
    """Whether curves lie so far apart that the beginning of one would be a flat line."""
    low = min(float(values.min()) for values in series)
    return low > 0.0 and max(float(values.max()) for values in series) / low > LOG_FROM
