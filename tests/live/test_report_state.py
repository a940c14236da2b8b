"""Is an account halted at the end of a period? A person may have lifted it since the last snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from live._report_events import state_of

Row = dict[str, Any]


def seen(ts: int, state: str) -> Row:
    return {"ts": ts, "at": ts, "state": state}


def event(ts: int, kind: str, scope: str = "book") -> Row:
    return {"ts": ts, "at": ts, "kind": kind, "risk_scope": scope}


class Told:
    """What a period has of it."""

    def __init__(self, snapshots: list[Row], risk_events: list[Row]) -> None:
        self.snapshots, self.risk_events = snapshots, risk_events


@pytest.mark.parametrize(
    ("snapshots", "events", "state"),
    [
        ([], [], None),
        ([seen(1, "ACTIVE")], [], "ACTIVE"),
        ([seen(1, "ACTIVE"), seen(3, "HALTED")], [event(2, "TRIP")], "HALTED"),
        ([seen(3, "HALTED")], [event(2, "TRIP"), event(4, "RESUMED")], "ACTIVE"),
        ([seen(3, "HALTED")], [event(2, "TRIP"), event(4, "HALT_ENDED")], "ACTIVE"),
        ([seen(3, "HALTED")], [event(4, "RESUMED", "strategy:EmaCross-001")], "HALTED"),
        ([seen(1, "ACTIVE")], [event(4, "TRIP")], "HALTED"),
        ([seen(1, "ACTIVE")], [event(4, "TRIP", "venue:XNAS")], "ACTIVE"),
        ([seen(5, "ACTIVE")], [event(2, "TRIP"), event(4, "RESUMED")], "ACTIVE"),
        ([], [event(4, "TRIP")], "HALTED"),
    ],
)
def test_the_newest_of_snapshots_and_halts_counts(
    snapshots: list[Row], events: list[Row], state: str | None
) -> None:
    found: Any = Told(snapshots, events)
    assert state_of(found) == state
