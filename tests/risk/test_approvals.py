"""An order that needs a person is held, counted, judged again when approved, and never sent too late or too far."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from runs.record import Recorder
from tests.driving import MODES, Driven, Scripted, bars, drive

both_modes = pytest.mark.parametrize("mode", MODES)
FLAT = [100.0] * 12


class Asks(Scripted):
    """Buys 100 on the second bar; somebody is there to ask."""

    def on_start(self) -> None:
        super().on_start()
        self.desk: Any
        self.desk.approvals.assumed = False
        self.desk.decisions.asks_people = True
        self.answer: Any = "not asked"

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.order = self.buy(100)

    @property
    def name(self) -> str:
        return str(self.order.client_order_id)


def asked(mode: str, strategy: type[Scripted], closes: list[float], **risk: Any) -> Driven:
    day = {"require_approval": True, "approval_timeout_mins": 3_000, **risk}
    return drive(mode, strategy, bars(closes), risk=day)


class Approves(Asks):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            self.working = [str(name) for name in self.desk.book.orders]
            self.answer = self.desk.approvals.approve(self.name)
        if n == 5:
            self.sell(100)


@both_modes
def test_an_approved_order_is_sent_and_exits_need_nobody(mode: str) -> None:
    driven = asked(mode, Approves, FLAT)
    strategy = driven.strategies[0]
    assert strategy.working == [strategy.name]  # it counts as working while it waits
    assert strategy.answer is None
    assert [(fill["side"], fill["quantity"]) for fill in driven.record.fills] == [("BUY", 100), ("SELL", 100)]
    assert [row["kind"] for row in driven.recorder.notices] == ["APPROVAL", "APPROVAL"]
    assert driven.desk.book.orders == {}


class NobodyAnswers(Asks):
    """Nobody answers."""


@both_modes
def test_what_nobody_approves_in_time_is_refused(mode: str) -> None:
    driven = asked(mode, NobodyAnswers, FLAT)
    assert driven.limits == ["APPROVAL"]
    assert driven.strategies[0].denied == [f"APPROVAL: nobody approved {driven.strategies[0].name} in time"]
    assert driven.record.fills == []
    assert driven.desk.book.orders == {}


@both_modes
def test_a_price_that_leaves_its_band_refuses_what_waits(mode: str) -> None:
    driven = asked(mode, NobodyAnswers, [100.0, 100.0, 102.0, 102.0, 102.0])
    assert driven.limits == ["APPROVAL"]
    assert "moved from 100 to 102" in driven.record.refusals[0]["reason"]


class ApprovesAfterTheDayTurned(Asks):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 2:
            self.second = self.buy(1)
        if n == 3:
            self.desk.approvals.approve(self.name)
            self.answer = self.desk.approvals.approve(str(self.second.client_order_id))


@both_modes
def test_limits_are_asked_again_at_the_moment_of_approval(mode: str) -> None:
    """Both passed while they waited apart; approved together the second is one too many for the day."""
    driven = asked(mode, ApprovesAfterTheDayTurned, FLAT, max_orders_per_day=1)
    assert driven.strategies[0].answer == "MAX_ORDERS_PER_DAY: order 2 of the session day; limit 1"
    assert [fill["quantity"] for fill in driven.record.fills] == [100]


class Rejected(Asks):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            self.answer = self.desk.approvals.reject(self.name, "too large for a Friday")


@both_modes
def test_a_rejected_order_is_denied_with_the_persons_words(mode: str) -> None:
    driven = asked(mode, Rejected, FLAT)
    assert driven.strategies[0].denied == ["APPROVAL: too large for a Friday"]


class Withdraws(Asks):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            self.cancel_order(self.order.client_order_id)


@both_modes
def test_a_strategy_may_withdraw_what_waits(mode: str) -> None:
    driven = asked(mode, Withdraws, FLAT)
    assert driven.strategies[0].denied == ["APPROVAL: withdrawn by the strategy"]
    assert str(driven.strategies[0].order.status) == "DENIED"


class Halted(Asks):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            from risk.breaker import Trip  # noqa: PLC0415 - one use

            self.desk.halt(Trip("DRAWDOWN", "DRAWDOWN: by hand", self.desk.market_now()))
        if n == 4:
            self.answer = self.desk.approvals.approve(self.name)


@both_modes
def test_a_halt_refuses_what_waits(mode: str) -> None:
    driven = asked(mode, Halted, FLAT)
    assert driven.strategies[0].denied == ["APPROVAL: trading halted: DRAWDOWN: by hand"]
    assert driven.strategies[0].answer is not None


class Plain(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(100)


@both_modes
def test_where_nobody_can_be_asked_approval_is_taken_for_granted_and_said_once(mode: str) -> None:
    driven = asked(mode, Plain, FLAT)
    assert len(driven.record.fills) == 1
    assert [row["kind"] for row in driven.recorder.notices] == ["APPROVAL"]
    assert "taken for granted" in driven.recorder.notices[0]["reason"]


# -- what is told, and that nothing is sent twice -----------------------------------------------------------------


class Heard(Recorder):
    """Keeps what waits, as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[tuple[str, list[str], int | None, Any]] = []

    def waits(self, ts: int, event: str, orders: Any, why: str, until: int | None, price: Any) -> None:  # type: ignore[override]
        assert ts
        assert why
        self.waited.append((event, [str(order.client_order_id) for order in orders], until, price))


def heard(mode: str, strategy: type[Scripted], closes: list[float], **risk: Any) -> tuple[Driven, list[str]]:
    recorder = Heard()
    day = {"require_approval": True, "approval_timeout_mins": 3_000, **risk}
    driven = drive(mode, strategy, bars(closes), risk=day, recorder=recorder)
    return driven, [event for event, *_ in recorder.waited]


@both_modes
@pytest.mark.parametrize(
    ("strategy", "closes", "events"),
    [
        (Approves, FLAT, ["HELD", "APPROVED"]),
        (Rejected, FLAT, ["HELD", "REJECTED"]),
        (NobodyAnswers, FLAT, ["HELD", "EXPIRED"]),
        (NobodyAnswers, [100.0, 100.0, 102.0, 102.0, 102.0], ["HELD", "MOVED"]),
        (Withdraws, FLAT, ["HELD", "WITHDRAWN"]),
        (Halted, FLAT, ["HELD", "WITHDRAWN"]),
    ],
)
def test_whatever_becomes_of_an_order_that_waits_is_told_once(
    mode: str, strategy: type[Scripted], closes: list[float], events: list[str]
) -> None:
    assert heard(mode, strategy, closes)[1] == events


class TwoPeopleAtOnce(Asks):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            self.answers = [self.desk.approvals.approve(self.name, who) for who in ("ann", "bob")]
            self.said = self.desk.approvals.answer_to(self.name)


@both_modes
def test_two_people_who_approve_at_once_send_one_order(mode: str) -> None:
    driven, events = heard(mode, TwoPeopleAtOnce, FLAT)
    strategy = driven.strategies[0]
    assert strategy.answers == [None, f"APPROVAL: no order {strategy.name} waits"]
    assert strategy.said == f"{strategy.name} was approved by ann"
    assert [fill["quantity"] for fill in driven.record.fills] == [100]
    assert events == ["HELD", "APPROVED"]


class ApprovesTooLate(Asks):
    """Approves when the time is up, before any price let the desk see that."""

    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            held = next(iter(self.desk.approvals.waiting.values()))
            held.until = bar.ts_event
            self.answer = self.desk.approvals.approve(self.name)
            self.again = self.desk.approvals.approve(self.name)


@both_modes
def test_what_is_approved_too_late_is_not_sent(mode: str) -> None:
    driven, events = heard(mode, ApprovesTooLate, FLAT)
    strategy = driven.strategies[0]
    assert strategy.answer == f"APPROVAL: nobody approved {strategy.name} in time"
    assert strategy.again == f"APPROVAL: no order {strategy.name} waits"
    assert driven.record.fills == []
    assert events == ["HELD", "EXPIRED"]


class ApprovesByTheSecond(Asks):
    """Two orders of one call: either id stands for both."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            make = self.order_factory.limit
            orders = [make(self.iid, OrderSide.BUY, Quantity(size, 0), Price(99, 2)) for size in (10, 20)]
            self.names = [str(order.client_order_id) for order in orders]
            self.submit_order_list(orders)
        if n == 3:
            self.held = self.desk.approvals.held_orders
            self.answer = self.desk.approvals.approve(self.names[1])


@both_modes
def test_orders_of_one_call_are_approved_by_the_id_of_any_of_them(mode: str) -> None:
    driven, events = heard(mode, ApprovesByTheSecond, FLAT)
    strategy = driven.strategies[0]
    assert strategy.held == frozenset(strategy.names)
    assert strategy.answer is None
    assert events == ["HELD", "APPROVED"]
    assert len(driven.record.orders) == 2


class Flattens(Asks):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            self.desk.flatten(reason="out")


@both_modes
def test_closing_everything_takes_back_what_waits(mode: str) -> None:
    driven, events = heard(mode, Flattens, FLAT)
    assert events == ["HELD", "WITHDRAWN"]
    assert driven.desk.book.orders == {}
    assert not driven.desk.flattener.active


class Stops(Asks):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            self.desk.cancel_adding()


@both_modes
def test_cancelling_entries_takes_back_what_waits(mode: str) -> None:
    driven, events = heard(mode, Stops, FLAT)
    assert events == ["HELD", "WITHDRAWN"]
    assert driven.desk.book.orders == {}


@both_modes
def test_one_that_never_expires_says_so(mode: str) -> None:
    recorder = Heard()
    drive(
        mode, NobodyAnswers, bars(FLAT), recorder=recorder,
        risk={"require_approval": True, "approval_timeout_mins": "off", "approval_band_pct": "off"},
    )  # fmt: skip
    assert [(event, until) for event, _, until, _ in recorder.waited] == [("HELD", None)]
