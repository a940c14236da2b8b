"""What is the same before and after every run, whichever engine it has: its data, and its record?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.catalog import open_market
from market.conversion import with_rates
from risk.clock import NotReplayableError
from runs.errors import NotReplayableRunError, StrategyError
from runs.places import place_of
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


def prepare(config: RunConfig, market: MarketData | None = None) -> Prepared:
    """Open the market data of a run, and the rates it needs to count in the account's currency.

    `market` is what a venue brings itself. Raises market.errors.DataError when there is none or it is wrong.
    """
    if market is not None:
        return Prepared(config, market, Recorder())
    run = config.run
    market = open_market(config.data, config.symbols, config.bar, run.start, run.end)
    return Prepared(config, with_rates(market, config.data, config.venue.currency, config.bar), Recorder())


def finished_record(
    config: RunConfig,
    ready: Prepared,
    desk: RiskDesk,
    final_equity: Decimal,
    starting_equity: Decimal | None = None,
) -> RunRecord:
    """The record of a run that came to its end; None: it started with `venue.starting_cash`."""
    desk.halts.tell()
    return record_of(config, ready, desk, final_equity, starting_equity)


def record_of(
    config: RunConfig,
    ready: Prepared,
    desk: RiskDesk,
    final_equity: Decimal,
    starting_equity: Decimal | None = None,
) -> RunRecord:
    """The record of a run so far, which may go on."""
    recorder = ready.recorder
    return RunRecord(
        market=ready.market,
        starting_equity=config.venue.starting_cash if starting_equity is None else starting_equity,
        final_equity=final_equity,
        currency=config.venue.currency,
        halted=desk.breakers.halted,
        orders=list(recorder.orders.values()),
        fills=recorder.fills,
        refusals=recorder.refusals,
        trips=recorder.trips,
        notices=recorder.notices,
        carried=recorder.carried,
        expected=recorder.expected,
        costs=config.venue if starting_equity is None else None,
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
        if stop_on_error or where.endswith("on_start"):
            said = f"{type(error).__name__}: {error}{place_of(error)}"
            raise StrategyError(f"{strategy} raised in {where}: {said}") from error
