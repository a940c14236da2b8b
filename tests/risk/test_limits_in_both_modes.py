"""Each limit that looks further than size, met by real orders in a backtest and in the live sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import InstrumentId, OrderSide, Price, Quantity, QuoteTick, TriggerType

from tests.driving import DAY, MODES, T0, Driven, Scripted, bars, drive

both_modes = pytest.mark.parametrize("mode", MODES)
MINUTE = 60_000_000_000
FLAT = bars([100.0] * 8)
BUY, SELL = OrderSide.BUY, OrderSide.SELL


def quotes(
    spreads: list[tuple[float, float]], symbol: str = "AAPL", *, step: int = MINUTE
) -> list[QuoteTick]:
    """Quotes a minute apart: (bid, ask)."""
    size = Quantity(1_000_000, 0)
    return [
        QuoteTick(
            InstrumentId.from_str(f"{symbol}.XNAS"), Price(bid, 2), Price(ask, 2), size, size, stamp, stamp
        )
        for stamp, (bid, ask) in zip(range(T0, T0 + len(spreads) * step, step), spreads, strict=True)
    ]


class OnQuotes(Scripted):
    """Calls `at_bar` on quotes."""

    def on_start(self) -> None:
        for instrument_id in self.settings.instrument_ids:
            self.subscribe_quotes(instrument_id)

    def on_quote(self, quote: Any) -> None:
        self.n += 1
        self.at_bar(self.n, quote)


def reasons(driven: Driven) -> list[str]:
    return [row["reason"] for row in driven.record.refusals]


class FatFingers(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.limit(BUY, 10, 106.0)
            self.limit(BUY, 10, 94.0)
            self.working = self.limit(BUY, 10, 96.0)
        if n == 3:
            stop = self.order_factory.stop_market(self.iid, BUY, Quantity(1, 0), Price(105.01, 2))
            self.submit_order(stop)
        if n == 4:
            self.modify_order(self.working.client_order_id, None, Price(90.0, 2))
            self.modify_order(self.working.client_order_id, None, Price(95.5, 2))


@both_modes
def test_prices_outside_the_collar_are_refused_new_or_changed(mode: str) -> None:
    driven = drive(mode, FatFingers, FLAT, risk={"price_collar_pct": 0.05})
    assert driven.limits == ["PRICE_COLLAR"] * 4
    assert reasons(driven)[0] == ("PRICE_COLLAR: AAPL.XNAS limit price 106 is 6.0% away from 100; limit 5.0%")
    assert [str(order["price"]) for order in driven.record.orders] == ["95.50"]


class BuysOnQuotes(OnQuotes):
    def at_bar(self, n: int, _quote: Any) -> None:
        if n in (2, 3):
            self.buy(10)


@both_modes
def test_a_market_order_into_a_wide_spread_is_refused(mode: str) -> None:
    rows = quotes([(99.9, 100.1), (99.9, 100.1), (97.0, 103.0), (99.9, 100.1)])
    driven = drive(mode, BuysOnQuotes, rows, risk={"max_slippage_pct": 0.02}, kind="quotes")
    assert driven.limits == ["MAX_SLIPPAGE"]
    assert reasons(driven) == [
        "MAX_SLIPPAGE: AAPL.XNAS market order would meet 103, 3.00% from the middle 100; limit 2.00%"
    ]
    assert [str(fill["price"]) for fill in driven.record.fills] == ["100.10"]


class BuysTheLimit(OnQuotes):
    def at_bar(self, n: int, _quote: Any) -> None:
        if n == 2:
            self.buy(99)
            self.buy(98)


@both_modes
def test_a_market_order_is_valued_at_its_far_side_and_the_slippage_allowed(mode: str) -> None:
    """98 shares at 101 (far side 100, 1% slippage) are 9,898; 99 would be 9,999 and one cent of limit less."""
    rows = quotes([(99.9, 100.0)] * 4)
    driven = drive(
        mode, BuysTheLimit, rows, risk={"max_slippage_pct": 0.01, "max_order_notional": 9_998}, kind="quotes"
    )
    assert driven.limits == ["MAX_ORDER_NOTIONAL"]
    assert [fill["quantity"] for fill in driven.record.fills] == [98]


class TwoInstruments(Scripted):
    """Holds MSFT, whose bars end early, and goes on buying AAPL."""

    def at_bar(self, n: int, bar: Any) -> None:
        if n == 2:
            order = self.order_factory.market(self.settings.instrument_ids[1], BUY, Quantity(10, 0))
            self.submit_order(order)
        if bar.bar_type.instrument_id == self.iid and n > 4:
            self.buy(1)


@both_modes
def test_a_price_that_stopped_refuses_new_exposure_everywhere(mode: str) -> None:
    rows = sorted([*bars([100.0] * 8), *bars([50.0] * 3, "MSFT")], key=lambda bar: bar.ts_init)
    driven = drive(
        mode, TwoInstruments, rows, risk={"max_price_age_secs": 2 * 86_400}, symbols=("AAPL", "MSFT")
    )
    assert set(driven.limits) == {"STALE_PRICE"}
    assert "MSFT.XNAS, which is held," in reasons(driven)[0]
    assert driven.record.trips == []


class BuysDaily(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n > 1:
            self.buy(1)


@both_modes
def test_outside_trading_hours_only_exits_pass(mode: str) -> None:
    """Bars at 14:30 UTC, the open to the second, from Tuesday 2024-01-02; weekends and the holiday are closed."""
    driven = drive(mode, BuysDaily, bars([100.0] * 15), risk={"trading_hours": "XNYS"})
    assert driven.limits == ["MARKET_CLOSED"] * 5  # two weekends and Martin Luther King's day
    assert "weekend" in reasons(driven)[0]
    assert len(driven.record.fills) == 9


class NotOnTheList(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(1)


@both_modes
def test_only_listed_instruments_are_traded(mode: str) -> None:
    assert drive(mode, NotOnTheList, FLAT, risk={"allowed_instruments": "MSFT"}).limits == ["NOT_ALLOWED"]
    assert drive(mode, NotOnTheList, FLAT, risk={"allowed_instruments": ["AAPL"]}).limits == []


class RunsAway(Scripted):
    """Answers every fill with the same order: a loop."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(7)

    def on_order_filled(self, _event: Any) -> None:
        self.buy(7)


@both_modes
def test_a_loop_of_equal_orders_is_stopped(mode: str) -> None:
    driven = drive(mode, RunsAway, FLAT, risk={"max_repeats": 3})
    assert len(driven.record.fills) == 3
    assert reasons(driven) == ["REPEATED_ORDER: AAPL.XNAS buy 7 for the 4th time within 60 s; limit 3"]


class Repeats(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n > 1:
            self.buy(7)


@both_modes
def test_the_window_of_repeats_moves_on(mode: str) -> None:
    day = DAY // 1_000_000_000
    driven = drive(mode, Repeats, FLAT, risk={"max_repeats": 1, "repeat_window_secs": day})
    assert driven.limits == []
    driven = drive(mode, Repeats, FLAT, risk={"max_repeats": 1, "repeat_window_secs": day + 1})
    assert driven.limits == ["REPEATED_ORDER"] * 3


class CrossesItself(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.limit(SELL, 10, 101.0)
        if n == 3:
            self.limit(BUY, 10, 101.5)
            self.limit(BUY, 10, 100.5)
        if n == 4:
            self.limit(BUY, 10, 101.0)


@both_modes
def test_an_order_never_meets_the_accounts_own(mode: str) -> None:
    driven = drive(mode, CrossesItself, FLAT)
    assert driven.limits == ["SELF_CROSSING"] * 2
    assert reasons(driven)[0] == "SELF_CROSSING: AAPL.XNAS buy would meet this account's own order at 101"
    allowed = drive(mode, CrossesItself, FLAT, risk={"allow_self_crossing": True})
    assert allowed.limits == []


class SellsAbove(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.limit(SELL, 10, 100.0)


class BuysAtMarket(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(10)


@both_modes
def test_two_strategies_do_not_trade_with_each_other(mode: str) -> None:
    driven = drive(mode, [SellsAbove, BuysAtMarket], FLAT)
    assert driven.limits == ["SELF_CROSSING"]


class OpensThree(Scripted):
    def at_bar(self, n: int, bar: Any) -> None:
        name = bar.bar_type.instrument_id
        if n <= 3:
            self.submit_order(self.order_factory.market(name, BUY, Quantity(1, 0)))
        elif n <= 6:
            self.close_all_positions(name)
        elif n <= 9:
            self.submit_order(self.order_factory.market(name, BUY, Quantity(1, 0)))


@both_modes
def test_new_positions_are_counted_by_the_day(mode: str) -> None:
    symbols = ("AAPL", "MSFT", "IBM")
    rows = sorted(
        (bar for symbol in symbols for bar in bars([100.0] * 4, symbol, step=DAY)), key=lambda b: b.ts_init
    )
    driven = drive(mode, OpensThree, rows, risk={"max_new_positions_per_day": 2}, symbols=symbols)
    assert driven.limits == ["MAX_NEW_POSITIONS"] * 2  # the third of the first day, and of the third
    hourly = sorted(
        (bar for symbol in symbols for bar in bars([100.0] * 4, symbol, step=DAY // 96)),
        key=lambda b: b.ts_init,
    )
    driven = drive(mode, OpensThree, hourly, risk={"max_new_positions_per_day": 4}, symbols=symbols)
    assert driven.limits == ["MAX_NEW_POSITIONS"] * 2  # five of one day: the last two of six are too many


class SharesTheCapital(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(300)
            self.buy(301)


@both_modes
def test_each_strategy_keeps_to_its_share_of_the_capital(mode: str) -> None:
    """Shares of 100: the first may hold 40% of 100,000, the second, by its own line, 30%."""
    driven = drive(
        mode, [SharesTheCapital, SharesTheCapital], FLAT,
        risk={"max_strategy_pct": 0.4, "overrides": [{"strategy": "SharesTheCapital-002", "max_strategy_pct": 0.3}]},
    )  # fmt: skip
    assert [fill["quantity"] for fill in driven.record.fills] == [300, 300]
    assert driven.limits == ["MAX_STRATEGY"] * 2
    assert "limit 40.0%" in reasons(driven)[0]
    assert "limit 30.0%" in reasons(driven)[1]


class KeepsCash(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(750)
        if n == 3:
            self.buy(1)


@both_modes
def test_a_share_of_equity_stays_free(mode: str) -> None:
    driven = drive(mode, KeepsCash, FLAT, risk={"min_cash_pct": 0.25})
    assert driven.limits == ["MIN_CASH"]
    assert reasons(driven)[0] == (
        "MIN_CASH: 24,900.00 USD would stay free, 24.9% of equity 100,000.00 USD; at least 25.0%"
    )


class NeedsAStop(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(10)


@both_modes
def test_an_entry_without_a_stop_is_refused_unless_one_is_attached(mode: str) -> None:
    assert drive(mode, NeedsAStop, FLAT, risk={"require_stop_loss": True}).limits == ["NO_STOP_LOSS"]
    attached = drive(mode, NeedsAStop, FLAT, risk={"require_stop_loss": True, "default_stop_loss_pct": 0.1})
    assert attached.limits == []
    assert [(row["type"], str(row["trigger_price"])) for row in attached.record.orders] == [
        ("MARKET", "None"), ("STOP_MARKET", "90.00"),
    ]  # fmt: skip


class HugeChild(Scripted):
    """An entry of one share whose child would buy a thousand once it fills."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n != 2:
            return
        bracket = self.order_factory.bracket(
            self.iid, BUY, Quantity(1, 0), entry_order_type=_limit_type(), entry_price=Price(101, 2),
            tp_price=Price(110, 2), sl_trigger_price=Price(90, 2),
        )  # fmt: skip
        events = [order.init_event for order in bracket]
        self.submit_order_list(bracket)
        self.quantities = [str(event.quantity) for event in events]


def _limit_type() -> Any:
    from nautilus_trader.model import OrderType  # noqa: PLC0415 - one use

    return OrderType.LIMIT


def test_a_brackets_children_pass_with_their_entry_where_the_engine_protects_them() -> None:
    driven = drive("backtest", HugeChild, FLAT)
    assert driven.limits == []
    assert [row["type"] for row in driven.record.orders] == ["LIMIT", "STOP_MARKET", "LIMIT"]


class Emulated(OnQuotes):
    def at_bar(self, n: int, _quote: Any) -> None:
        if n == 2:
            self.limit(BUY, 50, 99.0, emulation_trigger=TriggerType.BID_ASK)
        if n == 3:
            self.buy(51)


@both_modes
def test_an_order_the_engine_emulates_counts_while_it_waits(mode: str) -> None:
    rows = quotes([(99.9, 100.0)] * 5)
    driven = drive(mode, Emulated, rows, risk={"max_position_notional": 10_000}, kind="quotes")
    assert driven.limits == ["MAX_POSITION_NOTIONAL"]
