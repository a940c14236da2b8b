"""Between which values would Sharpe ratio and drawdown have come out, had the same market dealt its days anew?

Sources:
  Politis & Romano, The Stationary Bootstrap, Journal of the American Statistical Association 89(428), 1994.
  Politis & White, Automatic Block-Length Selection for the Dependent Bootstrap, Econometric Reviews 23(1), 2004.
  Patton, Politis & White, Correction to it, Econometric Reviews 28(4), 2009.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from runs.luck.sharpe import checked

if TYPE_CHECKING:
    from risk.measures import FloatArray
    from runs.prices import IntArray

SEED = 1994
"""Of every interval that names no other: the same returns have the same interval, to the bit."""
RESAMPLES = 1_000
LEVEL = 0.90
FEWEST_DAYS = 10
_AT_ONCE = 100_000  # returns drawn at a time: less than a megabyte an array, so that they stay in the cache
_MOST_UNDEFINED = 0.05  # of the resamples; beyond it the interval would tell of the rest only
_NOISE = 1e-12

type Statistic = Callable[[FloatArray], FloatArray]
"""From resampled returns, shape (resamples, days), to one number each, shape (resamples,); NaN where undefined."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Between `low` and `high` lies the share `level` of what resampling gave; as much above as below."""

    low: float
    high: float
    level: float = LEVEL


def interval(  # noqa: PLR0913 - all but two have a default
    returns: FloatArray,
    statistic: Statistic,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    block: float | None = None,
    seed: int = SEED,
) -> Interval | None:
    """Percentile interval of a statistic by the stationary bootstrap (Politis & Romano 1994).

    returns: shape (days,), fractions, oldest first; statistic: such as `sharpes` or `max_drawdowns`; block: mean
    length of a block in days, 1 or more, None chooses it (`block_length`). None for fewer than 10 days, and where the
    statistic is undefined for more than 5% of the resamples. Raises ValueError for returns that are not finite and for
    a level, a number of resamples or a block out of range.
    """
    return intervals(returns, (statistic,), level=level, resamples=resamples, block=block, seed=seed)[0]


def intervals(  # noqa: PLR0913 - as `interval`
    returns: FloatArray,
    statistics: tuple[Statistic, ...],
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    block: float | None = None,
    seed: int = SEED,
) -> list[Interval | None]:
    """`interval` of several statistics of the same resamples."""
    returns = checked(returns)
    if not 0 < level < 1:
        raise ValueError(f"level={level}: must be above 0 and below 1, as in 0.9")
    if resamples < 1:
        raise ValueError(f"resamples={resamples}: must be 1 or more, such as {RESAMPLES}")
    if len(returns) < FEWEST_DAYS:
        return [None] * len(statistics)
    mean_length = block_length(returns) if block is None else block
    drawn = [
        [statistic(returns[index]) for statistic in statistics]
        for index in resampled(len(returns), mean_length, resamples, seed)
    ]
    return [_percentiles(np.concatenate(each), level) for each in zip(*drawn, strict=True)]


def resampled(days: int, block: float, resamples: int, seed: int) -> Iterator[IntArray]:
    """Days drawn by the stationary bootstrap: indices, shape (some, days), all `resamples` of them in parts.

    Each day is the one after the last drawn (the first follows the last), or, with probability 1 / block, any day.
    Raises ValueError for a block shorter than a day.
    """
    if not (block >= 1 and math.isfinite(block)):
        raise ValueError(f"block={block}: a block must be one day or longer")
    random = np.random.default_rng(seed)
    place = np.arange(days, dtype=np.int32)
    rows = max(1, _AT_ONCE // days)
    for start in range(0, resamples, rows):
        shape = (min(rows, resamples - start), days)
        begins = random.random(shape, dtype=np.float32) < np.float32(1 / block)
        begins[:, 0] = True
        flat = np.flatnonzero(begins)
        first = random.integers(days, size=len(flat), dtype=np.int32)
        # A block's offset is its first day less its place: what follows in it has the same.
        offsets = first - (flat % days).astype(np.int32)
        index = np.repeat(offsets, np.diff(flat, append=begins.size)).reshape(shape) + place
        yield np.where(index < days, index, index - days)


def block_length(returns: FloatArray) -> float:
    """Mean length of a block, in days, that suits the autocorrelation of these returns; at least 1.

    b = (2 G^2 / D)^(1/3) n^(1/3), D = 2 g(0)^2 (stationary bootstrap), with g(0) = sum of l(k/M) R(k) and G = sum of
    l(k/M) |k| R(k) over |k| <= M, l the flat-top window (1 up to 1/2, then falling to 0 at 1), R the autocovariance,
    and M twice the first lag from which max(5, log10 n) autocorrelations in a row are below 2 sqrt(log10 n / n). At
    most min(3 sqrt n, n / 3). Source: Politis & White 2004, section 3.2, and Patton, Politis & White 2009.

    returns: shape (days,). 1 where they do not differ. Raises ValueError for returns that are not finite.
    """
    returns = checked(returns)
    count = len(returns)
    away = returns - returns.mean() if count else returns
    if count < FEWEST_DAYS or not np.abs(away).max() > _NOISE * np.abs(returns).max():
        return 1.0
    longest = math.ceil(min(3 * math.sqrt(count), count / 3))
    in_a_row = max(5, int(math.log10(count)))
    lags = min(math.ceil(math.sqrt(count)) + in_a_row, count - 1)
    away = away / float(np.abs(away).max())
    covariances = np.array([away[lag:] @ away[: count - lag] for lag in range(lags + 1)]) / count
    width = _width(
        np.abs(covariances[1:] / covariances[0]), in_a_row, 2 * math.sqrt(math.log10(count) / count)
    )
    lag = np.arange(1, min(width, lags) + 1)
    window = np.where(lag <= len(lag) / 2, 1.0, 2 * (1 - lag / len(lag)))
    weighted = window * covariances[lag]
    slope = 2 * float(lag @ weighted)
    variance = 2 * (float(covariances[0]) + 2 * float(weighted.sum())) ** 2
    if not variance > 0:
        return float(longest)
    return float(min(max((2 * slope**2 / variance * count) ** (1 / 3), 1.0), longest))


def sharpes(returns: FloatArray) -> FloatArray:
    """Sharpe ratio PER DAY of each row, as `risk.measures.sharpe`: shape (n, days) to (n,); NaN where undefined."""
    means = returns.mean(axis=1)
    away = returns - means[:, None]
    deviations = np.sqrt(np.einsum("ij,ij->i", away, away) / (returns.shape[1] - 1))
    real = deviations > _NOISE * np.maximum(returns.max(axis=1), -returns.min(axis=1))
    return np.where(real, means / np.where(real, deviations, 1.0), np.nan)


def max_drawdowns(returns: FloatArray) -> FloatArray:
    """Deepest fall from a peak of each row, the start included, a positive fraction: shape (n, days) to (n,).

    1 where everything was lost on the way. On ends of days, so a fall within one is not seen.
    """
    growth = np.cumprod(np.maximum(1.0 + returns, 0.0), axis=1)
    peaks = np.maximum.accumulate(growth, axis=1)
    np.maximum(peaks, 1.0, out=peaks)
    worst: FloatArray = 1.0 - np.divide(growth, peaks, out=peaks).min(axis=1)
    return np.maximum(worst, 0.0)


def _width(correlations: FloatArray, in_a_row: int, critical: float) -> int:
    """M: twice the first lag of `in_a_row` small autocorrelations; correlations: shape (lags,), from lag 1 on."""
    small = correlations < critical
    for lag in range(1, len(small) - in_a_row + 2):
        if small[lag - 1 : lag - 1 + in_a_row].all():
            return 2 * lag
    return len(small)


def _percentiles(found: FloatArray, level: float) -> Interval | None:
    kept = found[np.isfinite(found)]
    if not len(kept) or len(kept) < (1 - _MOST_UNDEFINED) * len(found):
        return None
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level)
