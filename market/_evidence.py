"""What does a quality rule look at, and how does it name the first row that breaks it?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from market._columns import PRICES, SIZES
from market.bar_length import BarLength
from market.sessions import DAY_NANOS, Nanos, Sessions, exchange_sessions

if TYPE_CHECKING:
    from market.source import Kind

type Floats = NDArray[np.float64]
type Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class QualityRules:
    """What the rows are measured against; every part left None is not checked."""

    length: BarLength | None = None
    zone: str = "UTC"
    calendar: str | None = None
    price_precision: int | None = None
    size_precision: int | None = None
    jump: float = 0.25
    """Move from close to close, as a fraction, that raises a doubt."""
    known_jumps: tuple[str, ...] = ()
    """Days (ISO, in `zone`) whose jumps are known to be real."""
    now_ns: int | None = None
    rare: bool = False
    """The length is sure, so bars far apart are no mistake: nothing traded in between."""


@dataclass(frozen=True)
class Evidence:
    """The rows of one symbol as plain arrays, with the rules they are judged by."""

    frame: pd.DataFrame
    kind: Kind
    rules: QualityRules
    now_ns: int

    @property
    def prices(self) -> tuple[str, ...]:
        """Names of the price columns."""
        return PRICES[self.kind]

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of the size columns."""
        return SIZES[self.kind]

    @property
    def names(self) -> tuple[str, ...]:
        """All columns but the stamp."""
        return (*self.prices, *self.sizes)

    @cached_property
    def ts(self) -> Nanos:
        """Stamps in UTC nanoseconds."""
        return self.frame["ts"].to_numpy(dtype=np.int64)

    @cached_property
    def local(self) -> pd.DatetimeIndex:
        """Stamps as clocks in the source's zone show them."""
        return pd.DatetimeIndex(self.ts).tz_localize("UTC").tz_convert(self.rules.zone).tz_localize(None)

    @cached_property
    def days(self) -> Nanos:
        """Local day (since 1970) of each row; what ends at midnight belongs to the day it ends."""
        moments = pd.DatetimeIndex(self.ts - 1).tz_localize("UTC").tz_convert(self.rules.zone)
        return np.asarray(moments.tz_localize(None).as_unit("ns").asi8 // DAY_NANOS, dtype=np.int64)

    @cached_property
    def sessions(self) -> Sessions | None:
        """Sessions from the first to the last row; None without an exchange."""
        if not len(self.ts) or self.rules.calendar is None:
            return None
        return exchange_sessions(self.rules.calendar, int(self.ts[0]), int(self.ts[-1]))

    @property
    def is_daily(self) -> bool:
        """Bars of whole days."""
        return self.rules.length is not None and self.rules.length.is_daily

    def digits(self, name: str) -> int | None:
        """Decimals that this column will be stored with."""
        return self.rules.price_precision if name in self.prices else self.rules.size_precision

    def stored(self, name: str) -> Floats:
        """One column rounded as it will be stored."""
        digits = self.digits(name)
        return self.column(name) if digits is None else np.round(self.column(name), digits)

    def column(self, name: str) -> Floats:
        """One column as floats."""
        return self.frame[name].to_numpy(dtype=np.float64)

    def when(self, at: int) -> str:
        """Stamp of a row as people write it: the local day of a daily bar, else UTC to the second."""
        if self.is_daily:
            return str(pd.Timestamp(int(self.days[at]) * DAY_NANOS).date())
        return f"{pd.Timestamp(self.ts[at]).isoformat(timespec='seconds')}Z"

    def first(self, broken: Mask, *columns: str) -> str:
        """`3 rows, first row 57 (2020-01-03T21:00:00Z): high 10.1, low 10.4`."""
        at = int(broken.argmax())
        count = int(broken.sum())
        values = ", ".join(f"{name} {self.column(name)[at]:.10g}" for name in columns)
        label = cast("int", self.frame.index[at])
        start = "1 row," if count == 1 else f"{count:,} rows, first"
        return f"{start} row {label} ({self.when(at)})" + (f": {values}" if values else "")
