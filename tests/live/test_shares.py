"""Whose is what the venue holds beyond what the journal explains: dust of rounded fees, or a stranger's."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.account import VenuePosition
from journal.trips import Trip, Trips
from live._shares import Shares
from risk.book import Book
from risk.doubts import Doubts
from risk.foreign import EXTERNAL

PAIR, OWNER = "BTC/USD.ALPACA", "EmaCross-001"


class Rows(list[tuple[Any, dict[str, Any]]]):
    """What would be written."""

    def add(self, table: Any, values: dict[str, Any]) -> None:
        self.append((table, values))


def shared(venue: str, journal: str, side: str = "BUY", policy: str = "freeze") -> Any:
    """What became of a position of the venue, where the journal has so many units of one strategy."""
    book, trips, told, rows = Book(Decimal(1000), "USD"), Trips(), [], Rows()
    book.add_instrument(PAIR, Decimal(1), currency="USD")
    trip = Trip(side, 5, "O-1", entered=Decimal(journal), entry_paid=Decimal(journal) * 100)
    trip.entry_value = trip.entry_paid
    trips.open[OWNER, PAIR] = trip
    desk: Any = SimpleNamespace(book=book, doubts=Doubts())
    witness: Any = SimpleNamespace(trips=trips, writer=rows, base={})
    shares = Shares(desk, witness, policy, {PAIR: [OWNER]}, lambda *words: told.append(words), 9)
    shares.share([VenuePosition(PAIR, Decimal(venue), Decimal(100))])
    held = {name: holding.position for (name, _), holding in book.holdings.items()}
    return SimpleNamespace(
        held=held, told=told, rows=rows, trip=trips.open.get((OWNER, PAIR)), frozen=desk.doubts.frozen
    )


@pytest.mark.parametrize("policy", ["freeze", "refuse"])
@pytest.mark.parametrize(("venue", "journal", "side"), [
    ("0.057174111", "0.057174044", "BUY"), ("0.057174004", "0.057174044", "BUY"), ("-0.05000001", "0.05", "SELL"),
])  # fmt: skip
def test_what_rounded_fees_leave_is_the_owners_and_freezes_nothing(
    venue: str, journal: str, side: str, policy: str
) -> None:
    found = shared(venue, journal, side, policy)
    assert found.held == {OWNER: Decimal(venue)}
    assert not found.frozen
    ((kind, text),) = found.told
    assert kind == "ADOPTED"
    assert f"the venue holds {venue}" in text
    ((_, row),) = found.rows
    assert (row["quantity"], row["average_price"], row["opened_ns"]) == (Decimal(venue), 100, 5)
    assert (found.trip.entry_order, found.trip.position) == ("O-1", Decimal(venue))


def test_more_than_dust_is_a_strangers() -> None:
    found = shared("0.06", "0.05")
    assert found.held == {OWNER: Decimal("0.05"), EXTERNAL: Decimal("0.01")}
    assert PAIR in found.frozen
