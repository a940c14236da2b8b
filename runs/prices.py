"""What did each instrument cost, bar by bar or quote by quote, in the part of the market that a run saw?"""

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
    """What one instrument could be sold and bought at, oldest first, and what turns a price into money.

    ts: shape (n,), UTC ns, the end of each bar (or the time of each quote); bid, ask: shape (n,), in ticks of
    10**-precision, exact. Of a bar both are its close.
    """

    instrument: str
    currency: str
    multiplier: Decimal
    precision: int
    inverse: bool
    ts: IntArray
    bid: IntArray
    ask: IntArray

    @property
    def close(self) -> FloatArray:
        """Closes (of quotes the middle) as floats, shape (n,), for statistics and plots."""
        closes: FloatArray = (self.bid + self.ask) / 2.0 / 10.0**self.precision
        return closes

    def last(self, side: str) -> Decimal | None:
        """What a LONG or SHORT position could be closed at in the end, exact; None without a price."""
        ticks = self.bid if side == "LONG" else self.ask
        return Decimal(int(ticks[-1])).scaleb(-self.precision) if len(ticks) else None


def read_prices(market: MarketData, until_ns: int | None = None) -> dict[str, Prices]:
    """Read the prices of every instrument of a run, by instrument id.

    until_ns: the last market time the run saw (UTC ns), where it ended before its data; None: all of it.
    """
    pairs = zip(market.symbols, market.instruments, strict=True)
    return {str(instrument.id): _prices(market, symbol, instrument, until_ns) for symbol, instrument in pairs}


def stamps(prices: dict[str, Prices]) -> IntArray:
    """Return the distinct stamps of all instruments, oldest first: shape (n,), UTC ns."""
    merged = np.concatenate([np.empty(0, np.int64), *(each.ts for each in prices.values())])
    merged.sort(kind="stable")  # runs already in order; ten times as fast as numpy.unique, which hashes
    first = np.ones(len(merged), np.bool_)
    first[1:] = merged[1:] != merged[:-1]
    return merged[first]


def _prices(market: MarketData, symbol: str, instrument: Instrument, until_ns: int | None) -> Prices:
    frame = market.frame(symbol)
    ts = frame["ts"].to_numpy(np.int64)
    seen = len(ts) if until_ns is None else int(np.searchsorted(ts, until_ns, side="right"))
    per_price = 10.0**instrument.price_precision
    bid, ask = (
        np.rint(frame[column].to_numpy(np.float64)[:seen] * per_price).astype(np.int64)
        for column in (("close", "close") if market.kind == "bars" else ("bid", "ask"))
    )
    return Prices(
        instrument=str(instrument.id),
        currency=instrument.quote_currency.code,
        multiplier=instrument.multiplier.as_decimal(),
        precision=instrument.price_precision,
        inverse=instrument.is_inverse,
        ts=ts[:seen],
        bid=bid,
        ask=ask,
    )
