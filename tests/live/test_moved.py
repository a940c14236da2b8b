"""Fills that no node saw: what each leaves of a position, with the round trip it belongs to and without one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from journal import tables
from journal.trips import Trip
from live._moved import Moved

KEY = ("A", "AAPL.XNAS")
BASE = {"scope": "paper:x", "mode": "paper", "venue": "x"}
Row = dict[str, Any]


def fill(side: str, quantity: int, price: int) -> Row:
    return {
        "strategy": KEY[0], "instrument": KEY[1], "side": side, "quantity": Decimal(quantity), "ts": 5,
        "price": Decimal(price), "commission": Decimal(1), "currency": "USD", "slippage": None,
        "client_order_id": "O-2",
    }  # fmt: skip


def held(quantity: int, price: int, worth: int | None) -> dict[tuple[str, str], Row]:
    """A position whose units are worth `worth` times their price; None: of no round trip."""
    row: Row = {"quantity": Decimal(quantity), "average_price": Decimal(price), "opened_ns": 1, "trip": None}
    if worth is not None:
        paid = Decimal(quantity * price)
        row["trip"] = Trip("BUY", 1, "O-1", Decimal(quantity), paid, paid * worth).as_text()
    return {KEY: row}


def shown(moved: Moved, *fills: Row, settled_in: str = "USD") -> list[tuple[int, int | None]]:
    """(quantity, average price) after each fill."""
    rows = [row for each in fills for table, row in moved.by(each, settled_in) if table is tables.positions]
    prices = [row["average_price"] for row in rows]
    return [
        (int(row["quantity"]), None if price is None else int(price))
        for row, price in zip(rows, prices, strict=True)
    ]


def test_fills_from_flat_add_up_and_take_away_again() -> None:
    moved = Moved(BASE, "USD", {})
    fills = fill("BUY", 100, 10), fill("BUY", 100, 20), fill("SELL", 50, 30), fill("SELL", 150, 30)
    assert shown(moved, *fills) == [(100, 10), (200, 15), (150, 15), (0, None)]


def test_a_position_without_a_round_trip_may_turn_round() -> None:
    moved = Moved(BASE, "USD", held(100, 10, None))
    assert shown(moved, fill("SELL", 150, 20), fill("BUY", 50, 20)) == [(-50, 20), (0, None)]


def test_a_round_trip_is_valued_by_what_its_units_are_worth() -> None:
    (_, position), (table, trip) = Moved(BASE, "USD", held(3, 100, 50)).by(fill("SELL", 3, 110), "USD")
    assert (int(position["quantity"]), position["trip"]) == (0, None)
    assert table is tables.round_trips
    assert (int(trip["pnl"]), trip["exit_order"], trip["currency"]) == (3 * 10 * 50 - 1, "O-2", "USD")


def test_in_another_currency_the_position_is_told_and_no_round_trip() -> None:
    moved = Moved(BASE, "USD", held(3, 100, 1))
    assert shown(moved, fill("SELL", 3, 110), settled_in="EUR") == [(0, None)]


def test_what_is_netted_away_at_the_venue_is_nobodys() -> None:
    moved = Moved(BASE, "USD", held(3, 100, 1))
    assert moved.flat({"MSFT.XNAS"}) == []
    ((_, row),) = moved.flat({"AAPL.XNAS"})
    assert (int(row["quantity"]), row["average_price"], row["trip"]) == (0, None, None)
    assert moved.flat({"AAPL.XNAS"}) == []
