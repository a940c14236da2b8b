"""What does a page show of a run, whether it has just ended or lies in its folder?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from risk import measures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runs.analysis import Analysis
    from runs.page.config_text import Kept
    from runs.page.related import Related
    from runs.prices import FloatArray, IntArray, Prices
    from runs.record import Row
    from runs.summary import Summary
    from runs.trades import Trade


@dataclass(frozen=True)
class Closes:
    """What an instrument cost, read when it is drawn."""

    prices: Prices

    @property
    def ts(self) -> IntArray:
        """Stamps, shape (n,), UTC ns."""
        return self.prices.ts

    @property
    def close(self) -> FloatArray:
        """Closes, of quotes the middle: shape (n,)."""
        return self.prices.close


@dataclass(frozen=True)
class Seen:
    """A run as its page needs it.

    ts, equity, gross, benchmark: shape (n,), UTC ns and amounts after each bar stamp; days: shape (days,), the index of
    the last bar of each session day in `zone`. prices: instrument id -> its closes; a trade's instrument may be missing
    (`no_prices` says why). kept: config and versions of the run folder; related: checks and a sweep of the same
    strategy on the same data.
    """

    title: str
    summary: Summary
    zone: str
    days_per_year: int
    ts: IntArray
    equity: FloatArray
    gross: FloatArray
    benchmark: FloatArray
    days: IntArray
    prices: Mapping[str, Closes]
    trades: Sequence[Trade]
    refusals: Sequence[Row]
    trips: Sequence[Row]
    notices: Sequence[Row]
    kept: Kept | None = None
    related: Related | None = None
    no_prices: str | None = None

    @property
    def starting(self) -> float:
        """Starting equity."""
        return float(self.summary.starting_equity)

    @property
    def by_bar(self) -> FloatArray:
        """Equity at the start and after each bar: shape (n + 1,)."""
        return np.concatenate([[self.starting], self.equity])

    @property
    def benchmark_by_bar(self) -> FloatArray:
        """Buy-and-hold at the start and after each bar: shape (n + 1,)."""
        return np.concatenate([[self.starting], self.benchmark])

    def by_day(self, amounts: FloatArray) -> FloatArray:
        """Amounts at the start and at the end of each session day: shape (days + 1,)."""
        return np.concatenate([[self.starting], amounts[self.days]])

    @property
    def returns(self) -> FloatArray | None:
        """Of each session day, fractions: shape (days,); None where equity went to zero or below."""
        return measures.returns(self.by_day(self.equity))

    @property
    def instruments(self) -> list[str]:
        """Those of the run, then those only a trade names."""
        return list(dict.fromkeys([*self.prices, *(trade.instrument for trade in self.trades)]))

    def beside(self, kept: Kept | None, related: Related | None) -> Seen:
        """The same run with what its folder says of it."""
        return replace(self, kept=kept, related=related)


def seen_of(analysis: Analysis, summary: Summary, title: str) -> Seen:
    """A run that has just ended."""
    record, equity = analysis.record, analysis.equity
    return Seen(
        title=title,
        summary=summary,
        zone=analysis.zone,
        days_per_year=analysis.days_per_year,
        ts=equity.ts,
        equity=equity.amounts,
        gross=equity.gross,
        benchmark=analysis.benchmark,
        days=analysis.days,
        prices=closes_of(analysis.prices),
        trades=analysis.trades,
        refusals=record.refusals,
        trips=record.trips,
        notices=record.notices,
    )


def closes_of(prices: Mapping[str, Prices]) -> dict[str, Closes]:
    """The closes of instruments that have any."""
    return {name: Closes(own) for name, own in prices.items() if len(own.ts)}
