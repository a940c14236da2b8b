"""Which accounts are tried: how many strategies, what goes wrong at the broker, what a breaker does, who is killed?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from soak.moments import HALTING, ORDINARY, Moment

ONE = ("strategy=busy", "instruments=[AAPL]")
TWO = (
    *ONE, "+strategy@strategies.second=busy", "strategy.reduce_only=false", "strategies.second.reduce_only=false",
)  # fmt: skip
"""Two strategies that share an instrument: the engine alone could not tell whose an order is."""
MIXED = (
    "strategy=busy", "instruments=[AAPL,MSFT]", "+strategy@strategies.second=busy",
    "strategies.second.instruments=[MSFT]", "strategy.instruments=[AAPL]",
)  # fmt: skip
OPEN = (
    "risk.max_orders_per_day=off", "risk.max_orders_per_sec=off", "risk.allow_short=true",
    "risk.allow_self_crossing=true", "risk.max_position_pct=off", "risk.max_leverage=off",
    "risk.max_daily_loss_pct=0.5", "risk.max_drawdown_pct=0.9", "journal.snapshot_secs=0.5", "venue.answer_secs=1.0",
)  # fmt: skip
TRIPS = ("risk.max_drawdown=5", "risk.latch_daily_loss=true")
NO_FAULTS = {
    "on": "submit", "drop_answer": 0, "lose_request": 0, "cut_after": 0, "cut_before": 0, "reject_next": 0,
    "delay_ms": 0, "event_delay_ms": 0, "duplicate_events": False, "reorder_events": False, "drop_events": False,
    "refuse_secs": 0.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scenario:
    """One account, traded by node after node, each of which is killed. `kills`: its share of a whole soak."""

    name: str
    overrides: tuple[str, ...]
    broker: tuple[str, ...] = ()
    moments: Mapping[Moment, int] = field(default_factory=lambda: ORDINARY)
    faults: bool = False
    broker_dies: bool = False
    share: int = 1

    @property
    def instruments(self) -> str:
        """What the broker has to play."""
        return next(each for each in self.overrides if each.startswith("instruments="))


PARTIAL = ("partial=0.5",)
SCENARIOS = (
    Scenario("one strategy", (*ONE, *OPEN), share=4),
    Scenario("two strategies on one instrument", (*TWO, *OPEN), share=4),
    Scenario("two instruments, fills in parts", (*MIXED, *OPEN), PARTIAL, share=3),
    Scenario("faults", (*ONE, *OPEN), PARTIAL, faults=True, share=4),
    Scenario("faults, two strategies", (*TWO, *OPEN), faults=True, share=4),
    Scenario("trips that cancel", (*ONE, *OPEN, *TRIPS), moments=HALTING, share=4),
    Scenario("trips that flatten", (*TWO, *OPEN, *TRIPS, "risk.on_trip=flatten"), PARTIAL, HALTING, share=4),
    Scenario(
        "trips that flatten, faults", (*MIXED, *OPEN, *TRIPS, "risk.on_trip=flatten"), PARTIAL, HALTING,
        faults=True, share=4,
    ),
    Scenario("the broker dies too", (*TWO, *OPEN), PARTIAL, broker_dies=True, share=5),
    Scenario(
        "everything", (*TWO, *OPEN, *TRIPS, "risk.on_trip=flatten"), PARTIAL, HALTING,
        faults=True, broker_dies=True, share=4,
    ),
)  # fmt: skip


def faults(dice: random.Random) -> dict[str, object]:
    """A bad day at the broker: how its news come, and one or two requests that go wrong."""
    found: dict[str, object] = {**NO_FAULTS, "on": dice.choice(("submit", "submit", "modify", "cancel"))}
    for name in ("drop_answer", "lose_request", "cut_after", "cut_before", "reject_next"):
        if dice.random() < 0.35:  # noqa: PLR2004 - about one in three
            found[name] = dice.randint(1, 2)
    found["delay_ms"] = dice.choice((0, 0, 30, 200))
    found["event_delay_ms"] = dice.choice((0, 0, 30, 200))
    found["duplicate_events"] = dice.random() < 0.5  # noqa: PLR2004
    found["reorder_events"] = dice.random() < 0.5  # noqa: PLR2004
    return found
