"""The book kept step by step says what a slow recomputation says, for any sequence of orders, fills and prices."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.book import Book, WorkingOrder
from risk.numbers import ZERO

STRATEGIES = ("S-001", "T-002")
INSTRUMENTS: dict[str, tuple[Decimal, str, bool, str]] = {  # id -> (multiplier, currency, inverse, venue)
    "A.X": (Decimal(1), "USD", False, "X"),
    "B.X": (Decimal(10), "USD", False, "X"),
    "C.Y": (Decimal(1), "EUR", False, "Y"),
    "D.Y": (Decimal(100), "BTC", True, "Y"),
}
NEAR = Decimal("1e-15")
"""An inverse contract's value is a quotient, so its sums differ in the last of 28 digits."""


def close(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= NEAR * max(Decimal(1), abs(one), abs(other))


def value_at(instrument: str, price: Decimal) -> Decimal:
    multiplier, _, inverse, _ = INSTRUMENTS[instrument]
    return -multiplier / price if inverse else multiplier * price


@dataclass
class Slow:
    """The same facts kept as plain lists, and everything worked out from the beginning each time."""

    orders: dict[str, list[Any]] = field(
        default_factory=dict
    )  # id -> [strategy, instrument, buys, leaves, price, group]
    fills: list[tuple[str, str, Decimal, Decimal, Decimal]] = field(default_factory=list)
    paid: list[tuple[str, Decimal]] = field(default_factory=list)  # (currency, amount)
    marks: dict[str, Decimal] = field(default_factory=dict)
    rates: dict[str, Decimal] = field(default_factory=dict)

    def position(self, strategy: str, instrument: str) -> Decimal:
        return sum((f[2] for f in self.fills if f[:2] == (strategy, instrument)), ZERO)

    def flows(self, strategy: str | None = None, venue: str | None = None) -> Decimal:
        total = ZERO
        for who, instrument, quantity, price, fee in self.fills:
            _, currency, _, where = INSTRUMENTS[instrument]
            if strategy in (None, who) and venue in (None, where):
                total -= (quantity * value_at(instrument, price) + fee) * self.rates[currency]
        return total

    def cash(self) -> Decimal:
        paid = sum((amount * self.rates[currency] for currency, amount in self.paid), ZERO)
        return Decimal(10_000) + paid + self.flows()

    def value(self, strategy: str | None = None, venue: str | None = None) -> Decimal:
        total = ZERO
        for who in STRATEGIES:
            for instrument, (_, currency, _, where) in INSTRUMENTS.items():
                if strategy in (None, who) and venue in (None, where):
                    unit = value_at(instrument, self.marks[instrument])
                    total += self.position(who, instrument) * unit * self.rates[currency]
        return total

    def equity(self) -> Decimal:
        return self.cash() + self.value()

    def worst(self, strategy: str, instrument: str) -> Decimal:
        position, mark = self.position(strategy, instrument), self.marks[instrument]
        mine = [o for o in self.orders.values() if o[:2] == [strategy, instrument]]
        unit = abs(value_at(instrument, mark))
        sides = []
        for buys in (True, False):
            groups: dict[str, Decimal] = {}
            for order in mine:
                if order[2] is buys:
                    groups[order[5]] = max(groups.get(order[5], ZERO), order[3])
            sides.append(sum(groups.values(), ZERO))
        worst = max(abs(position + sides[0]), abs(position - sides[1])) * unit
        for order in mine:
            if order[4] is not None:
                worst += order[3] * max(ZERO, abs(value_at(instrument, order[4])) - unit)
        return worst

    def gross(self, strategy: str | None = None) -> Decimal:
        return sum(
            (
                self.worst(who, instrument) * self.rates[INSTRUMENTS[instrument][1]]
                for who in STRATEGIES
                for instrument in INSTRUMENTS
                if strategy in (None, who)
            ),
            ZERO,
        )

    def open(self) -> set[str]:
        working = {order[1] for order in self.orders.values()}
        held = {i for i in INSTRUMENTS for who in STRATEGIES if self.position(who, i)}
        return working | held


prices = st.decimals("0.5", 200, places=2)
step = st.tuples(
    st.sampled_from(["order", "order", "fill", "fill", "cancel", "price", "resize", "refuse", "rate", "pay"]),
    st.sampled_from(STRATEGIES),
    st.sampled_from(tuple(INSTRUMENTS)),
    st.booleans(),
    st.integers(1, 50),
    prices,
    st.booleans(),
)


def fresh() -> tuple[Book, Slow]:
    book = Book(Decimal(10_000), "USD")
    slow = Slow(rates={"USD": Decimal(1), "EUR": Decimal("1.1"), "BTC": Decimal(50)})
    for name, (multiplier, currency, inverse, venue) in INSTRUMENTS.items():
        book.mark(
            book.add_instrument(name, multiplier, currency=currency, inverse=inverse, venue=venue),
            Decimal(100),
        )
        slow.marks[name] = Decimal(100)
    for currency, rate in slow.rates.items():
        book.set_rate(currency, rate)
    book.watch_scope("venue", "Y")
    book.watch_scope("strategy", "T-002")
    return book, slow


def take(book: Book, slow: Slow, number: int, one: tuple[str, str, str, bool, int, Decimal, bool]) -> None:
    """Do one step in both."""
    what, strategy, instrument, is_buy, size, price, flag = one
    if what == "order":
        name, leaves = f"O-{number}", Decimal(size)
        own = price if flag else None
        group = f"G-{size % 3}-{strategy}-{instrument}" if size % 5 == 0 else name
        book.submitted(WorkingOrder(name, strategy, instrument, is_buy, leaves, own, False, group))  # noqa: FBT003
        slow.orders[name] = [strategy, instrument, is_buy, leaves, own, group]
    elif what == "price":
        book.mark(book.instruments[instrument], price)
        slow.marks[instrument] = price
    elif what == "rate":
        currency = "EUR" if flag else "BTC"
        book.set_rate(currency, price)
        slow.rates[currency] = price
    elif what == "pay":
        currency = "EUR" if flag else "USD"
        book.pay(Decimal(size if is_buy else -size), currency)
        slow.paid.append((currency, Decimal(size if is_buy else -size)))
    elif slow.orders:
        name = sorted(slow.orders)[size % len(slow.orders)]
        act: Any = {"cancel": _cancel, "fill": _fill, "resize": _resize, "refuse": _refuse}[what]
        act(book, slow, name, number, Decimal(size), price)


def _cancel(book: Book, slow: Slow, name: str, *_: object) -> None:
    book.closed(name)
    book.closed(name)
    del slow.orders[name]


def _fill(book: Book, slow: Slow, name: str, number: int, size: Decimal, price: Decimal) -> None:
    owner, where, buys, leaves, *_ = slow.orders[name]
    units = min(size, leaves)
    signed, fee = (units if buys else -units), Decimal("0.35")
    fill: dict[str, Any] = {
        "strategy": owner, "instrument": where, "client_order_id": name, "trade_id": f"T-{number}",
        "signed_quantity": signed, "price": price, "commission": fee, "ts": number,
    }  # fmt: skip
    assert book.filled(**fill) is not None
    assert book.filled(**fill) is None  # the same trade twice counts once
    slow.fills.append((owner, where, signed, price, fee))
    slow.orders[name][3] = leaves - units
    if not slow.orders[name][3]:
        del slow.orders[name]


def _resize(book: Book, slow: Slow, name: str, _number: int, size: Decimal, price: Decimal) -> None:
    book.resizing(name, size, price)
    order = slow.orders[name]
    assert book.orders[name].leaves == max(size, order[3])
    book.resized(name, size, price)
    order[3], order[4] = size, price


def _refuse(book: Book, slow: Slow, name: str, _number: int, size: Decimal, price: Decimal) -> None:
    book.resizing(name, size, price)
    book.resize_refused(name)
    assert book.orders[name].leaves == slow.orders[name][3]


@settings(max_examples=1_500, deadline=None)
@given(st.lists(step, max_size=60))
def test_the_book_equals_a_slow_recomputation(
    steps: list[tuple[str, str, str, bool, int, Decimal, bool]],
) -> None:
    book, slow = fresh()
    for number, one in enumerate(steps):
        take(book, slow, number, one)
        if number % 7 == 0:  # asked for in between too, so that no total waits for the end to be worked out
            assert close(book.gross(), slow.gross())
    assert set(book.orders) == set(slow.orders)
    assert close(book.cash, slow.cash())
    assert close(book.equity(), slow.equity())
    assert close(book.gross(), slow.gross())
    assert close(book.gross_of("T-002"), slow.gross("T-002"))
    assert book.open_count() == len(slow.open())
    assert close(book.venues["Y"].worth(), slow.flows(venue="Y") + slow.value(venue="Y"))
    assert close(book.strategies["T-002"].worth(), slow.flows("T-002") + slow.value("T-002"))
    assert book.is_flat() == (not any(slow.position(s, i) for s in STRATEGIES for i in INSTRUMENTS))
    for (strategy, instrument), holding in book.holdings.items():
        assert holding.position == slow.position(strategy, instrument)


fills = st.lists(st.tuples(st.integers(-30, 30).filter(bool), prices), min_size=1, max_size=30)


@settings(max_examples=500, deadline=None)
@given(fills, st.sampled_from(tuple(INSTRUMENTS)))
def test_round_trips_add_up_to_what_was_earned(path: list[tuple[int, Decimal]], instrument: str) -> None:
    """Closed trades and the open one hold every cent of the cash flows, through partial exits and flips."""
    book, _ = fresh()
    trades, flow, net, entries = ZERO, ZERO, ZERO, 0
    for number, (size, price) in enumerate(path):
        holding = book.filled(
            strategy="S-001", instrument=instrument, client_order_id="O", trade_id=str(number),
            signed_quantity=Decimal(size), price=price, commission=Decimal("0.5"), ts=number,
        )  # fmt: skip
        assert holding is not None
        entries += (net == 0) or (net > 0) != (net + size > 0 if net + size else net > 0)
        net += size
        flow -= size * value_at(instrument, price) + Decimal("0.5")
        trades += sum((trade.pnl for trade in holding.trades), ZERO)
        assert all(trade.base > 0 for trade in holding.trades)
        holding.trades.clear()
        assert (holding.average_entry is None) == (net == 0)
        assert holding.position == net
        if net == 0:
            assert close(trades, flow)


def test_a_flip_closes_one_trip_and_opens_the_next() -> None:
    book, _ = fresh()
    for number, (size, price) in enumerate([(100, 10), (-150, 12)]):
        holding = book.filled(
            strategy="S-001", instrument="A.X", client_order_id="O", trade_id=str(number),
            signed_quantity=Decimal(size), price=Decimal(price), commission=Decimal(3), ts=number,
        )  # fmt: skip
    assert holding is not None
    assert [(trade.pnl, trade.base) for trade in holding.trades] == [(Decimal(195), Decimal(1_000))]
    assert (holding.position, holding.average_entry) == (Decimal(-50), Decimal(12))
    assert holding.opened_at == 1


def test_without_a_rate_or_a_price_equity_is_unknown() -> None:
    book, _ = fresh()
    book.set_rate("EUR", None)
    assert book.equity() == 10_000  # nothing depends on it yet
    fill: dict[str, Any] = {"strategy": "S-001", "client_order_id": "O", "commission": ZERO}
    book.filled(instrument="C.Y", trade_id="1", signed_quantity=Decimal(1), price=Decimal(9), **fill)
    with pytest.raises(LookupError, match="no rate of EUR"):
        book.equity()
    with pytest.raises(LookupError, match="no rate of EUR"):
        book.gross()
    book.set_rate("EUR", Decimal(2))
    assert book.equity() == 10_000 + (100 - 9) * 2
    book.add_instrument("E.X", Decimal(1))
    book.adopt("S-001", "E.X", Decimal(5), None)
    assert book.unpriced() == ("E.X",)
    with pytest.raises(LookupError, match=r"no trusted price of E\.X"):
        book.equity()
    book.mark(book.instruments["E.X"], Decimal(3))
    assert book.equity() == 10_000 + (100 - 9) * 2 + 15


def test_an_inverse_contract_gains_in_its_own_coin() -> None:
    """100 contracts of 100 USD bought at 50,000 and worth 40,000 lose 10,000 x (1/40,000 - 1/50,000) = 0.05 BTC."""
    book = Book(ZERO, "BTC")
    book.add_instrument("XBT.Y", Decimal(100), inverse=True)
    book.filled(
        strategy="S-001", instrument="XBT.Y", client_order_id="O", trade_id="1",
        signed_quantity=Decimal(100), price=Decimal(50_000), commission=ZERO,
    )  # fmt: skip
    book.mark(book.instruments["XBT.Y"], Decimal(40_000))
    assert book.equity() == Decimal("-0.05")
    assert book.gross() == Decimal("0.25")


def test_a_trade_is_remembered_for_long_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("risk.book.REMEMBERED_TRADES", 3)
    book, _ = fresh()
    fill: dict[str, Any] = {
        "strategy": "S-001", "instrument": "A.X", "client_order_id": "O", "signed_quantity": Decimal(1),
        "price": Decimal(1), "commission": ZERO,
    }  # fmt: skip
    assert all(book.filled(trade_id=str(n), **fill) for n in range(5))
    assert book.filled(trade_id="4", **fill) is None
    assert book.filled(trade_id="0", **fill) is not None


def test_of_orders_that_fill_once_only_the_largest_counts() -> None:
    book = Book(Decimal(10_000), "USD")
    book.mark(book.add_instrument("A.X", Decimal(1)), Decimal(10))
    holding = book.adopt("S-001", "A.X", Decimal(100), Decimal(10))
    for name in ("TP", "SL"):
        book.submitted(WorkingOrder(name, "S-001", "A.X", False, Decimal(100), None, True, "group"))  # noqa: FBT003
    assert holding.committed(buys=False) == 100
    assert holding.exposure() == 1_000


def test_a_limit_above_the_mark_counts_at_its_own_price() -> None:
    book = Book(Decimal(10_000), "USD")
    book.mark(book.add_instrument("A.X", Decimal(1)), Decimal(10))
    order = WorkingOrder("O", "S-001", "A.X", True, Decimal(100), Decimal(12), False, "O")  # noqa: FBT003
    assert book.holding("S-001", "A.X").exposure(order) == 1_200


def test_a_change_counts_as_the_worse_of_old_and_new_until_it_is_answered() -> None:
    book = Book(Decimal(10_000), "USD")
    book.mark(book.add_instrument("A.X", Decimal(1)), Decimal(10))
    book.submitted(WorkingOrder("O", "S-001", "A.X", True, Decimal(100), Decimal(9), False, "O"))  # noqa: FBT003
    book.resizing("O", Decimal(50), Decimal(8))
    assert book.orders["O"].leaves == 100
    book.resize_refused("O")
    assert (book.orders["O"].leaves, book.orders["O"].price) == (Decimal(100), Decimal(9))
    book.resizing("O", Decimal(150), Decimal(8))
    assert book.orders["O"].leaves == 150
    book.resized("O", Decimal(150), Decimal(8))
    assert (book.orders["O"].leaves, book.orders["O"].price) == (Decimal(150), Decimal(8))
