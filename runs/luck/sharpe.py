"""How sure is a Sharpe ratio, given its track record and how many others were tried?

Sources:
  [2012]  Bailey & Lopez de Prado, The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2), 2012.
  [2014]  Bailey & Lopez de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5), 2014.
  [2002]  Lo, The Statistics of Sharpe Ratios, Financial Analysts Journal 58(4), 2002.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Self

import numpy as np

from risk import measures

if TYPE_CHECKING:
    from risk.measures import FloatArray

FEWEST_DAYS = 4
"""Fewer have no skewness and kurtosis worth the name."""
_EULER = 0.5772156649015329  # the Euler-Mascheroni constant
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Track:
    """What the formulas need to know of a track record.

    days: how many returns; sharpe: per day, mean / std (ddof=1), riskless rate zero; skewness: third standardised
    moment; kurtosis: fourth standardised moment, NOT the excess (a normal distribution has 3). Both are moments of the
    sample as it is (ddof=0), as in the papers' own code.
    """

    days: int
    sharpe: float
    skewness: float = 0.0
    kurtosis: float = 3.0

    @classmethod
    def of(cls, returns: FloatArray) -> Self | None:
        """The track record of daily returns, shape (days,); None for fewer than 4 or returns that do not differ.

        Raises ValueError for a return that is not finite.
        """
        returns = checked(returns)
        sharpe = measures.sharpe(returns, 1) if len(returns) >= FEWEST_DAYS else None
        if sharpe is None:
            return None
        unit = returns / float(np.abs(returns).max())  # far from what a float's fourth power cannot hold
        away = unit - unit.mean()
        variance = float(np.mean(away**2))
        skewness = float(np.mean(away**3)) / variance**1.5
        return cls(len(returns), sharpe, skewness, float(np.mean(away**4)) / variance**2)

    @property
    def spread(self) -> float:
        """Variance of the estimated Sharpe ratio times (days - 1): 1 - skew SR + (kurtosis - 1) / 4 SR^2 [2012]."""
        return 1.0 - self.skewness * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2

    def probability(self, benchmark: float = 0.0) -> float | None:
        """`probabilistic_sharpe` of this track record."""
        if self.days < 2 or not self.spread > 0:  # noqa: PLR2004 - one day has no spread
            return None
        return _cdf((self.sharpe - benchmark) * math.sqrt((self.days - 1) / self.spread))

    def deflated(self, trials: int, variance: float | None) -> float | None:
        """`deflated_sharpe` of this track record."""
        _check_trials(trials)
        if trials > 1 and variance is None:
            variance = 1.0 / (self.days - 1)
        return self.probability(expected_max_sharpe(trials, variance or 0.0))

    def days_needed(self, benchmark: float = 0.0, confidence: float = 0.95) -> float | None:
        """`min_track_record` of this track record."""
        if not 0.5 <= confidence < 1:  # noqa: PLR2004 - below one half any record is long enough
            raise ValueError(f"confidence={confidence}: must be from 0.5 to below 1, as in 0.95")
        above = self.sharpe - benchmark
        if not above > 0:
            return None
        days = 1.0 + self.spread * (_NORMAL.inv_cdf(confidence) / above) ** 2
        return days if math.isfinite(days) else None


def probabilistic_sharpe(returns: FloatArray, benchmark: float = 0.0) -> float | None:
    """Probability that the true Sharpe ratio is above `benchmark`, given this track record and its tails.

    PSR(SR*) = Phi((SR - SR*) sqrt(T - 1) / sqrt(1 - skew SR + (kurtosis - 1) / 4 SR^2)), kurtosis 3 for a normal.
    Source: [2012], equation 9.

    returns: shape (days,), fractions; benchmark: a Sharpe ratio PER DAY (a year's over the square root of the days of a
    year). Between 0 and 1. None for fewer than 4 days or returns that do not differ. Raises ValueError for a return
    that is not finite.
    """
    track = Track.of(returns)
    return None if track is None else track.probability(benchmark)


def expected_max_sharpe(trials: int, variance: float) -> float:
    """The highest Sharpe ratio to expect of so many trials of which none has any skill.

    SR0 = sqrt(V) ((1 - g) Z^-1(1 - 1/N) + g Z^-1(1 - 1/(N e))), g the Euler-Mascheroni constant. 0 for one trial.
    Source: [2014], equation 1.

    trials: how many were tried, as if independent: trials that resemble each other make V small and N large;
    variance: of their Sharpe ratios; the answer is in the unit of its root (per day in, per day out).
    Raises ValueError for less than one trial or a variance that is negative or not finite.
    """
    _check_trials(trials)
    if not (variance >= 0 and math.isfinite(variance)):
        raise ValueError(f"variance={variance}: must be 0 or more, of Sharpe ratios a day")
    if trials == 1:
        return 0.0
    # Z^-1(1 - p) is -Z^-1(p), which keeps its digits for a small p.
    highest = (1 - _EULER) * -_NORMAL.inv_cdf(1 / trials) + _EULER * -_NORMAL.inv_cdf(1 / (trials * math.e))
    return math.sqrt(variance) * highest


def deflated_sharpe(returns: FloatArray, trials: int, variance: float | None) -> float | None:
    """Probability that the true Sharpe ratio is above zero, after choosing the best of so many trials.

    DSR = PSR(SR0), SR0 = `expected_max_sharpe(trials, variance)`; of one trial it is PSR(0).
    Source: [2014], equation 2.

    returns: shape (days,), fractions, of the trial that was chosen; trials: how many were tried, this one included;
    variance: of their Sharpe ratios PER DAY; None where it is not known: that of an estimate whose true value is zero,
    1 / (days - 1) [2002]. Between 0 and 1. None and errors as in `probabilistic_sharpe` and `expected_max_sharpe`.
    """
    _check_trials(trials)
    track = Track.of(returns)
    return None if track is None else track.deflated(trials, variance)


def min_track_record(returns: FloatArray, benchmark: float = 0.0, confidence: float = 0.95) -> float | None:
    """How many days such returns must go on for their Sharpe ratio to be above `benchmark` with this confidence.

    MinTRL = 1 + (1 - skew SR + (kurtosis - 1) / 4 SR^2) (Z_confidence / (SR - SR*))^2. Source: [2012], equation 11.

    returns: shape (days,), fractions; benchmark: a Sharpe ratio PER DAY; confidence: from 0.5 to below 1. In days,
    not rounded. None where the Sharpe ratio is not above the benchmark (no length is enough), and as in
    `probabilistic_sharpe`. Raises ValueError as it does, and for a confidence out of range.
    """
    track = Track.of(returns)
    return None if track is None else track.days_needed(benchmark, confidence)


def checked(returns: FloatArray) -> FloatArray:
    """The returns, one-dimensional and finite. Raises ValueError, in one line, for others."""
    returns = np.asarray(returns, dtype=np.float64)
    if returns.ndim != 1:
        raise ValueError(f"returns have the shape {returns.shape}; they must be one row, a return a day")
    if not np.isfinite(returns).all():
        first = int(np.flatnonzero(~np.isfinite(returns))[0])
        raise ValueError(f"returns[{first}]={returns[first]}: every return must be a finite number")
    return returns


def _check_trials(trials: int) -> None:
    if trials < 1:
        raise ValueError(f"trials={trials}: must be 1 or more; the trial that was chosen counts too")


def _cdf(z: float) -> float:
    """Phi(z), with its digits kept in the lower tail."""
    return 0.5 * math.erfc(-z / math.sqrt(2))
