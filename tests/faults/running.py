"""A run that goes on from a kept state, in both modes; its state can be looked at in the middle of a trip."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adapters.replay.factories import ReplayVenue
from backtests._engine import build_engine
from configs.validate import validated
from live._node import run_node
from risk.breaker import RiskState
from risk.desk import RiskDesk
from runs.prepare import Prepared
from runs.record import Recorder
from runs.strategies import build_desk
from tests.driving import OPEN, FixedMarket, Scripted


def run_from(
    mode: str,
    one: type[Scripted],
    rows: Sequence[Any],
    kind: str,
    risk: dict[str, Any],
    state: RiskState | None = None,
    on_trip: Callable[[RiskState], None] | None = None,
    cash: int = 100_000,
) -> tuple[RiskDesk, Recorder]:
    """Run one strategy from `state`; `on_trip` is called in the middle of a trip, as a paper account's keeper is."""
    config = validated(
        {
            "strategy": {
                "strategy_path": f"{one.__module__}:{one.__qualname__}",
                "config_path": "tests.driving:PlainConfig",
            },
            "instruments": ["AAPL"],
            "venue": {
                "config": "adapters.replay.config:ReplayVenueConfig",
                "factory": "adapters.replay.factories:ReplayVenue",
                "name": "replay",
                "mode": "sandbox",
                "maker_fee": 0,
                "taker_fee": 0,
                "starting_cash": cash,
            },
            "data": {"source": "market.us_equities:UsEquities"},
            "risk": {**OPEN, **risk},
            "run": {"on_strategy_error": "stop"},
        }
    )
    recorder = Recorder()
    ready = Prepared(config, FixedMarket(tuple(rows), kind=kind), recorder)  # type: ignore[arg-type]  # in memory
    if mode == "live":
        replay = ReplayVenue(config.venue, ready.market, None)  # type: ignore[arg-type]  # the venue's own config
        desk = build_desk(
            config, ready.market, recorder, state=state, event_time=replay.event_time, replays=replay.replays
        )
    else:
        desk = build_desk(config, ready.market, recorder, state=state)
    if on_trip is not None:
        recorder.on_trip = lambda: on_trip(desk.breakers.state)
    with tempfile.TemporaryDirectory() as folder:
        if mode == "live":
            asyncio.run(
                run_node(
                    ready,
                    desk,
                    replay,
                    Path(folder),
                    wall_clock_is_market_time=False,
                    on_progress=lambda: None,
                )
            )
        else:
            engine = build_engine(config, ready, desk, Path(folder))
            engine.add_data(list(rows))
            engine.run()
            engine.dispose()
    assert desk.errors == []
    return desk, recorder
