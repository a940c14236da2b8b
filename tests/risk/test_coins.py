"""A fee that is taken in the coin that was bought: fewer coins are held, and their worth is what it cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from journal.trips import Trips
from risk.book import Book
from risk.coins import netted, netted_row

PAIR, SHARE = "BTC/USD.ALPACA", "AAPL.ALPACA"
BUY = {
    "strategy": "S-1", "instrument": PAIR, "side": "BUY", "quantity": Decimal("0.01"), "price": Decimal(50_000),
    "commission": Decimal("0.000025"), "currency": "BTC", "ts": 1, "client_order_id": "O-1", "slippage": None,
}  # fmt: skip
SELL = {
    **BUY, "side": "SELL", "quantity": Decimal("0.009975"), "price": Decimal(60_000), "commission": Decimal("1.5"),
    "currency": "USD", "ts": 2, "client_order_id": "O-2",
}  # fmt: skip


def book() -> Book:
    made = Book(Decimal(1_000), "USD")
    made.add_instrument(PAIR, Decimal(1), currency="USD")
    return made


def fill(made: Book, row: dict[str, object]) -> None:
    signed = row["quantity"] if row["side"] == "BUY" else -row["quantity"]  # type: ignore[operator]
    made.filled(
        strategy="S-1", instrument=PAIR, client_order_id=str(row["client_order_id"]), trade_id="1",
        signed_quantity=signed, price=row["price"], commission=row["commission"],  # type: ignore[arg-type]
        commission_currency=str(row["currency"]), ts=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("instrument", "currency", "units", "commission", "paid_in"),
    [
        (PAIR, "BTC", "0.009975", "1.25", "USD"),
        (PAIR, "USD", "0.01", "0.000025", "USD"),
        (PAIR, "ETH", "0.01", "0.000025", "ETH"),
        (SHARE, "AAPL", "0.01", "0.000025", "AAPL"),
    ],
)
def test_only_a_fee_in_the_pairs_own_coin_is_taken_off(
    instrument: str, currency: str, units: str, commission: str, paid_in: str
) -> None:
    found = netted(instrument, Decimal("0.01"), Decimal(50_000), Decimal("0.000025"), currency)
    assert found == (Decimal(units), Decimal(commission), paid_in)


def test_coins_that_were_paid_on_a_sale_are_gone_too() -> None:
    row = netted_row({**BUY, "side": "SELL"})
    assert (row["quantity"], row["commission"], row["currency"]) == (
        Decimal("0.010025"),
        Decimal("1.25"),
        "USD",
    )


def test_the_book_holds_what_came_and_all_of_it_can_be_sold() -> None:
    made = book()
    fill(made, BUY)
    assert made.holding("S-1", PAIR).position == Decimal("0.009975")
    assert made.cash == Decimal(500)
    assert made.equity() == Decimal("998.75")
    fill(made, SELL)
    assert made.is_flat()
    assert made.equity() == made.cash == Decimal(1097)
    (trade,) = made.holding("S-1", PAIR).trades
    assert trade.pnl == Decimal(97)


def test_the_round_trip_earned_what_the_cash_gained() -> None:
    trips = Trips()
    for row in (BUY, SELL):
        trip, ended = trips.filled(row, lambda price: price, "USD", lambda amount, _: amount)
    assert trip is None
    assert ended is not None
    assert (ended["quantity"], ended["pnl"]) == (Decimal("0.009975"), Decimal(97))
    assert ended["commission"] == Decimal("2.75")
