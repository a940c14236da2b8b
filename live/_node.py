"""How is a live node built, watched and stopped?

The node runs on the caller's asyncio loop. It stops by itself at the end of the data, at `run.max_minutes`, when a
strategy's error asks for it, and within five seconds of SIGINT or SIGTERM.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from nautilus_trader.common import Environment
from nautilus_trader.live import (
    LiveExecutionEngineConfig,
    LiveNode,
    LiveNodeBuilder,
    LiveNodeConfig,
    LiveRiskEngineConfig,
    SubmissionRecoveryPolicy,
)
from nautilus_trader.model import TraderId
from nautilus_trader.portfolio import PortfolioConfig

from runs.algorithms import build_algorithms
from runs.engine import logging_into, max_notionals, submit_rate
from runs.errors import RunError
from runs.ledger import engine_equity
from runs.prepare import finished_record, raise_kept
from runs.strategies import build_strategies, claims

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from pathlib import Path

    from adapters.clients import VenueClients
    from risk.desk import RiskDesk
    from runs.prepare import Prepared
    from runs.record import RunRecord

UNANSWERED = "Submission recovery incomplete"  # the engine's words for orders that the venue never answered
PURGE: dict[str, Any] = {  # a node on an account runs for weeks, and the journal has what the engine lets go of
    "purge_closed_orders_interval_mins": 10, "purge_closed_orders_buffer_mins": 60,
    "purge_closed_positions_interval_mins": 10, "purge_closed_positions_buffer_mins": 60,
    "purge_account_events_interval_mins": 10, "purge_account_events_lookback_mins": 60,
}  # fmt: skip
TRADER = TraderId("KEEL-001")
POLL_SECS = 0.02
TICK_NANOS = 1_000_000_000
QUIET_POLLS = 5  # so many polls in a row without an order in flight: everything is answered
START_SECS = 30.0
ANSWER_SECS = 3.0
STOP_SECS = 5.0
RESIDUAL_SECS = (
    0.25  # the engine goes on for this long after the strategies stopped, for orders sent in on_stop
)


@dataclass(slots=True)
class Stop:
    """Whether and why the node is to stop. `by_person`: not because the data ended, so orders are looked after."""

    reason: str | None = None
    by_person: bool = False
    interrupted: bool = False
    failure: RunError | None = None

    def ask(self, reason: str, *, by_person: bool = False, interrupted: bool = False) -> None:
        """Ask for a stop; the first reason counts."""
        if self.reason is None:
            self.reason, self.by_person, self.interrupted = reason, by_person, interrupted


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What a live run leaves behind: record, last market time (UTC ns), why it stopped, what it left open."""

    record: RunRecord
    until_ns: int
    stopped: str
    interrupted: bool
    left: tuple[str, ...]


async def run_node(  # noqa: PLR0913 - the parts of a node, handed in
    ready: Prepared,
    desk: RiskDesk,
    venue: VenueClients,
    folder: Path,
    *,
    wall_clock_is_market_time: bool,
    on_progress: Callable[[], None],
    starting_equity: Decimal | None = None,
    stop: Stop | None = None,
) -> LiveRun:
    """Run a node until it is asked to stop. Raises StrategyError, RunError, or what the data source raised.

    starting_equity: of an account that the venue keeps, of which Keel's own book is the measure; None: the engine's
    simulated account is.
    """
    config = ready.config
    stop = stop or Stop()
    restore = _on_signals(stop)
    desk.events.reconciling = starting_equity is not None
    running = Running(
        _build_node(ready, desk, venue, folder, wall_clock_is_market_time=wall_clock_is_market_time)
    )
    try:
        await _started(desk, running, venue)
        desk.events.reconciling = False
        venue.begin()
        ticks = Ticks(desk) if wall_clock_is_market_time else None
        await _until_asked(ready, desk, venue, running, stop, on_progress, ticks)
        venue.cease()
        left = await _wind_down(config.run.on_stop, desk, running.cache, stop)
        await running.stop()
    finally:
        restore()
        await running.release()
    raise_kept(desk, stop_on_error=config.run.on_strategy_error == "stop")
    if stop.failure is not None:
        raise stop.failure
    if starting_equity is None:
        equity = engine_equity(running.portfolio, running.cache, config, ready.market, desk.market_now())
    else:
        desk.note_equity()
        equity = desk.breakers.state.equity
    record = finished_record(config, ready, desk, equity, starting_equity)
    return LiveRun(record, desk.market_now(), stop.reason or "stopped", stop.interrupted, left)


def _build_node(
    ready: Prepared, desk: RiskDesk, venue: VenueClients, folder: Path, *, wall_clock_is_market_time: bool
) -> LiveNode:
    gc.collect()  # the engine allows one node a thread: one that an old traceback holds has to go first
    config, market = ready.config, ready.market
    rate = submit_rate(config, wall_clock_is_market_time=wall_clock_is_market_time)
    sandbox = config.venue.mode == "sandbox"
    fresh = sandbox and not config.venue.keeps_account  # nothing of the account was there before the node
    builder = LiveNodeBuilder.from_config(
        "KEEL",
        LiveNodeConfig(
            environment=Environment.SANDBOX if sandbox else Environment.LIVE,
            trader_id=TRADER,
            logging=logging_into(folder, config),
            delay_post_stop_secs=RESIDUAL_SECS,
            timeout_connection_secs=START_SECS,
            portfolio=PortfolioConfig(equity_curve=False),
            risk_engine=LiveRiskEngineConfig(
                max_order_submit_rate=rate,
                max_order_modify_rate=rate,
                max_notional_per_order=max_notionals(config, market),
            ),
            exec_engine=LiveExecutionEngineConfig(
                reconciliation=not fresh,
                reconciliation_startup_delay_secs=0.0,
                submission_recovery_policy=SubmissionRecoveryPolicy.RETAIN_UNRESOLVED,
                **({} if sandbox else PURGE),
            ),
        ),
    )
    node = venue.add_to(builder).build()
    own = {} if fresh else claims(config, market)
    for strategy in build_strategies(config, market, desk, unique_ids=not fresh):
        node.add_strategy(strategy)
        if strategy.known_as in own:
            strategy.set_external_order_instrument_ids(own[strategy.known_as])
    for algorithm in build_algorithms(config, desk):
        node.add_exec_algorithm(algorithm)
    return node


class Running:
    """A node that runs, and all of it that may be touched meanwhile: cache, portfolio and handle.

    The engine allows one node a thread and counts one that an old traceback still holds, so `release` lets go of it.
    """

    def __init__(self, node: LiveNode) -> None:
        """Start the node on the running loop."""
        self.cache, self.portfolio, self.handle = node.cache, node.portfolio, node.handle()
        self._task: asyncio.Future[None] | None = asyncio.ensure_future(node.run_async())

    def ended(self) -> bool:
        """Whether the node has stopped."""
        return self._task is None or self._task.done()

    def why(self) -> str:
        """What the engine says about a node that stopped by itself."""
        error = None if self._task is None else self._task.exception()
        return str(error) if error is not None else "see the engine's log in the run folder"

    async def stop(self) -> None:
        """Stop the node. Raises RunError when it does not within its time or stops with an error."""
        self.handle.stop()
        if self._task is None:
            return
        done, _ = await asyncio.wait([self._task], timeout=STOP_SECS + RESIDUAL_SECS)
        if not done:
            raise RunError(
                f"the node did not stop within {STOP_SECS:.0f} s; see the engine's log in the run folder"
            )
        error = self._task.exception()
        if error is not None and UNANSWERED not in str(error):  # those orders are in the journal, as UNKNOWN
            raise RunError(f"the node stopped with an error: {error}")

    async def release(self) -> None:
        """Let go of the node, stopping it first where it still runs."""
        if self._task is not None and not self._task.done():
            self.handle.stop()
            await asyncio.wait([self._task], timeout=STOP_SECS)
        if self._task is not None and self._task.done():
            self._task.exception()
        self._task = None


def _on_signals(stop: Stop) -> Callable[[], None]:
    """Turn SIGINT and SIGTERM into an orderly stop; answers what puts the old handlers back."""
    loop = asyncio.get_running_loop()
    signals = {signal.SIGINT: "interrupted by Ctrl-C", signal.SIGTERM: "stopped by SIGTERM"}
    for number, reason in signals.items():
        interrupted = number is signal.SIGINT
        loop.add_signal_handler(number, partial(stop.ask, reason, by_person=True, interrupted=interrupted))

    def restore() -> None:
        for number in signals:
            loop.remove_signal_handler(number)

    return restore


async def _started(desk: RiskDesk, running: Running, venue: VenueClients) -> None:
    """Wait until every strategy runs. Raises what kept the node from starting."""
    deadline = asyncio.get_running_loop().time() + START_SECS
    while not all(gate.is_running() for gate in desk.gates):
        failure = venue.error()
        if failure is not None:
            raise failure
        if desk.errors or running.ended():
            raise_kept(desk, stop_on_error=True)
            raise RunError(f"the node did not start: {running.why()}")
        if asyncio.get_running_loop().time() > deadline:
            raise RunError(
                f"the node did not start within {START_SECS:.0f} s; see the engine's log in the run folder"
            )
        await asyncio.sleep(POLL_SECS / 4)


class Ticks:
    """Lets the desk look at its deadlines once a second, on venues whose market time is the clock's."""

    def __init__(self, desk: RiskDesk) -> None:
        """For one desk; call `turn` on the node's loop. A wall clock that is set anew holds nothing up."""
        self._desk = desk
        self._origin = time.time_ns() - time.monotonic_ns()
        self._next = 0

    def turn(self) -> None:
        """Tick when a second has passed."""
        now = self._origin + time.monotonic_ns()
        if now >= self._next:
            self._next = now + TICK_NANOS
            self._desk.tick(now)


async def _until_asked(  # noqa: PLR0913 - everything that can end a run
    ready: Prepared,
    desk: RiskDesk,
    venue: VenueClients,
    running: Running,
    stop: Stop,
    on_progress: Callable[[], None],
    ticks: Ticks | None,
) -> None:
    minutes = ready.config.run.max_minutes
    deadline = None if minutes is None else asyncio.get_running_loop().time() + minutes * 60
    while stop.reason is None:
        on_progress()
        if ticks is not None:
            ticks.turn()
        failure = venue.error()
        if desk.stopping:
            stop.ask("a strategy raised", by_person=True)
        elif running.ended():
            raise RunError(f"the node stopped by itself: {running.why()}")
        elif failure is not None:
            stop.failure = RunError(f"the data stopped: {type(failure).__name__}: {failure}")
            stop.failure.__cause__ = failure
            stop.ask("the data stopped", by_person=True)
        elif venue.ended(running.cache):
            await _answered(running.cache)
            stop.ask("end of data")
        elif deadline is not None and asyncio.get_running_loop().time() >= deadline:
            stop.ask(f"run.max_minutes={minutes:g} reached", by_person=True)
        await asyncio.sleep(POLL_SECS)


async def _answered(cache: Any, timeout_secs: float = ANSWER_SECS) -> None:
    """Wait until no order is in flight for a few polls in a row, at most `timeout_secs`."""
    quiet, deadline = 0, asyncio.get_running_loop().time() + timeout_secs
    while quiet < QUIET_POLLS and asyncio.get_running_loop().time() < deadline:
        quiet = 0 if cache.orders_inflight_count() else quiet + 1
        await asyncio.sleep(POLL_SECS)


async def _wind_down(on_stop: str, desk: RiskDesk, cache: Any, stop: Stop) -> tuple[str, ...]:
    """After a person's stop: cancel entries or close everything, wait for the answers; answers what is left."""
    if stop.by_person and on_stop != "leave":
        desk.flatten() if on_stop == "flatten" else desk.cancel_adding()
        await _answered(cache)
    positions = [f"position {h.instrument.instrument} {h.position.normalize():f}" for h in desk.book.held()]
    orders = [f"order {order.client_order_id} on {order.instrument}" for order in desk.book.orders.values()]
    return tuple(positions + orders)
