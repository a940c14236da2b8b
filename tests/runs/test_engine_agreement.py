"""Does equity rebuilt from fills agree with the engine's own ledger, in both modes?"""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import pytest
from nautilus_trader.model import Bar

from runs.summary import summarise
from tests import driving
from tests.runs.records import FixedMarket, analysis_of, bars, share

if TYPE_CHECKING:
    from market.catalog import MarketData


class Turning(driving.Scripted):
    """Buys or sells an odd number of shares at every bar, through zero and back, and ends holding some."""

    def at_bar(self, n: int, bar: Bar) -> None:
        del bar
        chance = random.Random(n)  # noqa: S311 - the same orders in every run is what is wanted
        (self.buy if chance.random() < 0.5 else self.sell)(chance.randrange(1, 300))


@pytest.mark.parametrize("mode", driving.MODES)
def test_every_cent_is_where_the_engine_has_it(mode: str) -> None:
    """Commissions of a third of a thousandth leave fractions of a cent for the engine to round."""
    chance = random.Random(7)  # noqa: S311 - prices, not secrets
    closes = [round(50 + chance.uniform(-20, 20), 2) for _ in range(120)]
    rows = driving.bars(closes)
    driven = driving.drive(mode, Turning, rows, venue={"taker_fee": "0.000333"})
    frame = bars(closes).assign(ts=[row.ts_event for row in rows])
    market = FixedMarket({"AAPL": frame}, (share("AAPL"),))
    record = replace(driven.record, market=cast("MarketData", market))
    analysis = analysis_of(record)
    assert len(record.fills) > 100
    assert abs(analysis.equity.final - record.final_equity) <= Decimal("0.01")
    assert summarise(analysis, "x").open_trades == 1
