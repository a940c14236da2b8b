"""How do files of the user's own, whatever their format, become market data?"""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from market import _paths
from market._columns import PRICES, SIZES, Columns
from market._s3 import is_remote
from market.bar_length import BarLength
from market.errors import FileError, SourceError
from market.instruments import FX_JUMP, equity, instrument_id, is_currency, pair, split_pair
from market.sessions import Nanos, exchange_sessions
from market.source import Amount, DataSource, Instrument, Zone

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_MOST_DECIMALS = 9

type Floats = NDArray[np.float64]
Precision = Annotated[int, Field(strict=True, ge=0, le=_MOST_DECIMALS)]

# What a null in the config means, by class of instrument.
_BY_CLASS: dict[str, dict[str, Any]] = {
    "equity": {"zone": "America/New_York", "calendar": "XNYS", "days_per_year": 252},
    "fx": {"zone": "UTC", "calendar": "weekdays", "days_per_year": 260},
    "crypto": {"zone": "UTC", "calendar": "24/7", "days_per_year": 365},
}


class Files(DataSource):
    """A file, a folder or a pattern of files; rule: what a file does not say about itself the config must."""

    path: Annotated[str, Field(min_length=1)]
    label: Literal["START", "END"]
    columns: Columns = Columns()
    stamp_zone: Zone | None = None
    time_unit: Literal["s", "ms", "us", "ns"] | None = None
    time_format: str | None = None
    newest_first: Annotated[bool, Field(strict=True)] = False
    instrument_class: Literal["equity", "fx", "crypto"] = "equity"
    venue: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")] = "SIM"
    currency: str | dict[str, str] = "USD"
    price_precision: Precision | None = None
    size_precision: Precision | None = None
    multiplier: Amount = Decimal(1)
    fill_size: Amount | None = None

    recipe: ClassVar[tuple[str, ...]] = (
        "market._stamps",
        "market._tables",
        "market.instruments",
        "market.sessions",
    )
    unversioned: ClassVar[frozenset[str]] = DataSource.unversioned | {"path"}
    suffixes: ClassVar[tuple[str, ...]] = ()
    header_rows: ClassVar[int] = 0

    @model_validator(mode="before")
    @classmethod
    def _by_class(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        defaults = _BY_CLASS.get(values.get("instrument_class", "equity"), {})
        return values | {key: value for key, value in defaults.items() if values.get(key) is None}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for code in self.currency.values() if isinstance(self.currency, dict) else [self.currency]:
            if not is_currency(code):
                raise ValueError(f"currency {code!r} is not known: use its code, as in USD, EUR or USDT")
        if self.instrument_class == "equity" and (self.size_precision or self.multiplier != 1):
            raise ValueError(
                "a share trades whole: leave size_precision and multiplier, or set instrument_class"
            )
        without = [name for name in SIZES[self.kind] if getattr(self.columns, name) is None]
        if without and self.fill_size is None:
            raise ValueError(
                f"columns.{without[0]} is null: set fill_size, because nothing fills against a size of 0"
            )
        return self

    @property
    def jump(self) -> float:
        """As in the shipped data; coins move more than shares."""
        return {"equity": 0.25, "fx": FX_JUMP, "crypto": 0.35}[self.instrument_class]

    @abstractmethod
    def read(self, file: Path, columns: dict[str, str]) -> pa.Table:
        """Rows of one file; `columns`: our name -> the file's."""

    def available(self) -> tuple[str, ...]:
        """Symbols of the files found, or of the symbol column."""
        found = self._found()
        if self.columns.symbol is None:
            return tuple(found)
        values = self.read(self._only(found), {"symbol": self.columns.symbol})["symbol"]
        return tuple(sorted({str(value) for value in values.unique().to_pylist() if value is not None}))

    def require(self, symbols: tuple[str, ...]) -> None:
        """As for every source; a single file can also be given the name that was asked for."""
        known = self.available()
        if len(known) == len(symbols) == 1 and known != symbols and self.columns.symbol is None:
            raise SourceError(
                f"data={self.name} reads {self.origin(known[0])} as {known[0]!r}, not {symbols[0]!r}: "
                f"set data.symbols=[{symbols[0]}] if that is what it holds"
            )
        super().require(symbols)

    def raw_version(self) -> str:
        """Digest of all files found; about a second for each gigabyte."""
        return _paths.digest(self._found())

    def instrument(self, symbol: str) -> Instrument:
        """Share or currency pair; decimals that the config leaves open are counted in the file."""
        price_decimals, size_decimals = self._decimals(symbol)
        currency = self._currency_of(symbol)
        self._check_name(symbol)
        if self.instrument_class == "equity":
            return equity(symbol, self.venue, currency, price_decimals)
        currencies = split_pair(symbol, currency)
        return pair(symbol, self.venue, currencies, price_decimals, size_decimals, self.multiplier)

    def frame(self, symbol: str, bar: str) -> pd.DataFrame:
        """All rows of the symbol; a bar labelled by its start is stamped with its end."""
        import pandas as pd  # noqa: PLC0415 - slow to import; a ready catalog never comes here

        table, rows = self._rows(symbol, ("time", *PRICES[self.kind], *SIZES[self.kind]))
        names = (*PRICES[self.kind], *SIZES[self.kind])
        columns = {name: self._column(table, name) for name in names}
        return pd.DataFrame({"ts": self._stamps(symbol, bar, table, rows), **columns}, index=rows)

    def origin(self, symbol: str) -> str:
        """Path of the file."""
        found = self._found()
        return str(found[symbol] if symbol in found else self._only(found))

    def _check_name(self, symbol: str) -> None:
        """Raise SourceError where a file's name, which nobody gave as a symbol, cannot be one."""
        if self.columns.symbol is not None or symbol in self.symbols:
            return
        try:
            instrument_id(symbol, self.venue)
        except SourceError as error:
            raise SourceError(
                f"{self.origin(symbol)}: its name {error}; say what a single file holds with data.symbols=[AAPL], "
                "or rename the file"
            ) from None

    def _currency_of(self, symbol: str) -> str:
        if isinstance(self.currency, str):
            return self.currency
        found = self.currency.get(symbol)
        if found is None:
            raise SourceError(
                f"data.currency says nothing about {symbol!r}, only about {', '.join(self.currency)}: "
                f"add {symbol}: its currency"
            )
        return found

    def _stamps(self, symbol: str, bar: str, table: pa.Table, rows: Nanos) -> Nanos:
        from market import _stamps  # noqa: PLC0415 - needs pandas, see frame

        zone = self.stamp_zone or self.zone
        rule = _stamps.StampRule(self.origin(symbol), rows, zone, self.time_unit, self.time_format)
        ts = _stamps.utc_nanos(table["time"], rule)
        if self.kind == "quotes" or self.label == "END" or not len(ts):
            return ts
        sessions = exchange_sessions(self.calendar, int(ts.min()), int(ts.max()))
        return _stamps.ends(ts, BarLength.parse(bar), self.zone, sessions)

    def _rows(self, symbol: str, names: tuple[str, ...]) -> tuple[pa.Table, Nanos]:
        """Table of these columns, oldest first, and the number of each row in the file."""
        wanted = {name: column for name in names if (column := getattr(self.columns, name)) is not None}
        found = self._found()
        if self.columns.symbol is not None:
            table = self.read(self._only(found), wanted | {"symbol": self.columns.symbol})
            mine = np.asarray(table["symbol"].to_pylist(), dtype=object) == symbol
        else:
            self.require((symbol,))
            table = self.read(found[symbol], wanted)
            mine = np.ones(len(table), dtype=bool)
        at = np.flatnonzero(mine)[:: -1 if self.newest_first else 1]
        if not len(at):
            raise FileError(f"{self.origin(symbol)}: holds no rows of {symbol}; check the file or data.path")
        return table.take(at), at + 1 + self.header_rows

    def _decimals(self, symbol: str) -> tuple[int, int]:
        """Decimals of prices and sizes: configured, or the most the file shows (at least 2 for prices)."""
        price, size = self.price_precision, 0 if self.instrument_class == "equity" else self.size_precision
        if price is None:
            table, _ = self._rows(symbol, PRICES[self.kind])
            price = max(2, *(_decimals(self._column(table, name)) for name in PRICES[self.kind]))
        if size is None:
            table, _ = self._rows(symbol, (*PRICES[self.kind][:1], *SIZES[self.kind]))
            size = max(_decimals(self._column(table, name)) for name in SIZES[self.kind])
        return price, size

    def _column(self, table: pa.Table, name: str) -> Floats:
        """A column as floats; what the file has not is filled with the configured size."""
        if name in table.column_names:
            return np.asarray(table[name].to_numpy(), dtype=np.float64)
        return np.full(len(table), float(self.fill_size or 0))

    def _found(self) -> dict[str, Path]:
        only = self.symbols[0] if len(self.symbols) == 1 and self.columns.symbol is None else None
        return _paths.find_files(self._here, self.suffixes, only)

    @cached_property
    def _here(self) -> str:
        """The path here; of one on S3 that of its copy, looked after once an object."""
        if not is_remote(self.path):
            return self.path
        from market._mirror import mirrored  # noqa: PLC0415 - only where a store is named

        return mirrored(self.path, self.suffixes)

    def _only(self, found: dict[str, Path]) -> Path:
        if len(found) != 1:
            raise FileError(
                f"path {self.path}: columns.symbol divides one file, here are {len(found)}; name one"
            )
        return next(iter(found.values()))


def _decimals(values: Floats) -> int:
    """Fewest decimals that lose nothing; at most 9, and no more than such large floats can hold."""
    known = values[np.isfinite(values)]
    most = int(np.clip(np.log10(2.0**50 / max(1.0, known.max(initial=1.0))), 0, _MOST_DECIMALS))
    return next((n for n in range(most) if (np.round(known, n) == known).all()), most)
