"""Are there bars where there should be, and none where there should not?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from market._evidence import Evidence, Mask
from market.sessions import DAY_NANOS, Nanos

_HOUR = 3_600_000_000_000
_HOLIDAYS = 2
"""Weekdays in a row that a holiday can take (Easter, Christmas); more are a gap."""
_SATURDAY = 5
_MONDAY_SINCE_1970 = 4
"""Day 0 was a Thursday: day 4 a Monday."""
_ENOUGH_STEPS = 5


def wrong_length(evidence: Evidence) -> list[str]:
    """Error: the rows lie closer together, or all further apart, than bars of this length can.

    Either way the stamps would be wrong: a bar labelled by its start is moved to its end by its length.
    """
    length = evidence.rules.length
    steps = np.diff(evidence.ts)
    if length is None or evidence.kind != "bars" or not len(steps):
        return []
    values, counts = np.unique(steps, return_counts=True)
    usual = int(values[counts == counts.max()].max())
    # A session cut short, or a day that clocks made shorter, is at least half as long as it should be.
    too_close = usual * 2 <= length.nanos
    too_far = not evidence.rules.rare and len(steps) >= _ENOUGH_STEPS and int(values[0]) >= 2 * length.nanos
    if not (too_close or too_far):
        return []
    spelled = _spell(usual)
    return [f"bar={length.text}, but the rows are {spelled} apart ({evidence.when(0)} on); set bar={spelled}"]


def outside_hours(evidence: Evidence) -> list[str]:
    """Doubt: rows where the market is shut, which is what stamps read in the wrong zone look like."""
    rules = evidence.rules
    if rules.calendar is None or rules.calendar == "24/7":
        return []
    sessions = evidence.sessions
    if sessions is None:
        broken = (evidence.days - _MONDAY_SINCE_1970) % 7 == _SATURDAY
        shut = f"on a Saturday in {rules.zone}"
    else:
        broken, shut = sessions.session_at(evidence.ts) < 0, f"outside the sessions of {sessions.name}"
    if not broken.any():
        return []
    share = f"{broken.mean():.1%} of all"
    at = int(np.argmax(broken))
    clock = f"{evidence.local[at]:%Y-%m-%d %H:%M} in {rules.zone}"
    where = f"rows end {shut}: {evidence.first(np.asarray(broken))}, {clock}; {share}"
    return [f"{where}: are data.zone, data.stamp_zone and data.label right?"]


def missing(evidence: Evidence) -> list[str]:
    """Doubt: bars that the calendar expects and the rows do not have."""
    if evidence.kind == "quotes":
        return _silence(evidence)
    if evidence.rules.length is None or evidence.rules.calendar is None or len(evidence.ts) < 2:  # noqa: PLR2004 - a gap has two sides
        return []
    return _missing_days(evidence) if evidence.is_daily else _missing_bars(evidence)


def _missing_days(evidence: Evidence) -> list[str]:
    if evidence.sessions is not None:
        return _missing_sessions(evidence, evidence.days)
    weekdays = evidence.rules.calendar == "weekdays"
    steps = _weekdays_between(evidence.days) if weekdays else np.diff(evidence.days)
    step = evidence.rules.length.step if evidence.rules.length else 1
    allowed = step + (_HOLIDAYS if weekdays else 0)
    return _report(evidence, np.flatnonzero(steps > allowed), (steps - step), "days")


def _missing_sessions(evidence: Evidence, days: Nanos) -> list[str]:
    sessions = evidence.sessions
    if sessions is None or (evidence.rules.length is not None and evidence.rules.length.step != 1):
        return []
    inside = sessions.between(int(evidence.ts[0]), int(evidence.ts[-1]))
    absent = np.setdiff1d(inside.days, days)
    if not len(absent):
        return []
    first = pd.Timestamp(int(absent[0]) * DAY_NANOS).date()
    return [f"no bar for {len(absent):,} of {len(inside.days):,} sessions of {sessions.name}, first {first}"]


def _weekdays_between(days: Nanos) -> Nanos:
    dates = days.astype("datetime64[D]")
    return np.asarray(np.busday_count(dates[:-1], dates[1:]), dtype=np.int64)


def _missing_bars(evidence: Evidence) -> list[str]:
    """Steps longer than a bar within one trading period: a session, a local day, or any time at all."""
    length = evidence.rules.length.nanos if evidence.rules.length else DAY_NANOS
    steps = np.diff(evidence.ts)
    apart = (steps > length) & _same_period(evidence)
    return _report(evidence, np.flatnonzero(apart), -(-steps // length) - 1, "bars")


def _silence(evidence: Evidence) -> list[str]:
    """Quotes have no length: an hour without one is worth a word."""
    if evidence.rules.calendar is None or len(evidence.ts) < 2:  # noqa: PLR2004 - see above
        return []
    steps = np.diff(evidence.ts)
    return _report(
        evidence, np.flatnonzero((steps > _HOUR) & _same_period(evidence)), steps // _HOUR, "hours"
    )


def _same_period(evidence: Evidence) -> Mask:
    if evidence.rules.calendar == "24/7":
        return np.ones(len(evidence.ts) - 1, dtype=bool)
    if evidence.sessions is not None:
        at = evidence.sessions.session_at(evidence.ts)
        return np.asarray((at[1:] == at[:-1]) & (at[1:] >= 0))
    return np.asarray(evidence.days[1:] == evidence.days[:-1])


def _report(evidence: Evidence, gaps: Nanos, lost: Nanos, unit: str) -> list[str]:
    if not len(gaps):
        return []
    longest = int(gaps[lost[gaps].argmax()])
    count = "1 gap" if len(gaps) == 1 else f"{len(gaps):,} gaps"
    where = f"the longest ({int(lost[longest]):,}) " if len(gaps) > 1 else ""
    return [f"{count}, {int(lost[gaps].sum()):,} {unit} missing, {where}after {evidence.when(longest)}"]


def _spell(nanos: int) -> str:
    for unit, size in (("d", DAY_NANOS), ("h", _HOUR), ("m", 60 * 10**9), ("s", 10**9)):
        if nanos >= size and nanos % size == 0:
            return f"{nanos // size}{unit}"
    return f"{nanos / 10**9:g}s"
