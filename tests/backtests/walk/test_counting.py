"""What a walk-forward chose among: all that it tried, as far as the ledger knows of it, or nothing is said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from backtests.walk_forward import walk_forward
from runs.trials import trials_of
from tests.backtests.walk.conftest import Walked

type Walk = Callable[..., Walked]
WORDS = ["strategy.slow=60", "walk.train=100", "walk.test=200", "run.max_bars=300"]


def test_a_walk_among_strategies_is_deflated_by_all_of_them(walk: Walk, ledger: Path) -> None:
    done = walk("strategy=ema_cross,bollinger_reversion", *WORDS[1:])
    assert done.code == 0, done.err
    assert done.said["trials_ledger"] == len(trials_of(None, ledger)) == 3
    assert done.said["deflated_sharpe"] != done.said["probabilistic_sharpe"]


def test_a_ledger_that_cannot_be_made_costs_no_walk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [f"run.dir={tmp_path / 'walk'}", "trials.path=/dev/null/x.db", "run.plots=false", "output=json"]
    code = walk_forward(["strategy.fast=10,20", *WORDS, *own])
    told = capsys.readouterr()
    assert code == 0, told.err
    assert "not counted as a trial" in told.err
    said = json.loads(told.out)
    assert (said["trials_ledger"], said["deflated_sharpe"]) == (None, None)
    assert said["probabilistic_sharpe"] is not None


def test_nothing_is_said_of_luck_where_the_ledger_was_not_told(walk: Walk, ledger: Path) -> None:
    """Also where a count of before could be read: it would flatter."""
    assert walk("strategy.fast=5,7", *WORDS, name="before").said["trials_ledger"] == 3
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = walk("strategy.fast=10,20", *WORDS)
    assert done.code == 0, done.err
    assert (done.said["trials_ledger"], done.said["deflated_sharpe"]) == (None, None)
