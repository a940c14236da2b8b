"""Which moves are too violent to be believed, and which of them look like a split nobody adjusted for?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from market._evidence import Evidence, Floats, Mask
from market.sessions import DAY_NANOS

_SPLITS = {
    f"{new}:{old}": new / old
    for new, old in (
        *((n, 1) for n in (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 50, 100)),
        (3, 2), (5, 2), (4, 3), (5, 4),
    )
}  # fmt: skip
_SPLITS |= {":".join(reversed(name.split(":"))): 1 / ratio for name, ratio in _SPLITS.items()}
_NEAR = 0.025


def suspicious(evidence: Evidence) -> list[str]:
    """Doubts about moves from one close (or middle of bid and ask) to the next beyond the limit."""
    is_bars = evidence.kind == "bars"
    last = evidence.column("close") if is_bars else (evidence.column("bid") + evidence.column("ask")) / 2
    first = evidence.column("open") if is_bars else last
    moves = last[1:] / last[:-1] - 1
    down = -evidence.rules.jump
    broken = np.concatenate([[False], (moves < down) | (moves > 1 / (1 + down) - 1)])
    broken &= ~_known(evidence, broken)
    if not broken.any():
        return []
    split = _split(last, first, broken)
    at = next(iter(split), int(broken.argmax()))
    verb = "falls" if moves[at - 1] < 0 else "rises"
    what = "close" if is_bars else "price"
    why = (
        f"looks like an unadjusted {split[at]} split"
        if split
        else "a bad price, or an adjustment that is missing?"
    )
    more = f" ({int(broken.sum()):,} such moves)" if broken.sum() > 1 else ""
    return [f"{evidence.when(at)} {what} {verb} {abs(moves[at - 1]):.1%}: {why}{more}"]


def _known(evidence: Evidence, broken: Mask) -> Mask:
    """Moves of days that the source vouches for."""
    known = np.zeros(len(broken), dtype=bool)
    for at in np.flatnonzero(broken) if evidence.rules.known_jumps else ():
        day = str(pd.Timestamp(int(evidence.days[at]) * DAY_NANOS).date())
        known[at] = day in evidence.rules.known_jumps
    return known


def _split(last: Floats, first: Floats, broken: Mask) -> dict[int, str]:
    """Row -> ratio, where the price opened (or closed) at a plain fraction of the close before."""
    found = {}
    for at in np.flatnonzero(broken):
        ratios = (last[at - 1] / first[at], last[at - 1] / last[at])
        name = next(
            (n for ratio in ratios for n, split in _SPLITS.items() if abs(ratio / split - 1) < _NEAR), None
        )
        if name is not None:
            found[int(at)] = name
    return found
