"""A backtest whose data comes in chunks is to the bit the one whose data is all in memory."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests._engine import run_backtest
from configs.load import compose
from market.held import held
from runs.prepare import Prepared, prepare
from strategies.ema_cross import EmaCross, EmaCrossConfig

STAMPS: list[int] = []


class Alarmed(EmaCross):
    """Notes when a timer that does not fall on the bars goes off."""

    def on_start(self) -> None:
        super().on_start()
        self.clock.set_timer(
            "often", timedelta(hours=7), None, None, lambda event: STAMPS.append(event.ts_event)
        )


class AlarmedConfig(EmaCrossConfig):
    """As its parent's."""


ALARMED = [
    f"strategy.strategy_path={__name__}:Alarmed",
    f"strategy.config_path={__name__}:AlarmedConfig",
]
SHARES = ["instruments=[AAPL,MSFT,GOOG]", "strategy.fast=5", "strategy.slow=20"]
RUNS = {
    "several shares": SHARES,
    "costs and latency": [*SHARES, "costs=alpaca", "venue.latency_ms=250"],
    "from the middle, not to the end": [*SHARES, "run.start=2005-01-03", "run.max_bars=1001"],
    "limits that trip": [*SHARES, "risk.max_drawdown_pct=0.05", "risk=conservative"],
    "foreign currencies": [
        "data=fx_daily", "instruments=[EURUSD,USDJPY,GBPUSD]", "data.rates=fx_daily", "run.start=2018-01-01",
        "run.end=2020-01-01", "strategy.fast=5", "strategy.slow=20", "risk=off_for_research",
    ],
    "timers": [*SHARES, *ALARMED, "run.end=2008-01-01"],
}  # fmt: skip


def _told(done: Any) -> dict[str, Any]:
    record = done.record
    names = (
        "orders",
        "fills",
        "refusals",
        "trips",
        "notices",
        "carried",
        "expected",
        "final_equity",
        "halted",
    )
    return {name: getattr(record, name) for name in names} | {"until": done.until_ns}


def _both_ways(overrides: list[str], rows: int = 150) -> tuple[dict[str, Any], dict[str, Any]]:
    told = []
    for chunk_rows in (rows, 10**9):
        config = compose("backtest", [*overrides, f"run.chunk_rows={chunk_rows}"]).config
        ready = prepare(config)
        if chunk_rows > rows:
            ready = Prepared(config, held(ready.market), ready.recorder)
        else:
            assert len(list(ready.market.chunks(rows))) > 5
        told.append(_told(run_backtest(config, prepared=ready)))
    return told[0], told[1]


@pytest.mark.parametrize("name", RUNS)
def test_a_run_in_chunks_is_the_run_in_one(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("market._parquet.GROUP", 100)
    STAMPS.clear()
    chunked, whole = _both_ways([*RUNS[name], f"data.catalog_dir={tmp_path}"])
    assert whole["orders"]
    assert chunked == whole
    if name == "timers":
        half = len(STAMPS) // 2
        assert STAMPS[:half] == STAMPS[half:]
        assert half > 1_000


def test_quotes_in_chunks_are_the_run_in_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("market._parquet.GROUP", 100)
    folder = tmp_path / "quotes"
    folder.mkdir()
    for number, symbol in enumerate(("BTCUSD", "ETHUSD")):
        bid = np.round(100 + np.cumsum(np.random.default_rng(number).normal(0, 0.5, 3_000)), 2)
        time = pd.date_range("2024-01-02", periods=3_000, freq="s", tz="UTC").floor("3s")
        table = pd.DataFrame(
            {"time": time, "bid": bid, "ask": bid + 0.02, "bid_size": 50.0, "ask_size": 50.0}
        )
        table.to_parquet(folder / f"{symbol}.parquet")
    overrides = [
        "data=parquet", f"data.path={folder}", "data.kind=quotes", "data.instrument_class=crypto",
        f"data.catalog_dir={tmp_path / 'catalog'}", "strategy=quote_cross", "risk=off_for_research",
    ]  # fmt: skip
    import bench  # noqa: PLC0415 - its folder of configs has a strategy on quotes

    configs = Path(bench.__file__).parent / "configs"
    told = []
    for rows in (300, 10**9):
        config = compose("backtest", [*overrides, f"run.chunk_rows={rows}"], configs).config
        told.append(_told(run_backtest(config)))
    assert told[0]["orders"]
    assert told[0] == told[1]
