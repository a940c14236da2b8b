"""How does a validated config become a backtest, and what came out of it?"""

from __future__ import annotations

import _thread
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.model import OmsType, TraderId
from nautilus_trader.portfolio import PortfolioConfig
from nautilus_trader.risk import RiskEngineConfig

from adapters import simulated
from backtests._costing import Costing
from runs.algorithms import build_algorithms
from runs.engine import logging_into, max_notionals, no_log, submit_rate
from runs.ledger import engine_equity
from runs.prepare import Prepared, finished_record, prepare, raise_kept, record_of
from runs.progress import watched
from runs.strategies import build_desk, build_strategies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from nautilus_trader.model import Bar, QuoteTick

    from configs.schema import RunConfig
    from market.catalog import MarketData
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


@dataclass(frozen=True, slots=True)
class Stages:
    """Where a backtest is looked at before its end: after these shares of its updates, rising, between 0 and 1.

    goes_on: asked with what the run has come to so far whether to go on.
    """

    shares: tuple[float, ...]
    goes_on: Callable[[Backtest], bool]


def run_backtest(
    config: RunConfig,
    folder: Path | None = None,
    prepared: Prepared | None = None,
    log: RunLog | None = None,
    stages: Stages | None = None,
) -> Backtest:
    """Run one backtest; the engine's log goes to `folder` (nowhere when None), what is loud to `log` too.

    A process has one engine log, that of its first run: later ones write none.

    Raises StrategyError with the strategy's own exception as its cause, KeyboardInterrupt on Ctrl-C, and the errors of
    data and config as they are.
    """
    ready = prepared or prepare(config)
    desk = build_desk(config, ready.market, ready.recorder if log is None else log.beside(ready.recorder))
    if log is not None:
        log.market_now = desk.market_now
    with _interrupts() as interrupts:
        engine = build_engine(config, ready, desk, folder)
        try:
            interrupts.begin()
            with watched(desk, ready.market), _time_limit(config.run.max_minutes) as expired:
                if stages is None:
                    _run_in_chunks(
                        engine,
                        config,
                        ready.market,
                        lambda: expired.is_set() or interrupts.happened.is_set(),
                    )
                else:
                    updates = ready.market.updates()[: config.run.max_bars]
                    told = ready.market.rates.told(updates)
                    _run_in_stages(engine, told, stages, lambda: _so_far(config, ready, desk, engine))
            timed_out = expired.is_set()
            if not timed_out:
                if interrupts.happened.is_set():
                    raise KeyboardInterrupt
                raise_kept(desk, stop_on_error=config.run.on_strategy_error == "stop")
            return Backtest(_record(config, ready, desk, engine), desk.market_now(), desk, timed_out)
        finally:
            engine.dispose()


def _run_in_chunks(
    engine: BacktestEngine, config: RunConfig, market: MarketData, stopped: Callable[[], bool]
) -> None:
    """Run to the end with about `run.chunk_rows` updates in memory, or until somebody has stopped the run."""
    left, last = config.run.max_bars, None
    chunks = iter(market.chunks(config.run.chunk_rows))
    try:
        while (updates := next(chunks, None)) is not None and left != 0:
            cut = updates if left is None else updates[:left]
            left = left if left is None else left - len(cut)
            if cut:
                told, last = market.rates.told(cut, last), cut[-1].ts_init
                engine.add_data(told)
                del told
            del updates, cut  # the engine has copies: two of each update would be held while it runs
            engine.run(streaming=True)
            engine.clear_data()
            if stopped():
                break
    except KeyboardInterrupt:
        if not stopped():
            raise
    engine.end()


def _run_in_stages(
    engine: BacktestEngine, told: Sequence[Bar | QuoteTick], stages: Stages, so_far: Callable[[], Backtest]
) -> None:
    """Run to the end, or until `stages` has seen enough; updates of one stamp stay together."""
    start = 0
    for share in (*stages.shares, 1.0):
        end = round(len(told) * share)
        while 0 < end < len(told) and told[end].ts_init == told[end - 1].ts_init:
            end += 1
        if end > start:
            engine.add_data(list(told[start:end]))
            engine.run(streaming=True)
            engine.clear_data()
            start = end
        if share < 1 and start and not stages.goes_on(so_far()):
            break
    engine.end()


def build_engine(config: RunConfig, ready: Prepared, desk: RiskDesk, folder: Path | None) -> BacktestEngine:
    """The engine of a run, with its venue, instruments and gated strategies; its data is still to be added."""
    venue, market = config.venue, ready.market
    simulated.refuse_what_cash_cannot_hold(venue, market.instruments)
    simulated.refuse_what_data_cannot_say(venue, market.kind)
    costing = Costing.of(venue, desk, market, ready.recorder)
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TRADER,
            logging=no_log() if folder is None else logging_into(folder, config),
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
        fill_model=costing.fill_model,
        latency_model=simulated.latency_model(venue),
        modules=costing.modules,
        reject_stop_orders=False,
    )
    for instrument in (*market.instruments, *market.rates.pairs.values()):
        engine.add_instrument(instrument)
    for strategy in build_strategies(config, market, desk):
        engine.add_strategy(strategy)
    for algorithm in build_algorithms(config, desk):
        engine.add_exec_algorithm(algorithm)
    return engine


class _Interrupts:
    """Remembers a Ctrl-C: one that arrives while the engine calls Python code of its own is only logged there.

    Before `begin` it is remembered alone: the engine loses, or chokes on, one that comes while it is put together.
    """

    def __init__(self) -> None:
        self.happened = threading.Event()
        self._raises = False

    def begin(self) -> None:
        """From now on it interrupts at once; raises KeyboardInterrupt for one that came before."""
        self._raises = True
        if self.happened.is_set():
            raise KeyboardInterrupt

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """The signal's handler."""
        self.happened.set()
        if self._raises:
            signal.default_int_handler(number, frame)


@contextmanager
def _interrupts() -> Iterator[_Interrupts]:
    """Ctrl-C, heeded within the block, on the main thread."""
    made = _Interrupts()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield made  # a worker leaves Ctrl-C to the process that gave it work
        return
    signal.signal(signal.SIGINT, made.interrupt)
    try:
        yield made
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


def _so_far(config: RunConfig, ready: Prepared, desk: RiskDesk, engine: BacktestEngine) -> Backtest:
    """What a run that goes on has come to: nothing of it is told to the desk."""
    return Backtest(
        record_of(config, ready, desk, _equity(config, ready, desk, engine)), desk.market_now(), desk
    )


def _record(config: RunConfig, ready: Prepared, desk: RiskDesk, engine: BacktestEngine) -> RunRecord:
    return finished_record(config, ready, desk, _equity(config, ready, desk, engine))


def _equity(config: RunConfig, ready: Prepared, desk: RiskDesk, engine: BacktestEngine) -> Decimal:
    carried = sum((row["amount"] for row in ready.recorder.carried), Decimal(0))
    return engine_equity(engine.portfolio, engine.cache, config, ready.market, desk.market_now(), carried)
