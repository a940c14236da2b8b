"""A run on quotes alone gives the same orders, fills, refusals, trips and equity in both modes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.parity.test_parity import assert_same, both

COUNT = 3_000
QUOTING = "tests.parity.quoting:Quoting"


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """A file of quotes ten seconds apart, from a seed, that falls by a tenth in its last third."""
    rng, price, rows = random.Random(5), 100.0, ["time,bid,ask,bid_size,ask_size"]  # noqa: S311 - a seeded path
    start = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
    for number in range(COUNT):
        drift = -0.0001 if number > COUNT * 2 / 3 else 0.0
        price *= 1 + rng.gauss(drift, 0.0004)
        stamp = (start + timedelta(seconds=10 * number)).isoformat()
        rows.append(f"{stamp},{price - 0.01:.2f},{price + 0.01:.2f},1000,1000")
    path = tmp_path / "ABC.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "risk",
    [
        ["risk.max_position_pct=0.2"],
        ["risk.max_position_pct=0.2", "risk.max_drawdown_pct=0.001", "risk.max_daily_loss_pct=off"],
        [
            "risk.max_position_pct=0.2", "risk.default_stop_loss_pct=0.002", "risk.take_profit_pct=0.004",
            "risk.max_slippage_pct=0.001", "risk.max_price_age_secs=60",
        ],
    ],
    ids=["limits", "trip", "exits"],
)  # fmt: skip
def test_quotes_give_the_same_run_in_both_modes(prices: Path, tmp_path: Path, risk: list[str]) -> None:
    past, present = both(
        [
            "data=csv", "data.kind=quotes", f"data.path={prices}", f"data.catalog_dir={tmp_path / 'catalog'}",
            "instruments=[ABC]", "~strategy",
            f"+strategy={{strategy_path: '{QUOTING}', config_path: '{QUOTING}Config'}}",
            *risk,
        ]
    )  # fmt: skip
    assert_same(past, present)
    assert len(past.fills) > 20
    if "risk.max_drawdown_pct=0.001" in risk:
        assert [trip["breaker"] for trip in past.trips] == ["DRAWDOWN"]
