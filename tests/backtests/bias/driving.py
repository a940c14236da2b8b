"""How do the tests here drive a check, and on which data?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.bias.seen import for_checks
from backtests.bias.world import World, world_of
from backtests.trial import market_of
from configs.load import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from configs.schema import RunConfig

OWN = "tests.backtests.bias.planted"


def planted(folder: Path, name: str, config: str = f"{OWN}:PlantedConfig", **keys: object) -> list[str]:
    """The words of a command line that choose one of the planted strategies, from a YAML of the user's own."""
    own = folder / "mine" / "strategy"
    own.mkdir(parents=True, exist_ok=True)
    lines = [
        f"strategy_path: {OWN}:{name}",
        f"config_path: {config}",
        *(f"{k}: {v}" for k, v in keys.items()),
    ]
    (own / f"{name.lower()}.yaml").write_text("\n".join(lines) + "\n")
    return [f"strategy={name.lower()}", "--config-dir", str(folder / "mine")]


def checked(
    verb: Callable[[Sequence[str]], int], words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of a check."""
    code = verb([*words, "output=json"])
    said = capsys.readouterr()
    assert said.out.count("\n") == 1, said.err
    return code, json.loads(said.out)


def caught(document: dict[str, Any]) -> list[str]:
    """Names of the findings that were caught."""
    return [each["check"] for each in document["findings"] if each["caught"]]


def evidence(document: dict[str, Any], check: str) -> str:
    """What a finding says."""
    return next(str(each["evidence"]) for each in document["findings"] if each["check"] == check)


def small(bars: int = 600, *overrides: str) -> tuple[RunConfig, World]:
    """A run and its world: the first bars of the shipped data."""
    config = compose("backtest", list(overrides)).config
    return for_checks(config), world_of(market_of(config), bars)


def walk_csv(path: Path, rows: int = 600, seed: int = 1, bounce: float = 0.0) -> list[str]:
    """Write days of a random walk, and so much of noise on it, as CSV; answers the words that choose it as data."""
    rng = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, rows)))
    closes *= np.exp(rng.normal(0, bounce, rows)) if bounce else 1.0
    days = np.datetime64("2015-01-01") + np.arange(rows)
    lines = ["time,open,high,low,close,volume"]
    before = 100.0
    for day, close in zip(days, closes, strict=True):
        high, low = max(before, close) * 1.001, min(before, close) * 0.999
        lines.append(f"{day},{before:.2f},{high:.2f},{low:.2f},{close:.2f},100000")
        before = round(float(close), 2)
    path.write_text("\n".join(lines) + "\n")
    return [
        "data=csv",
        f"data.path={path}",
        f"data.catalog_dir={path.parent / 'catalog'}",
        "instruments=[MINE]",
    ]
