"""Drives a strategy class over bars made up by a test, behind the gate, in a backtest or in the live sandbox."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from nautilus_trader.model import (
    Bar,
    BarType,
    Currency,
    Equity,
    InstrumentId,
    Price,
    Quantity,
    QuoteTick,
    Symbol,
)
from nautilus_trader.trading import ExecutionAlgorithm, ExecutionAlgorithmConfig, Strategy, StrategyConfig

from adapters.replay.factories import ReplayVenue
from backtests._engine import run_backtest
from configs.validate import validated
from live._node import run_node
from market.rates import NO_RATES, Rates
from risk.desk import RiskDesk
from risk.intents import Intents
from runs.prepare import Prepared
from runs.record import Recorder, RunRecord
from runs.strategies import build_desk

DAY = 86_400_000_000_000
T0 = 1_704_205_800_000_000_000  # 2024-01-02 14:30 UTC
MODES = ("backtest", "live")
USD = Currency.from_str("USD")


def equity(symbol: str = "AAPL", margin: str = "1") -> Equity:
    """A share with two decimals on the venue XNAS."""
    return Equity(
        InstrumentId.from_str(f"{symbol}.XNAS"), Symbol(symbol), USD, 2, Price(0.01, 2), 0, 0,
        lot_size=Quantity(1, 0), margin_init=Decimal(margin), margin_maint=Decimal(margin),
    )  # fmt: skip


def bar_type(symbol: str = "AAPL") -> BarType:
    """Daily bars of a symbol."""
    return BarType.from_str(f"{symbol}.XNAS-1-DAY-LAST-EXTERNAL")


def bars(closes: Sequence[float], symbol: str = "AAPL", *, step: int = DAY, wick: float = 0.0) -> list[Bar]:
    """Bars that open at the close before them; `wick` widens high and low by that much."""
    made, before = [], closes[0]
    for number, close in enumerate(closes):
        high, low = max(before, close) + wick, min(before, close) - wick
        stamp = T0 + number * step
        o, h, l_, c = (Price(price, 2) for price in (before, high, low, close))
        made.append(Bar(bar_type(symbol), o, h, l_, c, Quantity(1_000_000, 0), stamp, stamp))
        before = close
    return made


@dataclass(frozen=True)
class FixedMarket:
    """Market data held in memory, with what a run asks of market.market_data.MarketData."""

    at_hand: ClassVar[bool] = True

    rows: tuple[Bar | QuoteTick, ...]
    symbols: tuple[str, ...] = ("AAPL",)
    kind: str = "bars"
    version: str = "test"
    doubts: tuple[str, ...] = ()
    zone: str = "America/New_York"
    days_per_year: int = 252
    margin: str = "1"
    before: tuple[Bar, ...] = ()
    rates: Rates = NO_RATES

    @property
    def instruments(self) -> tuple[Equity, ...]:
        return tuple(equity(symbol, self.margin) for symbol in self.symbols)

    @property
    def bar_types(self) -> tuple[BarType, ...]:
        return tuple(bar_type(symbol) for symbol in self.symbols)

    @property
    def start_ns(self) -> int:
        return self.rows[0].ts_event

    @property
    def end_ns(self) -> int:
        return self.rows[-1].ts_event

    def history(self) -> list[Any]:
        return list(self.before)

    def past(self, bar_type: BarType) -> list[Any]:
        return [row for row in self.before if row.bar_type == bar_type]

    def updates(self) -> list[Any]:
        return list(self.rows)

    def chunks(self, rows: int) -> list[list[Any]]:  # noqa: ARG002 - as one
        return [self.updates()]


class PlainConfig(StrategyConfig):
    """What Keel fills in and nothing else."""

    def __init__(self, instrument_ids: list[InstrumentId], bar_types: list[BarType], **_: object) -> None:
        self.instrument_ids, self.bar_types = instrument_ids, bar_types


class Scripted(Strategy):
    """Calls `at_bar(n)` for the n-th bar (from 1) it sees; keeps denials and events."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.settings = config
        self.n = 0
        self.denied: list[str] = []
        self.events: list[str] = []

    def on_start(self) -> None:
        for kind in self.settings.bar_types:
            self.subscribe_bars(kind)

    def on_bar(self, bar: Bar) -> None:
        self.n += 1
        self.at_bar(self.n, bar)

    def at_bar(self, n: int, bar: Bar) -> None:
        """What the test wants to happen."""

    def on_order_denied(self, event: Any) -> None:
        self.denied.append(event.reason)

    def on_order_event(self, event: Any) -> None:
        self.events.append(type(event).__name__)

    @property
    def iid(self) -> InstrumentId:
        return self.settings.instrument_ids[0]

    def buy(self, quantity: int, **kwargs: Any) -> Any:
        from nautilus_trader.model import OrderSide  # noqa: PLC0415 - keeps the helper in one place

        order = self.order_factory.market(self.iid, OrderSide.BUY, Quantity(quantity, 0), **kwargs)
        self.submit_order(order)
        return order

    def sell(self, quantity: int, **kwargs: Any) -> Any:
        from nautilus_trader.model import OrderSide  # noqa: PLC0415 - keeps the helper in one place

        order = self.order_factory.market(self.iid, OrderSide.SELL, Quantity(quantity, 0), **kwargs)
        self.submit_order(order)
        return order

    def limit(self, side: Any, quantity: int, price: float, **kwargs: Any) -> Any:
        order = self.order_factory.limit(self.iid, side, Quantity(quantity, 0), Price(price, 2), **kwargs)
        self.submit_order(order)
        return order


@dataclass(frozen=True)
class Driven:
    """What a driven run left behind."""

    record: RunRecord
    recorder: Recorder
    desk: RiskDesk
    strategies: list[Any]
    left: tuple[str, ...] = ()

    @property
    def limits(self) -> list[str]:
        """The codes of the refusals, in order."""
        return [refusal["limit"] for refusal in self.record.refusals]


OPEN = {  # every limit off or wide: a test switches on the one it is about
    "max_leverage": "off", "max_position_pct": "off", "max_orders_per_day": "off", "max_orders_per_sec": "off",
    "max_daily_loss_pct": "off", "max_drawdown_pct": "off", "allow_short": True, "untrusted_jump_pct": "off",
}  # fmt: skip


def drive(
    mode: str,
    classes: type[Strategy] | Sequence[type[Strategy]],
    rows: Sequence[Bar | QuoteTick],
    *,
    risk: dict[str, Any] | None = None,
    run: dict[str, Any] | None = None,
    venue: dict[str, Any] | None = None,
    algorithms: dict[str, type[ExecutionAlgorithm]] | None = None,
    made: FixedMarket | None = None,
    recorder: Recorder | None = None,
    turn: Callable[[RiskDesk], None] | None = None,
    intents: Intents | None = None,
    **market: Any,
) -> Driven:
    """Run the classes, in order, over `rows` behind one desk; `made` is a whole market instead of rows.

    `turn` is called on the live node's loop, about every 20 ms.
    """
    several = [classes] if isinstance(classes, type) else list(classes)
    fixed = made or FixedMarket(tuple(rows), **market)
    config = validated(
        {
            "strategy": _spec(several[0]),
            "strategies": {f"s{n}": _spec(one) for n, one in enumerate(several[1:])},
            "exec_algorithms": {name: _algorithm(one) for name, one in (algorithms or {}).items()},
            "instruments": list(fixed.symbols),
            "venue": {
                "config": "adapters.replay.config:ReplayVenueConfig",
                "factory": "adapters.replay.factories:ReplayVenue",
                "name": "replay",
                "mode": "sandbox",
                "maker_fee": 0,
                "taker_fee": 0,
                **(venue or {}),
            },
            "data": {"source": "market.us_equities:UsEquities"},
            "risk": {**OPEN, **(risk or {})},
            "run": {"on_strategy_error": "stop", **(run or {})},
        }
    )
    ready = Prepared(config, fixed, recorder or Recorder())  # type: ignore[arg-type]
    if mode == "backtest":
        backtest = run_backtest(config, prepared=ready)
        return Driven(backtest.record, ready.recorder, backtest.desk, list(backtest.desk.gates))
    replay = ReplayVenue(config.venue, fixed, config.run.max_bars)  # type: ignore[arg-type]
    desk = build_desk(
        config,
        ready.market,
        ready.recorder,
        event_time=replay.event_time,
        replays=replay.replays,
        intents=intents,
    )
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(
            run_node(
                ready,
                desk,
                replay,
                Path(folder),
                wall_clock_is_market_time=False,
                on_progress=lambda: None if turn is None else turn(desk),
            )
        )
    return Driven(result.record, ready.recorder, desk, list(desk.gates), result.left)


def _spec(one: type[Strategy]) -> dict[str, Any]:
    config = "tests.driving:PlainConfig"
    return {"strategy_path": f"{one.__module__}:{one.__qualname__}", "config_path": config}


class PlainAlgorithmConfig(ExecutionAlgorithmConfig):
    """No parameters of its own."""

    def __init__(self, **_: object) -> None: ...


def _algorithm(one: type[ExecutionAlgorithm]) -> dict[str, Any]:
    config = "tests.driving:PlainAlgorithmConfig"
    return {"algorithm_path": f"{one.__module__}:{one.__qualname__}", "config_path": config}
