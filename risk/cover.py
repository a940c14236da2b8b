"""How much of a position do its working orders already close, and at which prices should the rest be closed?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from risk.lots import profit_limit, stop_trigger
from risk.numbers import ZERO

if TYPE_CHECKING:
    from risk.holding import Holding, WorkingOrder
    from risk.limits import RiskConfig


class Cover(NamedTuple):
    """Units of the closing side that work: as stops, as limits, and as orders that close without either price."""

    stops: Decimal
    limits: Decimal
    closing: Decimal


def closes(order: WorkingOrder, holding: Holding) -> bool:
    """Whether an order is on the side that closes the position."""
    return holding.position != ZERO and order.is_buy is (holding.position < ZERO)


def cover_of(holding: Holding) -> Cover:
    """What the working orders of a holding close, whoever sent them."""
    stops = limits = closing = ZERO
    for order in holding.working.values():
        if not closes(order, holding):
            continue
        if order.trigger is not None and not order.if_touched:
            stops += order.leaves
        elif order.limit is not None or order.if_touched:
            limits += order.leaves
        else:
            closing += order.leaves
    return Cover(stops, limits, closing)


@dataclass(frozen=True, slots=True)
class Levels:
    """Where a position's stop triggers and where its profit is taken; `entry` is what they are measured from."""

    entry: Decimal
    trigger: Decimal | None
    limit: Decimal | None

    @classmethod
    def of(cls, holding: Holding, limits: RiskConfig, instrument: Any) -> Levels | None:
        """The levels of a position, from its average entry or else its price; None when both are unknown."""
        entry = holding.average_entry or holding.instrument.mark
        if entry is None:
            return None
        is_long, tick = holding.position > ZERO, instrument.price_increment.as_decimal()
        stop, profit = limits.default_stop_loss_pct, limits.take_profit_pct
        return cls(
            entry,
            None if stop is None else stop_trigger(entry, stop, tick, is_long=is_long),
            None if profit is None else profit_limit(entry, profit, tick, is_long=is_long),
        )

    def highest(self, mark: Decimal | None) -> Decimal:
        """The highest price an order at these levels may be valued at."""
        return max(price for price in (self.entry, self.trigger, self.limit, mark) if price is not None)
