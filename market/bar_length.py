"""What does `bar=15m` mean: how long is it, and what does the engine call it?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nautilus_trader.model import BarType, InstrumentId

from market.errors import SourceError

_NANOS = {"s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000, "d": 86_400_000_000_000}
_WORDS = {"s": "SECOND", "m": "MINUTE", "h": "HOUR", "d": "DAY"}


@dataclass(frozen=True)
class BarLength:
    """A fixed length of time in the user's spelling (`1d`, `15m`); rule: the engine knows the same length."""

    text: str
    step: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> BarLength:
        """`15m` -> 15 minutes. Raises SourceError for a length the engine does not know."""
        match = re.fullmatch(r"(\d{1,4})([smhd])", text)
        if match is None:
            raise SourceError(
                f"bar={text}: give a number and a unit (s, m, h or d), for example bar=1d or bar=15m"
            )
        length = cls(text, int(match[1]), match[2])
        try:
            length.bar_type(InstrumentId.from_str("A.A"))
        except ValueError:
            raise SourceError(
                f"bar={text}: the engine has no bar of this length: seconds and minutes must divide 60, "
                "hours 24, and 60m is written 1h, 24h 1d"
            ) from None
        return length

    @property
    def nanos(self) -> int:
        """Length in nanoseconds; a day counts 24 hours."""
        return self.step * _NANOS[self.unit]

    @property
    def is_daily(self) -> bool:
        """Whole days: their end is a matter of calendar, not of adding hours."""
        return self.unit == "d"

    def bar_type(self, instrument_id: InstrumentId) -> BarType:
        """Name of these bars in catalog and engine, e.g. `AAPL.XNAS-1-DAY-LAST-EXTERNAL`."""
        return BarType.from_str(f"{instrument_id}-{self.step}-{_WORDS[self.unit]}-LAST-EXTERNAL")
