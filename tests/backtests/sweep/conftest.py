"""A quick sweep of one share, run as a user would, and what it printed and left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backtests.sweep import sweep

ROOT = Path(__file__).parents[3]
QUICK = ["instruments=[AAPL]", "run.max_bars=300", "run.plots=false", "run.tearsheet=false"]
ODD = ["strategy=odd", *QUICK]


@dataclass
class Swept:
    """Exit code, both streams, and the sweep's folder."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def said(self) -> dict[str, Any]:
        """The JSON document on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def mine(tmp_path: Path) -> list[str]:
    """A folder of the user's own YAML with the strategy `odd`, and a ledger of trials of this test's own."""
    folder = tmp_path / "mine" / "strategy"
    folder.mkdir(parents=True)
    (folder / "odd.yaml").write_text(
        "strategy_path: tests.backtests.sweep.odd:Odd\nconfig_path: tests.backtests.sweep.odd:OddConfig\n"
        "fast: 5\nslow: 30\n"
    )
    return ["--config-dir", str(tmp_path / "mine"), f"trials.path={tmp_path / 'trials.db'}"]


@pytest.fixture
def run(
    mine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Swept]:
    """Sweep in this process, into the folder `tmp_path/NAME`."""
    monkeypatch.chdir(tmp_path)

    def swept(*words: str, name: str = "sweep") -> Swept:
        folder = tmp_path / name
        own = [] if any(word.startswith("resume=") for word in words) else [*mine, f"run.dir={folder}"]
        code = sweep([*words, "output=json", *own])
        said = capsys.readouterr()
        return Swept(code, said.out, said.err, folder)

    return swept


@pytest.fixture
def start(mine: list[str], tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """The verb in a process of its own, as `run` does it otherwise."""

    def started(*words: str, name: str = "sweep") -> subprocess.Popen[str]:
        own = (
            [] if any(word.startswith("resume=") for word in words) else [*mine, f"run.dir={tmp_path / name}"]
        )
        return subprocess.Popen(
            [sys.executable, "-m", "backtests", "sweep", *words, "output=json", *own],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    return started
