"""What is known of one of Alpaca's orders, and which of two things said about it is the newer? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.alpaca._parsing import (
    ENDS,
    REPLACED,
    ZERO,
    Execution,
    Row,
    amount,
    amount_or_zero,
    nanos,
    status_of,
)


@dataclass(slots=True)
class Known:
    """One order of Alpaca's."""

    row: Row
    name: str
    """Of the order of ours that it is, or was."""
    executions: dict[Decimal, Execution] = field(default_factory=dict)
    """cum -> fill"""
    carried: Decimal | None = None
    """How much of `filled_qty` belongs to its predecessors; None: not known."""
    confirmed: bool = True
    """Whether it has taken its predecessor's place."""

    @property
    def told(self) -> Decimal:
        """What was filled of it, as far as its fills are known without a gap."""
        cum = self.carried or ZERO
        while found := next((each for each in self.executions.values() if each.start == cum), None):
            cum = found.cum
        return cum


def older(row: Row, than: Row) -> bool:
    """Whether a row is older news than another: what is filled only rises, and an end is the end."""
    ended = (*ENDS, REPLACED)
    if (than["status"] in ended) is not (row["status"] in ended):
        return than["status"] in ended
    order = (amount_or_zero(row.get("filled_qty")), nanos(str(row["updated_at"])))
    return order < (amount_or_zero(than.get("filled_qty")), nanos(str(than["updated_at"])))


def standing(row: Row, filled: Decimal) -> str:
    """A status of VenueOrder for an order of which so much is filled through all of its changes."""
    found = status_of(row)
    return "PARTIALLY_FILLED" if found in ("PENDING", "ACCEPTED") and filled else found


def average(chain: Iterable[Known]) -> Decimal | None:
    """What was paid on average, through all changes of an order."""
    paid = filled = ZERO
    for each in chain:
        price = amount(each.row.get("filled_avg_price"))
        own = amount_or_zero(each.row.get("filled_qty")) - (each.carried or ZERO)
        if price is not None:
            paid, filled = paid + own * price, filled + own
    return paid / filled if filled else None
