"""Which samples may a model be fitted on, so that none of their labels knows anything of the test?

Source: Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 7 (purging, embargo, purged k-fold).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runs.prices import IntArray


def purged_splits(
    starts: IntArray, ends: IntArray, folds: int = 5, embargo: int = 0
) -> Iterator[tuple[IntArray, IntArray]]:
    """Purged k-fold: (train, test) for each of `folds` tests in the order of time, indices of samples, ascending.

    starts, ends: shape (n,), from when to when the label of each sample is decided, both included, in any whole unit
    (UTC ns, numbers of bars); starts ascending. Tests are neighbouring samples, together all of them, their numbers
    differ by at most one. Left out of a train are samples whose span overlaps the time from the first start to the
    last end of the test (purged), and those that start within `embargo` (same unit) after it.

    Raises ValueError for spans that end before they start, starts that do not ascend, fewer than 2 folds or fewer
    samples than folds, and an embargo below zero.
    """
    first, last = np.asarray(starts, np.int64), np.asarray(ends, np.int64)
    _check(first, last, folds, embargo)
    edges = np.linspace(0, len(first), folds + 1).round().astype(np.int64)
    for low, high in pairwise(edges.tolist()):
        begins, ended = first[low], last[low:high].max()
        before, after = last < begins, first > ended + embargo
        yield np.flatnonzero(before | after), np.arange(low, high)


def _check(first: IntArray, last: IntArray, folds: int, embargo: int) -> None:
    if first.ndim != 1 or first.shape != last.shape:
        raise ValueError(f"starts and ends must be of one shape (n,), not {first.shape} and {last.shape}")
    if folds < 2:  # noqa: PLR2004 - one fold has nothing to fit on
        raise ValueError(f"folds={folds}: must be 2 or more")
    if len(first) < folds:
        raise ValueError(f"folds={folds}: there are only {len(first)} samples")
    if embargo < 0:
        raise ValueError(f"embargo={embargo}: must be 0 or more")
    if (last < first).any():
        raise ValueError(f"sample {int(np.argmax(last < first))}: its span ends before it starts")
    if (np.diff(first) < 0).any():
        raise ValueError(
            f"sample {int(np.argmax(np.diff(first) < 0)) + 1}: starts must ascend; sort the samples"
        )
