"""An error inside the risk code halts or refuses, whatever the policy for strategies' own errors is."""

from __future__ import annotations

from typing import Any

import pytest

from risk.prices import Prices
from tests.driving import MODES, Scripted, bars, drive

both_modes = pytest.mark.parametrize("mode", MODES)


class HoldsAndBuys(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n in (1, 4, 5):
            self.buy(10)


@both_modes
def test_a_price_that_cannot_be_read_halts_even_when_errors_are_ignored(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Prices.reading

    def breaks(self: Prices, ts: int, *more: Any) -> None:
        if len(seen) == 2:
            raise ValueError("no sense in this price")
        seen.append(ts)
        read(self, ts, *more)

    seen: list[int] = []
    monkeypatch.setattr(Prices, "reading", breaks)
    rows = bars([100.0, 101.0, 110.0, 121.0, 133.0, 146.0])
    driven = drive(
        mode, HoldsAndBuys, rows, risk={"max_drawdown_pct": 0.5}, run={"on_strategy_error": "ignore"}
    )
    assert driven.record.trips[0]["breaker"] == "BOOK_ERROR"
    assert "no sense in this price" in driven.record.trips[0]["reason"]
    assert driven.limits == ["HALTED"] * 2
    assert driven.strategies[0].n == 6
