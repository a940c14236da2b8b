"""The same strategy, data and limits give the same orders, fills, refusals, trips and equity in both modes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from adapters.replay.config import ReplayVenueConfig
from adapters.replay.factories import ReplayVenue
from backtests._engine import run_backtest
from configs.load import compose
from configs.schema import RunConfig
from live._node import run_node
from runs.prepare import prepare
from runs.record import RunRecord
from runs.strategies import build_desk


def replay_config(config: Any) -> ReplayVenueConfig:
    assert isinstance(config.venue, ReplayVenueConfig)
    return config.venue


IDS = ("client_order_id", "trade_id")
TRIPS = ["risk.max_drawdown_pct=0.05", "risk.max_daily_loss_pct=0.02", "risk.max_position_pct=0.3"]


def both(overrides: list[str]) -> tuple[RunRecord, RunRecord]:
    live = compose("live", [*overrides, "run.on_strategy_error=stop"]).config
    return both_of(compose("backtest", overrides).config, live)


def both_of(past: RunConfig, present: RunConfig) -> tuple[RunRecord, RunRecord]:
    """The record of a backtest and of a live run on replay."""
    ready = prepare(present)
    venue = ReplayVenue(replay_config(present), ready.market, present.run.max_bars)
    desk = build_desk(
        present, ready.market, ready.recorder, event_time=venue.event_time, replays=venue.replays
    )
    with tempfile.TemporaryDirectory() as folder:
        live = asyncio.run(
            run_node(
                ready, desk, venue, Path(folder), wall_clock_is_market_time=False, on_progress=lambda: None
            )
        )
    return run_backtest(past).record, live.record


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in IDS} for row in rows]


def assert_same(backtest: RunRecord, live: RunRecord) -> None:
    for name in ("orders", "fills", "refusals", "trips"):
        assert plain(getattr(live, name)) == plain(getattr(backtest, name)), name
    assert live.final_equity == backtest.final_equity
    assert live.halted == backtest.halted


@pytest.mark.parametrize("strategy", ["ema_cross", "bollinger_reversion"])
@pytest.mark.parametrize("direction", ["long", "both"])
def test_both_strategies_with_a_trip_inside_the_period(strategy: str, direction: str) -> None:
    overrides = [f"strategy={strategy}", f"strategy.direction={direction}", "risk.allow_short=true", *TRIPS]
    backtest, live = both([*overrides, "strategy.sizing=percent_of_equity"])
    assert_same(backtest, live)
    assert backtest.trips
    assert backtest.fills


def test_several_instruments_and_warm_up_from_history() -> None:
    backtest, live = both(["instruments=[AAPL,MSFT,IBM,GOOG]", "run.start=2005-06-01", *TRIPS])
    assert_same(backtest, live)
    assert len({fill["instrument"] for fill in backtest.fills}) == 4


def test_two_strategies_share_limits() -> None:
    backtest, live = both(["experiment=two_strategies", "risk.max_leverage=0.12"])
    assert_same(backtest, live)
    assert len({fill["strategy"] for fill in backtest.fills}) == 2
    assert any(refusal["limit"] == "MAX_LEVERAGE" for refusal in backtest.refusals)


@pytest.mark.parametrize("on_trip", ["cancel", "flatten"])
def test_resting_orders_changes_and_chains_of_fills(on_trip: str) -> None:
    """Limits, stops, changes, protective stops and orders sent from fills, by two strategies on three instruments."""
    overrides = [
        "instruments=[AAPL,MSFT,IBM]", f"risk.on_trip={on_trip}", "risk.max_drawdown_pct=0.1",
        "risk.max_position_pct=0.2", "risk.max_leverage=0.5",
    ]  # fmt: skip
    from configs.validate import validated  # noqa: PLC0415 - the busy strategy has no YAML

    document = document_of(overrides)
    document["strategy"] = {**BUSY_SPEC, "size": 20}
    document["strategies"] = {"other": {**BUSY_SPEC, "every": 4, "size": 30}}
    config = validated(document)
    backtest, live = both_of(config, config)
    assert_same(backtest, live)
    assert {order["type"] for order in backtest.orders} >= {"LIMIT", "STOP_MARKET", "MARKET"}
    assert backtest.trips


BUSY_SPEC = {"strategy_path": "tests.parity.busy:Busy", "config_path": "tests.parity.busy:BusyConfig"}


def document_of(overrides: list[str]) -> dict[str, Any]:
    from omegaconf import OmegaConf  # noqa: PLC0415 - reads the composed text back

    document = OmegaConf.to_container(OmegaConf.create(compose("backtest", overrides).text))
    assert isinstance(document, dict)
    return {str(key): value for key, value in document.items()}


@pytest.mark.parametrize(
    "extra", [[], ["run.max_bars=700"], ["venue.account_type=cash", "venue.slippage_ticks=1"]]
)
def test_both_commands_print_the_same_json(extra: list[str], tmp_path: Path) -> None:
    printed = []
    for package in ("backtests", "live"):
        command = [
            sys.executable,
            "-m",
            package,
            "run",
            "output=json",
            "run.plots=false",
            "run.tearsheet=false",
            *extra,
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        printed.append(json.loads(done.stdout))
    backtest, live = printed
    assert Path(tmp_path, backtest.pop("run_dir")).is_dir()
    assert Path(tmp_path, live.pop("run_dir")).is_dir()
    assert live == backtest
    wanted = {
        "orders": int,
        "fills": int,
        "refusals": int,
        "final_equity": str,
        "max_drawdown": float,
        "halted": bool,
    }
    assert {key: type(backtest[key]) for key in wanted} == wanted
    assert "sharpe" in backtest
