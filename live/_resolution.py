"""What can a person say became of an order that nobody knew of?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from configs.errors import ConfigError
from live._told import Args, amount, needed, one_of, text

NEVER_ARRIVED, FILLED, CANCELED = "never_arrived", "filled", "canceled"
OUTCOMES = (NEVER_ARRIVED, FILLED, CANCELED)
ZERO = Decimal(0)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of an order, as a person found it out. `trade_id` is the venue's own, where it is known."""

    outcome: str
    quantity: Decimal | None
    price: Decimal | None
    trade_id: str | None


def read_resolution(args: Args) -> Resolution:
    """What a person says became of an order. Raises ConfigError."""
    outcome = one_of("outcome", needed(args, "outcome", "outcome=never_arrived"), OUTCOMES)
    quantity, price = amount(args, "quantity"), amount(args, "price")
    if outcome == FILLED and (quantity is None or price is None):
        raise ConfigError("outcome=filled: say how much at which price, as in quantity=100 price=187.23")
    if outcome != FILLED and (quantity is not None or price is not None or text(args, "trade")):
        raise ConfigError(f"outcome={outcome}: quantity, price and trade belong to outcome=filled")
    return Resolution(outcome, quantity, price, text(args, "trade"))


def check_fits(row: Row, resolution: Resolution) -> None:
    """Raise ConfigError where a person says that more was filled than the order, by its newest row, had left."""
    left: Decimal = row["quantity"] - row["filled"]
    if resolution.quantity is not None and resolution.quantity > left:
        raise ConfigError(
            f"quantity={resolution.quantity:f}: {row['client_order_id']} has {left.normalize():f} left to fill of "
            f"{row['quantity'].normalize():f}; say at most so much, or look at which order it was"
        )


def told_of(name: str, resolution: Resolution) -> str:
    """The answer in a person's words."""
    if resolution.outcome == FILLED:
        return f"{name} was filled: {resolution.quantity:f} at {resolution.price:f}"
    return f"{name} never arrived" if resolution.outcome == NEVER_ARRIVED else f"{name} was cancelled"


def resolved_row(row: Row, resolution: Resolution, said: str, ts: int) -> Row:
    """The order's newest row, from its row before and a person's word; what was not filled of it is over."""
    filled = row["filled"] + (resolution.quantity or ZERO)
    status = "ABSENT" if resolution.outcome == NEVER_ARRIVED else "CANCELED"
    if resolution.outcome == FILLED and filled >= row["quantity"]:
        status = "FILLED"
    values = {"ts": ts, "event": "RESOLVED", "status": status, "filled": filled}
    return {**row, **values, "reason": said, "source": "operator"}
