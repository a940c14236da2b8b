"""What did four American shares cost on every day from 2000 to 2013?

Quandl's WIKI prices (public domain) as bokeh-sampledata ships them. The raw prices jump at every split
and dividend; here each day's open, high, low and close are multiplied by adj_close / close of that day,
in decimal arithmetic, and rounded once. Four decimals by default: adjusted AAPL trades below one dollar
in 2003, where a cent is more than 1% (rounding to cents would turn the real -51.9% of 2000-09-29 into
-52.0% and leave 174 days without any move). Volume is left as traded, in the shares of its day.
"""

from __future__ import annotations

import hashlib
from decimal import ROUND_HALF_EVEN, Decimal
from importlib.metadata import version as release_of
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from market.errors import SourceError
from market.instruments import equity
from market.sessions import DAY_NANOS, exchange_sessions
from market.source import DataSource, Instrument, Symbols

if TYPE_CHECKING:
    import pandas as pd

VENUE = "XNAS"
_TICKERS = ("AAPL", "IBM", "MSFT", "GOOG")
_PRICES = ("open", "high", "low", "close")
_JUMPS = {"AAPL": ("2000-09-29",)}  # profit warning of the evening before


class UsEquities(DataSource):
    """Adjusted daily bars of AAPL, IBM, MSFT and GOOG, each stamped at the close of its session."""

    source: str = "market.us_equities:UsEquities"
    symbols: Symbols = ("AAPL",)
    kind: Literal["bars"] = "bars"
    zone: Literal["America/New_York"] = "America/New_York"
    calendar: Literal["XNYS"] = "XNYS"
    price_precision: Annotated[int, Field(strict=True, ge=2, le=6)] = 4

    lengths: ClassVar[tuple[str, ...]] = ("1d",)
    recipe: ClassVar[tuple[str, ...]] = ("market.instruments", "market.sessions")

    def available(self) -> tuple[str, ...]:
        """Four tickers; the package's FB has only its first ten months and is left out."""
        return _TICKERS

    def raw_version(self) -> str:
        """Digest of the package's price file, and the release of the calendar that sets the stamps."""
        raw = hashlib.sha256(_price_file().read_bytes()).hexdigest()
        return f"{raw} exchange_calendars {release_of('exchange_calendars')}"

    def instrument(self, symbol: str) -> Instrument:
        """`AAPL.XNAS`: all four on one simulated venue, IBM (of New York) included."""
        return equity(symbol, VENUE, "USD", self.price_precision)

    def frame(self, symbol: str, bar: str) -> pd.DataFrame:
        """Adjusted daily bars of the whole file; `bar` is always `1d`."""
        import pandas as pd  # noqa: PLC0415 - slow to import; a ready catalog never comes here

        del bar
        raw = _read(symbol)
        rows = [
            _adjust(day, Decimal(1).scaleb(-self.price_precision)) for day in zip(*raw.values(), strict=True)
        ]
        frame = pd.DataFrame(rows, columns=list(_PRICES), dtype="float64")
        frame.insert(0, "ts", _closes(raw["date"]))
        frame["volume"] = pd.Series(raw["volume"], dtype="float64")
        frame.index += 1
        return frame

    def origin(self, symbol: str) -> str:
        """The package the rows come from."""
        return f"bokeh-sampledata {symbol}"

    def known_jumps(self, symbol: str) -> tuple[str, ...]:
        """Apple lost half its value on 2000-09-29."""
        return _JUMPS.get(symbol, ())


def _price_file() -> Path:
    try:
        from bokeh_sampledata import package_path  # noqa: PLC0415 - an error only where this data is asked for

        path = Path(package_path("stocks.csv.gz"))
    except ImportError:
        path = Path()
    if not path.is_file():
        raise SourceError(
            "data=us_equities needs the package bokeh-sampledata, 2026.1 or newer: run make setup"
        )
    return path


def _read(symbol: str) -> dict[str, list[Any]]:
    """Column -> values of one ticker: date, open, high, low, close, volume, adj_close."""
    _price_file()
    from bokeh_sampledata import stocks  # noqa: PLC0415 - parses its whole file when imported

    columns: dict[str, list[Any]] = getattr(stocks, symbol)
    return {name: columns[name] for name in ("date", *_PRICES, "volume", "adj_close")}


def _adjust(day: tuple[Any, ...], tick: Decimal) -> tuple[float, ...]:
    """(date, open, high, low, close, volume, adj_close) -> adjusted open, high, low, close."""
    _, *raw, _, adjusted = day
    prices = [Decimal(str(price)) for price in raw]
    factor = Decimal(str(adjusted)) / prices[3]
    opened, high, low, close = ((price * factor).quantize(tick, ROUND_HALF_EVEN) for price in prices)
    return float(opened), float(max(opened, high, close)), float(min(opened, low, close)), float(close)


def _closes(dates: list[str]) -> list[int]:
    """Real close of each session in UTC nanoseconds: 16:00 New York, 13:00 on half days."""
    import numpy as np  # noqa: PLC0415 - as pandas above

    days = np.array(dates, dtype="datetime64[D]").astype(np.int64)
    sessions = exchange_sessions("XNYS", int(days[0]) * DAY_NANOS, int(days[-1]) * DAY_NANOS)
    if sessions is None:
        raise SourceError("XNYS has no sessions in exchange_calendars: run make setup")
    closes = sessions.close_of(days)
    if (closes < 0).any():
        raise SourceError(
            f"{dates[int(closes.argmin())]} is not a session of XNYS: run make setup to renew the data"
        )
    return [int(close) for close in closes]
