"""What is the same before and after every run, whichever engine it has: its data, and its record?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from market.catalog import open_market
from risk.clock import NotReplayableError
from runs.errors import NotReplayableRunError, RunError, StrategyError
from runs.record import Recorder, RunRecord

if TYPE_CHECKING:
    from decimal import Decimal

    from configs.schema import RunConfig
    from market.catalog import MarketData
    from risk.desk import RiskDesk


@dataclass(frozen=True, slots=True)
class Prepared:
    """A validated config with its market data and an empty record."""

    config: RunConfig
    market: MarketData
    recorder: Recorder


def prepare(config: RunConfig) -> Prepared:
    """Open the market data of a run. Raises market.errors.DataError when there is none or it is wrong."""
    run = config.run
    market = open_market(config.data, config.symbols, config.bar, run.start, run.end)
    return Prepared(config, market, Recorder())


def equity_in(equities: dict[Any, Any], config: RunConfig) -> Decimal:
    """The account's equity from the engine's answer (currency -> money). Raises RunError when it has none."""
    currency = config.venue.currency
    amounts = [money.as_decimal() for key, money in equities.items() if key.code == currency]
    if len(amounts) != 1 or len(equities) != 1:
        raise RunError(
            f"the engine tells equity in {sorted(k.code for k in equities)}, not in {currency} alone"
        )
    amount: Decimal = amounts[0]
    return amount


def finished_record(config: RunConfig, ready: Prepared, desk: RiskDesk, final_equity: Decimal) -> RunRecord:
    """The record of a run that came to its end."""
    recorder = ready.recorder
    return RunRecord(
        market=ready.market,
        starting_equity=config.venue.starting_cash,
        final_equity=final_equity,
        currency=config.venue.currency,
        halted=desk.breakers.halted,
        orders=list(recorder.orders.values()),
        fills=recorder.fills,
        refusals=recorder.refusals,
        trips=recorder.trips,
    )


def raise_kept(desk: RiskDesk, *, stop_on_error: bool) -> None:
    """Raise what a strategy raised, where that is to end the run: the engine itself only logs it.

    Raises KeyboardInterrupt for one that arrived inside a callback, StrategyError or NotReplayableRunError otherwise.
    """
    kept = list(zip(desk.errors, desk.error_places, strict=True))
    desk.errors.clear()  # an error's traceback holds the desk: without this neither would ever be freed
    desk.error_places.clear()
    for error, (strategy, where) in kept:
        if isinstance(error, KeyboardInterrupt):
            raise error
        if isinstance(error, NotReplayableError):
            raise NotReplayableRunError(str(error)) from error
        if stop_on_error or where == "on_start":
            raise StrategyError(f"{strategy} raised in {where}: {type(error).__name__}: {error}") from error
