"""How much of a run's result may be luck, in the figures that its summary shows?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.luck.bootstrap import Interval, intervals, max_drawdowns, sharpes
from runs.luck.sharpe import Track

if TYPE_CHECKING:
    from risk.measures import FloatArray


@dataclass(frozen=True, slots=True)
class Trials:
    """How many trials were counted, and the variance of their Sharpe ratios PER DAY (None: not known)."""

    count: int
    variance: float | None = None


@dataclass(frozen=True, slots=True)
class Luck:
    """The figures, by the names they have in `runs.summary.Summary`, which tells what each is."""

    trials_ledger: int | None = None
    deflated_sharpe: float | None = None
    probabilistic_sharpe: float | None = None
    track_record_days: int | None = None
    min_track_record_days: int | None = None
    min_track_record_years: float | None = None
    sharpe_low: float | None = None
    sharpe_high: float | None = None
    max_drawdown_low: float | None = None
    max_drawdown_high: float | None = None


def luck_of(returns: FloatArray | None, days_per_year: int, trials: Trials | None = None) -> Luck:
    """The figures of a run.

    returns: shape (days,), of each session day, fractions; None where equity was zero or below; trials: what the ledger
    has counted of its family; None, or none counted (the run itself is one): nothing is known of others.
    """
    if trials is not None and trials.count < 1:
        trials = None
    count = None if trials is None else trials.count
    if returns is None:
        return Luck(trials_ledger=count)
    track = Track.of(returns)
    needed = None if track is None else track.days_needed()
    sharpe, drawdown = intervals(returns, (sharpes, max_drawdowns))
    sharpe = None if track is None else sharpe
    year = math.sqrt(days_per_year)
    return Luck(
        trials_ledger=count,
        deflated_sharpe=None
        if track is None or trials is None
        else track.deflated(trials.count, trials.variance),
        probabilistic_sharpe=None if track is None else track.probability(),
        track_record_days=len(returns),
        min_track_record_days=None if needed is None else math.ceil(needed),
        min_track_record_years=None if needed is None else needed / days_per_year,
        sharpe_low=_low(sharpe, year),
        sharpe_high=_high(sharpe, year),
        max_drawdown_low=_low(drawdown),
        max_drawdown_high=_high(drawdown),
    )


def _low(interval: Interval | None, times: float = 1.0) -> float | None:
    return None if interval is None else interval.low * times


def _high(interval: Interval | None, times: float = 1.0) -> float | None:
    return None if interval is None else interval.high * times
