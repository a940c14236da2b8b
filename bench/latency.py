"""How long from a bar that enters the gate to the order handed on to the engine, with and without a journal?"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from nautilus_trader.model import Bar, BarType, InstrumentId, OrderSide, Price, Quantity
from nautilus_trader.trading import Strategy, StrategyConfig

from adapters.replay.factories import ReplayVenue
from bench import everything_on
from bench.made import CONFIGS, STEP, Made, minute_bars, stamps
from bench.servers import throwaway_database
from configs.load import compose
from live._journal import RunJournal
from live._node import run_node
from runs.prepare import Prepared
from runs.record import Recorder
from runs.strategies import build_desk
from runs.witnesses import tee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from configs.load import Composed
    from market.market_data import MarketData

NANOS_A_MICRO = 1_000
WARM_UP = 50  # orders that are not counted: what is imported and prepared once
RUN = [
    "strategy=toggling",
    "instruments=[MADE]",
    "bar=1m",
    "run.on_strategy_error=stop",
    "run.on_stop=leave",
    "venue.maker_fee=0",
    "venue.taker_fee=0",
]


class Clock:
    """When bars entered the gate, and when their orders had been handed on; nanoseconds of the machine's clock."""

    def __init__(self) -> None:
        """Nothing timed yet."""
        self.entered = 0
        self.taken: list[int] = []


class TogglingConfig(StrategyConfig):
    """Parameters of `Toggling`."""

    def __init__(self, instrument_id: InstrumentId, bar_type: BarType, **_: object) -> None:
        """One instrument and its bars."""
        self.instrument_id = instrument_id
        self.bar_type = bar_type


class Toggling(Strategy):
    """Buys at one bar and sells at the next; half of its orders add exposure."""

    clock_of_bench = Clock()

    @property
    def params(self) -> TogglingConfig:
        """What it was made with."""
        return cast("TogglingConfig", self.config)

    def __init_subclass__(cls) -> None:
        """Start the clock before any of the gate's own work."""
        super().__init_subclass__()
        enter: Any = cls.on_bar

        def on_bar(self: Toggling, bar: Bar) -> None:
            self.clock_of_bench.entered = time.perf_counter_ns()
            enter(self, bar)

        cls.on_bar = on_bar  # type: ignore[method-assign]

    def on_start(self) -> None:
        """Subscribe."""
        self.subscribe_bars(self.params.bar_type)

    def on_bar(self, bar: Bar) -> None:  # noqa: ARG002 - the engine's signature
        """Turn round."""
        instrument = self.params.instrument_id
        side = OrderSide.SELL if self.cache.positions_open(instrument_id=instrument) else OrderSide.BUY
        self.submit_order(self.order_factory.market(instrument, side, Quantity(10, 0)))


def measure(kind: str, orders: int) -> dict[str, Any]:
    """One live node with a journal of a kind (none, sqlite, postgres); microseconds, rows and bytes."""
    Toggling.clock_of_bench = clock = Clock()
    with TemporaryDirectory() as folder, _journal_of(kind, Path(folder)) as words:
        limits = everything_on.overrides("Toggling", ("MADE",))
        composed = compose("live", [*RUN, *limits, *words], CONFIGS)
        journal = None if kind == "none" else RunJournal(composed)
        with _orders_timed(clock):
            began = time.process_time()
            _run(composed, orders, Path(folder), journal)
            cpu = time.process_time() - began
        rows = 0 if journal is None else journal.writer.written
        database = Path(folder) / "journal.db"
        size = database.stat().st_size if database.exists() else 0
    taken = sorted(clock.taken[WARM_UP:])
    return {
        "orders": len(taken),
        "median_us": median(taken) / NANOS_A_MICRO,
        "late_us": quantiles(taken, n=100)[98] / NANOS_A_MICRO,
        "cpu_us_an_order": cpu / max(1, len(clock.taken)) * 1e6,
        "rows": rows,
        "bytes": size,
    }


def _run(composed: Composed, orders: int, folder: Path, journal: RunJournal | None) -> None:
    config, data = composed.config, _data(orders)
    ready = Prepared(config, cast("MarketData", data), Recorder())
    replay = ReplayVenue(cast("Any", config.venue), cast("Any", data))
    desk = build_desk(
        config,
        ready.market,
        ready.recorder if journal is None else tee(ready.recorder, journal.witness),
        event_time=replay.event_time,
        replays=replay.replays,
        intents=None if journal is None else journal.witness,
    )
    if journal is not None:
        journal.begin(desk, folder=str(folder), code_version="", data_version="")
    turn = journal.turn if journal is not None else lambda: None
    try:
        asyncio.run(run_node(ready, desk, replay, folder, wall_clock_is_market_time=False, on_progress=turn))
    finally:
        if journal is not None:
            journal.close("end of the bench")
            journal.release()


@contextmanager
def _orders_timed(clock: Clock) -> Iterator[None]:
    """Take the time after each of the engine's own submit calls, which is what the gate hands orders to."""
    original: Any = Strategy.submit_order

    def submit_order(self: Strategy, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        clock.taken.append(time.perf_counter_ns() - clock.entered)

    Strategy.submit_order = submit_order  # type: ignore[method-assign]
    try:
        yield
    finally:
        Strategy.submit_order = original  # type: ignore[method-assign]


@contextmanager
def _journal_of(kind: str, folder: Path) -> Iterator[list[str]]:
    if kind == "postgres":
        with throwaway_database() as url:
            yield ["journal=postgres", f"journal.url={url}"]
    else:
        yield [f"journal.path={folder / 'journal.db'}"]


def _data(orders: int) -> Made:
    closes = [100.0 + (number % 7) / 100 for number in range(orders)]
    rows = [
        Bar(
            minute_bars("MADE"), Price(close, 2), Price(close, 2), Price(close, 2), Price(close, 2),
            Quantity(100_000, 0), ts, ts,
        )
        for close, ts in zip(closes, stamps(len(closes), STEP["bars"]), strict=True)
    ]  # fmt: skip
    return Made(rows, ("MADE",))
