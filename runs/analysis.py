"""What do a run's fills and prices add up to, worked out once for all reports?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from runs.benchmark import buy_and_hold
from runs.days import day_ends
from runs.equity import Equity, equity_of
from runs.prices import Prices, read_prices
from runs.trades import Trade, round_trips

if TYPE_CHECKING:
    from runs.prices import FloatArray, IntArray
    from runs.record import Row, RunRecord


@dataclass(frozen=True)
class Analysis:
    """A run with everything derived from it.

    benchmark: shape (bars,), buy-and-hold at each stamp of `equity`; days: shape (days,), the index in
    `equity` of the last bar of each session day in `zone`.
    """

    record: RunRecord
    prices: dict[str, Prices]
    equity: Equity
    trades: list[Trade]
    benchmark: FloatArray
    days: IntArray
    zone: str
    days_per_year: int

    @property
    def fees(self) -> Decimal:
        """All commissions in the account's currency, each at the rate of its fill."""
        return sum(
            (
                self.prices[fill["instrument"]].in_base(fill["commission"], fill["ts"], fill["currency"])
                for fill in self.record.fills
            ),
            Decimal(0),
        )

    @property
    def traded(self) -> float:
        """Notional of all fills, buys plus sells, in the account's currency."""
        return float(sum(self._notional(fill) for fill in self.record.fills))

    def _notional(self, fill: Row) -> float:
        own = self.prices[fill["instrument"]]
        return float(own.in_base(fill["quantity"] * abs(own.value(fill["price"])), fill["ts"]))

    @property
    def by_bar(self) -> FloatArray:
        """Equity at the start and after each bar: shape (bars + 1,), amounts."""
        return self._from_start(self.equity.amounts)

    @property
    def by_day(self) -> FloatArray:
        """Equity at the start and at the end of each session day: shape (days + 1,), amounts."""
        return self._from_start(self.equity.amounts[self.days])

    @property
    def benchmark_by_bar(self) -> FloatArray:
        """Buy-and-hold at the start and after each bar: shape (bars + 1,), amounts."""
        return self._from_start(self.benchmark)

    @property
    def benchmark_by_day(self) -> FloatArray:
        """Buy-and-hold at the start and at the end of each session day: shape (days + 1,), amounts."""
        return self._from_start(self.benchmark[self.days])

    def _from_start(self, amounts: FloatArray) -> FloatArray:
        return np.concatenate([[float(self.equity.starting)], amounts])


def analyse(record: RunRecord, *, zone: str, days_per_year: int, until_ns: int | None = None) -> Analysis:
    """Work out equity, trades and benchmark of a run.

    zone: IANA zone of the session day; days_per_year: session days in a year (252 shares, 365 crypto);
    until_ns: the last market time the run saw (UTC ns) when it ended before its data; None: all of it.
    Raises RunError when the run cannot be valued or disagrees with the engine's ledger.
    """
    prices = read_prices(record.market, until_ns)
    equity = equity_of(record, prices)
    return Analysis(
        record=record,
        prices=prices,
        equity=equity,
        trades=round_trips(record.fills, prices),
        benchmark=buy_and_hold(float(record.starting_equity), prices, equity.ts),
        days=day_ends(equity.ts, zone),
        zone=zone,
        days_per_year=days_per_year,
    )
