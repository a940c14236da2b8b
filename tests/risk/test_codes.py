"""What a person reads when an order cannot even be judged, and when a venue takes a fill back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from nautilus_trader.model import InstrumentId, OrderSide, Quantity

from risk.decisions import Decisions
from tests.driving import MODES, Scripted, bars, drive

both_modes = pytest.mark.parametrize("mode", MODES)
FLAT = bars([100.0] * 6)


class OrdersWhatIsNotTraded(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            unknown = InstrumentId.from_str("MSFT.XNAS")
            self.submit_order(self.order_factory.market(unknown, OrderSide.BUY, Quantity(1, 0)))


@both_modes
def test_an_instrument_that_is_not_of_this_run_is_refused(mode: str) -> None:
    driven = drive(mode, OrdersWhatIsNotTraded, FLAT)
    assert driven.limits == ["UNKNOWN_INSTRUMENT"]
    assert driven.record.orders == []


class BuysOnce(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(10)


@both_modes
def test_an_exception_inside_a_check_refuses_the_order(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError("a check broke")

    monkeypatch.setattr(Decisions, "_broken", breaks)
    driven = drive(mode, BuysOnce, FLAT)
    assert driven.strategies[0].denied == ["RISK_ERROR: ZeroDivisionError: a check broke"]
    assert driven.record.orders == []


class HearsOfAVoidedFill(Scripted):
    def at_bar(self, n: int, bar: Any) -> None:
        if n == 2:
            self.order = self.buy(10)
        if n == 3:
            event = SimpleNamespace(
                client_order_id=self.order.client_order_id, instrument_id=self.iid, ts_event=bar.ts_event
            )
            self.on_order_fill_voided(event)
        if n == 5:
            self.buy(1)

    def on_order_fill_voided(self, _event: Any) -> None:
        """Known to the strategy; the desk has halted before."""


@both_modes
def test_a_fill_that_the_venue_takes_back_halts(mode: str) -> None:
    driven = drive(mode, HearsOfAVoidedFill, FLAT)
    assert [trip["breaker"] for trip in driven.record.trips] == ["FILL_VOIDED"]
    assert driven.limits == ["HALTED"]
