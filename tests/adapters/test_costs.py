"""What orders cost in a simulated venue: fees, spread, slippage and nights, each against arithmetic by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from nautilus_trader.model import Bar, OrderSide, Price, Quantity

from adapters.costs import Costs
from adapters.errors import AdapterError
from adapters.fees import OrderFees
from adapters.financing import charge
from adapters.slipping import shift
from adapters.tape import ASSUMED_VOLATILITY, Tape
from risk.desk import RiskDesk
from tests import driving

IB = Costs.model_validate(
    {"maker_fee": 0, "taker_fee": 0, "fee_per_unit": "0.0035", "min_fee": "0.35", "max_fee_pct": "0.01"}
)
LEVIES = Costs.model_validate(
    {
        "maker_fee": 0,
        "taker_fee": 0,
        "sale_fee": "0.0000278",
        "sale_fee_per_unit": "0.000166",
        "sale_fee_per_unit_max": "8.30",
    }
)


def total(costs: Costs, *fills: tuple[int, str], sale: bool = False, maker: bool = False) -> Decimal:
    """What an order costs that is filled with these (quantity, price)."""
    fees = OrderFees()
    for quantity, price in fills:
        fees.add(costs, Decimal(quantity), quantity * Decimal(price), maker=maker)
    return fees.total(costs, sale=sale)


@pytest.mark.parametrize(
    ("fills", "due"),
    [
        ([(1000, "25")], "3.5"),  # 1,000 x 0.0035
        ([(50, "25")], "0.35"),  # 0.175 is below the minimum of an order
        ([(50, "25"), (50, "25")], "0.35"),  # and stays so when it fills in two parts
        ([(1000, "0.10")], "1.00"),  # 1% of 100 is less than 3.50
        ([(10, "1")], "0.1"),  # the maximum beats the minimum
    ],
)
def test_a_fee_a_share_has_a_minimum_and_a_maximum_an_order(fills: list[tuple[int, str]], due: str) -> None:
    assert total(IB, *fills) == Decimal(due)


def test_levies_are_on_sales_only_and_the_one_a_share_ends_somewhere() -> None:
    assert total(LEVIES, (1000, "50")) == 0
    assert total(LEVIES, (1000, "50"), sale=True) == Decimal("1.39") + Decimal("0.166")
    assert total(LEVIES, (1_000_000, "50"), sale=True) == Decimal(1390) + Decimal("8.30")


def test_a_rebate_is_paid_to_resting_orders() -> None:
    costs = Costs.model_validate({"maker_fee": "-0.0001", "taker_fee": "0.0003"})
    assert total(costs, (100, "10"), maker=True) == Decimal("-0.1")
    assert total(costs, (100, "10")) == Decimal("0.3")


def test_a_price_is_worse_by_half_a_spread_by_volatility_and_by_impact() -> None:
    costs = Costs.model_validate({"spread_bps": 4, "slippage_vol": "0.1", "impact": "0.142"})
    by_hand = 0.0002 + 0.1 * 0.02 + 0.142 * 0.02 * 0.1**0.6
    assert shift(costs, 1000, 0.02, 10_000) == pytest.approx(by_hand)
    assert shift(costs, 1000, 0.02, 0) == pytest.approx(0.0022)


def test_a_tape_knows_the_days_that_are_over_and_nothing_of_the_newest() -> None:
    closes = [100.0, 101, 99, 102, 104, 103, 105, 90]
    tape = Tape("America/New_York")
    for number, bar in enumerate(driving.bars(closes)):
        tape.see(bar)
        over = closes[:number]
        known = tape.volatility(bar.bar_type.instrument_id)
        if number <= 5:
            assert known == ASSUMED_VOLATILITY
        else:
            assert known == pytest.approx(np.std(np.diff(np.log(over)), ddof=1))
    assert tape.volume(bar.bar_type.instrument_id) == 1_000_000


def test_a_night_costs_a_360th_of_the_rate_a_year() -> None:
    assert charge(Decimal(100_000), Decimal("0.036"), 3, Decimal("0.01")) == Decimal("30.00")


# -- in a backtest ----------------------------------------------------------------------------------------------------


class Buys(driving.Scripted):
    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 2:
            self.buy(10)
        if n == 4:
            self.sell(10)


class ManyBuys(driving.Scripted):
    def at_bar(self, n: int, bar: Bar) -> None:
        del n, bar
        self.buy(1)


class Stops(driving.Scripted):
    """Sells with a stop at 99.50."""

    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 1:
            self.buy(10)
        if n == 2:
            stop = self.order_factory.stop_market(self.iid, OrderSide.SELL, Quantity(10, 0), Price(99.5, 2))
            self.submit_order(stop)


class Limits(driving.Scripted):
    """A limit order that the market is through already, and one that rests."""

    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 1:
            self.limit(OrderSide.BUY, 10, 100.05)
            self.limit(OrderSide.BUY, 10, 98.0)


class Late(driving.Scripted):
    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 8:
            self.buy(10_000)


class LateSale(driving.Scripted):
    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 8:
            self.sell(10)


class Shorts(driving.Scripted):
    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 2:
            self.sell(100)
        if n == 6:
            self.buy(100)


class Borrows(driving.Scripted):
    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 1:
            self.buy(1500)


def driven(one: type[driving.Scripted], closes: Sequence[float], **venue: Any) -> driving.Driven:
    return driving.drive("backtest", one, driving.bars(closes), venue=venue)


def prices(done: driving.Driven) -> list[str]:
    return [str(fill["price"]) for fill in done.record.fills]


def test_an_order_that_takes_liquidity_pays_half_the_spread() -> None:
    done = driven(Buys, [100, 101, 102, 101, 100], spread_bps=200)
    assert prices(done) == ["102.01", "99.99"]
    assert list(done.record.expected.values()) == [Decimal("101.00"), Decimal("101.00")]
    assert done.record.final_equity == done.desk.book.equity() == Decimal("99979.80")


def test_between_two_ticks_chance_decides_and_is_right_on_average_and_repeats_itself() -> None:
    """Half a spread of 1 bp of 30 is 0.15 of a tick."""
    closes = [30.0] * 600
    done, again = (driven(ManyBuys, closes, spread_bps=1) for _ in range(2))
    paid = [fill["price"] for fill in done.record.fills]
    assert set(paid) == {Decimal("30.00"), Decimal("30.01")}
    assert float(sum(paid) / 600) == pytest.approx(30.0015, abs=0.0005)
    assert prices(done) == prices(again)
    assert prices(done) != prices(driven(ManyBuys, closes, spread_bps=1, fill_seed=2))


def test_a_stop_within_a_bar_slips_from_its_trigger_and_over_a_gap_from_the_open() -> None:
    within = driven(Stops, [100, 101, 98, 97], spread_bps=200)
    assert prices(within)[1] in ("98.50", "98.51")  # 99.50 less 1% of it, 99.5 ticks
    rows = driving.bars([100, 101, 98, 97])
    last = rows[2]
    rows[2] = Bar(
        last.bar_type,
        Price(99, 2),
        Price(99, 2),
        Price(98, 2),
        Price(98, 2),
        last.volume,
        last.ts_event,
        last.ts_init,
    )
    gap = driving.drive("backtest", Stops, rows, venue={"spread_bps": 200})
    assert prices(gap)[1] == "98.01"
    plain = driving.drive("backtest", Stops, rows)
    assert prices(plain)[1] == "99.00"


def test_a_limit_order_never_pays_more_than_its_limit_and_a_resting_one_keeps_its_price() -> None:
    done = driven(Limits, [100, 99, 97], spread_bps=200)
    assert prices(done) == ["100.05", "98.00"]


@pytest.mark.parametrize(("probability", "fills"), [(0.0, 1), (1.0, 2)])
def test_a_touched_limit_order_fills_with_its_probability_and_one_gone_through_always(
    probability: float, fills: int
) -> None:
    touched = driven(Limits, [100, 99, 98, 99], fill_probability=probability)
    assert len(touched.record.fills) == fills
    through = driven(Limits, [100, 99, 97, 99], fill_probability=probability)
    assert len(through.record.fills) == 2


def test_slippage_by_volatility_and_volume_is_that_of_the_bars_before() -> None:
    closes = [100, 101, 99, 102, 104, 103, 105, 106, 106]

    done = driven(Late, closes, slippage_vol="0.5", impact=1, starting_cash=10_000_000)
    sigma = float(np.std(np.diff(np.log(closes[:7])), ddof=1))
    worse = 106 * (0.5 * sigma + sigma * 0.01**0.6)
    assert float(done.record.fills[0]["price"]) == pytest.approx(106 + worse, abs=0.01)


def test_a_sale_that_slips_by_its_whole_price_gets_one_tick() -> None:
    done = driven(LateSale, [100, 150, 90, 160, 85, 150, 95, 160, 160], slippage_vol=10)
    assert prices(done) == ["0.01"]
    assert list(done.record.expected.values()) == [Decimal("160.00")]


def test_a_short_position_costs_each_night_and_a_weekend_costs_three() -> None:
    """Sold on Wednesday, bought back on Sunday, as the bars of the test have it: 4 nights at 3.6% a year."""
    done = driven(Shorts, [100, 101, 102, 103, 104, 105, 105], borrow_rate="0.036")
    rows = done.record.carried
    assert [row["amount"] for row in rows] == [
        Decimal("1.01"),
        Decimal("1.02"),
        Decimal("1.03"),
        Decimal("1.04"),
    ]
    assert {(row["kind"], row["strategy"], row["instrument"]) for row in rows} == {
        ("BORROW", "Shorts-001", "AAPL.XNAS")
    }
    assert done.record.final_equity == done.desk.book.equity() == 100_000 - 400 - Decimal("4.10")
    friday = driving.bars([100, 101, 102, 103, 104, 105], step=3 * driving.DAY)
    weekend = driving.drive("backtest", Shorts, friday, venue={"borrow_rate": "0.036"})
    assert weekend.record.carried[0]["amount"] == Decimal("3.03")


def test_cash_below_zero_costs_interest() -> None:
    done = driven(Borrows, [100, 100, 100], margin_rate="0.072")
    assert [row["kind"] for row in done.record.carried] == ["INTEREST", "INTEREST"]
    assert done.record.carried[0]["amount"] == Decimal("10.00")  # 50,000 x 7.2% / 360
    assert done.record.final_equity == done.desk.book.equity() == 99_980


@pytest.mark.parametrize("drawdown", ["0.0005", "0.001"])
def test_charges_reach_the_breakers_while_something_is_held_and_after(drawdown: str) -> None:
    done = driving.drive(
        "backtest",
        Shorts,
        driving.bars([100] * 8),
        venue={"borrow_rate": 1},
        risk={"max_drawdown_pct": drawdown},
    )
    assert [trip["breaker"] for trip in done.record.trips] == ["DRAWDOWN"]


@pytest.mark.parametrize("mode", driving.MODES)
def test_fees_are_the_same_in_a_backtest_and_in_the_sandbox(mode: str) -> None:
    done = driving.drive(
        mode,
        Buys,
        driving.bars([100, 101, 102, 101, 100]),
        venue={"fee_per_unit": "0.01", "min_fee": 1, "sale_fee": "0.001", "slippage_ticks": 1},
    )
    assert [str(fill["commission"]) for fill in done.record.fills] == ["1.00", "2.01"]
    assert done.record.final_equity == Decimal("99996.79")
    assert isinstance(done.desk, RiskDesk)


@pytest.mark.parametrize(
    ("key", "value", "off"),
    [
        ("spread_bps", 2, "0"),
        ("slippage_vol", 1, "0"),
        ("impact", 1, "0"),
        ("borrow_rate", "0.01", "0"),
        ("margin_rate", "0.01", "0"),
        ("fill_probability", 0.5, "1.0"),
    ],
)
def test_what_a_sandbox_cannot_simulate_is_refused_there(key: str, value: object, off: str) -> None:
    with pytest.raises(AdapterError, match=rf"venue.{key}=\S+: a backtest can .* set venue.{key}={off}$"):
        driving.drive("live", Buys, driving.bars([100, 101]), venue={key: value})
