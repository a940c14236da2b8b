"""How does what `python -m backtests data fetch` downloaded become market data of a run?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from market._store import Holding, Store
from market.bar_length import BarLength
from market.errors import SourceError
from market.instruments import equity, pair
from market.sessions import Nanos, Sessions, exchange_sessions
from market.source import DataSource, Instrument

if TYPE_CHECKING:
    import pandas as pd

HOUR_NANOS = 3_600_000_000_000
VENUE = "ALPACA"
_BY_CLASS: dict[str, dict[str, Any]] = {
    "equity": {"zone": "America/New_York", "calendar": "XNYS", "days_per_year": 252},
    "crypto": {"zone": "UTC", "calendar": "24/7", "days_per_year": 365},
}


class Downloads(DataSource):
    """Bars of Alpaca's, downloaded once; longer bars than a minute are built from minutes, as the live stream does.

    Daily bars are the broker's own and a download of their own (`timeframe=1d`).
    """

    source: str = "market.downloads:Downloads"
    kind: Literal["bars"] = "bars"
    asset_class: Literal["equity", "crypto"] = "equity"
    feed: Literal["iex", "sip", "otc"] = "iex"
    adjustment: Literal["raw", "split", "dividend", "all"] = "all"
    extended_hours: Annotated[bool, Field(strict=True)] = False
    folder: Path | None = None

    sure_of_length: ClassVar[bool] = True
    recipe: ClassVar[tuple[str, ...]] = ("market._store", "market.instruments", "market.sessions")
    unversioned: ClassVar[frozenset[str]] = DataSource.unversioned | {"folder"}

    @model_validator(mode="before")
    @classmethod
    def _by_class(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        defaults = _BY_CLASS.get(values.get("asset_class", "equity"), {})
        return values | {key: value for key, value in defaults.items() if values.get(key) is None}

    @property
    def name(self) -> str:
        """As in `data=alpaca`."""
        return "alpaca" if self.asset_class == "equity" else "alpaca_crypto"

    @property
    def store(self) -> Store:
        """Where the downloads are."""
        kind = "crypto" if self.asset_class == "crypto" else f"{self.feed}-{self.adjustment}"
        return Store(_root(self.folder) / kind)

    @property
    def jump(self) -> float:
        """As of users' own files."""
        return 0.25 if self.asset_class == "equity" else 0.35

    def available(self) -> tuple[str, ...]:
        """Every symbol that something was downloaded of. Raises SourceError when nothing was."""
        known = self.store.symbols()
        if not known:
            example = "AAPL" if self.asset_class == "equity" else "BTC/USD"
            raise SourceError(f"data={self.name}: nothing was downloaded yet; {self._how(example, '1min')}")
        return known

    def require(self, symbols: tuple[str, ...]) -> None:
        """As for every source; says how to download what is missing."""
        known = self.store.symbols()
        missing = next((symbol for symbol in symbols if symbol not in known), None)
        if missing is not None:
            have = f"there is {', '.join(known)}" if known else "nothing was downloaded yet"
            raise SourceError(f"data={self.name} has no {missing}: {have}; {self._how(missing, '1min')}")

    def raw_version(self) -> str:
        """Digest of what was downloaded."""
        return self.store.version()

    def instrument(self, symbol: str) -> Instrument:
        """A share to four decimals, or a pair with the broker's own."""
        if self.asset_class == "equity":
            return equity(symbol, VENUE, "USD", self._holding(symbol).price_precision)
        held = self._holding(symbol)
        base, _, quote = symbol.partition("/")
        decimals = held.price_precision, held.size_precision
        return pair(symbol, VENUE, (base, quote), *decimals, spelled=True)

    def frame(self, symbol: str, bar: str) -> pd.DataFrame:
        """All bars of this length. Raises SourceError when what they are made of was not downloaded."""
        length = BarLength.parse(bar)
        if length.unit == "s" or (length.is_daily and length.step != 1):
            raise SourceError(
                f"bar={bar}: data={self.name} has 1m and 1d, and what minutes make up, as 15m or 1h"
            )
        base = "1d" if length.is_daily else "1m"
        frame = self.store.frame(symbol, base)
        if frame.empty:
            how = self._how(symbol, "1day" if length.is_daily else "1min")
            raise SourceError(f"data={self.name} has no {base} bars of {symbol}; {how}")
        if base == "1m":
            frame = self._of_minutes(frame, length)
        if frame.empty:
            raise SourceError(f"data={self.name} has no bars of {symbol} inside regular hours")
        frame.index = np.arange(1, len(frame) + 1)
        return frame

    def origin(self, symbol: str) -> str:
        """The folder of the symbol."""
        return str(self.store.place(symbol))

    def _of_minutes(self, minutes: pd.DataFrame, length: BarLength) -> pd.DataFrame:
        ends = minutes["ts"].to_numpy(dtype=np.int64)
        starts = ends - 60_000_000_000
        sessions = exchange_sessions(self.calendar, int(starts[0]), int(ends[-1]))
        if sessions is not None and not self.extended_hours:
            at = sessions.session_at(starts)
            inside = (at >= 0) & (sessions.session_at(ends) == at)
            minutes, starts = minutes[inside], starts[inside]
        if length.text == "1m" or minutes.empty:
            return minutes
        groups = self._bar_starts(starts, length)
        built = minutes.groupby(groups).agg(
            open=("open", "first"), high=("high", "max"), low=("low", "min"), close=("close", "last"),
            volume=("volume", "sum"),
        )  # fmt: skip
        begins = built.index.to_numpy(dtype=np.int64)
        built.insert(0, "ts", _until_close(begins, starts, groups, length, sessions))
        return built

    def _bar_starts(self, starts: Nanos, length: BarLength) -> Nanos:
        """The start of the bar that each minute belongs to: whole multiples of its length since midnight."""
        if length.nanos <= HOUR_NANOS or self.asset_class == "crypto":
            return starts - starts % length.nanos
        import pandas as pd  # noqa: PLC0415 - see frame

        local = pd.DatetimeIndex(starts).tz_localize("UTC").tz_convert(self.zone)
        origins = local.normalize().tz_convert("UTC").tz_localize(None).as_unit("ns").asi8
        return np.asarray(origins + (starts - origins) // length.nanos * length.nanos, dtype=np.int64)

    def _holding(self, symbol: str) -> Holding:
        held = self.store.holding(symbol)
        if held is None:
            raise SourceError(f"data={self.name} has no {symbol}; {self._how(symbol, '1min')}")
        return held

    def _how(self, symbol: str, timeframe: str) -> str:
        shares = f" feed={self.feed} adjustment={self.adjustment}" if self.asset_class == "equity" else ""
        return (
            f"python -m backtests data fetch source=alpaca symbols={symbol} start=YYYY-MM-DD "
            f"timeframe={timeframe}{shares}"
        )


def _until_close(
    begins: Nanos, starts: Nanos, groups: Nanos, length: BarLength, sessions: Sessions | None
) -> Nanos:
    """Ends of bars: what is left of a session at its close ends there."""
    ends = begins + length.nanos
    if sessions is None:
        return ends
    first = starts[np.searchsorted(groups, begins)]
    at = sessions.session_at(first)
    closes = np.where(at >= 0, sessions.closes[at.clip(min=0)], ends)
    return np.asarray(np.minimum(ends, closes), dtype=np.int64)


def _root(folder: Path | None) -> Path:
    if folder is not None:
        return folder.expanduser().absolute()
    from platformdirs import user_data_path  # noqa: PLC0415 - reads the environment, so not at import

    return user_data_path("keel") / "downloads" / "alpaca"
