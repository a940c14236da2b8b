"""The incremental book says what a slow recomputation says, for any sequence of orders, fills and cancels."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from risk.book import Book, WorkingOrder

ZERO = Decimal(0)
SYMBOLS = ("A.X", "B.X")
STRATEGIES = ("S-001", "T-002")
MULTIPLIERS = {"A.X": Decimal(1), "B.X": Decimal(10)}


@dataclass
class Slow:
    """The same facts kept as plain lists, and everything worked out from the beginning each time."""

    orders: dict[str, list[Any]] = field(default_factory=dict)  # id -> [strategy, instrument, is_buy, leaves]
    fills: list[tuple[str, str, Decimal, Decimal, Decimal]] = field(default_factory=list)
    marks: dict[str, Decimal] = field(default_factory=dict)

    def position(self, strategy: str, instrument: str) -> Decimal:
        return sum((f[2] for f in self.fills if f[:2] == (strategy, instrument)), ZERO)

    def cash(self) -> Decimal:
        return Decimal(10_000) - sum((f[2] * f[3] * MULTIPLIERS[f[1]] + f[4] for f in self.fills), ZERO)

    def equity(self) -> Decimal:
        held = ((s, i, self.position(s, i)) for s in STRATEGIES for i in SYMBOLS)
        return self.cash() + sum((q * self.marks[i] * MULTIPLIERS[i] for _, i, q in held if q), ZERO)

    def gross(self) -> Decimal:
        total = ZERO
        for strategy in STRATEGIES:
            for instrument in SYMBOLS:
                position = self.position(strategy, instrument)
                mine = [o for o in self.orders.values() if o[:2] == [strategy, instrument]]
                if not position and not mine:
                    continue
                buys = sum((o[3] for o in mine if o[2]), ZERO)
                sells = sum((o[3] for o in mine if not o[2]), ZERO)
                worst = max(abs(position + buys), abs(position - sells))
                total += worst * self.marks[instrument] * MULTIPLIERS[instrument]
        return total


step = st.tuples(
    st.sampled_from(["order", "fill", "cancel", "price"]),
    st.sampled_from(STRATEGIES),
    st.sampled_from(SYMBOLS),
    st.booleans(),
    st.integers(1, 50),
    st.decimals("0.5", 200, places=2),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(step, max_size=60))
def test_the_book_equals_a_slow_recomputation(steps: list[tuple[str, str, str, bool, int, Decimal]]) -> None:
    book, slow = Book(Decimal(10_000), "USD"), Slow()
    for name in SYMBOLS:
        book.add_instrument(name, MULTIPLIERS[name]).mark = Decimal(100)
        slow.marks[name] = Decimal(100)
    for number, (what, strategy, instrument, is_buy, size, price) in enumerate(steps):
        if what == "order":
            name, leaves = f"O-{number}", Decimal(size)
            book.submitted(WorkingOrder(name, strategy, instrument, is_buy, leaves, None, False, name))  # noqa: FBT003
            slow.orders[name] = [strategy, instrument, is_buy, leaves]
        elif what == "price":
            book.instruments[instrument].mark = slow.marks[instrument] = price
        elif slow.orders:
            name = sorted(slow.orders)[size % len(slow.orders)]
            owner, where, buys, leaves = slow.orders[name]
            if what == "cancel":
                book.closed(name)
                del slow.orders[name]
                continue
            units = min(Decimal(size), leaves)
            signed = units if buys else -units
            fill: dict[str, Any] = {
                "strategy": owner, "instrument": where, "client_order_id": name, "trade_id": f"T-{number}",
                "signed_quantity": signed, "price": price, "commission": Decimal("0.35"),
            }  # fmt: skip
            assert book.filled(**fill)
            assert not book.filled(**fill)  # the same trade twice counts once
            slow.fills.append((owner, where, signed, price, Decimal("0.35")))
            slow.orders[name][3] = leaves - units
            if not slow.orders[name][3]:
                del slow.orders[name]
    assert set(book.orders) == set(slow.orders)
    assert book.cash == slow.cash()
    assert book.equity() == slow.equity()
    assert book.gross() == slow.gross()
    assert book.is_flat() == (not any(slow.position(s, i) for s in STRATEGIES for i in SYMBOLS))


def test_of_orders_that_fill_once_only_the_largest_counts() -> None:
    book = Book(Decimal(10_000), "USD")
    book.add_instrument("A.X", Decimal(1)).mark = Decimal(10)
    holding = book.holding("S-001", "A.X")
    holding.position = Decimal(100)
    for name in ("TP", "SL"):
        book.submitted(WorkingOrder(name, "S-001", "A.X", False, Decimal(100), None, True, "TP"))  # noqa: FBT003
    assert holding.committed(buys=False) == 100
    assert holding.exposure() == 1_000


def test_a_limit_above_the_mark_counts_at_its_own_price() -> None:
    book = Book(Decimal(10_000), "USD")
    book.add_instrument("A.X", Decimal(1)).mark = Decimal(10)
    order = WorkingOrder("O", "S-001", "A.X", True, Decimal(100), Decimal(12), False, "O")  # noqa: FBT003
    assert book.holding("S-001", "A.X").exposure(order) == 1_200


def test_a_change_counts_as_the_worse_of_old_and_new_until_it_is_answered() -> None:
    book = Book(Decimal(10_000), "USD")
    book.add_instrument("A.X", Decimal(1)).mark = Decimal(10)
    book.submitted(WorkingOrder("O", "S-001", "A.X", True, Decimal(100), Decimal(9), False, "O"))  # noqa: FBT003
    book.resizing("O", Decimal(50), Decimal(8))
    assert book.orders["O"].leaves == 100
    book.resize_refused("O")
    assert (book.orders["O"].leaves, book.orders["O"].price) == (Decimal(100), Decimal(9))
    book.resizing("O", Decimal(150), Decimal(8))
    assert book.orders["O"].leaves == 150
    book.resized("O", Decimal(150), Decimal(8))
    assert (book.orders["O"].leaves, book.orders["O"].price) == (Decimal(150), Decimal(8))
