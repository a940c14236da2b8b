"""What do the backtest's venue and the sandbox's venue have in common?

Both are built from one `VenueConfig` by the functions here, so that they charge, fill and lend alike. The account is
kept in one currency: with several balances the engine wants margin in the currency traded, of which there is none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.execution import DefaultFillModel, MakerTakerFeeModel, StaticLatencyModel
from nautilus_trader.model import AccountType, Currency, CurrencyPair, Money

from adapters.errors import AdapterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.venue import VenueConfig

NANOS_PER_MILLI = 1_000_000


def account_type(venue: VenueConfig) -> AccountType:
    """Cash or margin."""
    return AccountType.MARGIN if venue.account_type == "margin" else AccountType.CASH


def refuse_what_cash_cannot_hold(venue: VenueConfig, instruments: Sequence[Any]) -> None:
    """Raise AdapterError for an instrument that a simulated cash account, which has one currency, could not pay for."""
    if venue.account_type != "cash":
        return
    for instrument in instruments:
        if isinstance(instrument, CurrencyPair):
            why = "is a pair of currencies, of which it can hold only one"
        elif instrument.quote_currency.code != venue.currency:
            why = f"trades in {instrument.quote_currency.code}, which it does not have and cannot borrow"
        else:
            continue
        raise AdapterError(
            f"venue.account_type=cash: a cash account in {venue.currency} cannot buy {instrument.id}, which {why}; "
            "set venue.account_type=margin"
        )


def starting_balance(venue: VenueConfig) -> Money:
    """What the account starts with."""
    return Money.from_str(f"{venue.starting_cash} {venue.currency}")


def base_currency(venue: VenueConfig) -> Currency:
    """The account's only currency."""
    return Currency.from_str(venue.currency)


def leverage(venue: VenueConfig) -> Decimal | None:
    """The account's leverage; cash accounts have none."""
    return venue.leverage if venue.account_type == "margin" else None


def fee_model(venue: VenueConfig) -> MakerTakerFeeModel:
    """Commission as a fraction of each fill's notional."""
    return MakerTakerFeeModel(venue.maker_fee, venue.taker_fee)


def fill_model(venue: VenueConfig) -> DefaultFillModel | None:
    """With `slippage_ticks=1` the engine moves every fill one tick against the order, resting limit orders too."""
    return DefaultFillModel(1.0, 1.0, 0) if venue.slippage_ticks else None


def latency_model(venue: VenueConfig) -> StaticLatencyModel | None:
    """The same delay for every command, or None."""
    if not venue.latency_ms:
        return None
    return StaticLatencyModel(base_latency_nanos=venue.latency_ms * NANOS_PER_MILLI)
