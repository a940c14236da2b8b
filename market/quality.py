"""Can these rows be traded on?

Errors are rows that contradict themselves: nothing computed from them would mean anything, so they stop
the run. Doubts are rows that can be right and often are not: they are reported and the run goes on. Each
rule counts its rows and shows the first one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from market import _gaps, _jumps, _rows
from market._evidence import Evidence, QualityRules

if TYPE_CHECKING:
    import pandas as pd

    from market.source import Kind

__all__ = ["QualityReport", "QualityRules", "check"]


@dataclass(frozen=True)
class QualityReport:
    """What the check found: one line a broken rule, errors and doubts apart."""

    errors: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def check(frame: pd.DataFrame, kind: Kind, symbol: str, rules: QualityRules | None = None) -> QualityReport:
    """Judge the rows of one symbol (see `DataSource.frame`); without `rules` only by themselves."""
    rules = rules or QualityRules()
    evidence = Evidence(frame, kind, rules, now_ns=rules.now_ns or time.time_ns())
    errors = _rows.unreadable(evidence) or [*_rows.disorder(evidence), *_rows.contradictions(evidence)]
    if errors:
        return QualityReport([f"{symbol}: {line}" for line in errors])
    errors = _gaps.wrong_length(evidence)
    doubts = [
        *_rows.oddities(evidence),
        *_gaps.outside_hours(evidence),
        *_gaps.missing(evidence),
        *_jumps.suspicious(evidence),
    ]
    return QualityReport([f"{symbol}: {line}" for line in errors], [f"{symbol}: {line}" for line in doubts])
