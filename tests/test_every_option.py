"""Every YAML option a user can choose is composed, validated, built and run for a few bars."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtests._engine import run_backtest
from configs.load import compose

CONFIGS = Path(__file__).parents[1] / "configs"
OPTIONS = sorted(
    (path.parent.name, path.stem)
    for group in ("data", "experiment", "risk", "strategy", "venue")
    for path in (CONFIGS / group).glob("*.yaml")
)
ROWS = ["time,open,high,low,close,volume"] + [f"2024-01-{day:02},10,11,9,10.5,1000" for day in range(2, 29)]


@pytest.fixture
def needed(tmp_path: Path) -> dict[tuple[str, str], list[str]]:
    """What an option cannot be without: a file of the user's own."""
    import pandas as pd  # noqa: PLC0415 - one use

    csv = tmp_path / "MINE.csv"
    csv.write_text("\n".join(ROWS) + "\n")
    frame = pd.read_csv(csv)
    frame.to_parquet(tmp_path / "MINE.parquet")
    own = ["instruments=[MINE]", f"data.catalog_dir={tmp_path / 'catalog'}"]
    return {
        ("data", "csv"): [*own, f"data.path={csv}"],
        ("data", "parquet"): [*own, f"data.path={tmp_path / 'MINE.parquet'}"],
    }


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=["=".join(each) for each in OPTIONS])
def test_an_option_runs(group: str, option: str, needed: dict[tuple[str, str], list[str]]) -> None:
    overrides = [f"{group}={option}", "run.max_bars=200", *needed.get((group, option), [])]
    compose("live", overrides)
    result = run_backtest(compose("backtest", overrides).config)
    assert result.until_ns > 0
