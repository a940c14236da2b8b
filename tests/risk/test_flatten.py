"""Flattening never turns a position round, never has two closes of one holding out, and ends flat or with an alarm."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.closing import CANCEL_WAIT, LONGEST_DELAY, MOST_REFUSED
from risk.flatten import Flattener
from risk.numbers import ZERO
from tests.risk.venue import AAPL, SECOND, FakeGate, Rule, Venue, instrument, usd

RULES: tuple[Rule, ...] = ("own", "net", "holds")
every_rule = pytest.mark.parametrize("rule", RULES)


def flattening(venue: Venue, strategies: str = "A", **more: Any) -> Flattener:
    """A flattener wired to a venue as a desk wires it: it steps after every report."""
    gates = [FakeGate(venue, name) for name in strategies]
    flattener = Flattener(venue.book, gates, lambda _: venue.hours, venue.notices.append, **more)

    def heard(_strategy: str, _order_id: str) -> None:
        if flattener.active:
            flattener.step(venue.ts)

    venue.heard, venue.ended = heard, flattener.ended
    return flattener


def wait(venue: Venue, flattener: Flattener, secs: int) -> None:
    for _ in range(secs):
        venue.ts += SECOND
        flattener.step(venue.ts)


def out(venue: Venue) -> list[Decimal]:
    """Sizes of the closes the book knows to be out."""
    return [venue.book.orders[name].leaves for name in venue.closes if name in venue.book.orders]


# -- the straight way -----------------------------------------------------------------------------------------------


@every_rule
@pytest.mark.parametrize("position", [10, -10])
def test_a_position_is_closed_and_verified_flat(rule: Rule, position: int) -> None:
    venue = Venue(rule, prompt=True)
    venue.hold("A", position)
    flattener = flattening(venue)
    flattener.start(1, "DRAWDOWN")
    assert venue.position() == 0
    assert not flattener.active
    assert venue.kinds() == ["FLATTEN", "FLAT"]
    assert venue.notices[-1].reason == "DRAWDOWN: verified flat"
    assert len(venue.closes) == 1


@every_rule
def test_what_works_is_cancelled_and_the_answer_awaited_before_the_close(rule: Rule) -> None:
    venue = Venue(rule)
    venue.hold("A", 10)
    stop = venue.order("A", -10, trigger=Decimal(95), reduce_only=True)
    venue.send([stop])
    venue.take()
    flattener = flattening(venue)
    flattener.start(1, "HALT")
    assert venue.cancelled == [stop.client_order_id]
    wait(venue, flattener, 3)
    assert out(venue) == []
    assert venue.cancelled == [stop.client_order_id]  # asked for once
    venue.settle()
    assert venue.position() == 0
    assert venue.kinds()[-1] == "FLAT"


def test_an_order_that_fills_while_its_cancel_is_on_its_way_leaves_no_more_to_close_than_there_is() -> None:
    venue = Venue("net")
    venue.hold("A", 10)
    stop = venue.order("A", -10, trigger=Decimal(95), reduce_only=True)
    entry = venue.order("A", 5, limit=Decimal(99))
    venue.send([stop])
    venue.send([entry])
    venue.take()
    venue.take()
    flattener = flattening(venue)
    flattener.start(1, "HALT")
    venue.fill(stop.client_order_id, Decimal(4))
    venue.fill(entry.client_order_id, Decimal(3))
    venue.settle()
    assert venue.true == {"A": ZERO}
    assert venue.kinds()[-1] == "FLAT"


def test_a_close_filled_in_parts_and_then_cancelled_is_sent_again_for_the_rest() -> None:
    venue = Venue()
    venue.hold("A", 10)
    flattener = flattening(venue)
    flattener.start(1, "HALT")
    venue.take()
    (first,) = venue.closes
    venue.fill(first, Decimal(3))
    venue.report()
    assert out(venue) == [Decimal(7)]  # still the first one: never a second beside it
    venue.drop(first)
    venue.report()
    assert len(venue.closes) == 2
    assert out(venue) == [Decimal(7)]
    venue.settle()
    assert venue.kinds() == ["FLATTEN", "FLAT"]


def test_a_close_larger_than_one_order_may_be_goes_in_pieces() -> None:
    venue = Venue(made=instrument(max_notional=usd(400)), prompt=True)
    venue.hold("A", 10)
    flattening(venue).start(1, "HALT")
    assert len(venue.closes) == 3  # 4, 4 and 2 at a price of 100
    assert venue.kinds()[-1] == "FLAT"


def test_the_engines_own_limit_on_an_orders_notional_makes_pieces_too() -> None:
    """It denies reduce-only orders like any other (NOTIONAL_EXCEEDS_MAX_PER_ORDER)."""
    venue = Venue(prompt=True)
    venue.hold("A", -10)
    flattening(venue, most_of=lambda _: Decimal(999)).start(1, "HALT")
    assert len(venue.closes) == 2
    assert venue.position() == 0


# -- what a venue may refuse ----------------------------------------------------------------------------------------


def test_a_refused_close_is_tried_again_later_each_time_and_says_so() -> None:
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    venue.refuses = lambda order: "no such luck" if order.client_order_id in venue.closes else None
    flattener = flattening(venue)
    flattener.start(0, "HALT")
    sent_at = []
    for _ in range(20):
        before = len(venue.closes)
        wait(venue, flattener, 1)
        if len(venue.closes) > before:
            sent_at.append(venue.ts // SECOND)
    assert sent_at == [1, 3, 7, 15]
    assert (
        venue.notices[1].reason == "+10 AAPL.XNAS of A: close refused (REJECTED: no such luck); again in 1 s"
    )
    venue.refuses = lambda _order: None
    wait(venue, flattener, LONGEST_DELAY)
    assert venue.kinds()[-1] == "FLAT"


def test_a_venue_that_refuses_for_ever_gets_a_person_called_every_minute() -> None:
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    venue.refuses = lambda order: "no" if order.client_order_id in venue.closes else None
    flattener = flattening(venue)
    flattener.start(0, "HALT")
    wait(venue, flattener, 59)
    assert "ALARM" not in venue.kinds()
    wait(venue, flattener, 181)
    alarms = [notice for notice in venue.notices if notice.kind == "ALARM"]
    assert [notice.ts // SECOND for notice in alarms] == [60, 120, 180, 240]
    assert alarms[0].reason == "not flat: +10 AAPL.XNAS of A: 6 closes refused"
    assert flattener.active


def test_on_daily_prices_a_person_is_called_after_three_of_them() -> None:
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    venue.refuses = lambda order: "no" if order.client_order_id in venue.closes else None
    flattener = flattening(venue)
    flattener.start(0, "HALT")
    day = 86_400
    for number in range(1, MOST_REFUSED):
        venue.ts = number * day * SECOND
        flattener.step(venue.ts)
        assert ("ALARM" in venue.kinds()) == (number >= 2)


def test_a_close_nobody_answers_is_never_sent_twice() -> None:
    venue = Venue()
    venue.hold("A", 10)
    flattener = flattening(venue)
    flattener.start(0, "HALT")
    wait(venue, flattener, 200)
    assert len(venue.closes) == 1
    assert venue.notices[-1].reason.endswith("close O-2 is not answered")
    venue.settle()
    assert venue.kinds()[-1] == "FLAT"


def test_an_order_that_does_not_answer_its_cancel_is_closed_around() -> None:
    """A resting sale of 4 may still fill, so of 10 only 6 are closed; a person hears of the rest."""
    venue = Venue("net")
    venue.hold("A", 10)
    sale = venue.order("A", -4, limit=Decimal(120))
    venue.send([sale])
    venue.take()
    flattener = flattening(venue)
    flattener.start(0, "HALT")
    venue.requests.clear()  # the cancel is lost
    wait(venue, flattener, CANCEL_WAIT // SECOND)
    assert out(venue) == [Decimal(6)]
    assert venue.cancelled == [sale.client_order_id] * 2
    venue.requests = type(venue.requests)(r for r in venue.requests if r[0] == "new")
    venue.settle()
    assert venue.position() == 4
    wait(venue, flattener, 60)
    assert venue.notices[-1].reason == (
        f"not flat: +4 AAPL.XNAS of A: no answer to the cancel of {sale.client_order_id}"
    )
    venue.fill(sale.client_order_id)
    venue.settle()
    assert venue.kinds()[-1] == "FLAT"
    assert venue.true["A"] == 0


def test_a_closed_market_is_waited_for_and_said_once() -> None:
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    venue.hours.shut = "XNYS is closed; opens 2024-01-02 09:30 EST"
    flattener = flattening(venue)
    flattener.start(0, "HALT")
    wait(venue, flattener, 500)
    assert venue.kinds() == ["FLATTEN", "FLATTEN"]
    assert venue.notices[-1].reason == "+10 AAPL.XNAS of A waits: XNYS is closed; opens 2024-01-02 09:30 EST"
    assert not venue.closes
    venue.hours.shut = None
    wait(venue, flattener, 1)
    assert venue.kinds()[-1] == "FLAT"


# -- what cannot be closed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "left"),
    [
        (instrument(step="0.001", smallest="0.01"), "0.005"),
        (instrument(step="0.001", lot="1"), "0.125"),
        (instrument(step="0.001", min_notional=usd(10)), "0.09"),
    ],
)
def test_a_rest_below_the_smallest_order_is_left_and_said_once(made: Any, left: str) -> None:
    venue = Venue(made=made, prompt=True)
    venue.hold("A", left)
    flattener = flattening(venue)
    flattener.start(0, "HALT")
    wait(venue, flattener, 100)
    assert venue.kinds() == ["FLATTEN", "ALARM"]
    assert "is left: the smallest order is" in venue.notices[-1].reason
    assert not flattener.active
    assert not venue.closes


def test_what_is_more_than_the_rest_is_closed_in_whole_lots() -> None:
    venue = Venue(made=instrument(step="1", lot="100"), prompt=True)
    venue.hold("A", 250)
    flattening(venue).start(0, "HALT")
    assert venue.position() == 50
    assert venue.kinds() == ["FLATTEN", "ALARM"]


def test_a_holding_whose_strategy_is_gone_is_a_persons_to_close_but_its_orders_are_cancelled() -> None:
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    venue.hold("Gone", 7)
    order = venue.order("Gone", 3, limit=Decimal(90))
    venue.send([order])
    flattener = flattening(venue)
    flattener.start(0, "HALT")
    assert venue.position("A") == 0
    assert not venue.working("Gone")
    assert [notice.kind for notice in venue.notices] == ["FLATTEN", "ALARM"]
    assert venue.notices[-1].reason.endswith("Gone is not running, so nothing can close it; close it by hand")
    wait(venue, flattener, 60)
    assert venue.kinds().count("ALARM") == 2


def test_a_stopped_strategy_closes_nothing() -> None:
    """The engine would fill its order, but a stopped strategy hears no events: the book would never know."""
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    flattener = flattening(venue)
    flattener.means.gates[0].running = False  # type: ignore[attr-defined]
    flattener.start(0, "HALT")
    assert not venue.closes
    assert venue.kinds()[-1] == "ALARM"


def test_an_error_at_one_holding_does_not_leave_the_others_open() -> None:
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    venue.hold("B", 10)
    flattener = flattening(venue, "AB")

    class Broken(FakeGate):
        def close_out(self, instrument: str, position: Decimal, quantity: Decimal | None = None) -> str:
            raise RuntimeError(f"cannot close {position} {instrument} {quantity}")

    flattener.means.gates[0] = Broken(venue, "A")  # type: ignore[index]
    flattener.start(0, "HALT")
    assert venue.positions() == [10, 0]
    wait(venue, flattener, 100)
    refusals = [notice for notice in venue.notices if "close refused (RuntimeError" in notice.reason]
    assert len(refusals) == 7  # with the same patience as for any other refusal
    assert "ALARM" in venue.kinds()


def test_an_error_at_every_price_is_said_seven_times_in_a_hundred_seconds_not_a_hundred_times() -> None:
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    flattener = flattening(venue)

    def beyond(_ts: int) -> str | None:
        raise ValueError("the calendar ends in 2050")

    venue.hours.closed_why = beyond  # type: ignore[method-assign]
    flattener.start(0, "HALT")
    wait(venue, flattener, 100)
    assert sum("the calendar ends" in notice.reason for notice in venue.notices) == 7


# -- several strategies in one instrument ---------------------------------------------------------------------------


def test_each_strategy_closes_its_own_part() -> None:
    venue = Venue("own", prompt=True)
    venue.hold("A", 10)
    venue.hold("B", -4)
    flattening(venue, "AB").start(0, "HALT")
    assert venue.positions() == [0, 0]
    assert len(venue.closes) == 2


def test_where_a_venue_nets_two_strategies_the_rest_that_offsets_is_said() -> None:
    """A holds 10 and B owes 4, the venue knows 6: no reduce-only order closes what it does not hold."""
    venue = Venue("net", prompt=True)
    venue.hold("A", 10)
    venue.hold("B", -4)
    flattener = flattening(venue, "AB")
    flattener.start(0, "HALT")
    wait(venue, flattener, 120)
    assert sum(venue.true.values()) == 0
    assert venue.positions() == [4, -4]
    assert (
        "another strategy holds the other side" in next(n for n in venue.notices if n.kind == "ALARM").reason
    )
    assert flattener.active


def test_where_two_strategies_hold_an_instrument_no_stop_may_fill_beside_the_close() -> None:
    """The venue would fill both, since together they are no more than its net position."""
    venue = Venue("net")
    venue.hold("A", 10)
    venue.hold("B", 10)
    stop = venue.order("A", -10, trigger=Decimal(95), reduce_only=True)
    venue.send([stop])
    venue.take()
    flattener = flattening(venue, "AB")
    flattener.start(0, "LOSS", strategies=("A",))
    venue.requests.clear()  # the cancel is lost
    wait(venue, flattener, 60)
    assert not venue.closes
    assert venue.kinds()[-1] == "ALARM"
    venue.settle()
    assert venue.positions() == [0, 10]


def test_a_stop_that_does_not_answer_holds_up_nobody_who_is_alone() -> None:
    venue = Venue("own")
    venue.hold("A", 10)
    stop = venue.order("A", -10, trigger=Decimal(95), reduce_only=True)
    venue.send([stop])
    venue.take()
    flattener = flattening(venue)
    flattener.start(0, "LOSS")
    venue.requests.clear()
    wait(venue, flattener, CANCEL_WAIT // SECOND)
    venue.settle()
    assert venue.kinds()[-1] == "FLAT"


def test_flattening_one_strategy_leaves_the_others_alone() -> None:
    venue = Venue("own", prompt=True)
    venue.hold("A", 10)
    venue.hold("B", 5)
    flattener = flattening(venue, "AB")
    assert not flattener.covers("A", AAPL)
    flattener.start(0, "LOSS", strategies=("A",))
    assert venue.positions() == [0, 5]
    assert {notice.scope for notice in venue.notices} == {"strategy:A"}


def test_flattening_a_venue_leaves_other_venues_alone() -> None:
    venue = Venue("own", prompt=True)
    venue.hold("A", 10)
    flattener = flattening(venue)
    flattener.start(0, "LOSS", venue="ELSEWHERE")
    assert venue.position("A") == 10
    assert venue.kinds() == ["FLATTEN", "FLAT"]
    flattener.start(0, "LOSS", venue="XNAS")
    assert venue.position("A") == 0


def test_it_tells_what_it_covers_and_what_to_start_again_after_a_restart() -> None:
    venue = Venue()
    venue.hold("A", 10)
    flattener = flattening(venue)
    flattener.close(0, "A", AAPL, "TIME_EXIT")
    assert flattener.covers("A", AAPL)
    assert flattener.active
    assert not flattener.scopes
    flattener.start(0, "HALT")
    assert list(flattener.scopes) == ["book"]
    assert len(venue.closes) == 1  # both are about the same holding
    flattener.stop(1, "resumed by a person")
    assert not flattener.covers("A", AAPL)
    assert venue.kinds()[-2:] == ["FLATTEN", "FLATTEN"]


def test_flat_is_said_only_when_the_engine_agrees() -> None:
    venue = Venue(prompt=True)
    venue.hold("A", 10)
    engine = {"A": Decimal(10)}
    flattener = flattening(venue, engine_position=lambda strategy, _instrument: engine[strategy])
    flattener.start(0, "HALT")
    assert venue.position() == 0
    assert "FLAT" not in venue.kinds()
    wait(venue, flattener, 61)
    assert venue.notices[-1].reason == (
        "not verified: the book holds 0 AAPL.XNAS of A, the engine 10; look at the venue"
    )
    engine["A"] = ZERO
    wait(venue, flattener, 1)
    assert venue.kinds()[-1] == "FLAT"


# -- whatever happens -----------------------------------------------------------------------------------------------

Action = tuple[str, int]
ACTIONS = st.tuples(
    st.sampled_from(
        ["take", "report", "fill", "part", "second", "minute", "refuse", "accept", "drop", "shut", "open",
         "lose", "stop", "entry", "sale"]
    ),
    st.integers(0, 7),
)  # fmt: skip


class Chaos:
    """Plays random actions against a flattener and checks after each that nothing turned round."""

    def __init__(self, rule: Rule, positions: list[int], made: Any) -> None:
        self.venue = Venue(rule, made=made)
        names = "AB"[: len(positions)]
        for name, position in zip(names, positions, strict=True):
            self.venue.hold(name, position)
        self.signs = {name: position > 0 for name, position in zip(names, positions, strict=True)}
        self.flattener = flattening(self.venue, names)
        self.flattened = False

    def do(self, action: Action) -> None:
        what, number = action
        venue = self.venue
        resting = sorted(venue.resting)
        name = resting[number % len(resting)] if resting else None
        if name is not None and what in ("fill", "part") and not venue.hours.shut:
            venue.fill(name, None if what == "fill" else Decimal(number + 1))
        if name is not None and what == "drop":
            venue.drop(name)
        steps: dict[str, Any] = {
            "take": venue.take,
            "report": venue.report,
            "second": lambda: self.pass_time(1),
            "minute": lambda: self.pass_time(60),
            "refuse": lambda: setattr(venue, "refuses", lambda _order: "not now"),
            "accept": lambda: setattr(venue, "refuses", lambda _order: None),
            "shut": lambda: setattr(venue.hours, "shut", f"shut {venue.ts}"),
            "open": lambda: setattr(venue.hours, "shut", None),
            "lose": lambda: venue.requests and venue.requests[0][0] == "cancel" and venue.requests.popleft(),
        }
        if what in steps:
            steps[what]()
        elif not self.flattened:  # from then on the gate lets nothing of the strategies pass
            self.send(what, number)
        self.check()

    def send(self, what: str, number: int) -> None:
        strategy = "AB"[number % len(self.signs)]
        sign = 1 if self.signs[strategy] else -1
        venue = self.venue
        room = abs(venue.position(strategy)) - sum(
            o.leaves for o in venue.working(strategy) if o.is_buy is not self.signs[strategy]
        )
        if what == "entry":
            venue.send([venue.order(strategy, sign * (number + 1), limit=Decimal(99))])
        elif room >= 1 and venue.position(strategy) * sign > 0:
            size = min(int(room), number + 1)
            if what == "stop":
                venue.send([venue.order(strategy, -sign * size, trigger=Decimal(95), reduce_only=True)])
            else:
                venue.send([venue.order(strategy, -sign * size, limit=Decimal(120))])

    def pass_time(self, secs: int) -> None:
        self.venue.ts += secs * SECOND
        if self.flattener.active:
            self.flattener.step(self.venue.ts)

    def start(self) -> None:
        self.flattened = True
        self.flattener.start(self.venue.ts, "HALT")
        self.check()

    def check(self) -> None:
        for strategy, long in self.signs.items():
            position = self.venue.true.get(strategy, ZERO)
            assert position >= 0 if long else position <= 0, f"{strategy} turned round to {position}"
            alive = [n for n in self.venue.closes if n in self.venue.book.orders]
            assert sum(self.venue.book.orders[n].strategy == strategy for n in alive) <= 1, (
                "two closes at once"
            )

    def calm(self) -> None:
        """From now on the venue answers everything, and the market is open."""
        self.do(("open", 0))
        self.do(("accept", 0))
        for _ in range(200):
            if not self.flattener.active:
                break
            while self.venue.requests or self.venue.reports:
                self.do(("take", 0))
                self.do(("report", 0))
            for name in self.venue._markets():  # noqa: SLF001 - the simulator is the test's own
                if name in self.venue.resting:
                    self.venue.fill(name)
                    self.check()
            self.do(("second", 0))


random_positions = st.lists(st.integers(-12, 12).filter(bool), min_size=1, max_size=2)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(RULES), random_positions, st.lists(ACTIONS, max_size=8), st.lists(ACTIONS, max_size=40)
)
def test_whatever_a_venue_does_nothing_turns_round_and_it_ends_flat(
    rule: Rule, positions: list[int], before: list[Action], during: list[Action]
) -> None:
    """Once the venue answers again. Two strategies on opposite sides of a netting venue have their own test."""
    if rule != "own" and len(positions) == 2 and positions[0] * positions[1] < 0:
        positions = positions[:1]
    chaos = Chaos(rule, positions, instrument())
    for action in before:
        chaos.do(action)
    chaos.start()
    for action in during:
        chaos.do(action)
    chaos.calm()
    assert chaos.venue.book.is_flat()
    assert not chaos.venue.book.orders
    assert chaos.venue.kinds()[-1] == "FLAT"
    assert not any(chaos.venue.true.values())


@settings(max_examples=200, deadline=None)
@given(random_positions, st.lists(ACTIONS, max_size=40), st.sampled_from(["refuse", "silence"]))
def test_a_venue_that_never_gives_in_ends_in_an_alarm(
    positions: list[int], during: list[Action], how: str
) -> None:
    chaos = Chaos("own", positions, instrument())
    chaos.start()
    for action in during:
        chaos.do(action)
    chaos.do(("open", 0))
    if how == "refuse":
        chaos.venue.refuses = lambda _order: "never"
    for _ in range(130):
        chaos.do(("second", 0))
        if how == "refuse":
            chaos.do(("take", 0))
            chaos.do(("report", 0))
    assert not chaos.flattener.active or "ALARM" in chaos.venue.kinds()
    assert chaos.flattener.active or chaos.venue.book.is_flat()


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 500), st.integers(1, 120), st.sampled_from(["own", "net", "holds"]))
def test_whole_lots_are_closed_and_only_a_rest_stays(position: int, lot: int, rule: Rule) -> None:
    venue = Venue(rule, made=instrument(lot=str(lot)), prompt=True)
    venue.hold("A", position)
    flattening(venue).start(0, "HALT")
    assert venue.position() == position % lot
    assert venue.kinds()[-1] == ("ALARM" if position % lot else "FLAT")
