"""How do a sweep's trials lie in the plane and along parallel axes, whoever draws them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.search.show import cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtests.search.result import Result
    from backtests.search.settings import SweepSettings
    from backtests.search.space import Space
    from backtests.search.work import Trial
    from runs.prices import FloatArray

MOST_CELLS = 40  # values of a key that still make a grid; with more the trials are dots
LEAST_FILLED = 0.5  # of a grid's cells; with fewer the trials are dots


@dataclass(frozen=True)
class Line:
    """One swept key of all trials with a score.

    places: shape (trials,), its values, or for what is no number their places among `labels`; labels: how each place
    is written; None: a number line.
    """

    key: str
    places: FloatArray
    labels: tuple[str, ...] | None

    @property
    def distinct(self) -> FloatArray:
        """The different places, rising."""
        return np.unique(self.places)

    def name(self, place: float) -> str:
        """How a place is written."""
        return cell(float(place)) if self.labels is None else self.labels[int(place)]


@dataclass(frozen=True)
class Sheet:
    """A heat map: the best score at each pair of values. score: shape (ys, xs), NaN where there is none."""

    x: Line
    y: Line
    score: FloatArray
    over: tuple[str, ...]

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """How the columns and the rows are called."""
        return [self.x.name(place) for place in self.x.distinct], [
            self.y.name(place) for place in self.y.distinct
        ]


def scores(result: Result) -> FloatArray:
    """Score of every ranked trial, best first: shape (trials,)."""
    return np.array([trial.score for trial in result.ranked], dtype=np.float64)


def lines(result: Result, space: Space) -> list[Line]:
    """The swept keys of the ranked trials that took more than one value, best trial first."""
    found = [_line(key, result.ranked) for key in space.keys]
    return [line for line in found if len(line.distinct) > 1]


def chosen(found: Sequence[Line], settings: SweepSettings) -> list[Line]:
    """The keys of the plane: those asked for, else the first two with numbers, else the first two."""
    if settings.heat is not None:
        asked = [line for key in settings.heat for line in found if line.key == key]
        if len(asked) > 1:
            return asked
    numbers = [line for line in found if line.labels is None]
    rest = [line for line in found if line.labels is not None]
    return [*numbers, *rest][:2]


def sheet_of(found: Sequence[Line], plane: Sequence[Line], score: FloatArray) -> Sheet | None:
    """The heat map of two keys; None where they have so many values, or so few together, that dots say more."""
    x, y = plane
    if max(len(x.distinct), len(y.distinct)) > MOST_CELLS:
        return None
    grid = np.full((len(y.distinct), len(x.distinct)), np.nan)
    columns, rows = np.searchsorted(x.distinct, x.places), np.searchsorted(y.distinct, y.places)
    for column, row, value in zip(
        columns[::-1], rows[::-1], score[::-1], strict=True
    ):  # best last, so it stays
        grid[row, column] = value
    if np.mean(np.isfinite(grid)) < LEAST_FILLED:
        return None
    return Sheet(x, y, grid, tuple(line.key for line in found if line.key not in (x.key, y.key)))


def _line(key: str, trials: Sequence[Trial]) -> Line:
    values = [trial.point[key] for trial in trials]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return Line(key, np.array(values, dtype=np.float64), None)
    names = sorted(set(map(cell, values)))
    return Line(
        key, np.array([names.index(_name(value)) for value in values], dtype=np.float64), tuple(names)
    )


def _name(value: Any) -> str:
    return cell(value)
