"""What did an account earn on its money, whatever was paid in or out meanwhile?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np
import numpy.typing as npt

type FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """What an account was worth at a stamp (UTC ns), in its own currency, exact."""

    ts: int
    equity: Decimal


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that came in (above zero) or left at a stamp (UTC ns), in the account's currency, exact."""

    ts: int
    amount: Decimal


def growth(points: Sequence[Point], flows: Sequence[Flow]) -> FloatArray | None:
    """What one unit of money became by each point, deposits and withdrawals taken out: shape (n,), the first is 1.

    A step from one point to the next grows by (equity - what came in during it) / equity before it: the linked,
    time-weighted return, with a flow counted at the end of its step. Points are in the order of their stamps, flows
    too. None without a point, or where an equity to measure from is not above zero.
    Source: Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd ed., 2008, chapter 2.
    """
    if not points:
        return None
    grown, waiting = [1.0], [flow for flow in flows if flow.ts > points[0].ts]
    for before, after in pairwise(points):
        if before.equity <= 0:
            return None
        came = Decimal(0)
        while waiting and waiting[0].ts <= after.ts:
            came += waiting.pop(0).amount
        grown.append(grown[-1] * float((after.equity - came) / before.equity))
    return np.array(grown)
