"""Which session days are chosen on, and which is the choice judged on?

Days are numbered from 0 through the data. Nothing here sees a price: folds depend on how many days there are only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtests.windows.purged import purged_splits
from backtests.windows.settings import ANCHORED, KFOLD, WalkSettings, session_days
from configs.errors import ConfigError

if TYPE_CHECKING:
    from runs.prices import IntArray

_SHORTEST = 0.5  # of walk.test: what is left at the end makes a window of its own from this share on


@dataclass(frozen=True)
class Span:
    """Days `first` to `end` - 1; rule: not empty."""

    first: int
    end: int

    @property
    def days(self) -> int:
        """How many."""
        return self.end - self.first


@dataclass(frozen=True)
class Fold:
    """One choice: the pieces of its train in the order of time, and its test."""

    train: tuple[Span, ...]
    test: Span


def folds_of(days: int, settings: WalkSettings, days_per_year: int) -> tuple[Fold, ...]:
    """The folds over so many session days, in the order of their tests.

    Raises ConfigError where the days are too few for a single one.
    """
    if settings.kind == KFOLD:
        return _purged(days, settings)
    train, test = (session_days(each, days_per_year) for each in (settings.train, settings.test))
    found = []
    first = train + settings.embargo
    while (end := min(first + test, days)) - first >= max(1, test * _SHORTEST):
        trained = first - settings.embargo
        begin = 0 if settings.kind == ANCHORED else trained - train
        found.append(Fold((Span(begin, trained),), Span(first, end)))
        first += test
    if not found:
        raise ConfigError(
            f"walk.train={settings.train}: the data has {days:,} session days, a first window takes "
            f"{train + settings.embargo + test:,} (train, embargo, test); give more data or shorter windows"
        )
    return tuple(found)


def _purged(days: int, settings: WalkSettings) -> tuple[Fold, ...]:
    if days < 2 * settings.folds:
        raise ConfigError(f"walk.folds={settings.folds}: the data has only {days:,} session days; give fewer")
    begins = np.arange(days)
    splits = purged_splits(begins, begins + settings.purge, settings.folds, settings.embargo)
    found = [Fold(_pieces(train), Span(int(test[0]), int(test[-1]) + 1)) for train, test in splits]
    empty = next((number for number, fold in enumerate(found, start=1) if not fold.train), None)
    if empty is not None:
        raise ConfigError(
            f"walk.purge={settings.purge} and walk.embargo={settings.embargo} leave nothing to choose on in "
            f"fold {empty}; give less or fewer walk.folds"
        )
    return tuple(found)


def _pieces(days: IntArray) -> tuple[Span, ...]:
    """Ascending days as unbroken pieces."""
    if not len(days):
        return ()
    parts = np.split(days, np.flatnonzero(np.diff(days) > 1) + 1)
    return tuple(Span(int(part[0]), int(part[-1]) + 1) for part in parts)
