"""Every YAML option a user can choose is composed, validated, built and run for a few bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backtests import lookahead, stress, warmup
from backtests._engine import run_backtest
from backtests.bias.settings import LookaheadSettings, StressSettings, WarmupSettings, taken
from configs.launcher import launcher_of
from configs.load import compose
from market._store import Holding, Store

CONFIGS = Path(__file__).parents[1] / "configs"
OPTIONS = sorted(
    (path.parent.name, path.stem)
    for group in ("costs", "data", "experiment", "risk", "strategy", "venue")
    for path in (CONFIGS / group).glob("*.yaml")
)
_DAY = 1_357_074_000_000_000_000  # 2013-01-01T21:00Z
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
    for kind, symbol in (("iex-all", "AAPL"), ("crypto", "BTC/USD")):
        rows = [(_DAY + number * 86_400_000_000_000, 10, 11, 9, 10.5, 1000) for number in range(4)]
        store = Store(tmp_path / "downloads" / kind)
        store.add(Holding(symbol, 2, 2), "1d", rows[0][0], rows[-1][0], rows)
    fetched = [f"data.folder={tmp_path / 'downloads'}", f"data.catalog_dir={tmp_path / 'catalog'}"]
    return {
        ("data", "alpaca"): fetched,
        ("data", "alpaca_crypto"): fetched,
        ("data", "csv"): [*own, f"data.path={csv}"],
        ("data", "parquet"): [*own, f"data.path={tmp_path / 'MINE.parquet'}"],
    }


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=["=".join(each) for each in OPTIONS])
def test_an_option_runs(group: str, option: str, needed: dict[tuple[str, str], list[str]]) -> None:
    overrides = [f"{group}={option}", "run.max_bars=200", *needed.get((group, option), [])]
    compose("live", overrides)
    result = run_backtest(compose("backtest", overrides).config)
    assert result.until_ns > 0


@pytest.mark.parametrize(
    "path", sorted((CONFIGS / "hydra" / "launcher").glob("*.yaml")), ids=lambda path: path.stem
)
def test_a_launcher_is_read_and_hydra_composes_beside_it(path: Path) -> None:
    words, launcher = launcher_of(
        [f"hydra/launcher={path.stem}", "hydra.launcher.workers=2", "run.max_bars=5"]
    )
    assert (launcher.name, launcher.workers) == (path.stem, 2)
    assert compose("backtest", words).config.run.max_bars == 5


CHECKS: dict[str, tuple[type[Any], str]] = {
    "lookahead": (LookaheadSettings, lookahead.HELP),
    "stress": (StressSettings, stress.HELP),
    "warmup": (WarmupSettings, warmup.HELP),
}
"""Verb -> the model of its own keys, and its help."""


@pytest.mark.parametrize(
    ("verb", "key"), [(verb, key) for verb, (model, _) in CHECKS.items() for key in model.model_fields]
)
def test_a_key_of_a_check_is_read_and_told(verb: str, key: str) -> None:
    model, told = CHECKS[verb]
    usual = getattr(model(), key)
    other = "[3,7]" if isinstance(usual, tuple) else usual + 1 if isinstance(usual, int) else 0.5
    settings, rest = taken(model, verb, [f"{verb}.{key}={other}", "strategy=ema_cross"])
    assert getattr(settings, key) == ((3.0, 7.0) if isinstance(usual, tuple) else other)
    assert rest == ["strategy=ema_cross"]
    page = (CONFIGS.parent / "docs" / "research.md").read_text(encoding="utf-8")
    assert f"{verb}.{key}=" in told
    assert f"`{verb}.{key}`" in page
