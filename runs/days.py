"""Where does each session day of a run end?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from runs.prices import IntArray

_DAY_NS = 86_400_000_000_000


def day_ends(ts: IntArray, zone: str) -> IntArray:
    """Return the index of the last stamp of each session day, a calendar day in `zone` (an IANA name).

    ts: shape (n,), UTC ns, bar ENDS in order; a bar that ends at midnight belongs to the day before.
    Gives shape (days,).
    """
    import pandas as pd  # noqa: PLC0415 - 0.3 s that only a report needs

    local = pd.to_datetime(ts - 1, unit="ns", utc=True).tz_convert(zone).tz_localize(None).as_unit("ns")
    days = local.asi8 // _DAY_NS
    return np.flatnonzero(np.append(days[1:] != days[:-1], np.ones(min(1, len(days)), bool)))
