"""What market data does a run work with?"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from nautilus_trader.persistence import ParquetDataCatalog

from market import _parquet
from market.errors import SourceError, did_you_mean
from market.rates import NO_RATES, Rates

if TYPE_CHECKING:
    import pandas as pd
    from nautilus_trader.model import Bar, BarType, QuoteTick

    from market.source import Instrument, Kind


@dataclass(frozen=True)
class MarketData:
    """Checked data of some instruments within a window; rule: same version and window, same rows.

    `instruments`, `symbols`, `bar_types` and `files` run in parallel (quotes have no bar types).
    Stamps are UTC nanoseconds; of a bar, its end.
    """

    kind: Kind
    symbols: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    bar_types: tuple[BarType, ...]
    version: str
    doubts: tuple[str, ...]
    catalog_path: Path
    files: tuple[Path, ...]
    start_ns: int
    """First stamp in the window, of whichever instrument."""
    end_ns: int
    """Last stamp in the window."""
    zone: str
    days_per_year: int
    rates: Rates = NO_RATES
    """What the foreign currencies of the instruments were worth; `market.conversion.with_rates` finds them."""

    def bars(self) -> list[Bar]:
        """Bars of the window, all instruments in time order; at the same stamp in the order of `symbols`."""
        return self._bars(self.start_ns, self.end_ns)

    def quotes(self) -> list[QuoteTick]:
        """Quotes of the window, ordered like bars; quotes of one stamp keep the order of their file."""
        return self._quotes(self.start_ns, self.end_ns)

    def updates(self) -> list[Bar] | list[QuoteTick]:
        """The bars or the quotes of the window, whichever this data holds."""
        return self.bars() if self.kind == "bars" else self.quotes()

    def history(self) -> list[Bar] | list[QuoteTick]:
        """Everything before the window, for warming up; ordered alike."""
        return self._bars(0, self.start_ns - 1) if self.kind == "bars" else self._quotes(0, self.start_ns - 1)

    def frame(self, symbol: str) -> pd.DataFrame:
        """Rows of one symbol in the window: `ts` and floats. Raises SourceError for another symbol."""
        if symbol not in self.symbols:
            raise SourceError(f"this run has no symbol {symbol!r}: {did_you_mean(symbol, self.symbols)}")
        return _parquet.read_frame(self.files[self.symbols.index(symbol)], self.start_ns, self.end_ns)

    def _bars(self, start_ns: int, end_ns: int) -> list[Bar]:
        if self.kind != "bars":
            raise SourceError("this data holds quotes, not bars: call quotes()")
        catalog = ParquetDataCatalog(str(self.catalog_path))
        found = [bar for name in self.bar_types for bar in catalog.query_bars([str(name)], start_ns, end_ns)]
        return sorted(found, key=attrgetter("ts_init")) if len(self.bar_types) > 1 else found

    def _quotes(self, start_ns: int, end_ns: int) -> list[QuoteTick]:
        if self.kind != "quotes":
            raise SourceError("this data holds bars, not quotes: call bars()")
        catalog = ParquetDataCatalog(str(self.catalog_path))
        ids = [str(one.id) for one in self.instruments]
        found = [quote for name in ids for quote in catalog.query_quote_ticks([name], start_ns, end_ns)]
        return sorted(found, key=attrgetter("ts_init")) if len(ids) > 1 else found
