"""Positions and headroom of each scope are what adding up its holdings says."""

from __future__ import annotations

from decimal import Decimal
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from risk.book import Book
from risk.breaker import Breakers, ScopeLimits
from risk.limits import RiskConfig
from risk.numbers import ZERO
from risk.readings import Readings
from risk.sessions import SessionDays
from tests.driving import OPEN

SCOPES = ("strategy:A-001", "venue:XNAS", "venue:XNYS")
INSTRUMENTS = ("AAPL.XNAS", "MSFT.XNAS", "IBM.XNYS")
EQUITY, LOSS = Decimal(100_000), Decimal(30_000)


def joined(scopes: tuple[str, ...]) -> tuple[Book, Readings, Breakers]:
    limits = RiskConfig(**OPEN)
    lines = [ScopeLimits.only(scope, limits, max_drawdown=LOSS) for scope in scopes]
    book = Book(EQUITY, "USD")
    for instrument in INSTRUMENTS:
        book.add_instrument(instrument, Decimal(1), venue=instrument.partition(".")[2])
    readings = Readings(book)
    for scope in scopes:
        readings.add(scope, EQUITY if scope.startswith("venue:") else ZERO)
    breakers = Breakers(limits, SessionDays.of("UTC", "00:00"), EQUITY, scopes=lines)
    breakers.read(0, book.equity(), scoped=readings.now())
    return book, readings, breakers


def counts_in(scope: str, strategy: str, instrument: str) -> bool:
    return scope in ("book", f"strategy:{strategy}", f"venue:{instrument.partition('.')[2]}")


@given(
    st.lists(
        st.tuples(st.sampled_from(["A-001", "B-001"]), st.sampled_from(INSTRUMENTS), st.integers(-3, 3)),
        max_size=12,
    ),
    st.integers(0, len(SCOPES)),
)
def test_every_scope_holds_what_its_strategies_hold(fills: list[tuple[str, str, int]], watched: int) -> None:
    book, readings, breakers = joined(SCOPES[:watched])
    held: dict[tuple[str, str], int] = {}
    for number, (strategy, instrument, quantity) in enumerate(fills):
        if not quantity:
            continue
        held[strategy, instrument] = held.get((strategy, instrument), 0) + quantity
        book.filled(
            strategy=strategy, instrument=instrument, client_order_id=str(number), trade_id="1",
            signed_quantity=Decimal(quantity), price=Decimal(100), commission=ZERO,
        )  # fmt: skip
    falls, rises = readings.headroom(breakers)
    for scope in ("book", *SCOPES[:watched]):
        mine = {key: size for key, size in held.items() if size and counts_in(scope, *key)}
        count = max(1, len({instrument for _, instrument in mine}))
        assert falls[scope] == (inf if scope == "book" else float(LOSS * 4 / 5) / count)
        assert rises[scope] == 0.0
        for name, known in book.instruments.items():
            net = sum(size for (_, where), size in mine.items() if where == name)
            assert dict(readings.positions(known)).get(scope, ZERO) == net


def test_a_scope_that_is_added_later_holds_what_is_held() -> None:
    book, readings, _ = joined(())
    book.filled(
        strategy="A-001", instrument="AAPL.XNAS", client_order_id="1", trade_id="1",
        signed_quantity=Decimal(2), price=Decimal(100), commission=ZERO,
    )  # fmt: skip
    assert readings.positions(book.instruments["AAPL.XNAS"]) == [("book", Decimal(2))]
    readings.add("venue:XNAS")
    assert readings.positions(book.instruments["AAPL.XNAS"]) == [
        ("book", Decimal(2)),
        ("venue:XNAS", Decimal(2)),
    ]
