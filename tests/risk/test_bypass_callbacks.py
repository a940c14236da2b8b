"""From every place where a strategy's code runs an order meets the same limits, and none of them can be replaced."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nautilus_trader.model import Price, Quantity
from nautilus_trader.trading import Strategy

from runs.errors import StrategyError
from tests.driving import MODES, FixedMarket, bars, drive
from tests.risk.attacks import BUY, Attacker

both_modes = pytest.mark.parametrize("mode", MODES)
LIMIT = {"max_position_notional": 5_000}
FLAT = bars([100.0] * 8)


class FromEverywhere(Attacker):
    """Tries to buy 51 in every callback there is; 50 are allowed. Orders are made before: in some nothing can be."""

    def on_start(self) -> None:
        self.places: list[str] = []
        super().on_start()
        self.subscribe_topic("gossip", self.on_gossip)
        self.subscribe_signal("hint")
        self.attack("on_start")

    def attack(self, place: str) -> None:
        if place not in self.places:
            self.places.append(place)
            self.submit_order(self.spare.pop() if getattr(self, "spare", []) else self.market(BUY, 51))

    def at_bar(self, n: int, bar: Any) -> None:
        if n == 2:
            self.spare = [self.market(BUY, 51) for _ in range(30)]
            self.order = self.resting(BUY, 1, 90)
            self.submit_order(self.order)
        if n == 3:
            self.modify_order(self.order.client_order_id, Quantity(2, 0))
            self.request_bars(bar.bar_type)
        if n == 4:
            self.cancel_order(self.order.client_order_id)
            self.submit_order(self.market(BUY, 5))
            self.submit_order(self.resting(BUY, 5, 100.5))
            self.submit_order(self.stop_at(BUY, 5, 110))
        if n == 5:
            self.publish_message("gossip", "psst")
            self.publish_signal("hint", 1.0)
            self.close_all_positions(self.iid)

    def on_gossip(self, _message: object) -> None:
        self.attack("on_gossip")

    def on_stop(self) -> None:
        self.attack("on_stop")

    def on_reset(self) -> None:
        self.attack("on_reset")

    def on_dispose(self) -> None:
        self.attack("on_dispose")


def _attacking(name: str) -> Any:
    def handler(self: FromEverywhere, *_: Any) -> None:
        self.attack(name)

    return handler


ORDERS = (
    "initialized",
    "submitted",
    "accepted",
    "pending_update",
    "updated",
    "pending_cancel",
    "canceled",
    "filled",
)
OTHERS = (
    "on_order_event",
    "on_position_opened",
    "on_position_closed",
    "on_position_event",
    "on_historical_bars",
    "on_signal",
)
for _name in (*(f"on_order_{kind}" for kind in ORDERS), *OTHERS):
    setattr(FromEverywhere, _name, _attacking(_name))


@both_modes
def test_an_order_meets_the_limits_wherever_it_is_sent_from(mode: str) -> None:
    driven = drive(
        mode, FromEverywhere, FLAT, risk=LIMIT, made=FixedMarket(tuple(FLAT), before=tuple(bars([99.0])))
    )
    (strategy,) = driven.strategies
    expected = {"on_start", "on_gossip", "on_stop", *(f"on_order_{kind}" for kind in ORDERS), *OTHERS}
    assert set(strategy.places) - {"on_dispose", "on_reset"} == expected
    codes = dict.fromkeys(driven.limits)
    assert set(codes) == {
        "NO_PRICE",
        "MAX_POSITION_NOTIONAL",
        "RISK_ERROR",
    }  # where the engine cannot be read: refused
    assert {row["quantity"] for row in driven.record.orders} <= {1, 2, 5, 10}
    assert driven.record.trips == []
    assert len(driven.strategies[0].denied) >= len(expected)


class FromATask(Attacker):
    """Leaves work to the event loop, outside any callback; in a backtest there is no loop."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            loop = asyncio.get_running_loop()
            loop.call_soon(self.submit_order, self.market(BUY, 51))
            loop.call_soon(Strategy.submit_order, self, self.market(BUY, 1))
            loop.call_soon(self.submit_order, self.market(BUY, 1))


def test_a_task_on_the_event_loop_meets_the_limits_too() -> None:
    driven = drive("live", FromATask, bars([100.0] * 40), risk=LIMIT)
    assert sorted(driven.limits) == ["BYPASS", "MAX_POSITION_NOTIONAL"]
    assert [row["quantity"] for row in driven.record.fills] == [1]


class ByTimer(Attacker):
    def on_start(self) -> None:
        super().on_start()
        self.rung = 0
        self.clock.set_timer_ns("with callback", self.every, None, None, self.ring)
        self.clock.set_timer_ns("without", self.every)

    every = 43_200_000_000_000

    def ring(self, _event: Any) -> None:
        self.rung += 1
        self.submit_order(self.market(BUY, 51))
        Strategy.submit_order(self, self.market(BUY, 1))

    def on_time_event(self, event: Any) -> None:
        self.ring(event)


class ByQuickTimer(ByTimer):
    every = 60_000_000


@both_modes
def test_a_timer_meets_the_limits(mode: str) -> None:
    """Live in real time: bars a tenth of a second apart."""
    if mode == "backtest":
        driven = drive(mode, ByTimer, FLAT, risk=LIMIT)
    else:
        driven = drive(
            mode, ByQuickTimer, bars([100.0] * 24, step=100_000_000), risk=LIMIT, venue={"speed": 1.0}
        )
    assert driven.strategies[0].rung > 5
    assert set(driven.limits) <= {"NO_PRICE", "MAX_POSITION_NOTIONAL", "BYPASS"}
    assert driven.record.orders == []
    assert len(driven.limits) == 2 * driven.strategies[0].rung


class ReplacesLater(Attacker):
    """State machines are written like this: the callback of the next state takes the place of the old one."""

    name = "on_order_filled"

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.submit_order(self.market(BUY, 1))
        if n == 3:
            setattr(self, self.name, self.other)

    def other(self, _event: Any) -> None:
        self.submit_order(self.market(BUY, 1))


class ReplacesPrices(ReplacesLater):
    name = "on_bar"


@both_modes
def test_a_callback_cannot_be_replaced_in_the_middle_of_a_run(mode: str) -> None:
    with pytest.raises(StrategyError, match=r"sets self\.on_order_filled: define it as a method"):
        drive(mode, ReplacesLater, FLAT)


@both_modes
def test_a_price_handler_that_is_replaced_halts_at_the_next_order(mode: str) -> None:
    """For speed nothing watches the price handlers of a strategy that is alone: not before it sends or fills."""
    driven = drive(mode, ReplacesPrices, FLAT)
    assert [trip["breaker"] for trip in driven.record.trips] == ["BYPASS"]
    assert set(driven.limits) == {"HALTED"}
    assert [row["quantity"] for row in driven.record.fills] == [1]


class Quiet(Attacker):
    def on_start(self) -> None:
        super().on_start()
        self.late: list[int] = []

    def at_bar(self, n: int, bar: Any) -> None:
        newest = self.cache.bar(bar.bar_type)
        if newest is None or newest.ts_event != bar.ts_event:
            self.late.append(n)


class GivesUp(Attacker):
    way = "fault"

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 3:
            getattr(self, self.way)()


class Stops(GivesUp):
    way = "stop"


@both_modes
@pytest.mark.parametrize("quitter", [GivesUp, Stops])
def test_a_strategy_that_gives_up_keeps_nobody_waiting(mode: str, quitter: type[Attacker]) -> None:
    """The others would see every bar one bar late, and so would the breakers."""
    driven = drive(mode, [Quiet, quitter], FLAT)
    assert (driven.strategies[0].n, driven.strategies[0].late) == (len(FLAT), [])
    assert driven.strategies[1].n == 3


@both_modes
def test_with_several_strategies_no_price_handler_can_be_replaced(mode: str) -> None:
    with pytest.raises(StrategyError, match=r"sets self\.on_bar: define it as a method"):
        drive(mode, [Quiet, ReplacesPrices], FLAT)


class TouchesTheDesk(Attacker):
    """What is only held against accidents: Python in the same process can reach the gate's own objects.

    The limits are frozen, so a slip of the pen raises. Who replaces the desk, or writes into `passing`, wants to get
    past, and nothing here stops him; but an order he then sends past the gate is noticed by its first event.
    """

    def at_bar(self, n: int, _bar: Any) -> None:
        me: Any = self
        if n == 2:
            with pytest.raises(ValueError, match="frozen"):
                me.desk.limits.max_position_notional = None
            with pytest.raises(AttributeError):
                me.desk = None
        if n == 3:
            self.submit_order(self.market(BUY, 51))


@both_modes
def test_limits_are_frozen(mode: str) -> None:
    assert drive(mode, TouchesTheDesk, FLAT, risk=LIMIT).limits == ["MAX_POSITION_NOTIONAL"]


class CallsItself(Attacker):
    """Feeds old bars to its own handler, as strategies do to warm up, and asks for the price of an order meanwhile."""

    def on_historical_bars(self, old: Any) -> None:
        for bar in old:
            self.on_bar(bar)

    def at_bar(self, n: int, bar: Any) -> None:
        if n == 2:
            self.request_bars(bar.bar_type)
        if n in (3, 4, 5):
            self.submit_order(self.order_factory.limit(self.iid, BUY, Quantity(51, 0), Price(90, 2)))


@both_modes
def test_a_handler_called_by_the_strategy_itself_is_no_way_in(mode: str) -> None:
    driven = drive(
        mode, CallsItself, FLAT, risk=LIMIT, made=FixedMarket(tuple(FLAT), before=tuple(bars([1.0, 1.0])))
    )
    assert driven.limits == ["MAX_POSITION_NOTIONAL"] * 3
    assert driven.record.orders == []
