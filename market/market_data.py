"""What market data does a run work with?"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nautilus_trader.model import NautilusDataType
from nautilus_trader.persistence import ParquetDataCatalog

from market import _parquet
from market._spans import spans
from market.errors import SourceError, did_you_mean
from market.rates import NO_RATES, Rates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from nautilus_trader.model import Bar, BarType, QuoteTick

    from market.source import Instrument, Kind


@dataclass(frozen=True)
class MarketData:
    """Checked data of some instruments within a window; rule: same version and window, same rows.

    `instruments`, `symbols`, `bar_types` and `files` run in parallel (quotes have no bar types).
    Stamps are UTC nanoseconds; of a bar, its end.
    """

    at_hand: ClassVar[bool] = True
    """Whether the rows are here, also those from before the run; else the venue has them."""

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

    def chunks(self, rows: int) -> Iterator[list[Bar] | list[QuoteTick]]:
        """The same updates in the same order, about `rows` of them at a time: what was handed out is kept by nobody.

        Updates of one stamp are never parted. What fits into one chunk is one.
        """
        for start_ns, end_ns in spans(self.files, self.start_ns, self.end_ns, rows):
            read = self._bars if self.kind == "bars" else self._quotes
            yield read(start_ns, end_ns)

    def history(self) -> list[Bar] | list[QuoteTick]:
        """Everything before the window, for warming up; ordered alike."""
        return self._bars(0, self.start_ns - 1) if self.kind == "bars" else self._quotes(0, self.start_ns - 1)

    def past(self, bar_type: BarType) -> list[Bar]:
        """The bars of one type in `history`; of all of them only these are read."""
        if self.kind != "bars" or bar_type not in self.bar_types:
            return []
        return self._read_bars([bar_type], 0, self.start_ns - 1)

    def frame(self, symbol: str) -> pd.DataFrame:
        """Rows of one symbol in the window: `ts` and floats. Raises SourceError for another symbol."""
        if symbol not in self.symbols:
            raise SourceError(f"this run has no symbol {symbol!r}: {did_you_mean(symbol, self.symbols)}")
        return _parquet.read_frame(self.files[self.symbols.index(symbol)], self.start_ns, self.end_ns)

    def _bars(self, start_ns: int, end_ns: int) -> list[Bar]:
        if self.kind != "bars":
            raise SourceError("this data holds quotes, not bars: call quotes()")
        return self._read_bars(self.bar_types, start_ns, end_ns)

    def _read_bars(self, bar_types: Sequence[BarType], start_ns: int, end_ns: int) -> list[Bar]:
        files = [self.files[self.bar_types.index(bar_type)] for bar_type in bar_types]
        return self._found(NautilusDataType.Bar, list(map(str, bar_types)), files, start_ns, end_ns)

    def _quotes(self, start_ns: int, end_ns: int) -> list[QuoteTick]:
        if self.kind != "quotes":
            raise SourceError("this data holds bars, not quotes: call bars()")
        names = [str(one.id) for one in self.instruments]
        return self._found(NautilusDataType.QuoteTick, names, self.files, start_ns, end_ns)

    def _found(
        self, kind: Any, names: Sequence[str], files: Sequence[Path], start_ns: int, end_ns: int
    ) -> list[Any]:
        """Each name is asked for by its file: without it the engine looks through all folders every time."""
        catalog = ParquetDataCatalog(str(self.catalog_path))
        found = [
            row
            for name, file in zip(names, files, strict=True)
            for row in catalog.query(kind, [name], start_ns, end_ns, files=[str(file)])
        ]
        return sorted(found, key=attrgetter("ts_init")) if len(names) > 1 else found
