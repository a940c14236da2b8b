"""One measured breach: how long from the bar that breaks the drawdown limit to the last cancel, in the live sandbox?"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from nautilus_trader.model import Bar, Price, Quantity
from nautilus_trader.trading import Strategy

from adapters.replay.factories import ReplayVenue
from bench import everything_on
from bench.made import CONFIGS, STEP, Made, minute_bars, stamps
from bench.resting import FALLEN, WHOLE, Resting, Watch
from configs.load import compose
from live._node import run_node
from runs.prepare import Prepared
from runs.record import Recorder
from runs.strategies import build_desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.market_data import MarketData

SYMBOLS = ("MADE", "TWIN")
BEFORE, AFTER = 8, 30  # bars of each before the fall, and after it
RUN = [
    "strategy=resting",
    f"instruments=[{','.join(SYMBOLS)}]",
    "bar=1m",
    "run.on_strategy_error=stop",
    "run.on_stop=leave",
    "venue.maker_fee=0",
    "venue.taker_fee=0",
]
BINDING = {"max_daily_loss_pct": "0.05", "max_drawdown_pct": "0.05"}


def measure(on_trip: str, orders: int) -> dict[str, Any]:
    """Run one live node over a breach; answers milliseconds from it, and what was left working or held."""
    Resting.watch = watch = Watch()
    data = _data()
    limits = everything_on.overrides("Resting", SYMBOLS, **BINDING, on_trip=on_trip)
    config = compose("live", [*RUN, f"strategy.orders={orders}", *limits], CONFIGS).config
    ready = Prepared(config, cast("MarketData", data), Recorder())
    replay = ReplayVenue(cast("Any", config.venue), cast("Any", data))
    desk = build_desk(
        config, ready.market, ready.recorder, event_time=replay.event_time, replays=replay.replays
    )
    with TemporaryDirectory() as folder:
        run = run_node(
            ready, desk, replay, Path(folder), wall_clock_is_market_time=False, on_progress=lambda: None
        )
        with _cancels_timed(watch):
            left = asyncio.run(run).left
    return {
        "working": watch.working,
        "canceled": len(watch.canceled),
        "trips": [trip["breaker"] for trip in ready.recorder.trips],
        "sent_ms": (max(watch.cancels, default=0) - watch.breached) / 1e6,
        "canceled_ms": (max(watch.canceled, default=0) - watch.breached) / 1e6,
        "left": left,
    }


@contextmanager
def _cancels_timed(watch: Watch) -> Iterator[None]:
    """Take the time after each of the engine's own cancel calls, which is what the gate uses."""
    original: Any = Strategy.cancel_order

    def cancel_order(self: Strategy, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        watch.cancels.append(time.perf_counter_ns())

    Strategy.cancel_order = cancel_order  # type: ignore[method-assign]
    try:
        yield
    finally:
        Strategy.cancel_order = original  # type: ignore[method-assign]


def _data() -> Made:
    closes = [WHOLE] * BEFORE + [FALLEN] * AFTER
    rows = [
        Bar(
            minute_bars(symbol), Price(close, 2), Price(close, 2), Price(close, 2), Price(close, 2),
            Quantity(100_000, 0), ts, ts,
        )
        for close, ts in zip(closes, stamps(len(closes), STEP["bars"]), strict=True)
        for symbol in SYMBOLS
    ]  # fmt: skip
    return Made(rows, SYMBOLS)
