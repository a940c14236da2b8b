"""One measured run: the same strategy on the same bars, in the bare engine or behind Keel's gate and breakers."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig, LogLevel
from nautilus_trader.model import (
    Bar,
    BarType,
    Currency,
    Equity,
    InstrumentId,
    OmsType,
    Price,
    Quantity,
    StrategyId,
    Symbol,
    TraderId,
)
from nautilus_trader.portfolio import PortfolioConfig

from adapters import simulated
from backtests._engine import build_engine
from configs.load import compose
from runs.prepare import Prepared
from runs.record import Recorder
from runs.strategies import build_desk

if TYPE_CHECKING:
    from configs.schema import RunConfig
    from market.market_data import MarketData

SEED = 7
MINUTE = 60_000_000_000
START = 1_577_975_400_000_000_000  # 2020-01-02 14:30 UTC
KIB = 1024
OVERRIDES = [  # every breaker and limit on, none of them binding: both sides send the same orders
    "bar=1m", "strategy.fast=20", "strategy.slow=50", "strategy.sizing=percent_of_equity", "strategy.size_pct=0.5",
    "risk.max_position_pct=0.9", "risk.max_position_notional=1e9",
    "risk.max_order_pct=0.95", "risk.max_order_notional=1e9", "risk.max_open_positions=5",
    "risk.max_orders_per_day=5000", "risk.max_daily_loss_pct=0.5", "risk.max_daily_loss=1e6",
    "risk.max_drawdown_pct=0.99", "log.level=warning", "venue.maker_fee=0", "venue.taker_fee=0",
]  # fmt: skip


@dataclass(frozen=True)
class Made:
    """Minute bars made from a seed, with what a run asks of its market data."""

    rows: list[Bar]
    instruments: tuple[Equity, ...]
    bar_types: tuple[BarType, ...]
    kind: str = "bars"
    symbols: tuple[str, ...] = ("MADE",)
    version: str = f"seed-{SEED}"
    doubts: tuple[str, ...] = ()

    @property
    def start_ns(self) -> int:
        """First stamp."""
        return self.rows[0].ts_event

    @property
    def end_ns(self) -> int:
        """Last stamp."""
        return self.rows[-1].ts_event

    def updates(self) -> list[Bar]:
        """All bars."""
        return self.rows

    def history(self) -> list[Bar]:
        """Nothing came before."""
        return []


def make(count: int) -> Made:
    """A random walk of `count` minute bars around 500.00, two decimals."""
    rng = np.random.default_rng(SEED)
    closes = np.round(500 + np.cumsum(rng.normal(0, 0.05, count)), 2)
    closes = np.where(closes < 50, 100 - closes, closes)  # noqa: PLR2004 - reflected far from zero
    opens = np.concatenate([closes[:1], closes[:-1]])
    highs, lows = np.maximum(opens, closes) + 0.02, np.minimum(opens, closes) - 0.02
    bar_type = BarType.from_str("MADE.XNAS-1-MINUTE-LAST-EXTERNAL")
    rows = [
        Bar(bar_type, Price(o, 2), Price(h, 2), Price(low, 2), Price(c, 2), Quantity(100_000, 0), ts, ts)
        for ts, o, h, low, c in zip(
            range(START, START + count * MINUTE, MINUTE),
            opens.tolist(),
            highs.tolist(),
            lows.tolist(),
            closes.tolist(),
            strict=True,
        )
    ]
    instrument = Equity(
        InstrumentId.from_str("MADE.XNAS"), Symbol("MADE"), Currency.from_str("USD"), 2, Price(0.01, 2), 0, 0,
        lot_size=Quantity(1, 0), margin_init=Decimal(1), margin_maint=Decimal(1),
    )  # fmt: skip
    return Made(rows, (instrument,), (bar_type,))


def measure(kind: str, count: int) -> dict[str, float]:
    """Run once; answers bars a second of the run itself, orders sent, and the process's peak memory in MiB."""
    made, config = make(count), compose("backtest", OVERRIDES).config
    with TemporaryDirectory() as folder:
        engine = _bare(config, made) if kind == "bare" else _keel(config, made, Path(folder))
        engine.add_data(made.rows)
        began = time.perf_counter()
        engine.run()
        seconds = time.perf_counter() - began
        orders = len(engine.cache.orders())
        engine.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        KIB if sys.platform != "darwin" else KIB * KIB
    )
    return {"bars_per_sec": count / seconds, "orders": orders, "peak_mib": peak}


def _keel(config: RunConfig, made: Made, folder: Path) -> BacktestEngine:
    ready = Prepared(config, cast("MarketData", made), Recorder())  # made in memory: no catalog behind it
    return build_engine(config, ready, build_desk(config, ready.market, ready.recorder), folder)


def _bare(config: RunConfig, made: Made) -> BacktestEngine:
    venue = config.venue
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("BARE-001"),
            logging=LoggerConfig(stdout_level=LogLevel.OFF),
            run_analysis=False,
            portfolio=PortfolioConfig(equity_curve=False),
        )
    )
    engine.add_venue(
        made.instruments[0].id.venue, OmsType.NETTING, simulated.account_type(venue),
        [simulated.starting_balance(venue)],
        base_currency=simulated.base_currency(venue), default_leverage=simulated.leverage(venue),
        fee_model=simulated.fee_model(venue), reject_stop_orders=False,
    )  # fmt: skip
    engine.add_instrument(made.instruments[0])
    strategy_class, config_class = config.strategy.classes()
    own: Any = config_class
    parameters = config.strategy.params
    ids = {"instrument_ids": [made.instruments[0].id], "bar_types": list(made.bar_types)}
    strategy: Any = _without_history(strategy_class)
    engine.add_strategy(strategy(own(**parameters, **ids, strategy_id=StrategyId("EmaCross-001"))))
    return engine


def _without_history(strategy_class: type) -> type:
    """The strategy with its question for history left unanswered: the bare engine has no catalog to answer from."""
    return type(strategy_class.__name__, (strategy_class,), {"request_bars": lambda *_, **__: ""})


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
