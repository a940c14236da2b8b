"""What does the engine say that the account is worth, in one currency?

The engine keeps the account in one currency and converts every profit when it is made. Keel and its risk book leave a
profit in the currency it was made in and convert everything at the rate in force. So where foreign currencies are
traded, the engine is asked for each instrument's profit in the currency it settles in.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import Bar, Currency, OrderFilled, OrderSide

from market.rates import settlement_currency
from runs.errors import RunError

if TYPE_CHECKING:
    from configs.schema import RunConfig
    from market.catalog import MarketData


def engine_equity(  # noqa: PLR0913 - the ledger, and what it is read with
    portfolio: Any,
    cache: Any,
    config: RunConfig,
    market: MarketData,
    until_ns: int,
    carried: Decimal = Decimal(0),
) -> Decimal:
    """Equity of the account by the engine's own ledger, at the rates of `until_ns` (UTC ns).

    carried: what holding cost, which is in the engine's balance and in no profit of an instrument.

    Raises RunError when the engine cannot tell it, or a rate is missing.
    """
    venue, currency = market.instruments[0].id.venue, config.venue.currency
    missing = portfolio.missing_price_instruments(venue)
    if missing:
        raise RunError(f"the engine has no price of {', '.join(map(str, missing))}, so equity is unknown")
    if not market.rates.series and not any(instrument.is_inverse for instrument in market.instruments):
        return _balance(portfolio.equity(venue), currency)
    total = config.venue.starting_cash - carried
    for instrument in market.instruments:
        gained, settled_in = _gained(portfolio, cache, market, instrument)
        rate = market.rates.at(settled_in, until_ns)
        if gained and rate is None:
            raise RunError(f"{instrument.id} was traded before the first rate of {settled_in} was known")
        total += gained * (rate or 0)
    return total.quantize(Decimal(1).scaleb(-Currency.from_str(currency).precision))


def _balance(equities: dict[Any, Any], currency: str) -> Decimal:
    amounts = [money.as_decimal() for key, money in equities.items() if key.code == currency]
    if len(amounts) != 1 or len(equities) != 1:
        raise RunError(
            f"the engine tells equity in {sorted(k.code for k in equities)}, not in {currency} alone"
        )
    amount: Decimal = amounts[0]
    return amount


def _gained(portfolio: Any, cache: Any, market: MarketData, instrument: Any) -> tuple[Decimal, str]:
    """Profit in an instrument, closed and open, after commissions, and the currency it settles in."""
    settled_in = settlement_currency(instrument)
    if instrument.is_inverse:
        return _gained_inverse(cache, market, instrument), settled_in
    money = portfolio.total_pnl(instrument.id, target_currency=Currency.from_str(settled_in))
    gained: Decimal = Decimal(0) if money is None else money.as_decimal()
    return gained, settled_in


def _gained_inverse(cache: Any, market: MarketData, instrument: Any) -> Decimal:
    """From the fills in the engine's cache: its positions average the prices of inverse contracts like others.

    Two sales of 20,000 at 42,000 and 10,000 at 43,000 have an average of 42,328 (harmonic), not of 42,333.
    """
    multiplier: Decimal = instrument.multiplier.as_decimal()
    position, gained = Decimal(0), Decimal(0)
    for order in cache.orders(instrument_id=instrument.id):
        for fill in order.events():
            if isinstance(fill, OrderFilled):
                quantity = fill.last_qty.as_decimal() * (1 if fill.order_side == OrderSide.BUY else -1)
                position += quantity
                gained += quantity * multiplier / fill.last_px.as_decimal()
                gained -= Decimal(0) if fill.commission is None else fill.commission.as_decimal()
    if not position:
        return gained
    last = _last_price(cache, market, instrument, long=position > 0)
    return gained - position * multiplier / last


def _last_price(cache: Any, market: MarketData, instrument: Any, *, long: bool) -> Decimal:
    at = market.instruments.index(instrument)
    seen = cache.bar(market.bar_types[at]) if market.kind == "bars" else cache.quote(instrument.id)
    if seen is None:
        raise RunError(f"the engine has no price of {instrument.id}, so equity is unknown")
    price = seen.close if isinstance(seen, Bar) else (seen.bid_price if long else seen.ask_price)
    exact: Decimal = price.as_decimal()
    return exact
