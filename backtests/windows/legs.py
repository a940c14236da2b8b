"""What of a market does a backtest over some of its days see?

Before its first day lies history, which a strategy learns from without trading. For a piece of train that comes after
the test there is none: it would hold the very days that the choice must not know.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from market.held import HeldMarket
from runs.days import day_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nautilus_trader.model import Bar, QuoteTick

    from backtests.windows.folds import Fold, Span
    from configs.schema import RunConfig
    from market.market_data import MarketData
    from runs.prices import IntArray


@dataclass(frozen=True)
class Leg:
    """An unbroken piece of a market that is traded: stamps (UTC ns) from `start_ns` to `end_ns`, both included.

    history_ns: the first stamp of what lies before it; from, until: its dates as `run.start` and `run.end` write them.
    """

    start_ns: int
    end_ns: int
    history_ns: int
    start: date
    end: date
    days: int


@dataclass(frozen=True)
class Legs:
    """A fold on a market: `train` and `test` as stamps; without: of a train of two pieces the dates between them."""

    train: tuple[Leg, ...]
    test: Leg
    without: str = ""


@dataclass(frozen=True)
class LegMarket(HeldMarket):
    """The data of a leg; rule: `history` begins at `history_ns`."""

    history_ns: int = 0

    @cached_property
    def _history(self) -> list[Bar] | list[QuoteTick]:
        if self.history_ns >= self.start_ns:
            return []
        read = self._bars if self.kind == "bars" else self._quotes
        return read(self.history_ns, self.start_ns - 1)


@dataclass(frozen=True)
class Calendar:
    """The session days of a market. firsts, lasts: shape (days,), UTC ns of the first and the last row of each."""

    firsts: IntArray
    lasts: IntArray
    zone: str

    def __len__(self) -> int:
        return len(self.firsts)

    def leg(self, span: Span, *, history: bool = True) -> Leg:
        """The leg of these days; history: whether what lies before them may be learned from."""
        start, last = int(self.firsts[span.first]), int(self.lasts[span.end - 1])
        after = self.day(span.end) if span.end < len(self) else None
        return Leg(
            start_ns=start,
            end_ns=last,
            history_ns=0 if history else start,
            start=self._date(start),
            end=after or self._date(last) + timedelta(days=1),
            days=span.days,
        )

    def legs(self, fold: Fold) -> Legs:
        """The legs of a fold."""
        train = tuple(self.leg(span, history=span.first < fold.test.first) for span in fold.train)
        *_, last = fold.train
        without = ""
        if last.first > fold.test.first:
            left_out = fold.train[0].end if len(fold.train) > 1 else 0
            dates = [self.day(day) for day in (left_out, last.first)]
            without = f"{dates[0]} to {dates[1]}"
        return Legs(train, self.leg(fold.test), without)

    def day(self, number: int) -> date:
        """The date of a day by its number."""
        return self._date(int(self.firsts[number]))

    def _date(self, ts: int) -> date:
        return datetime.fromtimestamp(ts / 1e9, ZoneInfo(self.zone)).date()


def calendar_of(config: RunConfig, market: MarketData) -> Calendar:
    """The session days that a run of `config` would trade on (`run.max_bars` cuts them)."""
    updates = market.updates()[: config.run.max_bars]
    ts = np.array([stamp for stamp, _ in groupby(row.ts_init for row in updates)], dtype=np.int64)
    ends = day_ends(ts, config.data.zone)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
    return Calendar(ts[starts], ts[ends], config.data.zone)


def market_over(market: MarketData, leg: Leg) -> LegMarket:
    """The data of a leg."""
    own = {each.name: getattr(market, each.name) for each in fields(HeldMarket)}
    window = {"start_ns": leg.start_ns, "end_ns": leg.end_ns, "history_ns": leg.history_ns}
    return LegMarket(**{**own, **window})


def config_over(config: RunConfig, legs: Sequence[Leg]) -> RunConfig:
    """The same config with the dates of its legs, as the ledger is to know it."""
    dates = {"start": legs[0].start, "end": legs[-1].end, "max_bars": None}
    return config.model_copy(update={"run": config.run.model_copy(update=dates)})
