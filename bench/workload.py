"""One measured run: the same strategy on the same updates, in the bare engine or behind Keel with everything on."""

from __future__ import annotations

import resource
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig, LogLevel
from nautilus_trader.model import OmsType, OrderSide, StrategyId, TraderId
from nautilus_trader.portfolio import PortfolioConfig

from adapters import simulated
from backtests._engine import build_engine
from bench import everything_on
from bench.made import CONFIGS, SYMBOLS, Made, made
from configs.load import compose
from risk.decisions import Decisions
from runs.prepare import Prepared
from runs.record import Recorder
from runs.strategies import build_desk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nautilus_trader.model import OrderInitialized

    from configs.schema import RunConfig
    from market.market_data import MarketData
    from risk.gate import RiskGate

KIB = 1024
STRATEGY = {  # kind of data -> (class that trades on it, how it is chosen)
    "bars": (
        "EmaCross",
        ["strategy=ema_cross", "strategy.sizing=percent_of_equity", "strategy.size_pct=0.4"],
    ),
    "quotes": ("QuoteCross", ["strategy=quote_cross"]),
}
COMMON = ["bar=1m", "log.level=warning", "venue.maker_fee=0", "venue.taker_fee=0"]
Measured = dict[str, Any]


def measure(  # noqa: PLR0913 - what one run is
    side: str, kind: str, count: int, fast: int, slow: int, drift: float
) -> Measured:
    """Run once. `side`: bare, keel, or timed (Keel with every decision's time taken); `kind`: bars or quotes.

    Answers the processor seconds of the run itself (what others took from the machine meanwhile does not count), orders
    sent, how many refusals, trips and errors there were, the process's peak memory in MiB, and the decisions on entries
    and exits: number, median and 99th percentile in microseconds.
    """
    config = config_of(kind, fast, slow)
    data, recorder = made(kind, count, drift), Recorder()
    with TemporaryDirectory() as folder, _decisions_timed(wanted=side == "timed") as nanos:
        engine = _bare(config, data) if side == "bare" else _keel(config, data, recorder, Path(folder))
        engine.add_data(data.rows)
        began = time.process_time()
        engine.run()
        seconds = time.process_time() - began
        orders = len(engine.cache.orders())
        engine.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        KIB if sys.platform != "darwin" else KIB * KIB
    )
    spoilt = len(recorder.refusals) + len(recorder.trips) + len(recorder.errors)
    return {
        "secs": seconds,
        "orders": orders,
        "spoilt": spoilt,
        "peak_mib": peak,
        **{purpose: _microseconds(taken) for purpose, taken in nanos.items()},
    }


def _microseconds(nanos: list[int]) -> list[float]:
    """How many, their median, their 99th percentile."""
    return [len(nanos), *(np.percentile(nanos, [50, 99]) / 1000).tolist()] if nanos else [0, 0.0, 0.0]


def config_of(kind: str, fast: int, slow: int) -> RunConfig:
    """The run's config: everything on, the strategy's periods as given."""
    name, chosen = STRATEGY[kind]
    periods = [f"strategy.fast={fast}", f"strategy.slow={slow}"]
    limits = everything_on.overrides(name, SYMBOLS)
    return compose("backtest", [*chosen, *periods, *COMMON, *limits], CONFIGS).config


@contextmanager
def _decisions_timed(*, wanted: bool) -> Iterator[dict[str, list[int]]]:
    """Take the nanoseconds of each of the desk's decisions, in this process only; the strategies only buy to enter."""
    nanos: dict[str, list[int]] = {"entries": [], "exits": []}
    decide, clock = Decisions.decide, time.perf_counter_ns

    def timed(self: Decisions, gate: RiskGate, orders: Sequence[OrderInitialized]) -> str | None:
        taken = nanos["entries" if orders[0].order_side == OrderSide.BUY else "exits"]
        began = clock()
        answer = decide(self, gate, orders)
        taken.append(clock() - began)
        return answer

    if wanted:
        Decisions.decide = timed  # type: ignore[method-assign]
    try:
        yield nanos
    finally:
        Decisions.decide = decide  # type: ignore[method-assign]


def _keel(config: RunConfig, data: Made, recorder: Recorder, folder: Path) -> BacktestEngine:
    ready = Prepared(config, cast("MarketData", data), recorder)  # made in memory: no catalog behind it
    return build_engine(config, ready, build_desk(config, ready.market, recorder), folder)


def _bare(config: RunConfig, data: Made) -> BacktestEngine:
    venue, instrument = config.venue, data.instruments[0]
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("BARE-001"),
            logging=LoggerConfig(stdout_level=LogLevel.OFF),
            run_analysis=False,
            portfolio=PortfolioConfig(equity_curve=False),
        )
    )
    engine.add_venue(
        instrument.id.venue, OmsType.NETTING, simulated.account_type(venue), [simulated.starting_balance(venue)],
        base_currency=simulated.base_currency(venue), default_leverage=simulated.leverage(venue),
        fee_model=simulated.fee_model(venue), reject_stop_orders=False,
    )  # fmt: skip
    engine.add_instrument(instrument)
    strategy_class, config_class = config.strategy.classes()
    own, strategy = cast("Any", config_class), cast("Any", _without_history(strategy_class))
    ids = {"instrument_ids": [instrument.id], "bar_types": list(data.bar_types)}
    name = StrategyId(f"{strategy_class.__name__}-001")
    engine.add_strategy(strategy(own(**config.strategy.params, **ids, strategy_id=name)))
    return engine


def _without_history(strategy_class: type) -> type:
    """The strategy with its question for history left unanswered: the bare engine has no catalog to answer from."""
    return type(strategy_class.__name__, (strategy_class,), {"request_bars": lambda *_, **__: ""})
