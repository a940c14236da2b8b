"""Which foreign currencies does a run deal in, and where do their rates in the account's currency come from?

Asked in this order: what `data.rates` names, a pair among the run's own instruments, a pair of the same data set, two
of the run's pairs through a third currency. Without a rate a run does not begin: nobody could tell its equity or risk.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from nautilus_trader.model import CurrencyPair

from market import _parquet
from market._window import day_text
from market.catalog import open_market
from market.errors import SourceError
from market.fx_daily import FxDaily
from market.rates import Rates, RateSeries, exact_rate, settlement_currency

if TYPE_CHECKING:
    from market.market_data import MarketData
    from market.source import DataSource, RateChoice

_STALE_DAYS = 10  # the longest time without a fixing, at Easter or New Year, is half of it
_DAY = 86_400_000_000_000
_BY_HAND = "data.rates"


def with_rates(market: MarketData, source: DataSource, currency: str, bar: str) -> MarketData:
    """The same data with the rates a run in an account of `currency` needs; doubts and versions of theirs are added.

    Raises SourceError, saying what to do, where a currency has none, or none to the end of the data.
    """
    foreign = foreign_currencies(market, currency)
    if not foreign:
        return market
    search = _Search(market, source, currency, bar)
    series = {each: search.rates_of(each) for each in foreign}
    late = tuple(
        f"no rate of {name} in {currency} before {day_text(int(each.ts[0]), market.zone)}: orders are refused till then"
        for name, each in series.items()
        if each.ts[0] > market.start_ns
    )
    return replace(
        market,
        rates=Rates(currency, str(market.instruments[0].id.venue), series),
        doubts=(*market.doubts, *search.doubts, *late),
        version="+".join([market.version, *search.versions]),
    )


def foreign_currencies(market: MarketData, currency: str) -> tuple[str, ...]:
    """The currencies other than the account's in which the instruments of a run settle, in their order."""
    settled = [settlement_currency(instrument) for instrument in market.instruments]
    return tuple(code for code in dict.fromkeys(settled) if code != currency)


class _Search:
    """Looks for the rates of one run; keeps the doubts and the versions of the data sets it had to open."""

    def __init__(self, market: MarketData, source: DataSource, base: str, bar: str) -> None:
        self._market = market
        self._source = source
        self._base = base
        self._bar = bar
        self.doubts: list[str] = []
        self.versions: list[str] = []

    def rates_of(self, currency: str) -> RateSeries:
        """The rates of one currency to the end of the data. Raises SourceError."""
        found = (
            self._named(currency) or self._direct(currency) or self._beside(currency) or self._cross(currency)
        )
        if found is None:
            raise SourceError(self._advice(currency))
        end = self._market.end_ns
        if found.origin != _BY_HAND and found.ts[-1] < end - _STALE_DAYS * _DAY:
            last, wanted = (day_text(int(ts), self._market.zone) for ts in (found.ts[-1], end))
            raise SourceError(
                f"the rates of {currency} in {self._base} ({found.origin}) end on {last}, the data of the run on "
                f"{wanted}: set run.end={last}, or data.rates={{{currency}: RATE}} for a fixed one"
            )
        return found

    def _named(self, currency: str) -> RateSeries | None:
        choices = self._source.rates
        choice: RateChoice | None = choices.get(currency) if isinstance(choices, dict) else choices
        if choice is None:
            return None
        if isinstance(choice, Decimal):
            return RateSeries(currency, np.array([0], np.int64), (exact_rate(choice),), _BY_HAND)
        found = self._opened(FxDaily(catalog_dir=self._source.catalog_dir), currency, "1d")
        if found is None:
            known = ", ".join(sorted(FxDaily.currencies()))
            raise SourceError(
                f"data.rates=fx_daily has no rate of {currency} in {self._base}, only of {known}; set "
                f"data.rates={{{currency}: RATE}} for a fixed one"
            )
        return found

    def _direct(self, currency: str) -> RateSeries | None:
        """From one of the run's own pairs."""
        return next(
            (
                _series(self._market, index, currency, self._base)
                for index, instrument in enumerate(self._market.instruments)
                if _codes(instrument) == {currency, self._base}
            ),
            None,
        )

    def _beside(self, currency: str) -> RateSeries | None:
        """From a pair of the same data set that the run does not trade."""
        return self._opened(self._source, currency, self._bar)

    def _cross(self, currency: str) -> RateSeries | None:
        """From two of the run's own pairs."""
        codes = [_codes(instrument) for instrument in self._market.instruments]
        for first, one in enumerate(codes):
            for second, other in enumerate(codes):
                through = one & other
                if len(through) == 1 and one - through == {currency} and other - through == {self._base}:
                    (between,) = through
                    return _product(
                        _series(self._market, first, currency, between),
                        _series(self._market, second, between, self._base),
                    )
        return None

    def _opened(self, source: DataSource, currency: str, bar: str) -> RateSeries | None:
        spellings = {currency + self._base, self._base + currency}
        symbol = next((name for name in source.available() if _letters(name) in spellings), None)
        if symbol is None:
            return None
        opened = open_market(source, [symbol], bar)
        if _codes(opened.instruments[0]) != {currency, self._base}:
            return None
        self.doubts += (doubt for doubt in opened.doubts if doubt not in self.doubts)
        version = f"{source.name}-{opened.version}"
        if opened.version != self._market.version and version not in self.versions:
            self.versions.append(version)
        return _series(replace(opened, end_ns=self._market.end_ns), 0, currency, self._base)

    def _advice(self, currency: str) -> str:
        name = next(
            str(each.id) for each in self._market.instruments if settlement_currency(each) == currency
        )
        return (
            f"instruments: {name} trades in {currency}, the account is in {self._base}, and there is no rate between "
            f"them: set data.rates=fx_daily (fixings of the European Central Bank) or data.rates={{{currency}: RATE}}, "
            f"add a pair such as {currency}{self._base} to the data, or set venue.currency={currency}"
        )


def _codes(instrument: object) -> set[str]:
    """The two currencies of a pair; of anything else nothing."""
    if not isinstance(instrument, CurrencyPair):
        return set()
    return {str(instrument.base_currency.code), str(instrument.quote_currency.code)}


def _letters(symbol: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", symbol.upper())


def _series(market: MarketData, index: int, currency: str, into: str) -> RateSeries:
    """Closes (or middles of quotes) of one pair up to the window's end as rates of `currency`, from before it too."""
    instrument = market.instruments[index]
    frame = _parquet.read_frame(market.files[index], 0, market.end_ns)
    columns = ("close", "close") if market.kind == "bars" else ("bid", "ask")
    per_price = 10.0**instrument.price_precision
    low, high = (np.rint(frame[name].to_numpy(np.float64) * per_price).astype(np.int64) for name in columns)
    half = Decimal(5).scaleb(-instrument.price_precision - 1)  # of the sum of both, a half
    prices = (Decimal(int(ticks)) * half for ticks in low + high)
    upright = str(instrument.quote_currency.code) == into
    rates = tuple(exact_rate(price if upright else 1 / price) for price in prices)
    if not rates:
        day = day_text(market.end_ns, market.zone)
        raise SourceError(f"{instrument.id} has no prices before {day} to take the rate of {currency} from")
    return RateSeries(currency, frame["ts"].to_numpy(np.int64), rates, str(instrument.id))


def _product(first: RateSeries, second: RateSeries) -> RateSeries:
    """Rates through a third currency, at every stamp of either series from which both are known."""
    ts = np.union1d(first.ts, second.ts)
    pairs = [(int(stamp), first.at(int(stamp)), second.at(int(stamp))) for stamp in ts]
    both = [
        (stamp, exact_rate(one * other))
        for stamp, one, other in pairs
        if one is not None and other is not None
    ]
    stamps, rates = zip(*both, strict=True)
    return RateSeries(
        first.currency, np.array(stamps, np.int64), rates, f"{first.origin} and {second.origin}"
    )
