"""What must every price handler know, at the cost of one look?

A run calls the price handlers millions of times. All they read and write is in this one small object.
"""

from __future__ import annotations

from decimal import Decimal

from nautilus_trader.model import InstrumentId

from risk.holding import Instrument
from risk.watch import PriceWatch, Update

NEVER = 1 << 63
"""Later than every stamp."""
ALWAYS = 0
"""A `wake_at` that every update is past."""


NOBODY = PriceWatch(Instrument("", Decimal(0)))
"""A watch whose band is empty: every update is looked up."""


class Pulse:
    """State of the engine's thread as far as the price handlers are concerned.

    alert: prices are not simply passed on, because something is held or waits. sole: the watch of a run that prices one
    instrument only, so that there is nothing to look up; NOBODY, whose band is empty, in any other. rates_only: pairs
    whose quotes tell rates and which no strategy sees. wake_at: market time from which on the next update is looked
    at whatever its price. depth: how deep in strategies' callbacks we are; refusals are told at depth 0. news: a
    refusal waits to be told, or a halt to be carried out. stopping: no strategy code runs any more.
    retired: some strategy's own code runs no more.
    """

    __slots__ = (
        "alert",
        "depth",
        "last",
        "news",
        "now",
        "rates_only",
        "retired",
        "sole",
        "stopping",
        "wake_at",
    )

    def __init__(self) -> None:
        """Nothing held, nothing seen."""
        self.alert = False
        self.sole = NOBODY
        self.rates_only: frozenset[InstrumentId] = frozenset()
        self.wake_at = ALWAYS
        self.depth = 0
        self.news = False
        self.stopping = False
        self.retired = False
        self.last: Update | None = None
        self.now = 0

    def market_now(self) -> int:
        """Market time as far as it is known, UTC nanoseconds; it never goes back."""
        last = self.last
        if last is not None and last.ts_event > self.now:
            self.now = last.ts_event
        return self.now
