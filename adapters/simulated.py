"""What do the backtest's venue and the sandbox's venue have in common?

Both are built from one `VenueConfig` by the functions here, so that they charge, fill and lend alike. The account is
kept in one currency: with several balances the engine wants margin in the currency traded, of which there is none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.adapters.sandbox import SandboxExecutionClientConfig, SandboxExecutionClientFactory
from nautilus_trader.execution import DefaultFillModel, FeeModel, MakerTakerFeeModel, StaticLatencyModel
from nautilus_trader.model import AccountType, Currency, CurrencyPair, Money, OmsType

from adapters.errors import AdapterError
from adapters.fees import ScheduleFees
from adapters.reopened import Reopened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nautilus_trader.live import LiveNodeBuilder
    from nautilus_trader.model import Venue

    from adapters.account import VenueSnapshot
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


def fee_model(venue: VenueConfig) -> FeeModel:
    """Commission of each fill: the engine's own model where it is a fraction of the notional."""
    if venue.plain_fees:
        return MakerTakerFeeModel(venue.maker_fee, venue.taker_fee)
    return ScheduleFees(venue)


def refuse_what_a_sandbox_cannot_do(venue: VenueConfig) -> None:
    """Raise AdapterError for costs that only a backtest can simulate: a live sandbox would leave them out."""
    asked = venue.only_in_backtests
    if asked:
        told = ", ".join(f"venue.{name}={getattr(venue, name)}" for name in asked)
        off = " ".join(f"venue.{name}={value}" for name, value in asked.items())
        raise AdapterError(
            f"{told}: a backtest can simulate this, the engine's live sandbox cannot; "
            f"choose costs=default, or set {off}"
        )


def refuse_what_data_cannot_say(venue: VenueConfig, kind: str) -> None:
    """Raise AdapterError for slippage by volatility and volume where the data has no bars. kind: bars or quotes."""
    if kind == "bars" or not venue.scaled_by_market:
        return
    asked = {name: getattr(venue, name) for name in ("slippage_vol", "impact") if getattr(venue, name)}
    raise AdapterError(
        f"{', '.join(f'venue.{name}={value}' for name, value in asked.items())}: needs bars with a volume, "
        f"this data is {kind}; set {' '.join(f'venue.{name}=0' for name in asked)}"
    )


def fill_model(venue: VenueConfig) -> DefaultFillModel | None:
    """With `slippage_ticks=1` the engine moves every fill one tick against the order, resting limit orders too."""
    return DefaultFillModel(1.0, 1.0, 0) if venue.slippage_ticks else None


def latency_model(venue: VenueConfig) -> StaticLatencyModel | None:
    """The same delay for every command, or None."""
    if not venue.latency_ms:
        return None
    return StaticLatencyModel(base_latency_nanos=venue.latency_ms * NANOS_PER_MILLI)


def add_sandbox(
    builder: LiveNodeBuilder,
    config: VenueConfig,
    venue: Venue,
    held: VenueSnapshot | None = None,
    instruments: Sequence[Any] = (),
) -> LiveNodeBuilder:
    """Let the engine itself fill the orders of a venue, from the prices that the node gets.

    held: what the account begins with, where that is not the starting cash alone; its positions are of `instruments`.
    Raises AdapterError for costs that it cannot simulate.
    """
    refuse_what_a_sandbox_cannot_do(config)
    reopened = None if held is None else Reopened(held, venue, account_type(config), instruments)
    sandbox = SandboxExecutionClientConfig(
        venue=venue,
        starting_balances=[starting_balance(config) if reopened is None else reopened.balance],
        base_currency=base_currency(config),
        oms_type=OmsType.NETTING,
        account_type=account_type(config),
        default_leverage=leverage(config),
        fee_model=fee_model(config),
        fill_model=fill_model(config),
        latency_model=latency_model(config),
        reject_stop_orders=False,
    )
    builder = builder.add_simulated_exec_client(str(venue), SandboxExecutionClientFactory(), sandbox)
    return builder if reopened is None else reopened.add_to(builder, sandbox.account_id)
