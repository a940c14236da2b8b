"""What does a run's own market data tell a report: what a unit of an instrument is worth, and what its prices were?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from market.catalog import open_market
from market.conversion import with_rates
from market.errors import DataError
from market.rates import settlement_currency
from runs.prices import Prices

if TYPE_CHECKING:
    from configs.schema import RunConfig
    from market.market_data import MarketData
    from market.source import Instrument
    from runs.prices import FloatArray, IntArray

FRESH_NS = (
    10 * 86_400 * 1_000_000_000
)  # a rate that is older tells nothing; fixings pause for five days at most
BEFORE_NS = 10 * 86_400 * 1_000_000_000  # how far back the price before the period may lie
NONE = np.empty(0, np.int64)


class RunMarket:
    """The data source of a run, as far as it can still be opened."""

    def __init__(self, config: RunConfig | None, currency: str) -> None:
        """`currency`: the account's. Nothing is raised: what the data does not tell is not known."""
        self._config = config
        self._currency = currency
        self._known: dict[str, Prices] = {}
        self._last_rate = 0
        self.symbols: tuple[str, ...] = ()
        self.why: str | None = "the run's config cannot be read by this version of Keel"
        if config is not None:
            self.why = self._open(config)

    def _open(self, config: RunConfig) -> str | None:
        try:
            market = open_market(config.data, config.symbols, config.bar)
        except (DataError, OSError) as error:
            return str(error)
        with suppress(DataError):  # then what settles in another currency cannot be told in the account's
            market = with_rates(market, config.data, config.venue.currency, config.bar)
        self.symbols = market.symbols
        self._last_rate = max((int(each.ts[-1]) for each in market.rates.series.values()), default=0)
        for instrument in market.instruments:
            with suppress(DataError):
                self._known[str(instrument.id)] = _contract(instrument, market)
        return None

    def knows(self, instrument: str) -> bool:
        """Whether the data says what a unit is worth; else it is taken as one unit priced in the account's currency."""
        return instrument in self._known

    def worth(self, instrument: str, price: Decimal) -> Decimal:
        """What one unit is worth at a price, in the currency the instrument settles in."""
        known = self._known.get(instrument)
        return price if known is None else known.value(price)

    def in_base(self, amount: Decimal, instrument: str, ts: int) -> Decimal | None:
        """An amount in an instrument's settlement currency, in the account's; None where no fresh rate is known."""
        known = self._known.get(instrument)
        return amount if known is None else self.converted(amount, known.currency, ts)

    def converted(self, amount: Decimal, currency: str, ts: int) -> Decimal | None:
        """An amount of a currency in the account's; None where no fresh rate is known."""
        if currency == self._currency:
            return amount
        rates = next((each.rates for each in self._known.values()), None)
        if rates is None or currency not in rates.series or ts > self._last_rate + FRESH_NS:
            return None
        rate = rates.at(currency, ts)
        return None if rate is None else amount * rate

    def closes(self, symbol: str, from_ns: int, until_ns: int) -> tuple[IntArray, FloatArray]:
        """Stamps and prices of a symbol of the data set, from some days before these stamps to their end; none: empty.

        Raises DataError for a symbol that the data set does not have.
        """
        config = self._config
        if config is None or self.why is not None:
            return NONE, NONE.astype(float)
        market = open_market(config.data, (symbol,), config.bar)
        seen = replace(
            market,
            start_ns=max(market.start_ns, from_ns - BEFORE_NS),
            end_ns=min(market.end_ns, until_ns - 1),
        )
        if seen.start_ns > seen.end_ns:
            return NONE, NONE.astype(float)
        frame = seen.frame(symbol)
        ts = frame["ts"].to_numpy(np.int64)
        if market.kind == "bars":
            return ts, frame["close"].to_numpy(float)
        return ts, (frame["bid"].to_numpy(float) + frame["ask"].to_numpy(float)) / 2.0


def _contract(instrument: Instrument, market: MarketData) -> Prices:
    """What turns a price of an instrument into money, without any prices."""
    return Prices(
        instrument=str(instrument.id),
        currency=settlement_currency(instrument),
        multiplier=instrument.multiplier.as_decimal(),
        precision=instrument.price_precision,
        inverse=instrument.is_inverse,
        columns=lambda: (NONE, NONE, NONE),
        rates=market.rates,
    )
