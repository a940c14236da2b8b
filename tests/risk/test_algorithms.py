"""An execution algorithm sends what it was given and nothing else, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    ClientOrderId,
    ExecAlgorithmId,
    InstrumentId,
    MarketOrder,
    OrderSide,
    StrategyId,
    TimeInForce,
    TriggerType,
)
from nautilus_trader.trading import ExecutionAlgorithm

from runs.errors import NotReplayableRunError, RunError, StrategyError
from tests.driving import MODES, Driven, bars, drive
from tests.risk.slicing import WORK, Iceberg, Telling, Twap, Works, price, units

FLAT = bars([100.0] * 10)
DIP = bars([100, 100, 97, 97, 97, 99, 100, 101, 102, 103, 104, 105, 105, 105])
NOTHING: dict[str, Any] = {}
BUY, SELL = OrderSide.BUY, OrderSide.SELL
both_modes = pytest.mark.parametrize("mode", MODES)


class Buys(Telling):
    """Hands a market order for 30 to the algorithm at the second bar."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.order = self.work(BUY, 30)


def run(mode: str, strategy: type[Telling], algorithm: type[ExecutionAlgorithm], **more: Any) -> Driven:
    """A run whose strategy errors stop it, unless said otherwise."""
    return drive(mode, strategy, more.pop("rows", FLAT), algorithms={"WORK": algorithm}, **more)


def works(driven: Driven) -> Any:
    """The algorithm of a run."""
    return driven.desk.algorithms["WORK"]


def bought(driven: Driven) -> list[int]:
    """Signed units of every fill, in order."""
    return [int(fill["quantity"]) * (1 if fill["side"] == "BUY" else -1) for fill in driven.record.fills]


def nothing_left(driven: Driven) -> bool:
    """Whether the book counts no order any more."""
    return not driven.desk.book.orders


def why(driven: Driven) -> list[str]:
    """The reasons of all refusals, the names of orders left out."""
    return [refusal["reason"] for refusal in driven.record.refusals]


# -- algorithms as they should be ----------------------------------------------------------------------------------


class BuysBelow(Telling):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.work(BUY, 35, 98)


@both_modes
def test_an_iceberg_sends_its_order_in_clips_and_no_more(mode: str) -> None:
    driven = run(mode, BuysBelow, Iceberg, rows=DIP)
    assert bought(driven) == [10, 10, 10, 5]
    assert driven.record.refusals == []
    assert nothing_left(driven)


class InAndOut(Telling):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.work(BUY, 30)
        if n == 8:
            self.work(SELL, 30, reduce_only=True)


@both_modes
def test_a_twap_by_bars_buys_and_sells_in_slices(mode: str) -> None:
    driven = run(mode, InAndOut, Twap, rows=DIP)
    assert bought(driven) == [7, 7, 7, 9, -7, -7, -7, -9]
    assert driven.record.refusals == []
    assert nothing_left(driven)


@pytest.mark.parametrize(("strategy", "algorithm"), [(BuysBelow, Iceberg), (InAndOut, Twap)])
def test_backtest_and_live_sandbox_do_the_same(
    strategy: type[Telling], algorithm: type[ExecutionAlgorithm]
) -> None:
    past, present = (run(mode, strategy, algorithm, rows=DIP) for mode in MODES)
    keys = ("ts", "side", "quantity", "price")
    assert [[f[key] for key in keys] for f in past.record.fills] == [
        [f[key] for key in keys] for f in present.record.fills
    ]
    assert past.strategies[0].events == present.strategies[0].events
    assert past.record.final_equity == present.record.final_equity
    assert past.desk.breakers.state.orders_today == present.desk.breakers.state.orders_today


@both_modes
def test_the_children_count_against_limits_and_the_order_they_come_from_does_not(mode: str) -> None:
    driven = run(
        mode, Buys, Twap, risk={"max_orders_per_day": 4}, rows=bars([100.0] * 10, step=60_000_000_000)
    )
    assert bought(driven) == [7, 7, 7, 9]
    assert driven.desk.breakers.state.orders_today == 4
    fewer = run(
        mode, Buys, Twap, risk={"max_orders_per_day": 3}, rows=bars([100.0] * 10, step=60_000_000_000)
    )
    assert bought(fewer) == [7, 7, 7]
    assert fewer.limits == ["MAX_ORDERS_PER_DAY"]


@both_modes
def test_what_the_order_was_approved_for_is_reserved_once(mode: str) -> None:
    """30 at 100.00 are 3,000 of 100,000: exactly the limit, before, while and after it is sliced."""
    driven = run(mode, Buys, Twap, risk={"max_position_pct": 0.03})
    assert bought(driven) == [7, 7, 7, 9]
    assert driven.record.refusals == []


class BuysMoreMeanwhile(Buys):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n in (3, 8):
            self.buy(1)


@both_modes
def test_nobody_else_gets_what_is_reserved(mode: str) -> None:
    driven = run(mode, BuysMoreMeanwhile, Twap, risk={"max_position_pct": 0.03})
    assert driven.limits == ["MAX_POSITION", "MAX_POSITION"]
    assert bought(driven) == [7, 7, 7, 9]


@both_modes
def test_equal_slices_are_no_runaway_loop(mode: str) -> None:
    risk = {"max_repeats": 1, "repeat_window_secs": 1_000_000}
    assert bought(run(mode, Buys, Twap, risk=risk)) == [7, 7, 7, 9]


@both_modes
def test_slices_open_one_position_not_one_each(mode: str) -> None:
    driven = run(mode, Buys, Twap, risk={"max_new_positions_per_day": 1, "max_open_positions": 1})
    assert bought(driven) == [7, 7, 7, 9]
    assert driven.record.refusals == []


# -- algorithms that take more -------------------------------------------------------------------------------------


class Once(Works):
    """Does `at_order(order)` for each order; keeps what it was told of refusals."""

    def on_start(self) -> None:
        self.denied: list[str] = []
        self.rejected: list[str] = []

    def on_order(self, order: Any) -> None:
        self.at_order(order)

    def at_order(self, order: Any) -> None:
        """What the test wants to happen."""

    def on_order_denied(self, event: Any) -> None:
        self.now(
            event.client_order_id
        )  # the engine can be called: it is not in the middle of this algorithm's call
        self.denied.append(event.reason)

    def on_order_modify_rejected(self, event: Any) -> None:
        self.rejected.append(event.reason)


class TakesAThousand(Once):
    def at_order(self, order: Any) -> None:
        self.submit_order(self.spawn_market(order, units(10)))
        self.submit_order(self.spawn_market(order, units(1000), reduce_primary=False))


@both_modes
def test_a_child_larger_than_what_is_left_is_refused(mode: str) -> None:
    driven = run(mode, Buys, TakesAThousand)
    assert bought(driven) == [10]
    assert driven.limits == ["EXEC_ALGORITHM"]
    assert why(driven)[0].endswith("'s 30 only 20 are left")
    assert driven.strategies[0].denied == why(driven) == works(driven).denied


class TakesBeside(Once):
    def at_order(self, order: Any) -> None:
        for _ in range(4):
            self.submit_order(self.spawn_market(order, units(10), reduce_primary=False))


class TakesBesideAndAll(TakesBeside):
    def at_order(self, order: Any) -> None:
        self.submit_order(self.spawn_market(order, units(10), reduce_primary=False))
        self.submit_order(self.now(order.client_order_id))


class ShrinksAndSends(TakesBeside):
    def at_order(self, order: Any) -> None:
        self.submit_order(self.spawn_market(order, units(10), reduce_primary=False))
        self.modify_order_in_place(order, units(20))
        self.submit_order(self.now(order.client_order_id))


class TakesBesideThenCuts(Once):
    def at_order(self, order: Any) -> None:
        self.submit_order(self.spawn_market(order, units(17), reduce_primary=False))
        self.submit_order(self.spawn_market(order, units(14)))
        self.submit_order(self.spawn_market(order, units(13)))


@both_modes
def test_children_beside_the_order_leave_less_to_cut_out_of_it(mode: str) -> None:
    driven = run(mode, Buys, TakesBesideThenCuts)
    assert bought(driven) == [17, 13]
    assert why(driven)[0].endswith("'s 30 only 13 are left")
    assert nothing_left(driven)


@both_modes
def test_children_that_do_not_reduce_the_order_take_from_it_all_the_same(mode: str) -> None:
    driven = run(mode, Buys, TakesBeside)
    assert bought(driven) == [10, 10, 10]
    assert driven.limits == ["EXEC_ALGORITHM"]
    assert nothing_left(driven)


@both_modes
def test_an_order_some_of_which_went_out_beside_it_is_not_sent_whole(mode: str) -> None:
    driven = run(mode, Buys, TakesBesideAndAll)
    assert bought(driven) == [10]
    assert driven.limits == ["EXEC_ALGORITHM"]
    assert driven.strategies[0].denied == why(driven)


@both_modes
def test_its_rest_is_sent_once_it_is_shrunk_in_place(mode: str) -> None:
    driven = run(mode, Buys, ShrinksAndSends)
    assert sorted(bought(driven)) == [10, 20]
    assert driven.record.refusals == []


class SendsItsOldCopy(Once):
    def at_order(self, order: Any) -> None:
        self.submit_order(self.spawn_market(order, units(10)))
        self.submit_order(order)  # still says 30


@both_modes
def test_a_copy_from_before_is_sent_as_what_is_left(mode: str) -> None:
    driven = run(mode, Buys, SendsItsOldCopy)
    assert sorted(bought(driven)) == [10, 20]


class GrowsInPlace(Once):
    def at_order(self, order: Any) -> None:
        self.child = self.spawn_limit(order, units(10), price(90))
        self.submit_order(self.child)
        self.modify_order_in_place(self.now(self.child.client_order_id), units(500))
        self.modify_order_in_place(order, units(500))


@both_modes
def test_nothing_grows_in_place(mode: str) -> None:
    driven = run(mode, Buys, GrowsInPlace)
    assert driven.limits == ["EXEC_ALGORITHM"] * 2
    assert works(driven).rejected == []  # told to the strategy: it is the strategy's order
    sizes = {name: order.leaves for name, order in driven.desk.book.orders.items()}
    assert sorted(sizes.values()) == [10, 20]


class GrowsAtTheVenue(Once):
    def at_order(self, order: Any) -> None:
        self.order, self.child = order, self.spawn_limit(order, units(10), price(90))
        self.submit_order(self.child)

    def on_order_accepted(self, _event: Any) -> None:
        self.modify_order(self.now(self.child.client_order_id), units(11))
        self.modify_order(self.now(self.child.client_order_id), units(5), price(91))
        self.modify_order(self.now(self.order.client_order_id), units(20))


@both_modes
def test_a_child_may_shrink_and_be_repriced_but_not_grow(mode: str) -> None:
    driven = run(mode, Buys, GrowsAtTheVenue)
    assert driven.limits == ["EXEC_ALGORITHM"] * 2
    child = driven.desk.book.orders[str(works(driven).child.client_order_id)]
    assert (child.leaves, child.limit) == (Decimal(5), Decimal(91))


class SendsTwice(Once):
    def at_order(self, order: Any) -> None:
        child = self.spawn_market(order, units(10))
        self.submit_order(child)
        self.submit_order(child)


@both_modes
def test_a_child_is_sent_once(mode: str) -> None:
    driven = run(mode, Buys, SendsTwice)
    assert bought(driven) == [10]
    assert driven.limits == ["EXEC_ALGORITHM"]


def forged(order: Any, **other: Any) -> MarketOrder:
    """An order that says it was spawned from `order`."""
    said = {
        "strategy_id": order.strategy_id, "instrument_id": order.instrument_id, "order_side": order.side,
        "exec_algorithm_id": order.exec_algorithm_id, "exec_spawn_id": order.client_order_id, "reduce_only": False,
        **other,
    }  # fmt: skip
    return MarketOrder(
        trader_id=order.trader_id, client_order_id=ClientOrderId(f"F-{len(str(other))}"), quantity=units(5),
        time_in_force=TimeInForce.GTC, init_id=UUID4(), ts_init=0, quote_quantity=False, **said,
    )  # fmt: skip


class Forges(Once):
    LIES = (
        {"order_side": SELL},
        {"strategy_id": StrategyId("Other-009")},
        {"instrument_id": InstrumentId.from_str("MSFT.XNAS")},
        {"exec_algorithm_id": ExecAlgorithmId("ANOTHER")},
        {"exec_algorithm_id": None},
        {"exec_spawn_id": ClientOrderId("SOME-OTHER-ORDER")},
    )

    def at_order(self, order: Any) -> None:
        self.raised = 0
        for lie in self.LIES:
            try:
                self.submit_order(forged(order, **lie))
            except PermissionError:  # nobody's order: there is no strategy to tell
                self.raised += 1


@both_modes
def test_only_an_order_like_its_primary_is_sent(mode: str) -> None:
    driven = run(mode, Buys, Forges)
    assert bought(driven) == []
    assert driven.record.orders[1:] == []
    assert set(driven.limits) == {"EXEC_ALGORITHM"}
    assert len(driven.limits) + works(driven).raised == len(Forges.LIES)


class PassesByTheGate(Once):
    def at_order(self, order: Any) -> None:
        child = self.spawn_limit(order, units(10), price(90))
        ExecutionAlgorithm.submit_order(self, child)
        ExecutionAlgorithm.submit_order(self, self.spawn_market(order, units(5)))
        ExecutionAlgorithm.modify_order_in_place(self, order, units(500))


@both_modes
def test_the_base_class_sends_nothing(mode: str) -> None:
    driven = run(mode, Buys, PassesByTheGate)
    assert driven.limits == ["BYPASS"] * 3
    assert bought(driven) == []
    assert [order.leaves for order in driven.desk.book.orders.values()] == [30]


class SpawnsNonsense(Once):
    def at_order(self, order: Any) -> None:
        wrong: tuple[Callable[[], Any], ...] = (
            lambda: self.spawn_market(order, units(0)),
            lambda: self.spawn_market(order, units(31)),
            lambda: self.spawn_limit(order, units(1), price(90), display_qty=units(5)),
            lambda: self.spawn_limit(order, units(1), price(90), time_in_force=TimeInForce.GTD),
            lambda: self.spawn_market_to_limit(order, units(1), time_in_force=TimeInForce.GTD),
        )
        for spawn in wrong:
            with pytest.raises(ValueError, match=r"."):
                spawn()
        self.submit_order(order)


@both_modes
def test_impossible_values_raise_and_do_not_end_the_process(mode: str) -> None:
    driven = run(mode, Buys, SpawnsNonsense)
    assert bought(driven) == [30]


class SpawnsAfterTheEnd(Once):
    def at_order(self, order: Any) -> None:
        self.order = order

    def on_order_canceled(self, _event: Any) -> None:
        self.submit_order(self.spawn_market(self.order, units(5)))


class Cancels(Buys):
    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 3:
            self.modify_order(self.order.client_order_id, units(20))
        if n == 4:
            self.cancel_order(self.order.client_order_id)


@both_modes
def test_a_strategy_cancels_its_order_and_nothing_more_comes_of_it(mode: str) -> None:
    driven = run(mode, Cancels, SpawnsAfterTheEnd)
    assert bought(driven) == []
    assert driven.limits == ["EXEC_ALGORITHM"] * 2  # the change, then the child
    assert nothing_left(driven)


# -- reductions and halts ------------------------------------------------------------------------------------------


class ForgetsReduceOnly(Once):
    def at_order(self, order: Any) -> None:
        child = self.spawn_market(order, units(int(order.quantity)), reduce_only=False)
        self.kept = child.is_reduce_only
        self.submit_order(child)


class LeavesByAlgorithm(Telling):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(30)
        if n == 4:
            self.work(SELL, 30, reduce_only=True)


@both_modes
def test_children_of_a_reduce_only_order_are_reduce_only(mode: str) -> None:
    driven = run(mode, LeavesByAlgorithm, ForgetsReduceOnly)
    assert works(driven).kept is True
    assert bought(driven) == [30, -30]


@both_modes
@pytest.mark.parametrize("algorithm", [Twap, ForgetsReduceOnly])
def test_an_exit_through_an_algorithm_passes_while_halted(
    mode: str, algorithm: type[ExecutionAlgorithm]
) -> None:
    driven = run(
        mode, LeavesByAlgorithm, algorithm, rows=bars([100, 100, 50, 50, 50, 50, 50, 50, 50, 50]),
        risk={"max_drawdown_pct": 0.01},
    )  # fmt: skip
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]
    assert sum(bought(driven)) == 0
    assert driven.record.refusals == []


class BuysInAFall(Telling):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(100)
        if n == 2:
            self.order = self.work(BUY, 40)


class GoesOn(Once):
    """Spawns a child at every bar, whatever happened to the order."""

    def on_start(self) -> None:
        super().on_start()
        self.order: Any = None
        self.subscribe_signal("bar")

    def at_order(self, order: Any) -> None:
        self.order = order

    def on_signal(self, _signal: Any) -> None:
        if self.order is not None:
            self.submit_order(self.spawn_market(self.order, units(5), reduce_primary=False))


@both_modes
def test_a_trip_cancels_the_order_and_its_algorithm_sends_nothing_more(mode: str) -> None:
    driven = run(
        mode, BuysInAFall, GoesOn, rows=bars([100, 100, 100, 80, 80, 80]), risk={"max_drawdown_pct": 0.01}
    )
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]
    assert bought(driven) == [100, 5, 5]
    order = str(driven.strategies[0].order.client_order_id)
    assert [row["status"] for row in driven.record.orders if row["client_order_id"] == order] == ["CANCELED"]
    assert driven.limits == ["EXEC_ALGORITHM"] * 3
    assert nothing_left(driven)


class HaltsInside(Once):
    def at_order(self, order: Any) -> None:
        self.desk.halts.later(self.trip())  # type: ignore[attr-defined]
        self.submit_order(self.spawn_market(order, units(5)))

    def trip(self) -> Any:
        """A halt that was noticed where the engine cannot be called."""
        from risk.breaker import Trip  # noqa: PLC0415 - one use

        return Trip("TEST", "TEST: halted", self.desk.pulse.now)  # type: ignore[attr-defined]


@both_modes
def test_a_child_that_adds_is_refused_while_halted(mode: str) -> None:
    driven = run(mode, Buys, HaltsInside)
    assert bought(driven) == []
    assert driven.limits == ["HALTED"]
    assert works(driven).denied == driven.strategies[0].denied == why(driven)
    assert nothing_left(driven)


class SitsOnIt(Once):
    """Sends a part that does not fill, and waits for better times."""

    def at_order(self, order: Any) -> None:
        self.submit_order(self.spawn_limit(order, units(10), price(50)))


@both_modes
def test_an_order_that_is_not_worked_in_time_is_cancelled_with_its_children(mode: str) -> None:
    minutes = bars([100.0] * 10, step=60_000_000_000)
    driven = run(mode, Buys, SitsOnIt, rows=minutes, risk={"order_timeout_mins": 2})
    assert {row["status"] for row in driven.record.orders} == {"CANCELED"}
    assert nothing_left(driven)


class Expires(Once):
    def at_order(self, order: Any) -> None:
        far = datetime(2100, 1, 1, tzinfo=UTC)
        child = self.spawn_limit(order, units(10), price(90), TimeInForce.GTD, far)
        self.submit_order(child)


def test_a_child_with_an_expiry_date_is_refused_on_replay_alone() -> None:
    assert run("backtest", Buys, Expires).limits == []
    assert run("live", Buys, Expires).limits == ["GTD_ON_REPLAY"]


class PricesFarAway(Once):
    def at_order(self, order: Any) -> None:
        self.submit_order(self.spawn_limit(order, units(10), price(150)))
        self.submit_order(self.spawn_limit(order, units(30), price(100)))


@both_modes
def test_each_child_keeps_the_limits_and_a_refused_one_gives_its_units_back(mode: str) -> None:
    driven = run(mode, Buys, PricesFarAway, risk={"price_collar_pct": 0.1})
    assert driven.limits == ["PRICE_COLLAR"]
    assert sum(bought(driven)) == 30
    assert nothing_left(driven)


class Rejected(Once):
    """A post-only order that crosses is rejected by the venue; its units come back, and go out at the market."""

    def at_order(self, order: Any) -> None:
        self.order = order
        self.submit_order(self.spawn_limit(order, units(30), price(150), post_only=True))

    def on_order_rejected(self, _event: Any) -> None:
        self.submit_order(self.spawn_market(self.order, units(30)))


@both_modes
def test_what_the_venue_rejects_can_be_sent_again(mode: str) -> None:
    driven = run(mode, Buys, Rejected, risk={"max_position_pct": 0.045})  # 30 at 150.00
    assert driven.limits == ["VENUE"]
    assert bought(driven) == [30]
    assert nothing_left(driven)


class BuysInAFallToo(BuysInAFall):
    """A second strategy that hands its order to the same algorithm."""


@both_modes
def test_two_strategies_share_an_algorithm_and_each_gets_its_own_fills(mode: str) -> None:
    driven = drive(
        mode, [BuysInAFall, BuysInAFallToo], bars([100.0] * 10), algorithms={"WORK": Twap},
    )  # fmt: skip
    held = {holding.strategy: holding.position for holding in driven.desk.book.held()}
    assert held == {"BuysInAFall-001": 140, "BuysInAFallToo-002": 140}
    assert nothing_left(driven)


@both_modes
def test_flattening_at_a_trip_ends_the_order_and_closes_what_its_children_bought(mode: str) -> None:
    driven = run(
        mode, BuysInAFall, GoesOn, rows=bars([100, 100, 100, 80, 80, 80, 80]),
        risk={"max_drawdown_pct": 0.01, "on_trip": "flatten"},
    )  # fmt: skip
    assert bought(driven) == [100, 5, 5, -110]
    assert driven.desk.book.is_flat()
    assert nothing_left(driven)


class DeniesIt(Once):
    def at_order(self, order: Any) -> None:
        self.deny_order(order, "not now")


class AsksWhenDenied(Buys):
    def on_order_denied(self, event: Any) -> None:
        super().on_order_denied(event)
        order: Any = self.cache.order(event.client_order_id)
        self.seen = str(order.status)


@both_modes
def test_an_algorithm_may_deny_an_order_and_its_strategy_can_act_on_it(mode: str) -> None:
    driven = run(mode, AsksWhenDenied, DeniesIt)
    assert driven.strategies[0].denied == works(driven).denied == ["not now"]
    assert driven.strategies[0].seen == "DENIED"
    assert nothing_left(driven)


# -- errors --------------------------------------------------------------------------------------------------------


class Raises(Once):
    def at_order(self, _order: Any) -> None:
        raise ValueError("lost my place")


@both_modes
def test_an_error_stops_the_run_where_that_is_the_policy(mode: str) -> None:
    with pytest.raises(StrategyError) as caught:
        run(mode, Buys, Raises)
    assert isinstance(caught.value.__cause__, ValueError)


@both_modes
def test_an_error_halts_and_the_order_ends_where_that_is_the_policy(mode: str) -> None:
    driven = run(mode, Buys, Raises, run={"on_strategy_error": "halt"})
    assert [trip["breaker"] for trip in driven.record.trips] == ["STRATEGY_ERROR"]
    assert driven.strategies[0].denied == ["EXEC_ALGORITHM: WORK raised ValueError: lost my place"]
    assert driven.recorder.errors[0].startswith("Buys-001 raised in WORK.on_order")
    assert nothing_left(driven)


class RaisesLater(Twap):
    def on_order_filled(self, _event: Any) -> None:
        raise ValueError("in a fill")


@both_modes
def test_an_error_is_kept_and_the_algorithm_goes_on_where_that_is_the_policy(mode: str) -> None:
    driven = run(mode, Buys, RaisesLater, run={"on_strategy_error": "ignore"})
    assert len(driven.recorder.errors) == 4
    assert bought(driven) == [7, 7, 7, 9]


class RaisesAtStart(Once):
    def on_start(self) -> None:
        raise ValueError("not today")


@both_modes
def test_an_error_at_the_start_ends_the_run(mode: str) -> None:
    with pytest.raises(RunError):
        run(mode, Buys, RaisesAtStart, run={"on_strategy_error": "halt"})


class SetsACallback(Once):
    def on_start(self) -> None:
        super().on_start()
        self.on_order = self.submit_order  # type: ignore[method-assign]


def test_a_callback_set_on_the_instance_is_refused() -> None:
    with pytest.raises(StrategyError):
        run("backtest", Buys, SetsACallback)


class Times(Once):
    def on_start(self) -> None:
        super().on_start()
        clock: Any = self.clock
        clock.set_timer_ns("slices", 60_000_000_000)


def test_a_replay_has_no_timers_for_algorithms() -> None:
    with pytest.raises(NotReplayableRunError, match="timer"):
        run("live", Buys, Times)


class ReadsTheClock(Once):
    def at_order(self, _order: Any) -> None:
        clock: Any = self.clock
        self.seen = clock.timestamp_ns()


@both_modes
def test_an_algorithm_reads_the_markets_time(mode: str) -> None:
    assert works(run(mode, Buys, ReadsTheClock)).seen == FLAT[1].ts_event


# -- orders no algorithm gets --------------------------------------------------------------------------------------


class AsksForOthers(Telling):
    def on_start(self) -> None:
        super().on_start()
        self.work(BUY, 1)

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(1, exec_algorithm_id=ExecAlgorithmId("TWAP"))
            self.work(BUY, 1, 90, emulation_trigger=TriggerType.LAST_PRICE)
            self.work(BUY, 1, quote_quantity=True)
            self.submit_order(forged(self.order_factory.market(self.iid, BUY, units(1), **WORK)))
            some = [self.order_factory.market(self.iid, BUY, units(1), **extra) for extra in (NOTHING, WORK)]
            self.submit_order_list(some)


@both_modes
def test_an_order_that_no_algorithm_can_work_is_refused_and_why_is_said(mode: str) -> None:
    driven = run(mode, AsksForOthers, Twap)
    said = [reason.removeprefix("EXEC_ALGORITHM: ") for reason in why(driven)]
    assert said == [
        "WORK does not run now: the engine would never hand the order to it",
        "TWAP is not among this run's exec_algorithms (there are: WORK)",
        "WORK cannot work this order: it waits in the engine for a trigger first",
        "WORK cannot work this order: its quantity is in quote currency; give it in units",
        "WORK cannot work this order: only the algorithm itself can spawn orders",
        "no algorithm can work an order of a list; send it alone",
        "no algorithm can work an order of a list; send it alone",
    ]
    assert driven.record.orders == []
