"""What does a run know of a market that only its venue has: which instruments, and how they are called?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from nautilus_trader.model import AssetClass

from market.bar_length import BarLength
from market.market_data import MarketData

EXCHANGE, CLOCK = ("America/New_York", 252), ("UTC", 365)
"""Zone of the session day and its days in a year: of shares, and of what trades around the clock."""


@dataclass(frozen=True)
class VenueMarket(MarketData):
    """Instruments that a venue names. Prices, past ones too, come from the venue while a node runs: no row is here."""

    at_hand: ClassVar[bool] = False

    @classmethod
    def of(cls, instruments: Sequence[Any], bar: str, version: str) -> Self:
        """Of instruments in the order of the run's symbols, with bars of one length. Raises SourceError for none."""
        length = BarLength.parse(bar)
        around = all(one.asset_class == AssetClass.CRYPTOCURRENCY for one in instruments)
        zone, days_per_year = CLOCK if around else EXCHANGE
        return cls(
            kind="bars",
            symbols=tuple(str(one.raw_symbol) for one in instruments),
            instruments=tuple(instruments),
            bar_types=tuple(length.bar_type(one.id) for one in instruments),
            version=version,
            doubts=(),
            catalog_path=Path(),
            files=(),
            start_ns=0,
            end_ns=0,
            zone=zone,
            days_per_year=days_per_year,
        )
