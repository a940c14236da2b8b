"""Where does past market data come from, and when does it count as changed?"""

from __future__ import annotations

import hashlib
import json
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from market.errors import SourceError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    from nautilus_trader.model import CurrencyPair, Equity

type Instrument = Equity | CurrencyPair
type Kind = Literal["bars", "quotes"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name!r}: {did_you_mean(name, available_timezones())}") from None
    return name


def _address(text: str) -> str:
    if not text.startswith("s3://") or not text.removeprefix("s3://").strip("/") or "@" in text:
        raise ValueError("must be an address such as s3://bucket/folder; keys belong into the environment")
    return text


def _names(value: object) -> object:
    return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value


def _exact(value: object) -> Decimal:
    number = None
    if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
        with suppress(InvalidOperation):
            number = Decimal(str(value))
    if number is None or not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return number


Zone = Annotated[str, AfterValidator(_known_zone)]
"""Name of an IANA time zone, checked."""

Symbols = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""Names of instruments; `AAPL,MSFT` is accepted as well as a list."""

Amount = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0)]
"""Exact number above zero out of a config: int, text, or a float as written; never a bool or NaN."""

FIXINGS = "fx_daily"


def _rate_choices(value: object) -> object:
    choices = value.values() if isinstance(value, dict) else [value]
    for choice in choices:
        if choice == FIXINGS or (choice is None and value is None):
            continue
        try:
            rate = _exact(choice) if isinstance(value, dict) else Decimal(0)
        except ValueError:
            rate = Decimal(0)
        if rate <= 0:
            raise ValueError(
                f"must be {FIXINGS}, or for each currency {FIXINGS} or a number above 0, as in {{EUR: 1.1}}"
            )
    return value


RateChoice = Literal["fx_daily"] | Amount
"""Where a currency's rate comes from: the European Central Bank's fixings, or a number of the user's own."""

RateChoices = Annotated[Literal["fx_daily"] | dict[str, RateChoice] | None, BeforeValidator(_rate_choices)]
"""One choice for all currencies, or one a currency; None leaves it to pairs in the data."""


class DataSource(BaseModel, ABC):
    """Configuration and reader of one data set; rule: the same version always gives the same rows.

    A source of your own is a subclass anywhere, named in a YAML as `source: package.module:Class`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    symbols: Symbols = ()
    kind: Kind = "bars"
    zone: Zone = "UTC"
    calendar: str = "24/7"
    days_per_year: Annotated[int, Field(strict=True, gt=0, le=366)] = 252
    rates: RateChoices = None
    catalog_dir: Path | None = None
    catalog_s3: Annotated[str, AfterValidator(_address)] | None = None
    allow_doubts: Annotated[bool, Field(strict=True)] = True

    lengths: ClassVar[tuple[str, ...]] = ()
    """Bar lengths the data has, as in `bar=`; empty: whatever the user's files hold."""

    sure_of_length: ClassVar[bool] = False
    """Whether the bars of a length have it for sure, so that bars far apart only mean that nothing traded."""

    recipe: ClassVar[tuple[str, ...]] = ()
    """Further modules whose code decides what a bar looks like; part of the version."""

    unversioned: ClassVar[frozenset[str]] = frozenset(
        {"symbols", "rates", "catalog_dir", "catalog_s3", "allow_doubts", "days_per_year"}
    )
    """Settings that do not change a single row; every other one is part of the version."""

    @property
    def name(self) -> str:
        """Short name for folders and messages: the module's, e.g. `us_equities`."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def available(self) -> tuple[str, ...]:
        """Every symbol the source can give."""

    @abstractmethod
    def raw_version(self) -> str:
        """Hex digest of the raw data, before anything is done to it."""

    @abstractmethod
    def instrument(self, symbol: str) -> Instrument:
        """What is traded under this symbol; margins are always set (the engine checks none without)."""

    @abstractmethod
    def frame(self, symbol: str, bar: str) -> pd.DataFrame:
        """All rows, oldest first: `ts` (int64 UTC ns; of a bar its END), then floats.

        Bars: open high low close volume; quotes: bid ask bid_size ask_size. The index numbers the raw rows.
        """

    def origin(self, symbol: str) -> str:
        """Where the rows of this symbol lie, for messages."""
        return f"{self.name} {symbol}"

    @property
    def jump(self) -> float:
        """Move from one close to the next, as a fraction, that deserves a doubt."""
        return 0.25

    def known_jumps(self, symbol: str) -> tuple[str, ...]:  # noqa: ARG002 - most sources know none
        """Days (ISO) of violent moves that were looked up and are real, so that they raise no doubt."""
        return ()

    def version(self) -> str:
        """12 hex digits; they change with the raw data, the settings and the code that make the bars."""
        settings = self.model_dump(mode="json", exclude=set(self.unversioned))
        parts = [self.raw_version(), json.dumps(settings, sort_keys=True), *map(_code, self._modules())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def require(self, symbols: tuple[str, ...]) -> None:
        """Raise SourceError, with the close match, for a symbol the source does not have."""
        known = self.available()
        for symbol in symbols:
            if symbol not in known:
                raise SourceError(f"data={self.name} has no symbol {symbol!r}: {did_you_mean(symbol, known)}")

    def _modules(self) -> tuple[str, ...]:
        own = {cls.__module__ for cls in type(self).__mro__ if issubclass(cls, DataSource)} - {__name__}
        return tuple(sorted(own | set(self.recipe) | {"market._parquet"}))


def _code(module: str) -> str:
    """Digest of a module's source; of one without a file its name is all there is."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None and module not in sys.modules:
        spec = find_spec(module)
        file = spec.origin if spec is not None else None
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file and Path(file).is_file() else module
