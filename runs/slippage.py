"""What did fills cost against the price an order was decided at?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

TEN_THOUSAND = 10_000


@dataclass(frozen=True, slots=True)
class Slippage:
    """Cost of fills against their decision prices, in one currency; exact.

    cost: below zero is a gain; decided: what the same quantity was worth at the decision prices, never negative.
    """

    cost: Decimal
    decided: Decimal

    @property
    def bps(self) -> float | None:
        """The cost in basis points of the value decided on; None where nothing was decided on."""
        return float(self.cost / self.decided) * TEN_THOUSAND if self.decided else None


def slippage(side: str, quantity: Decimal, decided: Decimal, filled: Decimal) -> Slippage:
    """One fill. side: BUY or SELL; decided, filled: what one unit was worth at the two prices, in one currency.

    A buy that pays more than was decided on, and a sale that brings less, cost something. (Values of an inverse
    contract are below zero and rise with its price, so that the rule is the same.)
    Source: Perold, The Implementation Shortfall: Paper versus Reality, Journal of Portfolio Management 14(3), 1988;
    of its parts only the execution cost, without commission and without what was not filled.
    """
    worse = filled - decided if side == "BUY" else decided - filled
    return Slippage(worse * quantity, abs(decided) * quantity)


def together(each: Iterable[Slippage]) -> Slippage:
    """The sum of several, in one currency."""
    cost = decided = Decimal(0)
    for one in each:
        cost, decided = cost + one.cost, decided + one.decided
    return Slippage(cost, decided)
