"""Was a level reached, or did one price only seem to reach it?

On quotes and trades a breach, and a new peak, count once enough distinct updates in a row agree. Where several
instruments are held the updates of one repeat what a price of another did to equity, and confirm nothing: so a reading
after the first counts for what it is worth without the newest price of any one other instrument.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

SECOND = 1_000_000_000
Bounds = Callable[[str], tuple[Decimal, Decimal]]
"""Scope -> what it may lose (zero or less) and gain (zero or more) if one price but the updated one is wrong."""


class Evidence(NamedTuple):
    """How many readings must agree; `bounds` of one that comes from a price, None of any other.

    `doubted`: some price is not believed yet, so equity may be lower than this: it is no new peak.
    """

    needed: int = 1
    bounds: Bounds | None = None
    doubted: bool = False

    def of(self, scope: str, value: Decimal) -> tuple[Decimal, Decimal]:
        """The lowest and the highest that the value may be, if any one price is wrong."""
        if self.bounds is None:
            return value, value
        less, more = self.bounds(scope)
        return value + less, value + more


PLAIN = Evidence()


class Streak:
    """Readings in a row beyond a level, oldest first. One that is not beyond it ends the streak."""

    __slots__ = ("last", "values")

    def __init__(self) -> None:
        """No reading yet."""
        self.values: list[Decimal] = []
        self.last: tuple[Decimal, int] | None = None  # value and market time of the newest distinct reading

    def is_new(self, ts: int, value: Decimal, evidence: Evidence) -> bool:
        """Whether a reading is distinct: another value, or a price that says the same a second later."""
        last = self.last
        if last is not None and last[0] == value and (evidence.bounds is None or ts - last[1] < SECOND):
            return False
        self.last = (value, ts)
        return True

    def lowest(self, needed: int) -> Decimal | None:
        """The lowest of the newest `needed` values; None while there are fewer."""
        return None if len(self.values) < needed else min(self.values[-needed:])

    def above(self, level: Decimal) -> None:
        """Go on with the values after the last one that is not above a new level."""
        while any(value <= level for value in self.values):
            self.values.pop(0)

    def shift(self, amount: Decimal) -> None:
        """Money came or went: what was read before is worth that much more."""
        self.values = [value + amount for value in self.values]
        if self.last is not None:
            self.last = self.last[0] + amount, self.last[1]
