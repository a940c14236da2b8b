"""A breaker of one strategy or one venue stops that one, in a backtest and in the live sandbox, and leaves the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig, LogLevel
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.model import (
    AccountType,
    Bar,
    BarType,
    Equity,
    InstrumentId,
    Money,
    OmsType,
    OrderSide,
    Price,
    Quantity,
    StrategyId,
    Symbol,
    TraderId,
)

from risk.breaker import ScopeLimits
from risk.desk import RiskDesk
from risk.gate import gated
from risk.limits import RiskConfig
from runs.record import Recorder
from tests.driving import DAY, MODES, OPEN, T0, USD, PlainConfig, Scripted, bars, drive

both_modes = pytest.mark.parametrize("mode", MODES)
FALLING = [100.0, 100.0, 99.0, 97.0, 95.0, 95.0, 96.0, 96.0]


class Large(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(500)
        elif n > 2:
            self.buy(1)


class Small(Large):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n >= 2:
            self.buy(10)


def lines(**keys: Any) -> dict[str, Any]:
    return {"overrides": [{"strategy": "Large-001", **keys}]}


@both_modes
@pytest.mark.parametrize("on_trip", ["cancel", "flatten", "stop"])
def test_a_strategys_own_breaker_stops_it_alone(mode: str, on_trip: str) -> None:
    """500 shares lose 1,500 when the price falls from 100 to 97: more than 1% of 100,000. The other one goes on."""
    driven = drive(
        mode,
        [Large, Small],
        bars(FALLING),
        risk={**lines(max_daily_loss=1_200, max_drawdown_pct=0.01), "on_trip": on_trip},
    )
    trips = driven.record.trips
    assert {trip["scope"] for trip in trips} == {"strategy:Large-001"}
    assert trips[0]["breaker"] == "DRAWDOWN"
    assert not driven.record.halted
    refused = [row for row in driven.record.refusals if row["strategy"] == "Large-001"]
    assert {row["limit"] for row in refused} == (set() if on_trip == "stop" else {"HALTED"})
    assert all(row["strategy"] == "Large-001" for row in driven.record.refusals)
    large = driven.desk.book.holding("Large-001", "AAPL.XNAS").position
    assert (large == 0) == (on_trip != "cancel")
    assert driven.desk.book.holding("Small-002", "AAPL.XNAS").position == 70
    assert driven.strategies[0].n == (4 if on_trip == "stop" else 8) - (1 if on_trip == "stop" else 0)
    assert driven.strategies[1].n == 8


@both_modes
def test_a_venues_own_breaker_halts_what_trades_there(mode: str) -> None:
    risk = {"overrides": [{"venue": "replay", "max_drawdown_pct": 0.01}]}
    driven = drive(mode, [Large, Small], bars(FALLING), risk=risk)
    assert [trip["scope"] for trip in driven.record.trips] == ["venue:XNAS"]
    assert {row["limit"] for row in driven.record.refusals} == {"HALTED"}


@both_modes
def test_losses_in_a_row_stop_until_a_person_says_otherwise(mode: str) -> None:
    class Loses(Scripted):
        def at_bar(self, n: int, _bar: Any) -> None:
            if n % 2:
                self.buy(10)
            else:
                self.close_all_positions(self.iid)

    Loses.__qualname__, Loses.__module__ = "Loses", __name__
    globals()["Loses"] = Loses
    falling = [100.0 - n for n in range(12)]
    driven = drive(mode, Loses, bars(falling), risk={"max_consecutive_losses": 3})
    assert [trip["breaker"] for trip in driven.record.trips] == ["CONSECUTIVE_LOSSES"]
    assert len(driven.record.fills) == 6
    assert driven.record.halted


@both_modes
def test_a_soft_level_warns_before_the_hard_one_trips(mode: str) -> None:
    closes = [100.0, 100.0, 99.0, 98.3, 97.9, 97.9]
    driven = drive(mode, Large, bars(closes), risk={"max_drawdown_pct": 0.01, "warn_at_pct": 0.8})
    warnings = [row for row in driven.recorder.notices if row["kind"] == "WARNING"]
    assert len(warnings) == 1
    assert warnings[0]["ts"] < driven.record.trips[0]["ts"]
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]


class TwoVenues(Scripted):
    """Buys on both venues; adds a share a day on each."""

    def at_bar(self, n: int, bar: Any) -> None:
        if n > 2:
            size = 100 if n <= 4 else 1
            order = self.order_factory.market(bar.bar_type.instrument_id, OrderSide.BUY, Quantity(size, 0))
            self.submit_order(order)


def test_several_venues_have_one_book_and_breakers_of_their_own() -> None:
    """Two accounts of 50,000 in one engine: exposure adds up, a loss on one venue halts that venue alone."""
    engine = BacktestEngine(
        BacktestEngineConfig(trader_id=TraderId("TWO-001"), logging=LoggerConfig(stdout_level=LogLevel.OFF))
    )
    limits = RiskConfig(**{**OPEN, "max_gross_notional": 21_000})
    recorder = Recorder()
    scope = ScopeLimits.only("venue:BBB", limits, max_drawdown_pct=Decimal("0.01"))
    desk = RiskDesk(
        limits, starting_cash=Decimal(100_000), currency="USD", zone="UTC", witness=recorder, scopes=[scope],
        accounts={"AAA": Decimal(50_000), "BBB": Decimal(50_000)},
    )  # fmt: skip
    instruments, rows = [], []
    for venue, closes in (("AAA", [100.0] * 8), ("BBB", [100.0, 100.0, 100.0, 94.0, 94.0, 94.0, 94.0, 94.0])):
        found = Equity(
            InstrumentId.from_str(f"ONE.{venue}"), Symbol("ONE"), USD, 2, Price(0.01, 2), 0, 0,
            lot_size=Quantity(1, 0), margin_init=Decimal(1), margin_maint=Decimal(1),
        )  # fmt: skip
        engine.add_venue(
            found.id.venue, OmsType.NETTING, AccountType.MARGIN, [Money.from_str("50000 USD")], base_currency=USD,
            default_leverage=Decimal(1), fee_model=MakerTakerFeeModel(Decimal(0), Decimal(0)),
        )  # fmt: skip
        engine.add_instrument(found)
        desk.add_instrument(found)
        kind = BarType.from_str(f"ONE.{venue}-1-DAY-LAST-EXTERNAL")
        instruments.append((found.id, kind))
        for number, close in enumerate(closes):
            price, stamp = Price(close, 2), T0 + number * DAY
            rows.append(Bar(kind, price, price, price, price, Quantity(10_000, 0), stamp, stamp))
    config = PlainConfig(
        instrument_ids=[one for one, _ in instruments],
        bar_types=[kind for _, kind in instruments],
        strategy_id=StrategyId("Two-001"),
    )
    strategy: Any = gated(TwoVenues, desk)(config)
    desk.gates.append(strategy)
    engine.add_strategy(strategy)
    engine.add_data(sorted(rows, key=lambda bar: bar.ts_init))
    engine.run()
    engine.dispose()
    assert [row["limit"] for row in recorder.refusals if row["limit"] != "HALTED"] == []
    assert [trip["scope"] for trip in recorder.trips] == ["venue:BBB"]
    assert {row["instrument"] for row in recorder.refusals} == {"ONE.BBB"}
    loss = 101 * 6  # 100 shares and one more, from 100 to 94
    assert desk.book.venues["BBB"].worth() == 50_000 - loss
    assert desk.book.equity() == 100_000 - loss
    assert desk.book.holding("Two-001", "ONE.AAA").position > 100
