"""What did each instrument cost, bar by bar or quote by quote, in the part of the market that a run saw?"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from market.rates import NO_RATES, Rates, settlement_currency
from runs.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from market.catalog import MarketData
    from market.source import Instrument

type IntArray = npt.NDArray[np.int64]
type FloatArray = npt.NDArray[np.float64]
type PriceColumns = tuple[IntArray, IntArray, IntArray]
"""ts, bid and ask of `Prices`."""

INVERSE_DECIMALS = 18
"""Digits after the point to which the value of one inverse contract is rounded, ten more than a coin has."""
KEPT_BYTES = 256 * 1024 * 1024
"""How much of the prices of a run with many instruments is held in memory at a time."""
_EXACT = 16  # digits after the point of the engine's finest price and multiplier


@dataclass(frozen=True)
class Prices:
    """What one instrument could be sold and bought at, oldest first, and what turns a price into money.

    columns answers ts, bid and ask. ts: shape (n,), UTC ns, the end of each bar (or the time of each quote); bid, ask:
    shape (n,), in ticks of 10**-precision, exact. Of a bar both are its close. currency: the one it settles in; rates:
    what the currencies of the run were worth in the account's.
    """

    instrument: str
    currency: str
    multiplier: Decimal
    precision: int
    inverse: bool
    columns: Callable[[], PriceColumns]
    rates: Rates = NO_RATES

    @property
    def ts(self) -> IntArray:
        """Stamps, shape (n,), UTC ns."""
        return self.columns()[0]

    @property
    def bid(self) -> IntArray:
        """What it could be sold at, shape (n,), in ticks."""
        return self.columns()[1]

    @property
    def ask(self) -> IntArray:
        """What it could be bought at, shape (n,), in ticks."""
        return self.columns()[2]

    @property
    def close(self) -> FloatArray:
        """Closes (of quotes the middle) as floats, shape (n,), for statistics and plots."""
        _, bid, ask = self.columns()
        closes: FloatArray = (bid + ask) / 2.0 / 10.0**self.precision
        return closes

    @property
    def close_in_base(self) -> FloatArray:
        """Closes in the account's currency; before the first rate that one is taken."""
        series = self.rates.series.get(self.currency)
        if series is None:
            return self.close
        known = np.array([float(rate) for rate in series.rates])
        index = np.searchsorted(series.ts, self.ts, side="right") - 1
        closes: FloatArray = self.close * known[np.maximum(index, 0)]
        return closes

    def in_base(self, amount: Decimal, ts: int, currency: str | None = None) -> Decimal:
        """An amount (None: in the settlement currency) in the account's, at the rate in force at a stamp (UTC ns).

        Raises RunError before the first rate.
        """
        rate = self.rates.at(currency or self.currency, ts)
        if rate is None:
            raise RunError(
                f"{self.instrument} was traded before the first rate of {currency or self.currency} was known"
            )
        return amount * rate

    def value(self, price: Decimal) -> Decimal:
        """What one unit held is worth at a price, in the settlement currency; below zero for an inverse contract."""
        if not self.inverse:
            return self.multiplier * price
        ticks = np.array([int(price.scaleb(_EXACT))], dtype=object)
        return Decimal(int(inverse_values(self.multiplier, ticks, _EXACT)[0])).scaleb(-INVERSE_DECIMALS)

    def last(self, side: str) -> Decimal | None:
        """What a LONG or SHORT position could be closed at in the end, exact; None without a price."""
        ticks = self.bid if side == "LONG" else self.ask
        return Decimal(int(ticks[-1])).scaleb(-self.precision) if len(ticks) else None


def read_prices(market: MarketData, until_ns: int | None = None) -> dict[str, Prices]:
    """Return the prices of every instrument of a run, by instrument id, each read when it is first asked for.

    Of many instruments only those asked for last are kept (`KEPT_BYTES`); the others are read again.
    until_ns: the last market time the run saw (UTC ns), where it ended before its data; None: all of it.
    """
    pairs, shelf = zip(market.symbols, market.instruments, strict=True), _Shelf()
    return {
        str(instrument.id): _prices(market, symbol, instrument, until_ns, shelf)
        for symbol, instrument in pairs
    }


def inverse_values(multiplier: Decimal, ticks: npt.NDArray[Any], precision: int) -> npt.NDArray[Any]:
    """Value of one inverse contract at each price, -multiplier / price, so that a long gains when the price rises.

    In units of 10**-INVERSE_DECIMALS of the settlement currency, rounded once, half away from zero; 0 without a price.
    """
    paid = int(multiplier.scaleb(_EXACT)) * 10 ** (INVERSE_DECIMALS + precision)
    prices = ticks.astype(object) * 10**_EXACT
    asked = np.where(prices == 0, 1, prices)
    return np.where(prices == 0, 0, -((2 * paid + asked) // (2 * asked)))


def stamps(prices: dict[str, Prices]) -> IntArray:
    """Return the distinct stamps of all instruments, oldest first: shape (n,), UTC ns."""
    merged = np.empty(0, np.int64)
    for each in prices.values():
        ts = each.ts
        if not np.array_equal(ts, merged):
            merged = _distinct(np.concatenate([merged, ts]))
    return merged


def _distinct(merged: IntArray) -> IntArray:
    merged.sort(kind="stable")  # runs already in order; ten times as fast as numpy.unique, which hashes
    first = np.ones(len(merged), np.bool_)
    first[1:] = merged[1:] != merged[:-1]
    return merged[first]


class _Shelf:
    """The columns of the instruments asked for last; stamps that several instruments share are kept once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, PriceColumns] = OrderedDict()
        self._bytes = 0

    def columns(self, name: str, read: Callable[[], PriceColumns]) -> PriceColumns:
        """Those of an instrument: kept, or read."""
        found = self._kept.get(name)
        if found is None:
            ts, bid, ask = read()
            newest = next(reversed(self._kept.values()), None)
            if newest is not None and np.array_equal(newest[0], ts):
                ts = newest[0]
            found = self._kept[name] = (ts, bid, ask)
            self._bytes += _size(found)
            while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= _size(dropped)
        else:
            self._kept.move_to_end(name)
        return found


def _size(columns: PriceColumns) -> int:
    return sum(each.nbytes for each in columns)


def _prices(
    market: MarketData, symbol: str, instrument: Instrument, until_ns: int | None, shelf: _Shelf
) -> Prices:
    name = str(instrument.id)
    return Prices(
        instrument=name,
        currency=settlement_currency(instrument),
        multiplier=instrument.multiplier.as_decimal(),
        precision=instrument.price_precision,
        inverse=instrument.is_inverse,
        columns=lambda: shelf.columns(name, lambda: _read(market, symbol, instrument, until_ns)),
        rates=market.rates,
    )


def _read(market: MarketData, symbol: str, instrument: Instrument, until_ns: int | None) -> PriceColumns:
    frame = market.frame(symbol)
    ts = frame["ts"].to_numpy(np.int64)
    seen = len(ts) if until_ns is None else int(np.searchsorted(ts, until_ns, side="right"))
    per_price = 10.0**instrument.price_precision
    ticks = {
        column: np.rint(frame[column].to_numpy(np.float64)[:seen] * per_price).astype(np.int64)
        for column in (("close",) if market.kind == "bars" else ("bid", "ask"))
    }
    first, *_, last = (*ticks.values(), *ticks.values())
    return np.array(ts[:seen]), first, last
