"""How often is the trial that was best over one half of the days below average over the other half?

Source: Bailey, Borwein, Lopez de Prado & Zhu, The Probability of Backtest Overfitting, Journal of Computational Finance
20(4), 2017 (combinatorially symmetric cross-validation, CSCV).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from risk.measures import FloatArray
    from runs.prices import IntArray

BLOCKS = 16
"""The paper's own choice: 12,870 ways to choose half of them."""
_MOST_BLOCKS = 20
_AT_ONCE = 2_000_000  # Sharpe ratios held in memory at a time: 16 MB an array
_NOISE = 1e-24  # below this share of the largest, a variance is rounding noise of equal returns


@dataclass(frozen=True, eq=False)
class Pbo:
    """What CSCV found; each array has shape (combinations,), in the order of `itertools.combinations`.

    probability: share of combinations whose in-sample best is not above the median out of sample (logit <= 0);
    logits: ln(w / (1 - w)) of its relative rank w = rank / (trials + 1) out of sample, ties by their average rank;
    chosen: which trial was best in sample, the first where several were; in_sample, out_of_sample: its Sharpe ratio
    PER DAY on each half;
    loss_probability: share of combinations in which the chosen trial lost money out of sample.
    """

    probability: float
    loss_probability: float
    logits: FloatArray
    chosen: IntArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    blocks: int


def pbo(matrix: FloatArray, blocks: int = BLOCKS) -> Pbo | None:
    """Probability of backtest overfitting of a choice by Sharpe ratio among these trials.

    matrix: shape (days, trials), the return of each trial on each session day, all on the same days, fractions.
    blocks: how many runs of neighbouring days are dealt to the two halves, in every way there is; even, 2 to 20; their
    lengths differ by a day where they must. Returns that do not differ within a half (nothing was traded) have a Sharpe
    ratio of 0 there. None for fewer than 2 trials or fewer than 2 days a block. Needs about 100 MB whatever the number
    of trials. Raises ValueError for a matrix that is not finite or has another shape, and for other numbers of blocks.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2:  # noqa: PLR2004 - days and trials
        raise ValueError(f"the matrix has the shape {matrix.shape}; it must be (days, trials)")
    if blocks % 2 or not 2 <= blocks <= _MOST_BLOCKS:  # noqa: PLR2004 - a half is one at least
        raise ValueError(
            f"blocks={blocks}: must be an even number from 2 to {_MOST_BLOCKS}, such as {BLOCKS}"
        )
    if not np.isfinite(matrix).all():
        day, trial = (int(place[0]) for place in np.nonzero(~np.isfinite(matrix)))
        raise ValueError(
            f"matrix[{day}, {trial}]={matrix[day, trial]}: every return must be a finite number; "
            "leave out trials that failed"
        )
    days, trials = matrix.shape
    if trials < 2 or days < 2 * blocks:  # noqa: PLR2004 - one trial leaves no choice
        return None
    return _pbo(_Sums.of(matrix, blocks), blocks)


def _pbo(sums: _Sums, blocks: int) -> Pbo:
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    picked = np.zeros((len(halves), blocks))
    np.put_along_axis(picked, halves, 1.0, axis=1)
    trials = sums.means.shape[0]
    rows = max(1, _AT_ONCE // trials)
    parts = [_chosen(sums, picked[start : start + rows]) for start in range(0, len(picked), rows)]
    chosen, inside, outside, rank = (np.concatenate(each) for each in zip(*parts, strict=True))
    share = rank / (trials + 1)
    logits = np.log(share / (1 - share))
    return Pbo(
        probability=float(np.mean(logits <= 0)),
        loss_probability=float(np.mean(outside < 0)),
        logits=logits,
        chosen=chosen,
        in_sample=inside,
        out_of_sample=outside,
        blocks=blocks,
    )


def _chosen(sums: _Sums, picked: FloatArray) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Of each combination the best trial in sample, its Sharpe on both halves, its rank out of sample (1 is worst)."""
    inside, outside = sums.sharpe(picked), sums.sharpe(1.0 - picked)
    best = inside.argmax(axis=1)
    rows = np.arange(len(best))
    own = outside[rows, best]
    below = (outside < own[:, None]).sum(axis=1)
    alike = (outside == own[:, None]).sum(axis=1)
    return best, inside[rows, best], own, below + (alike + 1) / 2


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of the returns of each block, from which the Sharpe ratio of any union of blocks follows.

    lengths: shape (blocks,); sums, squares: shape (blocks, trials), of returns less the trial's mean over all days, so
    that no digits are lost; means: shape (trials,). All in units of the trial's largest return.
    """

    lengths: FloatArray
    sums: FloatArray
    squares: FloatArray
    means: FloatArray

    @classmethod
    def of(cls, matrix: FloatArray, blocks: int) -> _Sums:
        largest = np.abs(matrix).max(axis=0)
        unit = matrix / np.where(largest > 0, largest, 1.0)  # a Sharpe ratio has no unit
        means = unit.mean(axis=0)
        parts = np.array_split(unit - means, blocks)
        return cls(
            lengths=np.array([float(len(part)) for part in parts]),
            sums=np.array([part.sum(axis=0) for part in parts]),
            squares=np.array([(part**2).sum(axis=0) for part in parts]),
            means=means,
        )

    def sharpe(self, picked: FloatArray) -> FloatArray:
        """Sharpe ratio per day of each trial on the blocks picked: shape (combinations, trials).

        picked: shape (combinations, blocks), 1 where a block is in, else 0.
        """
        days = (picked @ self.lengths)[:, None]
        shift = (picked @ self.sums) / days
        variance = (picked @ self.squares - days * shift**2) / (days - 1)
        real = variance > _NOISE
        return np.where(real, (self.means + shift) / np.sqrt(np.where(real, variance, 1.0)), 0.0)
