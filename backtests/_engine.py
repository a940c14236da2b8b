"""How does a validated config become a backtest, and what came out of it?"""

from __future__ import annotations

import _thread
import signal
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
from runs.algorithms import build_algorithms
from runs.engine import logging_into, max_notionals, submit_rate
from runs.ledger import engine_equity
from runs.prepare import Prepared, finished_record, prepare, raise_kept
from runs.progress import watched
from runs.strategies import build_desk, build_strategies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from configs.schema import RunConfig
    from risk.desk import RiskDesk
    from runs.logs import RunLog
    from runs.record import RunRecord

TRADER = TraderId("BACKTEST-001")


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a backtest leaves behind: its record, the last market time it saw (UTC ns), its desk, and how it ended."""

    record: RunRecord
    until_ns: int
    desk: RiskDesk
    timed_out: bool = False


def run_backtest(
    config: RunConfig,
    folder: Path | None = None,
    prepared: Prepared | None = None,
    log: RunLog | None = None,
) -> Backtest:
    """Run one backtest; the engine's log goes to `folder` (a temporary one when None), what is loud to `log` too.

    Raises StrategyError with the strategy's own exception as its cause, KeyboardInterrupt on Ctrl-C, and the errors of
    data and config as they are.
    """
    if folder is None:
        with TemporaryDirectory(prefix="keel-") as temporary:
            return run_backtest(config, Path(temporary), prepared, log)
    ready = prepared or prepare(config)
    desk = build_desk(config, ready.market, ready.recorder if log is None else log.beside(ready.recorder))
    if log is not None:
        log.market_now = desk.market_now
    engine = build_engine(config, ready, desk, folder)
    try:
        updates = ready.market.updates()[: config.run.max_bars]
        engine.add_data(ready.market.rates.told(updates))
        with (
            watched(desk, ready.market, len(updates)),
            _time_limit(config.run.max_minutes) as expired,
            _interrupts() as interrupted,
        ):
            engine.run()
        timed_out = expired.is_set()
        if not timed_out:
            if interrupted.is_set():
                raise KeyboardInterrupt
            raise_kept(desk, stop_on_error=config.run.on_strategy_error == "stop")
        return Backtest(_record(config, ready, desk, engine), desk.market_now(), desk, timed_out)
    finally:
        engine.dispose()


def build_engine(config: RunConfig, ready: Prepared, desk: RiskDesk, folder: Path) -> BacktestEngine:
    """The engine of a run, with its venue, instruments and gated strategies; its data is still to be added."""
    venue, market = config.venue, ready.market
    simulated.refuse_what_cash_cannot_hold(venue, market.instruments)
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TRADER,
            logging=logging_into(folder, config),
            shutdown_on_error=False,  # any ERROR in the log, a strategy's own too, would end the run in silence
            run_analysis=False,
            portfolio=PortfolioConfig(equity_curve=False),
            risk_engine=RiskEngineConfig(
                max_order_submit_rate=submit_rate(config, wall_clock_is_market_time=True),
                max_order_modify_rate=submit_rate(config, wall_clock_is_market_time=True),
                max_notional_per_order=max_notionals(config, market),
            ),
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
    for instrument in (*market.instruments, *market.rates.pairs.values()):
        engine.add_instrument(instrument)
    for strategy in build_strategies(config, market, desk):
        engine.add_strategy(strategy)
    for algorithm in build_algorithms(config, desk):
        engine.add_exec_algorithm(algorithm)
    return engine


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Remember a Ctrl-C: one that arrives while the engine calls Python code of its own is only logged there."""
    happened = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield happened
        return
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        happened.set()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield happened
    finally:
        signal.signal(signal.SIGINT, before)


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


def _record(config: RunConfig, ready: Prepared, desk: RiskDesk, engine: BacktestEngine) -> RunRecord:
    equity = engine_equity(engine.portfolio, engine.cache, config, ready.market, desk.market_now())
    return finished_record(config, ready, desk, equity)
