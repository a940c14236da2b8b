"""What has to be known of a period before a report can be worked out?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


@dataclass(slots=True)
class Order:
    """An order that changed in the period, as it was at its end."""

    type: str
    instrument: str
    quantity: Decimal
    filled: Decimal
    status: str
    reason: str | None
    intended: bool = False  # decided on in the period, not before it
    partly: bool = False  # whether it was filled in part for a while


@dataclass(frozen=True, slots=True)
class Series:
    """What an account was worth: snapshots that know its equity, and money that came or left since the first of them.

    before: the last one before them; starting: what the first run that made them began with.
    """

    before: Row | None
    starting: Decimal | None
    snapshots: Sequence[Row]
    flows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Found:
    """What happened in a period, each list in the order it was written."""

    runs: Sequence[Row]
    series: Series
    daily: Series
    """The last snapshot of each session day, from `LOOK_BACK` before the period on."""
    snapshots: Sequence[Row]
    fills: Sequence[Row]
    orders: Mapping[str, Order]
    """Client order id -> order, of those that changed."""
    intents: Mapping[str, int]
    """Client order id -> when it was decided to send it, by the clock on the wall; of all orders that filled."""
    decisions: Mapping[str, int]
    """Verdict -> how many."""
    refusals: Sequence[Row]
    trips: Sequence[Row]
    """Round trips that ended."""
    earlier_trips: Sequence[Row]
    """The newest ones that ended before, as many as breakers look at."""
    risk_events: Sequence[Row]
    approvals: Sequence[Row]
    alerts: Sequence[Row]
    commands: Sequence[Row]
    receipts: Mapping[str, Row]
    positions: Sequence[Row]
    """As they were at its end."""
    limit_sets: Mapping[str, str]
    """Version -> the limits as JSON."""
    status: Row | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all happened."""
        return not (
            self.snapshots or self.fills or self.orders or self.decisions or self.trips or self.risk_events
            or self.alerts or self.commands
        )  # fmt: skip
