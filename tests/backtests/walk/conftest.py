"""A quick walk-forward of one share, run as a user would, and what it printed and left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backtests.walk_forward import walk_forward

QUICK = ["strategy.fast=3,12", "strategy.slow=20,40", "run.max_bars=400", "walk.train=150", "walk.test=100"]


@dataclass
class Walked:
    """Exit code, both streams, and the folder."""

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
def ledger(tmp_path: Path) -> Path:
    """A ledger of trials of this test's own."""
    return tmp_path / "trials.db"


@pytest.fixture
def walk(
    ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Walked]:
    """Walk in this process, into the folder `tmp_path/NAME`."""
    monkeypatch.chdir(tmp_path)

    def walked(*words: str, name: str = "walk", plots: bool = False) -> Walked:
        folder = tmp_path / name
        own = [f"trials.path={ledger}", f"run.dir={folder}", f"run.plots={str(plots).lower()}"]
        own = [] if any(word.startswith("resume=") for word in words) else own
        code = walk_forward([*words, *own, *([] if "output=text" in words else ["output=json"])])
        said = capsys.readouterr()
        return Walked(code, said.out, said.err, folder)

    return walked
