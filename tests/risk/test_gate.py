"""No order reaches the engine unless the gate let it pass: every way around it, in both modes."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import ExecAlgorithmId, OrderSide, Price, Quantity, TimeInForce, TriggerType
from nautilus_trader.trading import Strategy

from risk.clock import NotReplayableError
from runs.errors import RunError, StrategyError
from tests.driving import MODES, Scripted, bars, drive

FLAT = bars([100.0] * 12)
both_modes = pytest.mark.parametrize("mode", MODES)


class Overbuys(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.order = self.buy(101)
            self.status_after_submit = str(self.order.status)
            self.denied_inside = list(self.denied)


@both_modes
def test_a_refusal_is_an_order_denied_after_the_callback(mode: str) -> None:
    driven = drive(mode, Overbuys, FLAT, risk={"max_order_notional": 10_000})
    strategy = driven.strategies[0]
    assert strategy.denied == ["MAX_ORDER_NOTIONAL: AAPL.XNAS order of 10,100.00 USD; limit 10,000.00 USD"]
    assert strategy.denied_inside == []
    assert str(strategy.order.status) == "DENIED"
    assert strategy.events == ["OrderDenied"]
    assert driven.limits == ["MAX_ORDER_NOTIONAL"]
    assert driven.record.orders == []


class CallsTheBaseClass(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            Strategy.submit_order(self, self.order_factory.market(self.iid, OrderSide.BUY, Quantity(10, 0)))
        if n == 3:
            orders = [
                self.order_factory.limit(self.iid, OrderSide.BUY, Quantity(1, 0), Price(90, 2))
                for _ in range(2)
            ]
            Strategy.submit_order_list(self, orders)
        if n == 4:
            super().submit_order(self.order_factory.market(self.iid, OrderSide.BUY, Quantity(10, 0)))


@both_modes
def test_calling_the_base_class_directly_is_refused(mode: str) -> None:
    driven = drive(mode, CallsTheBaseClass, FLAT)
    assert driven.limits == ["BYPASS"] * 4
    assert driven.record.fills == []


class OverridesSubmit(Scripted):
    """A strategy may override submit_order and call super(): it stands behind the gate, not beside it."""

    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        super().submit_order(order, *args, **kwargs)
        if self.n == 2:  # a second order smuggled out of an override
            super().submit_order(self.order_factory.market(self.iid, OrderSide.BUY, Quantity(500, 0)))

    def at_bar(self, n: int, _bar: Any) -> None:
        if n in (2, 4):
            self.buy(10)


@both_modes
def test_an_override_of_submit_order_cannot_smuggle(mode: str) -> None:
    driven = drive(mode, OverridesSubmit, FLAT)
    assert [fill["quantity"] for fill in driven.record.fills] == [10, 10]
    assert driven.limits == ["BYPASS"]


class Closes(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n in (1, 4, 7):
            self.buy(50)
        if n == 2:
            for position in self.cache.positions_open():
                self.close_position(position, reduce_only=False)
        if n == 5:
            self.close_all_positions(self.iid)
        if n == 8:
            self.market_exit()


@both_modes
def test_the_engines_own_exits_pass_as_reductions(mode: str) -> None:
    driven = drive(mode, Closes, FLAT, risk={"max_orders_per_day": 1, "allow_short": False})
    assert driven.record.trips == []
    assert driven.record.refusals == []
    assert [order["reduce_only"] for order in driven.record.orders] == [False, True] * 3
    assert driven.desk.book.is_flat()


class Emulates(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(100)
        if n == 2:
            self.limit(OrderSide.BUY, 10, 90.0, emulation_trigger=TriggerType.LAST_PRICE)
            self.limit(OrderSide.BUY, 10, 50.0)


@both_modes
def test_a_trip_cancels_working_and_emulated_orders(mode: str) -> None:
    driven = drive(mode, Emulates, bars([100, 100, 100, 80, 80, 80]), risk={"max_drawdown_pct": 0.01})
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]
    assert [order["status"] for order in driven.record.orders] == ["FILLED", "CANCELED", "CANCELED"]


class NamesAnAlgorithm(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(1, exec_algorithm_id=ExecAlgorithmId("TWAP"))


@both_modes
def test_an_execution_algorithm_is_refused(mode: str) -> None:
    assert drive(mode, NamesAnAlgorithm, FLAT).limits == ["EXEC_ALGORITHM"]


class Grows(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.order = self.limit(OrderSide.BUY, 10, 90.0)
        if n == 2:
            self.modify_order(self.order.client_order_id, Quantity(200, 0))
        if n == 3:
            self.modify_orders([(self.order.client_order_id, Quantity(300, 0), None, None)])
        if n == 4:
            self.modify_order(self.order.client_order_id, Quantity(20, 0), Price(91, 2))
        if n == 5:
            Strategy.modify_order(self, self.order.client_order_id, Quantity(400, 0))


@both_modes
def test_a_change_is_checked_like_the_order_it_makes(mode: str) -> None:
    driven = drive(mode, Grows, FLAT, risk={"max_position_notional": 5_000})
    assert driven.limits == ["MAX_POSITION_NOTIONAL", "MAX_POSITION_NOTIONAL", "BYPASS"]
    assert driven.record.orders[0]["quantity"] == 20
    assert driven.strategies[0].events.count("OrderModifyRejected") == 3


class Brackets(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n in (1, 5):
            self.submit_order_list(
                self.order_factory.bracket(
                    self.iid,
                    OrderSide.BUY,
                    Quantity(10 if n == 1 else 400, 0),
                    entry_price=Price(50, 2),
                    tp_price=Price(120, 2),
                    sl_trigger_price=Price(40, 2),
                    entry_order_type=_limit_type(),
                )
            )


def _limit_type() -> Any:
    from nautilus_trader.model import OrderType  # noqa: PLC0415 - one use

    return OrderType.LIMIT


def test_reduce_only_children_are_refused_where_the_sandbox_would_reject_them() -> None:
    """The engine's bracket leaves the position naked in the live sandbox: better no entry than an unprotected one."""
    driven = drive("live", Brackets, FLAT)
    assert set(driven.limits) == {"REDUCE_ONLY_CHILD"}
    assert driven.record.orders == []


@pytest.mark.parametrize("mode", ["backtest"])
def test_a_list_passes_or_is_refused_whole(mode: str) -> None:
    driven = drive(mode, Brackets, FLAT, risk={"max_position_notional": 5_000, "allow_short": False})
    assert len(driven.record.orders) == 3
    assert driven.limits == ["MAX_POSITION_NOTIONAL"] * 3
    assert len(driven.desk.book.orders) == 3


class GoodTillDate(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.limit(
                OrderSide.BUY, 1, 90.0, time_in_force=TimeInForce.GTD, expire_time=1_900_000_000_000_000_000
            )


def test_an_expiry_date_is_refused_on_replay_only() -> None:
    assert drive("live", GoodTillDate, FLAT).limits == ["GTD_ON_REPLAY"]
    assert drive("backtest", GoodTillDate, FLAT).limits == []


class UsesATimer(Scripted):
    def on_start(self) -> None:
        super().on_start()
        self.clock.set_timer_ns("late", 3_600_000_000_000, None, None, self.ring)

    def ring(self, _event: Any) -> None:
        raise ValueError("timer broke")


def test_a_timer_cannot_be_replayed_and_its_errors_stop_a_backtest() -> None:
    with pytest.raises(RunError, match=r"timer 'late'.*venue\.speed=1") as refused:
        drive("live", UsesATimer, FLAT)
    assert refused.value.exit_code == 2
    assert isinstance(refused.value.__cause__, NotReplayableError)
    with pytest.raises(
        StrategyError, match=r"UsesATimer-001 raised in timer 'late'.*ValueError: timer broke"
    ) as broke:
        drive("backtest", UsesATimer, FLAT)
    assert isinstance(broke.value.__cause__, ValueError)


class Breaks(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(10)
            self.limit(OrderSide.BUY, 10, 50.0)
        if n == 3:
            raise KeyError("strategy broke")
        if n == 5:
            self.buy(10)


@both_modes
def test_an_error_stops_the_run_when_asked(mode: str) -> None:
    with pytest.raises(
        StrategyError, match=r"Breaks-001 raised in on_bar: KeyError: 'strategy broke'"
    ) as stopped:
        drive(mode, Breaks, FLAT, run={"on_strategy_error": "stop"})
    assert isinstance(stopped.value.__cause__, KeyError)


@both_modes
def test_an_error_halts_by_policy(mode: str) -> None:
    driven = drive(mode, Breaks, FLAT, run={"on_strategy_error": "halt"})
    assert [trip["breaker"] for trip in driven.record.trips] == ["STRATEGY_ERROR"]
    assert driven.limits == ["HALTED"]
    assert [order["status"] for order in driven.record.orders] == ["FILLED", "CANCELED"]
    assert driven.record.halted


class ReplacesItsHandler(Scripted):
    def on_start(self) -> None:
        super().on_start()
        self.on_bar = lambda _bar: None  # type: ignore[method-assign, assignment]


@both_modes
def test_a_handler_replaced_on_the_instance_is_refused(mode: str) -> None:
    with pytest.raises(RunError, match=r"self\.on_bar: define it as a method"):
        drive(mode, ReplacesItsHandler, FLAT)


class AnswersEveryRefusal(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(1_000)

    def on_order_denied(self, _event: Any) -> None:
        self.buy(1_000)


@both_modes
def test_a_strategy_that_answers_every_refusal_with_an_order_is_stopped(mode: str) -> None:
    with pytest.raises(StrategyError, match="answers every refusal with a new order"):
        drive(mode, AnswersEveryRefusal, FLAT, risk={"max_order_notional": 1})


class First(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(60)


class Second(First):
    pass


@both_modes
def test_two_strategies_race_for_the_last_of_a_limit_in_configured_order(mode: str) -> None:
    for classes in ([First, Second], [Second, First]):
        driven = drive(mode, classes, FLAT, risk={"max_leverage": 0.1})
        assert [fill["strategy"] for fill in driven.record.fills] == [f"{classes[0].__name__}-001"]
        assert [refusal["strategy"] for refusal in driven.record.refusals] == [f"{classes[1].__name__}-002"]


@both_modes
def test_the_engines_own_check_stands_behind_the_gate(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the gate taken out the engine still refuses an order ten times over the limit."""
    from risk.decisions import Decisions  # noqa: PLC0415 - only here

    monkeypatch.setattr(Decisions, "decide", lambda *_: None)
    driven = drive(mode, Giant, FLAT, risk={"max_order_notional": 1_000})
    assert driven.limits == ["ENGINE"]
    assert "NOTIONAL_EXCEEDS_MAX_PER_ORDER" in driven.record.refusals[0]["reason"]


class Giant(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(101)


class SendsTwice(Scripted):
    """Hands over one resting order twice, and one refused order twice."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.order = self.limit(OrderSide.BUY, 60, 90.0)
            self.submit_order(self.order)
        if n == 2:
            self.submit_order(self.order)
            self.submit_order_list([self.order])
            self.refused = self.buy(50)
            self.submit_order(self.refused)
        if n == 3:
            self.submit_order(self.refused)


@both_modes
def test_an_order_handed_over_twice_counts_once_and_is_not_forgotten(mode: str) -> None:
    driven = drive(mode, SendsTwice, FLAT, risk={"max_position_notional": 10_000})
    assert driven.limits == ["SENT_BEFORE"] * 3 + ["MAX_POSITION_NOTIONAL"] + ["SENT_BEFORE"] * 2
    assert [str(order["status"]) for order in driven.record.orders] == ["ACCEPTED"]
    assert list(driven.desk.book.orders) == [str(driven.strategies[0].order.client_order_id)]
    assert driven.strategies[0].events.count("OrderDenied") == 1
