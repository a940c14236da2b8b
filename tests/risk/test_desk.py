"""The desk fails closed, and prices of what is not traded are nobody's marks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from risk.breaker import TradingState, Trip
from risk.desk import RiskDesk
from risk.gate import gated
from risk.limits import RiskConfig
from risk.state import RiskState
from runs.record import Recorder
from tests.driving import MODES, OPEN, PlainConfig, Scripted, bar_type, bars, drive, equity


def test_a_bar_of_an_instrument_that_is_only_looked_at_prices_nothing() -> None:
    desk = RiskDesk(
        RiskConfig(**{**OPEN, "max_drawdown_pct": 0.1}),
        starting_cash=Decimal(100_000),
        currency="USD",
        zone="UTC",
        witness=Recorder(),
    )
    desk.add_instrument(equity("AAPL"))
    gate: Any = object()
    desk.gates.append(gate)
    desk.joins(gate, bar_type("AAPL"))
    desk.joins(gate, bar_type("MSFT"))
    held = desk.book.adopt("S-001", "AAPL.XNAS", Decimal(1_000), Decimal(100))
    desk.prices.traded("AAPL.XNAS", Decimal(100), 1)
    desk.bar(bars([100.0], "AAPL")[0])
    desk.bar(bars([10.0], "MSFT")[0])
    assert held.instrument.mark == 100
    assert desk.breakers.state.state is TradingState.ACTIVE


@pytest.mark.parametrize(
    ("past", "closes", "state"),
    [
        ([], [10.0], TradingState.HALTED),  # nothing says that it is wrong
        ([99.0, 100.0], [10.0], TradingState.REDUCING),
        ([99.0, 100.0], [10.0, 100.0], TradingState.ACTIVE),
        ([99.0, 100.0], [10.0, 11.0], TradingState.HALTED),
        ([99.0, 100.0], [101.0], TradingState.ACTIVE),
        ([99.0, 100.0], [85.0], TradingState.HALTED),  # no jump, and more than the drawdown that is allowed
    ],
)
def test_one_wrong_price_after_a_restart_halts_nothing_where_history_says_that_it_jumped(
    past: list[float], closes: list[float], state: TradingState
) -> None:
    kept = RiskState(peak=Decimal(200_000), day_start=Decimal(200_000), equity=Decimal(200_000), begun=True)
    desk = RiskDesk(
        RiskConfig(**{**OPEN, "max_drawdown_pct": 0.05, "untrusted_jump_pct": 0.25}),
        starting_cash=Decimal(100_000),
        currency="USD",
        zone="UTC",
        witness=Recorder(),
        state=kept,
    )
    desk.add_instrument(equity("AAPL"))
    gate = gated(Scripted, desk)(PlainConfig(instrument_ids=[], bar_types=[]))
    desk.gates.append(gate)
    desk.joins(gate, bar_type("AAPL"))
    desk.adopt("S-001", "AAPL.XNAS", Decimal(1_000), entry=Decimal(20), ts=1)
    history, coming = bars([*past, *closes], "AAPL")[: len(past)], bars([*past, *closes], "AAPL")[len(past) :]
    desk.prices.remember(history)
    for bar in coming:
        desk.bar(bar)
    assert desk.breakers.state.state is state


def test_the_gate_remembers_the_history_that_a_strategy_hears() -> None:
    desk = RiskDesk(
        RiskConfig(**OPEN), starting_cash=Decimal(100_000), currency="USD", zone="UTC", witness=Recorder()
    )
    desk.add_instrument(equity("AAPL"))
    desk.adopt("S-001", "AAPL.XNAS", Decimal(1_000), entry=Decimal(20), ts=1)
    gated(Scripted, desk)(PlainConfig(instrument_ids=[], bar_types=[])).on_historical_bars(
        bars([99.0, 100.0], "AAPL")
    )
    assert desk.prices.watches["AAPL.XNAS"].price == 100.0


def test_a_trip_is_told_before_anything_else() -> None:
    recorder, told = Recorder(), []
    recorder.on_trip = lambda: told.append(len(recorder.trips))
    recorder.tripped(Trip("DRAWDOWN", "DRAWDOWN: test", 1))
    assert told == [1]


class Holds(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(100)


class Fails(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 3:
            raise ValueError("second strategy broke")


@pytest.mark.parametrize("mode", MODES)
def test_with_several_strategies_an_error_of_one_halts_all(mode: str) -> None:
    driven = drive(mode, [Fails, Holds], bars([100.0] * 6), run={"on_strategy_error": "halt"})
    assert [trip["breaker"] for trip in driven.record.trips] == ["STRATEGY_ERROR"]
    assert driven.strategies[1].n == 6
