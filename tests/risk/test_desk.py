"""The desk fails closed, and prices of what is not traded are nobody's marks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from risk.breaker import TradingState, Trip
from risk.desk import RiskDesk
from risk.limits import RiskConfig
from runs.record import Recorder
from tests.driving import MODES, OPEN, Scripted, bar_type, bars, drive, equity


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
