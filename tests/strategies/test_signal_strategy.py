"""How opinions become orders: entering, leaving, turning round, being refused, and starting."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model import (
    Bar,
    BarType,
    Currency,
    CurrencyPair,
    InstrumentId,
    Money,
    Price,
    Quantity,
    Symbol,
)

from strategies.ema_cross import EmaCross, EmaCrossConfig
from strategies.signals import Opinion, Signal
from strategies.sizing import annual_volatility
from tests.strategies.bare import (
    DAY,
    START,
    USD,
    Ran,
    Warmed,
    bar_type,
    bars,
    given,
    instrument_id,
    run,
    share,
)

# With averages of 2 and 3 closes: below from day 2, above from day 4, below from day 9, above from day 14.
SWINGS = [10, 9, 8, 9, 10, 11, 12, 13, 12, 11, 10, 9, 8, 9, 10, 11, 12]


def config(symbols: tuple[str, ...] = ("AAPL",), number: int = 1, **parameters: Any) -> EmaCrossConfig:
    return EmaCrossConfig(**given(symbols, number), **{"fast": 2, "slow": 3, "sizing": "fixed", **parameters})


def cross(closes: Sequence[float], *, run_with: dict[str, Any] | None = None, **parameters: Any) -> Ran:
    return run(EmaCross(config(**parameters)), bars(closes), **(run_with or {}))


def test_long_only_enters_above_and_leaves_below() -> None:
    assert cross(SWINGS).told == [
        (4, "entry", "buy", 100, "filled"),
        (9, "exit", "sell", 100, "filled"),
        (14, "entry", "buy", 100, "filled"),
    ]


def test_short_only_enters_below_and_leaves_above() -> None:
    assert cross(SWINGS, direction="short").told == [
        (2, "entry", "sell", 100, "filled"),
        (4, "exit", "buy", 100, "filled"),
        (9, "entry", "sell", 100, "filled"),
        (14, "exit", "buy", 100, "filled"),
    ]


def test_turning_round_closes_first_and_enters_when_the_close_is_filled() -> None:
    ran = cross(SWINGS, direction="both")
    assert [told[:3] for told in ran.told] == [
        (2, "entry", "sell"), (4, "exit", "buy"), (4, "entry", "buy"), (9, "exit", "sell"), (9, "entry", "sell"),
        (14, "exit", "buy"), (14, "entry", "buy"),
    ]  # fmt: skip
    assert [order.is_reduce_only for order in ran.orders] == [told[1] == "exit" for told in ran.told]


def test_a_refused_entry_is_not_sent_again_until_the_opinion_changes() -> None:
    ran = cross(SWINGS, quantity=Decimal(1000), run_with={"max_notional": {"AAPL.XNAS": "9500"}})
    assert ran.told == [(4, "entry", "buy", 1000, "denied"), (14, "entry", "buy", 1000, "denied")]


def test_an_exit_is_tried_on_every_bar_until_it_is_done() -> None:
    """Orders above 9.95 a share are refused; the position stays known until the price allows the exit."""
    limit = {"max_notional": {"AAPL.XNAS": "995"}}
    ran = cross([10, 9, 8, 9, 10, 11, 9.9], direction="short", run_with=limit)
    assert ran.told == [
        (2, "entry", "sell", 100, "filled"),
        (4, "exit", "buy", 100, "denied"),
        (5, "exit", "buy", 100, "denied"),
        (6, "exit", "buy", 100, "filled"),
    ]


@pytest.mark.parametrize("direction", ["long", "short"])
def test_a_stop_follows_the_entry_at_its_distance_and_goes_before_the_exit(direction: str) -> None:
    ran = cross(SWINGS, direction=direction, stop_loss_pct=Decimal("0.3"))
    entry, stop, leave = ran.orders[:3]
    assert [order.tags[0] for order in (entry, stop, leave)] == ["entry", "stop", "exit"]
    sign = -1 if direction == "long" else 1
    assert stop.trigger_price.as_decimal() == Decimal(str(entry.avg_px)) * (1 + sign * Decimal("0.3"))
    assert stop.is_reduce_only
    assert stop.status.name == "CANCELED"
    assert leave.status.name == "FILLED"
    assert stop.events()[-1].ts_event <= leave.init_event.ts_init


def test_stopped_out_it_waits_for_a_new_opinion() -> None:
    rises = [10, 9, 8, 9, 10, 11, 12, 13, 14, 12.5, 14, 15, 16]
    ran = cross(rises, stop_loss_pct=Decimal("0.01"))
    assert ran.told == [(4, "entry", "buy", 100, "filled"), (4, "stop", "sell", 100, "accepted")]
    dips = [10, 9, 8, 9, 10, 9.95, 10, 9.8, 10.2, 11, 12]
    ran = cross(dips, stop_loss_pct=Decimal("0.01"))
    assert ran.told == [(4, "entry", "buy", 100, "filled"), (4, "stop", "sell", 100, "filled")]
    assert ran.strategy.cache.positions_open() == []


def test_a_refused_stop_closes_the_position() -> None:
    """The stop of a short lies above the entry, so its notional exceeds a limit that the entry just keeps."""
    falling = [10, 9, 8, 7, 6, 5]
    limit = {"max_notional": {"AAPL.XNAS": "810"}}
    ran = cross(falling, direction="short", stop_loss_pct=Decimal("0.05"), run_with=limit)
    assert ran.told == [
        (2, "entry", "sell", 100, "filled"),
        (2, "stop", "buy", 100, "denied"),
        (2, "exit", "buy", 100, "filled"),
    ]


class Interrupted(EmaCross):
    """Somebody closes its position at day 6."""

    def on_bar(self, bar: Bar) -> None:
        super().on_bar(bar)
        if bar.ts_event == START + 6 * DAY:
            self.close_all_positions(bar.bar_type.instrument_id)


def test_a_position_closed_by_somebody_else_takes_its_stop_along_and_stays_closed() -> None:
    strategy = Interrupted(config(stop_loss_pct=Decimal("0.5")))
    ran = run(strategy, bars(SWINGS))
    first_stop = next(order for order in ran.orders if order.tags == ["stop"])
    assert first_stop.status.name == "CANCELED"
    assert (first_stop.events()[-1].ts_event - START) // DAY == 6
    assert [told[0] for told in ran.told if told[1] == "entry"] == [4, 14]


def test_an_order_on_its_way_is_waited_for_and_withdrawn_when_the_opinion_turns() -> None:
    slow_venue = {"latency": 5 * DAY + 1}
    ran = cross([10, 9, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17], run_with=slow_venue)
    assert ran.told == [(4, "entry", "buy", 100, "filled")]
    ran = cross([10, 9, 8, 9, 10, 11, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1], run_with=slow_venue)
    assert [told[:3] for told in ran.told] == [(4, "entry", "buy"), (10, "exit", "sell")]
    asked_back = [
        (event.ts_event - START) // DAY
        for event in ran.orders[0].events()
        if type(event).__name__ == "OrderPendingCancel"
    ]
    assert asked_back == [6, 7, 8, 9, 10]  # from the bar on which the opinion turned, while the venue refuses
    assert not ran.engine.cache.positions_open()


def test_each_instrument_is_on_its_own() -> None:
    """Two instruments in one strategy trade as each does alone."""
    other = [20 - close for close in SWINGS]
    data = sorted(bars(SWINGS) + bars(other, "MSFT"), key=lambda bar: bar.ts_event)
    both = run(EmaCross(config(("AAPL", "MSFT"), direction="both")), data)
    for symbol, closes in (("AAPL", SWINGS), ("MSFT", other)):
        alone = run(EmaCross(config((symbol,), direction="both")), bars(closes, symbol))
        mine = [
            (order.init_event.ts_init, order.side, order.quantity)
            for order in both.orders
            if order.instrument_id == instrument_id(symbol)
        ]
        assert mine == [(order.init_event.ts_init, order.side, order.quantity) for order in alone.orders]
        assert mine


def test_two_strategies_in_one_instrument_each_keep_their_own_position() -> None:
    long, short = EmaCross(config(number=1)), EmaCross(config(number=2, direction="short"))
    ran = run([long, short], bars(SWINGS))
    sides: dict[str, list[tuple[int, str]]] = {str(order.strategy_id): [] for order in ran.orders}
    for order in ran.orders:
        sides[str(order.strategy_id)].append(((order.init_event.ts_init - START) // DAY, order.tags[0]))
    assert sides == {
        "TEST-001": [(4, "entry"), (9, "exit"), (14, "entry")],
        "TEST-002": [(2, "entry"), (4, "exit"), (9, "entry"), (14, "exit")],
    }


# Sizes


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"sizing": "fixed", "quantity": Decimal("12.7")}, 12),
        ({"sizing": "percent_of_equity", "size_pct": Decimal("0.0995")}, 995),  # 9,950 of 100,000 at 10.00
        ({"sizing": "risk_to_stop", "risk_pct": Decimal("0.002"), "stop_loss_pct": Decimal("0.05")}, 400),
        ({"sizing": "risk_to_stop", "max_size_pct": Decimal("0.01"), "stop_loss_pct": Decimal("0.05")}, 100),
    ],
)
def test_an_entry_has_the_size_its_method_says(parameters: dict[str, Any], expected: int) -> None:
    assert cross(SWINGS, **parameters).orders[0].quantity.as_decimal() == expected


def test_volatility_sizing_looks_at_the_last_closes_and_waits_for_enough() -> None:
    ran = cross(SWINGS, sizing="volatility_target", volatility_pct=Decimal("0.1"), volatility_bars=4)
    volatility = annual_volatility(SWINGS[:5], 252)
    assert ran.orders[0].quantity.as_decimal() == Decimal("0.1") / volatility * 100_000 // 10
    late = cross(SWINGS, sizing="volatility_target", volatility_pct=Decimal("0.1"), volatility_bars=6)
    assert late.told[0][:3] == (6, "entry", "buy")


def test_a_size_below_one_lot_is_no_order() -> None:
    hundreds = {"instruments": [share(lot=100)]}
    assert cross(SWINGS, quantity=Decimal(99), run_with=hundreds).orders == []
    assert cross(SWINGS, quantity=Decimal(250), run_with=hundreds).orders[0].quantity.as_decimal() == 200


def test_an_account_in_a_currency_it_cannot_value_in_trades_nothing() -> None:
    euros = {"cash": Money(100_000, Currency.from_str("EUR"))}
    assert cross(SWINGS, sizing="percent_of_equity", run_with=euros).orders == []


def test_a_pair_whose_base_is_the_accounts_currency_is_sized_in_it() -> None:
    pair = InstrumentId.from_str("USD/JPY.XNAS")
    kind = BarType.from_str("USD/JPY.XNAS-1-DAY-LAST-EXTERNAL")
    instrument = CurrencyPair(
        pair, Symbol("USD/JPY"), USD, Currency.from_str("JPY"), 2, 0, Price(0.01, 2), Quantity(1, 0), 0, 0,
        margin_init=Decimal("0.03"), margin_maint=Decimal("0.03"),
    )  # fmt: skip
    data = bars(SWINGS, kind=kind)
    identity = given() | {"instrument_ids": [pair], "bar_types": [kind]}
    parameters = EmaCrossConfig(
        **identity, fast=2, slow=3, sizing="percent_of_equity", size_pct=Decimal("0.05")
    )
    ran = run(EmaCross(parameters), data, instruments=[instrument])
    assert ran.orders[0].quantity.as_decimal() == 5000


# The start


class WarmedCross(Warmed, EmaCross):
    """An EMA cross that is given history."""


def warmed(past: list[Bar], *, late: int = 0, **parameters: Any) -> WarmedCross:
    strategy = WarmedCross(config(**parameters))
    strategy.past, strategy.late = past, late
    return strategy


def test_it_asks_for_as_many_bars_as_signal_and_size_need() -> None:
    asked = [
        (config(fast=20, slow=50), 50 + 173),
        (config(fast=20, slow=50, sizing="volatility_target", volatility_bars=300), 301),
    ]
    for parameters, needed in asked:
        strategy = WarmedCross(parameters)
        run(strategy, bars(SWINGS))
        assert strategy.asked == [(bar_type(), needed)]


@pytest.mark.parametrize("cut", [1, 3, 4])
def test_history_then_bars_is_the_same_as_all_bars(cut: int) -> None:
    everything = bars(SWINGS)
    assert run(warmed(everything[:cut]), everything[cut:]).told == cross(SWINGS).told


def test_an_opinion_that_history_gives_is_acted_on_at_the_first_bar() -> None:
    everything = bars(SWINGS)
    first = (6, "entry", "buy", 100, "filled")
    assert run(warmed(everything[:6]), everything[6:]).told == [first, *cross(SWINGS).told[1:]]


def test_history_that_holds_the_first_bar_too_counts_it_once() -> None:
    everything = bars(SWINGS)
    assert run(warmed(everything[:4]), everything[3:]).told == cross(SWINGS).told


def test_history_that_comes_late_is_put_in_its_place() -> None:
    """It comes with the bar of day 6; without it there would be no opinion before day 10."""
    everything = bars([*SWINGS, 11, 10, 9])
    whole = cross([*SWINGS, 11, 10, 9], fast=3, slow=6).told
    first = (6, "entry", "buy", 100, "filled")
    assert run(warmed(everything[:5], late=2, fast=3, slow=6), everything[5:]).told == [first, *whole[1:]]
    assert run(warmed([], late=2, fast=3, slow=6), everything[5:]).told[0][0] > 9


@pytest.mark.parametrize("late", [0, 3])
def test_without_history_it_waits_for_its_bars(late: int) -> None:
    assert run(warmed([], late=late), bars(SWINGS)).told == cross(SWINGS).told


def test_an_unknown_instrument_stops_the_start() -> None:
    with pytest.raises(RuntimeError, match=r"instrument AAPL\.XNAS is not known to the engine"):
        run(EmaCross(config()), bars(SWINGS, "MSFT"))


class Always(EmaCross):
    """Long from the first bar."""

    def make_signal(self) -> Signal:  # type: ignore[override]
        return Constant()


class Constant:
    """The same opinion for ever."""

    history_bars = 1

    def learn(self, close: float) -> Opinion:
        del close
        return Opinion.LONG


def test_an_opinion_that_stays_is_acted_on_once() -> None:
    assert run(Always(config()), bars(SWINGS)).told == [(0, "entry", "buy", 100, "filled")]


def test_a_second_run_of_the_same_engine_repeats_the_first() -> None:
    strategy = EmaCross(config(direction="both", stop_loss_pct=Decimal("0.05")))
    ran = run(strategy, bars(SWINGS))
    first = ran.told
    ran.engine.reset()
    ran.engine.run()
    assert Ran(ran.engine, strategy).told == first


class Restarted(EmaCross):
    """Starts a second time at day 5, as after a stop that left the position and its protective stop."""

    def on_bar(self, bar: Bar) -> None:
        if bar.ts_event == START + 5 * DAY:
            self.on_start()
        super().on_bar(bar)


class AlwaysRestarted(Restarted, Always):
    """Long from the first bar, and started twice."""


def test_a_stop_left_behind_by_an_earlier_start_is_taken_up() -> None:
    ran = run(Restarted(config(stop_loss_pct=Decimal("0.5"))), bars(SWINGS))
    assert ran.told[:3] == [
        (4, "entry", "buy", 100, "filled"),
        (4, "stop", "sell", 100, "canceled"),
        (9, "exit", "sell", 100, "filled"),
    ]


def test_a_position_left_behind_is_this_opinions_entry() -> None:
    """Stopped out after the second start, it does not enter again."""
    falling = [10.0, 11, 12, 12, 12, 12, 11, 10, 9, 8, 9, 10]
    ran = run(AlwaysRestarted(config(stop_loss_pct=Decimal("0.1"))), bars(falling))
    assert ran.told == [(0, "entry", "buy", 100, "filled"), (0, "stop", "sell", 100, "filled")]
