"""What would the market of a run be with other rows: cut short, changed, delayed, dealt anew?"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from nautilus_trader.model import Bar, Price, Quantity, QuoteTick

from market.held import HeldMarket
from market.market_data import MarketData

if TYPE_CHECKING:
    from collections.abc import Callable

    from runs.prices import FloatArray, IntArray

PRICES = {"bars": ("open", "high", "low", "close"), "quotes": ("bid", "ask")}
"""Kind of data -> the columns that are prices."""
SIZES = {"bars": ("volume",), "quotes": ("bid_size", "ask_size")}
"""Kind of data -> the columns that are sizes."""
_ALWAYS = 2**63 - 1


@dataclass(frozen=True)
class World(HeldMarket):
    """Market data whose rows are held here: `tables` run in parallel with `symbols`.

    Of a table: `ts` (UTC ns, ascending), prices and sizes as floats. Rows before `start_ns` are history, those after
    `end_ns` are not there. Rule: nobody changes a table or a list it answers.
    """

    tables: tuple[pd.DataFrame, ...] = field(default=(), repr=False, compare=False)

    def frame(self, symbol: str) -> pd.DataFrame:
        """As MarketData.frame."""
        return _between(self.tables[self.symbols.index(symbol)], self.start_ns, self.end_ns)

    @cached_property
    def _updates(self) -> list[Bar] | list[QuoteTick]:
        return self._rows(self.start_ns, self.end_ns)

    @cached_property
    def _history(self) -> list[Bar] | list[QuoteTick]:
        return self._rows(0, self.start_ns - 1)

    def _rows(self, start_ns: int, end_ns: int) -> list[Any]:
        found = [
            row
            for number, table in enumerate(self.tables)
            for row in self._made(number, _between(table, start_ns, end_ns))
        ]
        return sorted(found, key=attrgetter("ts_init")) if len(self.tables) > 1 else found

    def _made(self, number: int, table: pd.DataFrame) -> list[Any]:
        one = self.instruments[number]
        stamps = table["ts"].tolist()
        prices = [
            [Price(value, one.price_precision) for value in table[name].tolist()]
            for name in PRICES[self.kind]
        ]
        sizes = [
            [Quantity(value, one.size_precision) for value in table[name].tolist()]
            for name in SIZES[self.kind]
        ]
        kind: Any = Bar if self.kind == "bars" else QuoteTick
        what: Any = self.bar_types[number] if self.kind == "bars" else one.id
        return [kind(what, *row, stamp, stamp) for *row, stamp in zip(*prices, *sizes, stamps, strict=True)]

    @cached_property
    def stamps(self) -> IntArray:
        """The distinct stamps of the window, of whichever instrument: shape (n,), UTC ns, ascending."""
        inside = [
            _between(table, self.start_ns, self.end_ns)["ts"].to_numpy(np.int64) for table in self.tables
        ]
        return np.unique(np.concatenate(inside))

    def with_tables(self, change: Callable[[int, pd.DataFrame], pd.DataFrame]) -> World:
        """The same market with each table changed; `change` is told its number. The window stays."""
        tables = tuple(change(number, table) for number, table in enumerate(self.tables))
        return _copied(self, tables=tuple(_sane(self, number, table) for number, table in enumerate(tables)))

    def within(self, start_ns: int | None = None, end_ns: int | None = None) -> World:
        """The same rows with another window; what lies before its start is history."""
        return _copied(
            self,
            start_ns=self.start_ns if start_ns is None else start_ns,
            end_ns=self.end_ns if end_ns is None else end_ns,
        )


def world_of(market: MarketData, max_updates: int | None = None) -> World:
    """All rows of a run's market, held in memory; `max_updates` is the run's `run.max_bars`."""
    own = {each.name: getattr(market, each.name) for each in fields(MarketData)}
    whole = {**own, "start_ns": 0}
    reader = type(market)(**whole) if not isinstance(market, World) else market
    tables = tuple(reader.frame(symbol).reset_index(drop=True) for symbol in market.symbols)
    world = World(**own, tables=tables)
    if max_updates is not None and max_updates < len(world.updates()):
        world = world.within(end_ns=world.updates()[max_updates - 1].ts_init)
    return world


def middle(world: World, table: pd.DataFrame) -> FloatArray:
    """The price that stands for a row: the close of a bar, the middle of a quote. Shape (n,)."""
    columns = ("close",) if world.kind == "bars" else PRICES["quotes"]
    return np.asarray(table[list(columns)].to_numpy(np.float64).mean(axis=1))


def scaled(world: World, table: pd.DataFrame, factors: FloatArray) -> pd.DataFrame:
    """The table with all prices of each row times one factor, so that a bar keeps its shape. factors: shape (n,)."""
    names = list(PRICES[world.kind])
    changed = table.copy()
    changed[names] = table[names].to_numpy(np.float64) * factors[:, None]
    return changed


def _sane(world: World, number: int, table: pd.DataFrame) -> pd.DataFrame:
    """Prices on the instrument's grid, at least one tick, a bar's high and low around its open and close."""
    precision = world.instruments[number].price_precision
    names = list(PRICES[world.kind])
    prices = np.maximum(np.round(table[names].to_numpy(np.float64), precision), 10.0**-precision)
    if world.kind == "bars":
        prices[:, 1], prices[:, 2] = prices.max(axis=1), prices.min(axis=1)
    else:
        prices[:, 1] = prices.max(axis=1)
    changed = table.copy()
    changed[names] = prices
    return changed.reset_index(drop=True)


def _between(table: pd.DataFrame, start_ns: int, end_ns: int) -> pd.DataFrame:
    ts = table["ts"].to_numpy(np.int64)
    low, high = np.searchsorted(ts, start_ns), np.searchsorted(ts, min(end_ns, _ALWAYS), side="right")
    return table.iloc[int(low) : int(high)]


def _copied(world: World, **changes: Any) -> World:
    return replace(world, **changes)
