"""In foreign currencies too, backtest and live sandbox agree: with each other, the risk book and the reports."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import Bar, Currency, OrderSide, PriceType, Quantity

from adapters.errors import AdapterError
from backtests._engine import run_backtest
from configs.load import compose
from configs.validate import validated
from market.errors import SourceError
from risk.desk import RiskDesk
from runs.analysis import Analysis, analyse
from runs.prepare import prepare
from runs.record import RunRecord
from tests.driving import MODES, USD, Scripted, drive
from tests.parity.inverse import inverse_market
from tests.parity.test_parity import BUSY_SPEC, assert_same, both, both_of, document_of

GBP = Currency.from_str("GBP")
CENT = Decimal("0.01")
LOOSE = ["strategy.direction=both", "strategy.sizing=percent_of_equity", "risk.allow_short=true"]
CROSSES = [
    "data=fx_daily",
    "instruments=[EURGBP,EURJPY]",
    "run.start=2012-01-01",
    "run.end=2018-01-01",
    *LOOSE,
]


def analysed(record: RunRecord) -> Analysis:
    """The reports' own numbers; they refuse a run that ends elsewhere than the engine."""
    return analyse(record, zone=record.market.zone, days_per_year=record.market.days_per_year)


def book_equity(desk: RiskDesk) -> Decimal:
    desk.prices.mark_held()
    return desk.book.equity()


def test_two_crosses_in_a_dollar_account() -> None:
    backtest, live = both(CROSSES)
    assert_same(backtest, live)
    assert {fill["currency"] for fill in backtest.fills} == {"GBP", "JPY"}
    assert analysed(live).equity.units.tolist() == analysed(backtest).equity.units.tolist()


def test_the_engines_own_limit_on_notionals_counts_in_the_accounts_currency() -> None:
    """An order of 10,000 dollars is a million yen, more than ten times the limit if nobody converted it."""
    done = run_backtest(compose("backtest", [*CROSSES, "risk.max_order_notional=50000"]).config)
    assert "JPY" in {fill["currency"] for fill in done.record.fills}
    assert "ENGINE" not in {refusal["limit"] for refusal in done.record.refusals}


def test_a_breaker_trips_alike_on_converted_equity() -> None:
    backtest, live = both([*CROSSES, "risk.max_drawdown_pct=0.01", "risk.max_daily_loss_pct=0.003"])
    assert_same(backtest, live)
    assert {trip["breaker"] for trip in backtest.trips} >= {"DRAWDOWN"}


def test_resting_orders_of_two_strategies_in_three_currencies() -> None:
    made = document_of(
        [
            *CROSSES,
            "instruments=[EURGBP,EURJPY,EURUSD]",
            "risk.max_position_pct=0.35",
            "risk.max_leverage=0.5",
        ]
    )
    made["strategy"] = {**BUSY_SPEC, "size": 4_000}
    made["strategies"] = {"other": {**BUSY_SPEC, "every": 4, "size": 7_000}}
    config = validated(made)
    backtest, live = both_of(config, config)
    assert_same(backtest, live)
    assert {fill["instrument"] for fill in backtest.fills} == {"EURGBP.ECB", "EURJPY.ECB", "EURUSD.ECB"}
    assert {refusal["limit"] for refusal in backtest.refusals}
    analysed(backtest)


def test_shares_in_dollars_in_a_euro_account() -> None:
    backtest, live = both(["venue.currency=EUR", "data.rates=fx_daily", "run.end=2004-01-01", *LOOSE])
    assert_same(backtest, live)
    assert {fill["currency"] for fill in backtest.fills} == {"USD"}
    assert analysed(backtest).equity.currency == "EUR"


def test_the_risk_book_ends_where_the_reports_do() -> None:
    done = run_backtest(compose("backtest", [*CROSSES, "venue.taker_fee=0.001"]).config)
    assert abs(book_equity(done.desk) - analysed(done.record).equity.final) <= CENT


@pytest.fixture
def own_files(tmp_path: Path) -> list[str]:
    """SAP in euros beside AAPL in dollars."""
    for symbol, first in (("SAP", 100), ("AAPL", 180)):
        lines = [f"2024-01-{day:02}T21:00Z,{first + day % 7}" for day in range(2, 31)]
        rows = [
            ",".join([stamp, *[price] * 4, "100000"]) for stamp, price in (line.split(",") for line in lines)
        ]
        (tmp_path / f"{symbol}.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]) + "\n")
    return [
        "data=csv", f"data.path={tmp_path}", "data.label=END", "data.calendar=24/7",
        f"data.catalog_dir={tmp_path / 'catalog'}", "data.currency={SAP: EUR, AAPL: USD}", "instruments=[SAP,AAPL]",
    ]  # fmt: skip


@pytest.mark.parametrize("rates", ["fx_daily", "{EUR: 1.1}"])
def test_files_of_the_users_own_in_two_currencies(own_files: list[str], rates: str) -> None:
    made = document_of([*own_files, f"data.rates={rates}"])
    made["strategy"] = {**BUSY_SPEC, "every": 1, "size": 20}
    config = validated(made)
    backtest, live = both_of(config, config)
    assert_same(backtest, live)
    assert {fill["currency"] for fill in backtest.fills} == {"EUR", "USD"}
    analysed(backtest)


def test_without_a_rate_a_run_does_not_begin(own_files: list[str]) -> None:
    config = compose("backtest", own_files).config
    with pytest.raises(
        SourceError, match=r"SAP\.SIM trades in EUR.*data\.rates=fx_daily.*venue\.currency=EUR"
    ):
        prepare(config)


def test_a_cash_account_buys_nothing_in_another_currency(own_files: list[str]) -> None:
    config = compose("backtest", [*own_files, "data.rates=fx_daily", "venue.account_type=cash"]).config
    with pytest.raises(AdapterError, match=r"cannot buy SAP\.SIM, which trades in EUR"):
        run_backtest(config)


class Inverse(Scripted):
    """Long, short through zero, more of it at another price, flat, and long again to the end."""

    def at_bar(self, n: int, _bar: Bar) -> None:
        steps: dict[int, Callable[[int], Any]] = {1: self.buy, 2: self.sell, 3: self.sell, 6: self.buy}
        if n in steps:
            steps[n]({1: 10_000, 2: 30_000, 3: 5_000, 6: 2_000}[n])
        elif n == 5:
            self.close_all_positions(self.iid)


@pytest.mark.parametrize(("account", "cash"), [("USD", "100000"), ("BTC", "2")])
def test_an_inverse_contract_is_worth_what_the_exchange_pays(account: str, cash: str) -> None:
    closes = [40000.0, 41000.0, 42000.5, 43000.0, 41234.5, 40500.0, 42000.0]
    runs = [
        drive(
            mode, Inverse, [], made=inverse_market(closes, account),
            venue={"currency": account, "starting_cash": cash, "taker_fee": "0.0005"}, risk={"max_leverage": "2"},
        )
        for mode in MODES
    ]  # fmt: skip
    backtest, live = (run.record for run in runs)
    assert_same(backtest, live)
    coins = sum(
        (
            (1 if fill["side"] == "BUY" else -1) * fill["quantity"] / fill["price"] - fill["commission"]
            for fill in backtest.fills
        ),
        Decimal(0),
    ) - Decimal(2_000) / Decimal(42_000)
    expected = Decimal(cash) + coins * (Decimal(42_000) if account == "USD" else 1)
    assert len(backtest.fills) == 5
    assert abs(analysed(backtest).equity.final - expected) <= (CENT if account == "USD" else Decimal("1e-8"))
    assert abs(book_equity(runs[0].desk) - expected) <= CENT


class Asks(Scripted):
    """Buys once, and asks the engine for the rate that its gate hears."""

    def at_bar(self, n: int, _bar: Bar) -> None:
        rate = self.cache.get_xrate(self.iid.venue, GBP, USD, PriceType.MID)
        self.events.append(f"rate {rate}")
        if n == 1:
            self.submit_order(self.order_factory.market(self.iid, OrderSide.BUY, Quantity(1000, 0)))

    def on_quote(self, _quote: Any) -> None:
        self.events.append("a quote reached the strategy")


def test_strategies_can_ask_the_engine_for_the_rate_and_see_no_quote_of_it() -> None:
    made = document_of(
        ["data=fx_daily", "instruments=[EURGBP]", "run.start=2015-01-01", "run.end=2015-02-01"]
    )
    made["strategy"] = {
        "strategy_path": "tests.parity.test_currencies:Asks", "config_path": "tests.driving:PlainConfig"
    }  # fmt: skip
    config = validated(made)
    done = run_backtest(config)
    events = done.desk.gates[0].events  # type: ignore[attr-defined]
    market = done.record.market
    told = [float(line.removeprefix("rate ")) for line in events if line.startswith("rate ")]
    assert told == pytest.approx(
        [float(market.rates.at("GBP", bar.ts_event) or 0) for bar in market.updates()]
    )
    assert "a quote reached the strategy" not in events
