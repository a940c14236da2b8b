"""Orders that are tied to others: children of entries, orders that cancel each other, ids of orders elsewhere.

Without a look at their ties some of them would end the whole process: the engine gives up where it does not know the
order that another one names.
"""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import Bar, Quantity

from tests.driving import MODES, bars
from tests.risk.attacks import BUY, SELL, Attacked, Attacker, attacked


class Ties(Attacker):
    """Up to 15 shares of 100 may be held, none sold short."""

    def tries_children_that_only_close_their_entry(self) -> None:
        entry, stop, target = self.market(BUY, 10), self.stop_at(SELL, 10, 90), self.resting(SELL, 10, 110)
        self.submit_order_list(self.family(entry, stop, target))

    def tries_a_child_on_the_entrys_side(self) -> None:
        self.submit_order_list(self.family(self.market(BUY, 10), self.resting(BUY, 10, 100)))

    def tries_a_child_larger_than_its_entry(self) -> None:
        self.submit_order_list(self.family(self.market(BUY, 10), self.stop_at(SELL, 11, 90)))

    def tries_two_children_of_which_both_can_fill(self) -> None:
        """The live sandbox fills the second before it hears of the first."""
        entry, stop, target = self.market(BUY, 10), self.stop_at(SELL, 10, 105), self.resting(SELL, 10, 95)
        self.submit_order_list(self.family(entry, stop, target))

    def tries_two_children_that_are_not_tied_to_each_other(self) -> None:
        entry, first, second = self.market(BUY, 10), self.resting(SELL, 10, 101), self.resting(SELL, 10, 102)
        entry, first, second = self.family(entry, first, second)
        loose = {"contingency_type": None, "linked_order_ids": None}
        self.submit_order_list([entry, self.remade(first, **loose), self.remade(second, **loose)])

    def tries_grandchildren_that_buy_again(self) -> None:
        entry, child = self.family(self.market(BUY, 10), self.resting(SELL, 10, 90))
        _, again = self.family(child, self.resting(BUY, 10, 110))
        names = {"contingency_type": "OTO", "linked_order_ids": [str(again.client_order_id)]}
        self.submit_order_list([entry, self.remade(child, **names), again])

    def tries_a_child_before_its_entry(self) -> None:
        entry, child = self.family(self.resting(BUY, 10, 90), self.resting(SELL, 10, 110))
        self.submit_order_list([child, entry])

    def tries_a_parent_that_holds_nothing_back(self) -> None:
        entry, child = self.family(self.resting(BUY, 10, 50), self.market(SELL, 10))
        self.submit_order_list([self.remade(entry, contingency_type=None, linked_order_ids=None), child])

    def tries_a_parent_that_is_not_in_the_list(self) -> None:
        _, child = self.family(self.market(BUY, 10), self.market(SELL, 10))
        self.submit_order_list([self.resting(BUY, 1, 50), child])

    def tries_a_child_alone(self) -> None:
        _, child = self.family(self.market(BUY, 10), self.market(SELL, 10))
        self.submit_order(child)

    def tries_an_order_that_is_its_own_parent(self) -> None:
        order = self.market(BUY, 1)
        name = str(order.client_order_id)
        self.submit_order(
            self.remade(order, parent_order_id=name, contingency_type="OTO", linked_order_ids=[name])
        )

    def tries_an_id_that_nobody_has(self) -> None:
        for _ in range(5):
            self.submit_order(self.resting(BUY, 10, 100, contingency_type="OCO", linked_order_ids=["A-FAKE"]))

    def tries_the_id_of_somebody_elses_stop(self) -> None:
        theirs = [str(order.client_order_id) for order in self.cache.orders_open()]
        self.submit_order(self.resting(BUY, 1, 100, contingency_type="OCO", linked_order_ids=theirs[:1]))

    def tries_a_child_in_another_instrument(self) -> None:
        entry, child = self.family(self.market(BUY, 10), self.market(SELL, 10))
        self.submit_order_list([entry, self.remade(child, instrument_id="MSFT.XNAS")])

    def tries_two_entries_of_which_one_is_to_cancel_the_other(self) -> None:
        """In the live sandbox both are filled: so both count, and the third is one too many."""
        first, second = self.market(BUY, 7), self.market(BUY, 7)
        self.submit_order_list(
            [
                self.remade(first, contingency_type="OCO", linked_order_ids=[str(second.client_order_id)]),
                self.remade(second, contingency_type="OCO", linked_order_ids=[str(first.client_order_id)]),
            ]
        )
        self.submit_order(self.market(BUY, 7))


class HoldsAStop(Attacker):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 1))
        if n == 2:
            self.submit_order(
                self.order_factory.stop_market(
                    self.iid, SELL, Quantity(1, 0), self.stop_at(SELL, 1, 50).trigger_price, reduce_only=True
                )
            )


def two_instruments() -> list[Bar]:
    count = len(Ties.attacks()) * 4 + 2
    return sorted(bars([100.0] * count) + bars([100.0] * count, "MSFT"), key=lambda bar: bar.ts_init)


@pytest.fixture(scope="module", params=MODES)
def tied(request: pytest.FixtureRequest) -> Attacked:
    risk = {"max_position_notional": 1_600, "allow_short": False, "allow_self_crossing": True}
    rows, symbols = two_instruments(), ("AAPL", "MSFT")
    return attacked(request.param, Ties, beside=[HoldsAStop], rows=rows, risk=risk, symbols=symbols)


EXPECTED = {
    "children_that_only_close_their_entry": [],
    "a_child_on_the_entrys_side": ["MAX_POSITION_NOTIONAL"] * 2,
    "a_child_larger_than_its_entry": ["SHORT_SELLING"] * 2,
    "two_children_of_which_both_can_fill": ["SHORT_SELLING"] * 3,
    "two_children_that_are_not_tied_to_each_other": ["SHORT_SELLING"] * 3,
    "grandchildren_that_buy_again": ["MAX_POSITION_NOTIONAL"] * 3,
    "a_child_before_its_entry": ["SHORT_SELLING"] * 2,
    "an_id_that_nobody_has": ["TIED_ORDER"] * 5,
    "the_id_of_somebody_elses_stop": ["TIED_ORDER"],
    "a_child_alone": ["TIED_ORDER"],
    "an_order_that_is_its_own_parent": ["TIED_ORDER"],
    "two_entries_of_which_one_is_to_cancel_the_other": ["MAX_POSITION_NOTIONAL"],
}  # attack -> refusals; two orders tied wrongly where it does not say


@pytest.mark.parametrize("attack", Ties.attacks())
def test_a_tie_opens_no_way_around_a_limit(tied: Attacked, attack: str) -> None:
    outcome = tied.outcomes[attack]
    assert outcome.refused == EXPECTED.get(attack, ["TIED_ORDER"] * 2)
    assert outcome.least == 0
    assert outcome.most <= 14


def test_nobody_was_sold_short_cancelled_or_halted(tied: Attacked) -> None:
    assert tied.trips == []
    assert [str(holding.position) for holding in tied.driven.desk.book.held()] == ["1"]
    assert [order.leaves for order in tied.driven.desk.book.orders.values()] == [1]
    assert {row["instrument"] for row in tied.driven.record.orders} == {"AAPL.XNAS"}


class AsksForMuchAtOnce(Attacker):
    """What is counted by the order counts in a list too: one list is as many orders as it has."""

    def tries_five_alike(self) -> None:
        self.submit_order_list([self.resting(BUY, 1, 90) for _ in range(5)])

    def tries_three_new_positions(self) -> None:
        names = ("AAPL.XNAS", "MSFT.XNAS", "IBM.XNAS")
        self.submit_order_list(
            [self.resting(BUY, n, 90, instrument_id=name) for n, name in enumerate(names, start=2)]
        )

    def tries_eleven_orders(self) -> None:
        self.submit_order_list([self.resting(BUY, n, 90) for n in range(10, 21)])


@pytest.fixture(scope="module", params=MODES)
def at_once(request: pytest.FixtureRequest) -> Attacked:
    symbols = ("AAPL", "MSFT", "IBM")
    rows = sorted(
        (bar for symbol in symbols for bar in bars([100.0] * 14, symbol)), key=lambda bar: bar.ts_init
    )
    risk = {"max_repeats": 4, "max_new_positions_per_day": 2, "max_orders_per_sec": 10}
    return attacked(request.param, AsksForMuchAtOnce, rows=rows, risk=risk, symbols=symbols)


@pytest.mark.parametrize(
    ("attack", "code", "orders"),
    [
        ("five_alike", "REPEATED_ORDER", 5),
        ("three_new_positions", "MAX_NEW_POSITIONS", 3),
        ("eleven_orders", "MAX_ORDERS_PER_SEC", 11),
    ],
)
def test_a_list_is_counted_by_its_orders(at_once: Attacked, attack: str, code: str, orders: int) -> None:
    assert at_once.outcomes[attack].refused == [code] * orders
    assert at_once.driven.record.orders == []
