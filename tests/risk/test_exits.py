"""Every position is covered by stops that never exceed it, orders and positions do not outlive their time."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.cover import cover_of
from risk.exits import Exits
from risk.flatten import Flattener
from risk.limits import RiskConfig
from risk.lots import profit_limit, stop_trigger
from risk.numbers import ZERO
from risk.pulse import NEVER
from tests.driving import OPEN
from tests.risk.venue import AAPL, SECOND, FakeGate, Rule, Venue, instrument, usd

RULES: tuple[Rule, ...] = ("own", "net", "holds")
every_rule = pytest.mark.parametrize("rule", RULES)
MINUTE = 60 * SECOND
D = Decimal


class Desk:
    """Wires exits to a venue as a desk does: after every report, once the strategy's own callback has returned."""

    def __init__(self, venue: Venue, strategies: str = "A", **limits: Any) -> None:
        self.venue = venue
        gates = [FakeGate(venue, name) for name in strategies]
        self.gates = gates
        self.limits = RiskConfig(**{**OPEN, **limits})
        self.flattener = Flattener(venue.book, gates, lambda _: venue.hours, venue.notices.append)
        self.exits = Exits(lambda _s, _i: self.limits, self.flattener, venue.notices.append)
        self.callback: Callable[[str, str], None] = lambda _strategy, _order_id: None
        venue.heard, venue.ended, venue.sent = self.heard, self.ended, self.exits.sent

    def ended(self, order_id: str, status: str, reason: str) -> None:
        self.flattener.ended(order_id, status, reason)
        self.exits.ended(order_id, status, reason)

    def heard(self, strategy: str, order_id: str) -> None:
        self.callback(strategy, order_id)
        self.exits.after(strategy, AAPL, self.venue.ts)
        if self.flattener.active:
            self.flattener.step(self.venue.ts)

    def wait(self, secs: int = 1) -> None:
        self.venue.ts += secs * SECOND
        if self.venue.ts >= self.exits.next_deadline:
            self.exits.due(self.venue.ts)
        if self.flattener.active:
            self.flattener.step(self.venue.ts)


def fill(venue: Venue, signed: int | str, price: Decimal | None = None) -> None:
    """Have A's market order filled."""
    order = venue.order("A", D(signed))
    venue.send([order])
    while venue.requests:
        venue.take()
    venue.fill(order.client_order_id, price=price)
    venue.settle()


# -- where stops belong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "share", "is_long", "trigger"),
    [
        ("100", "0.05", True, "95.00"),
        ("100", "0.05", False, "105.00"),
        ("100.03", "0.05", True, "95.03"),  # 95.0285: the loss is never more than asked for
        ("100.03", "0.05", False, "105.03"),  # 105.0315
        ("0.05", "0.05", True, "0.04"),  # one tick away at least
        ("0.05", "0.05", False, "0.06"),
        ("0.02", "1", True, "0.01"),  # no price is zero
        ("-10", "0.1", True, "-11.00"),  # where prices may be below zero
    ],
)
def test_a_stop_lies_on_the_tick_nearer_to_the_entry(
    entry: str, share: str, is_long: bool, trigger: str
) -> None:
    assert stop_trigger(D(entry), D(share), D("0.01"), is_long=is_long) == D(trigger)


@given(
    st.decimals("0.02", 5_000, places=6),
    st.decimals("0.001", 1, places=3),
    st.sampled_from(["0.01", "0.05", "0.00001"]),
    st.booleans(),
)
def test_a_stop_never_loses_more_than_asked_for_but_for_one_tick_and_a_profit_is_never_less(
    entry: Decimal, share: Decimal, tick: str, is_long: bool
) -> None:
    step = D(tick)
    stop = stop_trigger(entry, share, step, is_long=is_long)
    loss = entry - stop if is_long else stop - entry
    assert stop % step == 0
    assert loss <= max(entry * share, step)
    assert loss > 0 or stop == step
    limit = profit_limit(entry, share, step, is_long=is_long)
    profit = limit - entry if is_long else entry - limit
    assert limit % step == 0
    assert profit >= entry * share or limit == step


# -- the default stop -----------------------------------------------------------------------------------------------


@every_rule
@pytest.mark.parametrize(("signed", "trigger"), [(10, "95.00"), (-10, "105.00")])
def test_an_entry_without_a_stop_gets_one_at_its_fill(rule: Rule, signed: int, trigger: str) -> None:
    venue = Venue(rule)
    Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, signed)
    assert venue.stops() == [(D(10), D(trigger))]
    assert all(order.reduce_only for order in venue.working())
    assert [notice.reason for notice in venue.notices] == [
        f"10 of {signed:+} AAPL.XNAS of A: stop at {trigger}, entry 100"
    ]


def test_with_a_take_profit_the_two_are_a_pair_of_which_one_fills() -> None:
    venue = Venue()
    Desk(venue, default_stop_loss_pct="0.05", take_profit_pct="0.1")
    fill(venue, 10)
    assert (venue.stops(), venue.limits()) == ([(D(10), D("95.00"))], [(D(10), D("110.00"))])
    venue.fill(next(o.client_order_id for o in venue.working() if o.trigger is None))
    venue.settle()
    assert venue.position() == 0
    assert not venue.working()
    assert venue.kinds() == ["PROTECTED"]


def test_a_take_profit_may_stand_alone() -> None:
    venue = Venue()
    Desk(venue, take_profit_pct="0.1")
    fill(venue, -10)
    assert (venue.stops(), venue.limits()) == ([], [(D(10), D("90.00"))])


def test_nothing_is_sent_when_nothing_is_asked_for() -> None:
    venue = Venue()
    desk = Desk(venue)
    fill(venue, 10)
    assert not venue.working()
    assert desk.exits.next_deadline == NEVER


@pytest.mark.parametrize("reduce_only", [True, False])
def test_a_stop_of_the_strategys_own_counts(reduce_only: bool) -> None:
    """Sent in its callback, before the exits look; children of a list may not be reduce-only."""
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.05")

    def protects(strategy: str, _order_id: str) -> None:
        if not venue.working(strategy):
            venue.send([venue.order(strategy, -10, trigger=D(90), reduce_only=reduce_only)])

    desk.callback = protects
    fill(venue, 10)
    assert venue.stops() == [(D(10), D(90))]
    assert venue.kinds() == []


def test_a_stop_of_the_strategys_own_that_comes_later_replaces_the_default() -> None:
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    venue.send([venue.order("A", -10, trigger=D(98), reduce_only=True)])
    venue.settle()
    desk.wait()
    venue.settle()
    assert venue.stops() == [(D(10), D(98))]


def test_a_position_that_is_being_closed_needs_no_stop() -> None:
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.05")

    def leaves(strategy: str, order_id: str) -> None:
        if order_id == "O-1":
            venue.send([venue.order(strategy, -10, reduce_only=True)])

    desk.callback = leaves
    fill(venue, 10)
    assert venue.position() == 0
    assert venue.kinds() == []


def test_a_stop_of_the_strategys_own_that_is_refused_gives_way_to_the_default() -> None:
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.05")
    venue.refuses = lambda order: "too close" if order.trigger == D(99) else None
    desk.callback = lambda strategy, order_id: (
        venue.send([venue.order(strategy, -10, trigger=D(99), reduce_only=True)])
        if order_id == "O-1"
        else None
    )
    fill(venue, 10)
    assert venue.stops() == [(D(10), D("95.00"))]


# -- how it follows the position ------------------------------------------------------------------------------------


@every_rule
def test_each_part_of_an_entry_is_covered_at_once_and_two_orders_are_enough(rule: Rule) -> None:
    venue = Venue(rule)
    Desk(venue, default_stop_loss_pct="0.05")
    entry = venue.order("A", 100, limit=D(100))
    venue.send([entry])
    venue.take()
    for _ in range(20):
        venue.fill(entry.client_order_id, D(5))
        venue.report()
        covered = cover_of(venue.book.holding("A", AAPL)).stops
        assert covered <= venue.position()
        assert len(venue.working()) <= 3  # the entry and two stops
        venue.settle()
        assert cover_of(venue.book.holding("A", AAPL)).stops == venue.position()
    assert venue.position() == 100


@every_rule
def test_a_position_that_shrinks_takes_its_stop_with_it(rule: Rule) -> None:
    """The engine's simulated venues cut it themselves; elsewhere it is cancelled and sent anew, smaller."""
    venue = Venue("net" if rule == "holds" else rule)
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    fill(venue, -4)
    desk.wait()
    venue.settle()
    assert venue.stops() == [(D(6), D("95.00"))]
    assert len(venue.cancelled) == (0 if rule == "own" else 1)


def test_a_sale_that_fills_long_after_it_was_sent_takes_its_part_of_the_stop_with_it() -> None:
    venue = Venue("net")
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    sale = venue.order("A", -4, limit=D(120))
    venue.send([sale])
    venue.settle()
    desk.wait(60)
    venue.fill(sale.client_order_id)
    venue.settle()
    desk.wait(1)
    venue.settle()
    assert venue.stops() == [(D(6), D("95.00"))]


@every_rule
def test_a_stop_does_not_outlive_its_position(rule: Rule) -> None:
    venue = Venue("net" if rule == "holds" else rule)
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    fill(venue, -10)
    desk.wait()
    venue.settle()
    assert not venue.working()
    assert venue.kinds() == ["PROTECTED"]


def test_a_position_that_turns_round_is_covered_on_its_new_side() -> None:
    venue = Venue("net")
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    fill(venue, -15)
    desk.wait()
    venue.settle()
    assert [(o.is_buy, o.leaves, o.trigger) for o in venue.working()] == [(True, D(5), D("105.00"))]


def test_a_stop_looser_than_the_average_entry_asks_for_is_moved_and_a_tighter_one_stays() -> None:
    venue = Venue()
    Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    fill(venue, 10, D(110))  # average 105: the first stop, at 95, would lose too much
    assert venue.stops() == [(D(10), D("99.75")), (D(10), D("99.75"))]
    fill(venue, 10, D(90))  # average 100
    assert venue.stops() == [(D(10), D("99.75")), (D(20), D("95.00"))]


def test_a_position_larger_than_one_order_may_be_is_covered_by_several() -> None:
    venue = Venue(made=instrument(max_notional=usd(450)))
    Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    assert [quantity for quantity, _ in venue.stops()] == [D(2), D(4), D(4)]


def test_a_rest_no_order_is_small_enough_for_is_said_once() -> None:
    venue = Venue(made=instrument(step="0.001", smallest="1"))
    Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, "0.5")
    fill(venue, "0.1")
    assert venue.kinds() == ["UNPROTECTED"]
    fill(venue, "0.9")
    assert venue.stops() == [(D("1.500"), D("95.00"))]


def test_without_an_entry_price_a_stop_is_measured_from_the_market() -> None:
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.1")
    venue.true["A"] = D(10)
    venue.book.adopt("A", AAPL, D(10), None, ts=5)
    desk.exits.after("A", AAPL, 5)
    venue.settle()
    assert venue.stops() == [(D(10), D("90.00"))]


def test_stops_are_tightened_one_at_a_time() -> None:
    venue = Venue(made=instrument(max_notional=usd(450)))
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 8)
    order = venue.order("A", 4)
    venue.send([order])
    venue.take()
    venue.fill(order.client_order_id, price=D(110))  # average 103.33: both stops at 95 are too loose
    venue.report()
    while venue.requests or venue.reports:
        desk.exits.after("A", AAPL, venue.ts)
        assert sum(request == "cancel" for request, _ in venue.requests) <= 1
        venue.take()
        assert sum(stop.leaves for stop in venue.working()) >= 8
        venue.report()
    assert venue.stops() == [(D(4), D("98.17"))] * 3


def test_no_order_is_worth_more_than_allowed_at_its_own_price() -> None:
    venue = Venue(made=instrument(max_notional=usd(1_000)))
    Desk(venue, default_stop_loss_pct="0.05", take_profit_pct="0.5")
    fill(venue, 10)
    assert venue.limits() == [(D(4), D("150.00")), (D(6), D("150.00"))]


@pytest.mark.parametrize("parts", [1, 3])
def test_a_cancel_that_got_lost_is_asked_for_again(parts: int) -> None:
    """Whether the stop was too large, or one of two that make room for a third part."""
    venue = Venue("net")
    desk = Desk(venue, default_stop_loss_pct="0.05")
    for _ in range(min(parts, 2)):
        fill(venue, 10)
    change = venue.order("A", -4 if parts == 1 else 10)
    venue.send([change])
    venue.take()
    venue.fill(change.client_order_id)
    venue.report()
    desk.wait(1)
    assert len(venue.cancelled) == 1
    venue.requests.clear()
    desk.wait(5)
    assert len(venue.cancelled) == 2
    venue.settle()
    assert cover_of(venue.book.holding("A", AAPL)).stops == venue.position()


def test_a_take_profit_of_the_strategys_own_replaces_the_default() -> None:
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.05", take_profit_pct="0.1")
    fill(venue, 10)
    venue.send([venue.order("A", -10, limit=D(105), reduce_only=True)])
    venue.settle()
    desk.wait()
    venue.settle()
    assert venue.limits() == [(D(10), D(105))]
    assert venue.stops() == [(D(10), D("95.00"))]


def test_a_stop_of_the_strategys_own_for_a_part_leaves_the_rest_to_a_pair_and_a_limit() -> None:
    """Parts of the one kind make no room for the other: cancelling in turns would never come to rest."""
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.05", take_profit_pct="0.1")
    desk.callback = lambda _strategy, order_id: (
        venue.send([venue.order("A", -1, trigger=D(90), reduce_only=True)]) if order_id == "O-1" else None
    )
    for _ in range(5):
        fill(venue, 2)
    assert sum(quantity for quantity, _ in venue.stops()) == 10
    assert sum(quantity for quantity, _ in venue.limits()) == 10


def test_a_venue_that_plays_ping_pong_gets_a_hundred_orders_a_second_at_most() -> None:
    venue = Venue(made=instrument(max_notional=usd(105)))
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 150)
    assert len(venue.stops()) == 100
    desk.wait(1)
    venue.settle()
    assert len(venue.stops()) == 150


# -- when it cannot be had ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", [True, False])
def test_a_refused_stop_closes_the_position_and_says_so(prompt: bool) -> None:
    venue = Venue(prompt=prompt)
    Desk(venue, default_stop_loss_pct="0.05")
    venue.refuses = lambda order: "stop price is in the market" if order.trigger else None
    fill(venue, 10) if not prompt else venue.send([venue.order("A", 10)])
    assert venue.position() == 0
    assert not venue.working()
    assert venue.kinds()[-3:] == ["UNPROTECTED", "FLATTEN", "FLAT"]
    reason = next(n.reason for n in venue.notices if n.kind == "UNPROTECTED")
    assert (
        reason == "+10 AAPL.XNAS of A: its stop was refused (stop price is in the market); closed at market"
    )


def test_a_stop_somebody_cancels_is_sent_again_but_not_for_ever() -> None:
    """A strategy's cancel_all_orders, or a venue that ends orders with the day, must not sell the position."""
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    for _ in range(20):
        desk.wait(60)
        venue.drop(venue.working()[0].client_order_id)
        venue.settle()
        assert venue.stops() == [(D(10), D("95.00"))]
    for _ in range(2):
        venue.drop(venue.working()[0].client_order_id)
        venue.settle()
    assert venue.position() == 0
    assert "cancelled 3 times within a minute; closed at market" in venue.notices[-3].reason


def test_troubles_of_an_earlier_position_are_forgotten() -> None:
    venue = Venue("net")
    Desk(venue, default_stop_loss_pct="0.05")
    for _ in range(3):  # each time the stop is lost, and refused once the position is gone
        fill(venue, 10)
        venue.drop(venue.working()[0].client_order_id)
        venue.report()
        order = venue.order("A", -10, reduce_only=True)
        venue.send([order])
        venue.requests.rotate(1)
        venue.take()
        venue.fill(order.client_order_id)
        venue.settle()
        assert venue.position() == 0
    fill(venue, 10)
    assert venue.position() == 10
    assert "UNPROTECTED" not in venue.kinds()


def test_a_refused_stop_matters_only_to_what_is_uncovered() -> None:
    venue = Venue()
    Desk(venue, default_stop_loss_pct="0.05")
    venue.refuses = lambda order: "no" if order.trigger == D("95.00") else None
    order = venue.order("A", 10)
    venue.send([order])
    venue.take()
    venue.fill(order.client_order_id)
    venue.report()
    venue.send([venue.order("A", -10, trigger=D(90), reduce_only=True)])
    venue.settle()
    assert venue.position() == 10
    assert venue.stops() == [(D(10), D(90))]


def test_a_stop_that_fills_inside_the_call_was_not_refused() -> None:
    """As on a venue that takes stops in the market and fills them at once; here in three pieces."""
    venue = Venue(made=instrument(max_notional=usd(450)), prompt=True)
    desk = Desk(venue, default_stop_loss_pct="0.05")

    class Eager(FakeGate):
        def send_protection(self, instrument: str, **order: Any) -> str:
            name = super().send_protection(instrument, **order)
            venue.fill(name)
            venue.settle()
            return name

    desk.gates[0] = Eager(venue, "A")
    venue.send([venue.order("A", 10)])
    assert venue.position() == 0
    assert not venue.closes
    assert venue.kinds() == []


def test_a_refused_take_profit_costs_nothing_but_itself() -> None:
    venue = Venue()
    desk = Desk(venue, take_profit_pct="0.1")
    venue.refuses = lambda order: "no limits today" if order.limit else None
    fill(venue, 10)
    assert venue.position() == 10
    assert [n.reason for n in venue.notices if n.kind == "UNPROTECTED"] == [
        "+10 AAPL.XNAS of A has no take-profit: no limits today"
    ]
    desk.exits.after("A", AAPL, venue.ts)
    assert not venue.requests  # not tried again for this position


def test_it_leaves_a_holding_alone_that_is_being_flattened() -> None:
    venue = Venue()
    desk = Desk(venue, default_stop_loss_pct="0.05")
    fill(venue, 10)
    desk.flattener.start(venue.ts, "HALT")
    while venue.requests or venue.reports:
        venue.take()
        venue.report()
        assert sum(o.trigger is not None for o in venue.working()) <= 1
    assert venue.stops() == []
    venue.settle()
    assert venue.kinds() == ["PROTECTED", "FLATTEN", "FLAT"]


# -- time -----------------------------------------------------------------------------------------------------------


def test_an_order_that_takes_too_long_is_cancelled_to_the_nanosecond() -> None:
    venue = Venue(ts=7)
    desk = Desk(venue, order_timeout_mins=30)
    venue.send([venue.order("A", 10, limit=D(90))])
    venue.take()
    assert desk.exits.next_deadline == 7 + 30 * MINUTE
    desk.exits.due(7 + 30 * MINUTE - 1)
    assert not venue.cancelled
    desk.exits.due(7 + 30 * MINUTE)
    assert venue.cancelled == ["O-1"]
    venue.settle()
    assert not venue.working()
    assert [n.reason for n in venue.notices] == [
        "BUY 10 AAPL.XNAS of A: not filled for 30 minutes, cancelled"
    ]


def test_what_reduces_has_all_the_time_it_needs() -> None:
    venue = Venue()
    desk = Desk(venue, order_timeout_mins=30)
    fill(venue, 10)
    venue.send([venue.order("A", -10, limit=D(120))])
    venue.send([venue.order("A", -10, trigger=D(90), reduce_only=True)])
    venue.settle()
    desk.wait(3600)
    assert not venue.cancelled
    fill(venue, -10)  # now the sale of 10 would open a short position
    desk.wait(3600)
    assert venue.cancelled == ["O-2"]


def test_a_position_held_for_too_long_is_closed() -> None:
    venue = Venue(prompt=True)
    desk = Desk(venue, max_holding_mins="90", default_stop_loss_pct="0.05")
    venue.ts = 5 * SECOND
    venue.send([venue.order("A", 10)])
    desk.wait(600)
    venue.send([venue.order("A", 10)])  # more of the same position: its time goes on
    assert desk.exits.next_deadline == 5 * SECOND + 90 * MINUTE
    desk.wait(80 * 60 - 1)
    assert venue.position() == 20
    desk.wait(1)
    assert venue.position() == 0
    assert not venue.working()
    assert [n.kind for n in venue.notices if n.kind != "PROTECTED"] == ["EXIT", "FLATTEN", "FLAT"]
    exit_ = next(n for n in venue.notices if n.kind == "EXIT")
    assert exit_.reason == "TIME_EXIT: +20 AAPL.XNAS of A was held for 90 minutes"


def test_each_position_has_its_own_time() -> None:
    venue = Venue(prompt=True)
    desk = Desk(venue, max_holding_mins=10)
    venue.send([venue.order("A", 10)])
    desk.wait(300)
    venue.send([venue.order("A", -15)])  # turned round: a new position
    desk.wait(301)
    assert venue.position() == -5
    desk.wait(299)
    assert venue.position() == 0


def test_a_time_exit_somebody_stopped_is_tried_again() -> None:
    venue = Venue()
    desk = Desk(venue, max_holding_mins=10)
    fill(venue, 10)
    desk.wait(600)
    desk.flattener.stop(venue.ts, "resumed by a person")
    venue.requests.clear()
    venue.book.closed("O-2")
    desk.wait(60)
    venue.settle()
    assert venue.position() == 0


def test_a_time_exit_waits_for_the_market_to_open() -> None:
    venue = Venue(prompt=True)
    desk = Desk(venue, max_holding_mins=10)
    venue.send([venue.order("A", 10)])
    venue.hours.shut = "closed for lunch"
    desk.wait(600)
    desk.wait(600)
    assert venue.position() == 10
    venue.hours.shut = None
    desk.wait(1)
    assert venue.position() == 0


# -- whatever happens -----------------------------------------------------------------------------------------------

ACTIONS = st.tuples(
    st.sampled_from(
        ["take", "report", "report", "fill", "part", "second", "minute", "drop", "refuse", "accept",
         "entry", "entry", "exit", "stop", "move"]
    ),
    st.integers(0, 9),
)  # fmt: skip


class Chaos:
    """Random entries, exits, fills, cancels and refusals; every report is followed by a check."""

    def __init__(self, rule: Rule, **limits: Any) -> None:
        self.venue = Venue(rule)
        self.desk = Desk(self.venue, **limits)
        self.sent_here: set[str] = set()  # the strategy's own stops
        heard = self.venue.heard

        def then_check(strategy: str, order_id: str) -> None:
            heard(strategy, order_id)
            self.check()

        self.venue.heard = then_check

    def do(self, what: str, number: int) -> None:
        venue = self.venue
        resting = sorted(venue.resting)
        name = resting[number % len(resting)] if resting else None
        if name is not None and what in ("fill", "part"):
            venue.fill(name, None if what == "fill" else D(number + 1))
        elif name is not None and what == "drop":
            venue.drop(name)
        elif what in ("second", "minute"):
            self.desk.wait(1 if what == "second" else 60)
        elif what == "refuse":
            venue.refuses = lambda order: "no" if order.trigger is not None else None
        elif what == "accept":
            venue.refuses = lambda _order: None
        elif what == "move":
            venue.price = D(95 + number)
        elif what in ("take", "report"):
            venue.take() if what == "take" else venue.report()
        elif not self.desk.flattener.covers("A", AAPL):
            self.send(what, number)

    def send(self, what: str, number: int) -> None:
        venue, position = self.venue, self.venue.position()
        if what == "entry" and position >= 0:
            venue.send([venue.order("A", number + 1, limit=D(100))])
        elif what in ("exit", "stop") and position > 0:
            size = -min(int(position), number + 1)
            trigger = D(90) if what == "stop" else None
            order = venue.order("A", size, reduce_only=True, trigger=trigger)
            if what == "stop":
                self.sent_here.add(order.client_order_id)
            venue.send([order])

    def check(self) -> None:
        """Its stops, with those that were there before, never exceed the position by its own doing."""
        assert self.venue.true.get("A", ZERO) >= 0

    def calm(self) -> None:
        self.do("accept", 0)
        for _ in range(80):
            self.venue.settle()
            self.desk.wait(5)


LIMITS = st.sampled_from(
    [
        {"default_stop_loss_pct": "0.05"},
        {"default_stop_loss_pct": "0.05", "take_profit_pct": "0.1"},
        {"default_stop_loss_pct": "0.05", "max_holding_mins": 3, "order_timeout_mins": 2},
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(("own", "net")), LIMITS, st.lists(ACTIONS, max_size=60))
def test_whatever_happens_the_position_ends_covered_exactly_and_never_turns_round(
    rule: Rule, limits: dict[str, Any], actions: list[tuple[str, int]]
) -> None:
    chaos = Chaos(rule, **limits)
    for what, number in actions:
        chaos.do(what, number)
    chaos.calm()
    venue, cover = chaos.venue, cover_of(chaos.venue.book.holding("A", AAPL))
    own = sum((o.leaves for o in venue.working() if o.client_order_id in chaos.sent_here), ZERO)
    assert cover.stops == (max(venue.position(), own) if venue.position() else 0)
    assert cover.limits <= venue.position()
    if "take_profit_pct" in limits and not any("has no take-profit" in n.reason for n in venue.notices):
        assert cover.limits == venue.position()
    assert venue.true.get("A", ZERO) == venue.position()
    if "order_timeout_mins" in limits:
        assert venue.position() == 0
        assert not any(order.is_buy for order in venue.working())


@settings(max_examples=300, deadline=None)
@given(st.lists(ACTIONS, max_size=60))
def test_stops_never_exceed_the_position_where_shares_are_held(actions: list[tuple[str, int]]) -> None:
    """Such a venue refuses one share too many, and a refused stop would close the position."""
    chaos = Chaos("holds", default_stop_loss_pct="0.05")
    for what, number in actions:
        if what not in ("refuse", "drop", "exit", "stop"):
            chaos.do(what, number)
    chaos.calm()
    assert "UNPROTECTED" not in chaos.venue.kinds()
    assert cover_of(chaos.venue.book.holding("A", AAPL)).stops == chaos.venue.position()
