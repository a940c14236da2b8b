"""Which position does a fill make that no node saw, and which round trip does it end?"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from journal import tables
from journal.trips import Trip, Trips
from risk.coins import netted_row

ZERO = Decimal(0)
Key = tuple[str, str]
Row = dict[str, Any]
Rows = list[tuple[Any, Mapping[str, Any]]]


class Moved:
    """Books fills, in the order they happened, on the positions the journal has.

    A round trip goes on only where its worth can be told without market data: from the worth of what it entered with,
    in the account's currency.
    """

    def __init__(
        self, base: Mapping[str, Any], currency: str, positions: Mapping[Key, Mapping[str, Any]]
    ) -> None:
        """`base` is in every row; positions: (strategy, instrument) -> the newest row of one that is not flat."""
        self._base = base
        self._currency = currency
        self._held: dict[Key, Row] = {key: dict(row) for key, row in positions.items()}
        self._trips = Trips()
        for key, row in self._held.items():
            if row["trip"] is not None:
                self._trips.open[key] = Trip.from_text(row["trip"])

    def by(self, fill: Mapping[str, Any], settled_in: str) -> Rows:
        """The position after a fill row of an instrument that settles in a currency, and the round trip it ended."""
        fill = netted_row(fill)
        key = fill["strategy"], fill["instrument"]
        trip = self._trips.open.get(key)
        if trip is None or not trip.entry_paid or settled_in != self._currency:
            self._trips.open.pop(key, None)
            return [(tables.positions, self._position(key, self._without_trip(key, fill)))]
        unit = trip.entry_value / trip.entry_paid
        now, ended = self._trips.filled(
            fill, lambda price: price * unit, self._currency, lambda amount, _: amount
        )
        after: Row = {"quantity": ZERO, "average_price": None, "opened_ns": None, "trip": None}
        if now is not None:
            after = {"quantity": now.position, "average_price": now.average_price}
            after |= {"opened_ns": now.opened_ns, "trip": now.as_text()}
        rows: Rows = [(tables.positions, self._position(key, after))]
        if ended is not None:
            trip_row = {**self._base, "ts": fill["ts"], **ended, "currency": self._currency}
            rows.append((tables.round_trips, trip_row))
        return rows

    def flat(self, instruments: Collection[str]) -> Rows:
        """Rows by which nobody holds these instruments any more, where somebody still does by the journal."""
        keys = [key for key in self._held if key[1] in instruments]
        nothing: Row = {"quantity": ZERO, "average_price": None, "opened_ns": None, "trip": None}
        return [(tables.positions, self._position(key, nothing)) for key in keys]

    def _without_trip(self, key: Key, fill: Mapping[str, Any]) -> Row:
        held = self._held.get(key)
        before = ZERO if held is None else Decimal(held["quantity"])
        signed = fill["quantity"] if fill["side"] == "BUY" else -fill["quantity"]
        is_turned = before * (before + signed) <= ZERO
        return {
            "quantity": before + signed,
            "average_price": _average(held, before, signed, fill["price"]),
            "opened_ns": fill["ts"] if held is None or is_turned else held["opened_ns"],
            "trip": None,
        }

    def _position(self, key: Key, after: Row) -> Row:
        if after["quantity"]:
            self._held[key] = after
        else:
            self._held.pop(key, None)
            after = {**after, "opened_ns": None}
        named = {"ts": time.time_ns(), "strategy": key[0], "instrument": key[1], "source": "operator"}
        return {**self._base, **named, **after}


def _average(
    held: Mapping[str, Any] | None, before: Decimal, signed: Decimal, price: Decimal
) -> Decimal | None:
    """What the position cost on average after a fill; None when it is flat, or nobody knows."""
    after = before + signed
    old = None if held is None else held["average_price"]
    if not after:
        return None
    if before * signed < ZERO:
        return old if before * after > ZERO else price
    return price if old is None or not before else (before * old + signed * price) / after
