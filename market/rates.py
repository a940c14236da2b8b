"""What was one unit of each foreign currency of a run worth in the account's currency, and from when was that known?"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from nautilus_trader.model import Currency, CurrencyPair, InstrumentId, Price, Quantity, QuoteTick, Symbol

from market.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nautilus_trader.model import Bar
    from numpy.typing import NDArray

DECIMALS = 16
"""Every rate is rounded once, half to even, to so many digits after the point: the finest price of the engine."""

_FINEST = Decimal(1).scaleb(-DECIMALS)
_ONE = Decimal(1)


@dataclass(frozen=True, eq=False)
class RateSeries:
    """Rates of one currency, oldest first; a rate counts from its stamp until the next.

    ts: shape (n,), UTC ns; rates: n exact numbers, account units for one unit of `currency`. origin: where they come
    from, for messages.
    """

    currency: str
    ts: NDArray[np.int64]
    rates: tuple[Decimal, ...] = field(repr=False)
    origin: str

    def at(self, ts: int) -> Decimal | None:
        """The rate in force at a stamp; None before the first."""
        index = int(np.searchsorted(self.ts, ts, side="right")) - 1
        return self.rates[index] if index >= 0 else None

    def scaled_at(self, ts: NDArray[np.int64]) -> NDArray[Any]:
        """Rates in force at each stamp as Python integers, times 10**DECIMALS; 0 before the first."""
        known = np.array([0, *(int(rate.scaleb(DECIMALS)) for rate in self.rates)], dtype=object)
        return known[np.searchsorted(self.ts, ts, side="right")]


@dataclass(frozen=True, eq=False)
class Rates:
    """Rates of all foreign currencies of a run; without any there is only the account's own currency.

    Each currency has a pair of its own on the venue that trades (`JPY/USD.ECB`; no traded symbol has a stroke), so that
    the engine converts margins and P&L at the very rates Keel uses, and no order can meet these quotes.
    """

    base: str = ""
    venue: str = ""
    series: Mapping[str, RateSeries] = field(default_factory=dict)  # currency -> its rates

    def at(self, currency: str, ts: int) -> Decimal | None:
        """Account units for one unit of a currency at a stamp (UTC ns); None while nobody knows.

        A currency without a series is the account's own: with_rates has found one for every other.
        """
        series = self.series.get(currency)
        return _ONE if series is None else series.at(ts)

    @property
    def pairs(self) -> dict[str, CurrencyPair]:
        """Currency -> the pair that its rates are quoted under."""
        return {currency: _pair(currency, self.base, self.venue) for currency in self.series}

    def told(self, updates: Sequence[Bar | QuoteTick], after_ns: int | None = None) -> list[Bar | QuoteTick]:
        """The updates of a run with the quotes of the rates among them, each before the updates of its stamp.

        The rates in force when the run begins are told first, with its first stamp; later ones than its last are not.
        after_ns: of a run that goes on the last stamp (UTC ns) told so far; only later rates are told then.
        """
        if not self.series or not updates:
            return list(updates)
        first, last = updates[0].ts_init, updates[-1].ts_init
        quotes = [
            quote
            for currency, pair in self.pairs.items()
            for quote in _quotes(self.series[currency], pair, first, last, after_ns)
        ]
        return sorted([*quotes, *updates], key=attrgetter("ts_init"))


NO_RATES = Rates()
"""Those of a run that has only the account's own currency."""


def settlement_currency(instrument: Any) -> str:
    """Code of the currency in which an instrument's profit is paid. Raises SourceError for a quanto contract."""
    if instrument.is_quanto:
        raise SourceError(
            f"{instrument.id} pays its profit in another currency than those it is priced in (a quanto contract): "
            "Keel cannot value it; leave it out"
        )
    paid_in = instrument.base_currency if instrument.is_inverse else instrument.quote_currency
    return str(paid_in.code)


def exact_rate(rate: Decimal) -> Decimal:
    """A rate as every part of Keel and the engine knows it. Raises SourceError for one too small to tell."""
    rounded = rate.quantize(_FINEST, ROUND_HALF_EVEN)
    if rounded <= 0:
        raise SourceError(f"a rate of {rate} is too small: choose a smaller unit as venue.currency")
    return rounded


def _pair(currency: str, base: str, venue: str) -> CurrencyPair:
    symbol = f"{currency}/{base}"
    return CurrencyPair(
        InstrumentId.from_str(f"{symbol}.{venue}"),
        Symbol(symbol),
        Currency.from_str(currency),
        Currency.from_str(base),
        DECIMALS,
        0,
        Price.from_mantissa_exponent(1, -DECIMALS, DECIMALS),
        Quantity.from_int(1),
        0,
        0,
        margin_init=_ONE,
        margin_maint=_ONE,
    )


def _quotes(
    series: RateSeries, pair: CurrencyPair, first: int, last: int, after: int | None
) -> list[QuoteTick]:
    if after is None:
        start = max(0, int(np.searchsorted(series.ts, first, side="right")) - 1)
    else:
        start, first = int(np.searchsorted(series.ts, after, side="right")), 0
    end = int(np.searchsorted(series.ts, last, side="right"))
    size, instrument_id, quotes = Quantity.from_int(1), pair.id, []
    for index in range(start, end):
        ts, price = max(first, int(series.ts[index])), Price.from_decimal(series.rates[index])
        quotes.append(QuoteTick(instrument_id, price, price, size, size, ts, ts))
    return quotes
