"""Which position does each strategy hold by its fills, and what did each round trip earn?

A round trip lasts from flat until flat again; a fill that turns a position round closes one and opens the next, and its
commission is shared by quantity.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, localcontext
from typing import Any, Self

from journal.tables import plain
from risk.coins import netted_row

DIGITS = 50
FINEST = Decimal("1e-16")
ZERO = Decimal(0)
Key = tuple[str, str]
InBase = Callable[[Decimal, str], Decimal]


@dataclass(slots=True)
class Trip:
    """A round trip on its way. Values are in the currency the instrument settles in, commissions in the account's."""

    side: str
    opened_ns: int
    entry_order: str
    entered: Decimal = ZERO
    entry_paid: Decimal = ZERO
    entry_value: Decimal = ZERO
    exited: Decimal = ZERO
    exit_paid: Decimal = ZERO
    exit_value: Decimal = ZERO
    commission: Decimal = ZERO
    slippage: Decimal | None = ZERO

    def as_text(self) -> str:
        """The trip as JSON, amounts as text."""
        return json.dumps(
            {each.name: _plain(getattr(self, each.name)) for each in fields(self)}, sort_keys=True
        )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The trip that `as_text` wrote. Raises ValueError, TypeError or ArithmeticError for anything else."""
        kept = json.loads(text)
        amounts = {each.name for each in fields(cls)} - {"side", "opened_ns", "entry_order"}
        values: dict[str, Any] = {
            key: Decimal(value) if key in amounts and value is not None else value
            for key, value in kept.items()
        }
        return cls(**values)

    @property
    def held(self) -> Decimal:
        """Units still held, unsigned."""
        return self.entered - self.exited

    @property
    def position(self) -> Decimal:
        """Units held, signed."""
        return self.held if self.side == "BUY" else -self.held

    @property
    def average_price(self) -> Decimal | None:
        """Average price of the units entered."""
        return _average(self.entry_paid, self.entered)


class Trips:
    """Turns fill rows, in the order they happened, into positions and finished round trips."""

    def __init__(self) -> None:
        """Flat everywhere."""
        self.open: dict[Key, Trip] = {}

    def filled(
        self, fill: Mapping[str, Any], value_at: Callable[[Decimal], Decimal], currency: str, in_base: InBase
    ) -> tuple[Trip | None, dict[str, Any] | None]:
        """Book a fill row; answers the round trip that is open now and the values of the one that ended, if any.

        value_at: price -> worth of one unit in `currency`, which the instrument settles in; in_base: (amount, currency)
        -> the account's currency. Raises LookupError where it knows no rate.
        """
        with localcontext(prec=DIGITS):
            return self._filled(fill, value_at, currency, in_base)

    def _filled(
        self, fill: Mapping[str, Any], value_at: Callable[[Decimal], Decimal], currency: str, in_base: InBase
    ) -> tuple[Trip | None, dict[str, Any] | None]:
        fill = netted_row(fill)
        key = (fill["strategy"], fill["instrument"])
        trip, rest = self.open.get(key), fill["quantity"]
        commission, slippage = in_base(fill["commission"], fill["currency"]), fill["slippage"]
        ended = None
        if trip is not None and trip.side != fill["side"]:
            quantity = min(rest, trip.held)
            share = quantity / rest
            own = commission if quantity == rest else (commission * share).quantize(FINEST)
            trip.exited += quantity
            trip.exit_paid += quantity * fill["price"]
            trip.exit_value += quantity * value_at(fill["price"])
            trip.commission += own
            trip.slippage = _sum(
                trip.slippage, None if slippage is None else (slippage * share).quantize(FINEST)
            )
            rest, commission = rest - quantity, commission - own
            slippage = None if slippage is None else slippage - (slippage * share).quantize(FINEST)
            if not trip.held:
                ended = _ended(key, trip, fill, currency, in_base)
                del self.open[key]
                trip = None
        if rest:
            if trip is None:
                trip = self.open[key] = Trip(fill["side"], fill["ts"], fill["client_order_id"])
            trip.entered += rest
            trip.entry_paid += rest * fill["price"]
            trip.entry_value += rest * value_at(fill["price"])
            trip.commission += commission
            trip.slippage = _sum(trip.slippage, slippage)
        return trip, ended


def _ended(key: Key, trip: Trip, fill: Mapping[str, Any], currency: str, in_base: InBase) -> dict[str, Any]:
    gain = trip.exit_value - trip.entry_value
    pnl = in_base(gain if trip.side == "BUY" else -gain, currency) - trip.commission
    base = in_base(abs(trip.entry_value), currency)
    return {
        "strategy": key[0],
        "instrument": key[1],
        "side": "LONG" if trip.side == "BUY" else "SHORT",
        "quantity": trip.entered,
        "entry_price": _average(trip.entry_paid, trip.entered),
        "exit_price": _average(trip.exit_paid, trip.exited),
        "opened_ns": trip.opened_ns,
        "closed_ns": fill["ts"],
        "holding_ns": fill["ts"] - trip.opened_ns,
        "pnl": pnl.quantize(FINEST),
        "pnl_pct": (pnl / base).quantize(FINEST) if base else ZERO,
        "commission": trip.commission,
        "slippage": trip.slippage,
        "entry_order": trip.entry_order,
        "exit_order": fill["client_order_id"],
    }


def _average(paid: Decimal, quantity: Decimal) -> Decimal | None:
    return (paid / quantity).quantize(FINEST) if quantity else None


def _plain(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
