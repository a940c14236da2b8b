"""How does a validated config become a backtest, and what came out of it?"""

from __future__ import annotations

import _thread
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.model import OmsType, TraderId
from nautilus_trader.portfolio import PortfolioConfig
from nautilus_trader.risk import RiskEngineConfig

from adapters import simulated
from risk.clock import NotReplayableError
from runs.engine import logging_into, max_notionals, submit_rate, warm_up_from
from runs.errors import RunError, StrategyError
from runs.prepare import Prepared, equity_in, finished_record, prepare
from runs.progress import watched
from runs.strategies import build_desk, build_strategies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from configs.schema import RunConfig
    from risk.desk import RiskDesk
    from runs.record import RunRecord

TRADER = TraderId("BACKTEST-001")


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a backtest leaves behind: its record, the last market time it saw (UTC ns), and how it ended."""

    record: RunRecord
    until_ns: int
    timed_out: bool = False


def run_backtest(config: RunConfig, folder: Path | None = None, prepared: Prepared | None = None) -> Backtest:
    """Run one backtest; the engine's log goes to `folder` (a temporary one when None).

    Raises StrategyError with the strategy's own exception as its cause, KeyboardInterrupt on Ctrl-C, and the errors of
    data and config as they are.
    """
    if folder is None:
        with TemporaryDirectory(prefix="keel-") as temporary:
            return run_backtest(config, Path(temporary), prepared)
    ready = prepared or prepare(config)
    desk = build_desk(config, ready.market, ready.recorder)
    engine = _build_engine(config, ready, desk, folder)
    try:
        updates = ready.market.updates()[: config.run.max_bars]
        engine.add_data(updates)
        with watched(desk, ready.market, len(updates)), _time_limit(config.run.max_minutes) as expired:
            engine.run()
        timed_out = expired.is_set()
        _raise_kept(desk, timed_out=timed_out)
        return Backtest(_record(config, ready, desk, engine), desk.market_now(), timed_out)
    finally:
        engine.dispose()


def _build_engine(config: RunConfig, ready: Prepared, desk: RiskDesk, folder: Path) -> BacktestEngine:
    venue, market = config.venue, ready.market
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TRADER,
            logging=logging_into(folder, config),
            shutdown_on_error=True,  # the first failing callback ends the run; _raise_kept tells why
            run_analysis=False,
            portfolio=PortfolioConfig(equity_curve=False),
            risk_engine=RiskEngineConfig(
                max_order_submit_rate=submit_rate(config, wall_clock_is_market_time=True),
                max_order_modify_rate=submit_rate(config, wall_clock_is_market_time=True),
                max_notional_per_order=max_notionals(config, market),
            ),
            catalogs=warm_up_from(market),
        )
    )
    engine.add_venue(
        market.instruments[0].id.venue,
        OmsType.NETTING,
        simulated.account_type(venue),
        [simulated.starting_balance(venue)],
        base_currency=simulated.base_currency(venue),
        default_leverage=simulated.leverage(venue),
        fee_model=simulated.fee_model(venue),
        fill_model=simulated.fill_model(venue),
        latency_model=simulated.latency_model(venue),
        reject_stop_orders=False,
    )
    for instrument in market.instruments:
        engine.add_instrument(instrument)
    for strategy in build_strategies(config, market, desk):
        engine.add_strategy(strategy)
    return engine


@contextmanager
def _time_limit(minutes: float | None) -> Iterator[threading.Event]:
    """Interrupt the main thread after `minutes`; the event tells that it was this and not a person."""
    expired = threading.Event()
    if minutes is None:
        yield expired
        return

    def expire() -> None:
        expired.set()
        _thread.interrupt_main()

    timer = threading.Timer(minutes * 60, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()


def _raise_kept(desk: RiskDesk, *, timed_out: bool) -> None:
    """Raise what a strategy raised: the engine only logs it."""
    if not desk.errors:
        return
    error = desk.errors[0]
    if isinstance(error, KeyboardInterrupt):
        if timed_out:
            return
        raise error
    if isinstance(error, NotReplayableError):
        raise StrategyError(str(error)) from error
    strategy, where = desk.error_places[0]
    raise StrategyError(f"{strategy} raised in {where}: {type(error).__name__}: {error}") from error


def _record(config: RunConfig, ready: Prepared, desk: RiskDesk, engine: BacktestEngine) -> RunRecord:
    venue = ready.market.instruments[0].id.venue
    missing = engine.portfolio.missing_price_instruments(venue)
    if missing:
        raise RunError(f"the engine has no price of {', '.join(map(str, missing))}, so equity is unknown")
    return finished_record(config, ready, desk, equity_in(engine.portfolio.equity(venue), config))
