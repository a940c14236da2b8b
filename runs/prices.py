"""What did each instrument close at, bar by bar, in the part of the market that a run saw?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from market.catalog import MarketData
    from market.source import Instrument

type IntArray = npt.NDArray[np.int64]
type FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Bar closes of one instrument, oldest first, and what turns a price into money.

    ts: shape (n,), UTC ns, the end of each bar; ticks: shape (n,), close * 10**precision, exact.
    """

    instrument: str
    currency: str
    multiplier: Decimal
    precision: int
    inverse: bool
    ts: IntArray
    ticks: IntArray

    @property
    def close(self) -> FloatArray:
        """The closes as floats, shape (n,), for statistics and plots."""
        closes: FloatArray = self.ticks / 10.0**self.precision
        return closes

    @property
    def last(self) -> Decimal | None:
        """The last close, exact; None without a bar."""
        return Decimal(int(self.ticks[-1])).scaleb(-self.precision) if len(self.ticks) else None


def read_prices(market: MarketData, until_ns: int | None = None) -> dict[str, Prices]:
    """Read the closes of every instrument of a run, by instrument id.

    until_ns: the last market time the run saw (UTC ns), for a run that ended before its data; None: all of it.
    """
    return {str(instrument.id): _prices(market, instrument, until_ns) for instrument in market.instruments}


def stamps(prices: dict[str, Prices]) -> IntArray:
    """Return the distinct bar stamps of all instruments, oldest first: shape (n,), UTC ns."""
    return np.unique(np.concatenate([np.empty(0, np.int64), *(each.ts for each in prices.values())]))


def _prices(market: MarketData, instrument: Instrument, until_ns: int | None) -> Prices:
    frame = market.frame(str(instrument.id.symbol))
    ts = frame["ts"].to_numpy(np.int64)
    close = frame["close"].to_numpy(np.float64)
    if until_ns is not None:
        seen = ts <= until_ns
        ts, close = ts[seen], close[seen]
    return Prices(
        instrument=str(instrument.id),
        currency=instrument.quote_currency.code,
        multiplier=instrument.multiplier.as_decimal(),
        precision=instrument.price_precision,
        inverse=instrument.is_inverse,
        ts=ts,
        ticks=np.rint(close * 10.0**instrument.price_precision).astype(np.int64),
    )
