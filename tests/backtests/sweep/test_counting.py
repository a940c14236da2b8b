"""What a sweep was chosen among: all that it tried, as far as the ledger knows of it, or nothing is said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from backtests.search.keeping import Keeper
from backtests.search.log import TrialLog, read_rows
from backtests.search.result import distinct
from backtests.search.space import space_of
from backtests.search.work import DONE, FAILED, PRUNED, Trial
from backtests.sweep import sweep
from backtests.trial import Outcome
from runs.folder import open_folder
from runs.luck.sharpe import deflated_sharpe
from tests.backtests.sweep.conftest import QUICK, Swept

type Run = Callable[..., Swept]
BARE = [word for word in QUICK if not word.startswith("instruments")]


def trial(number: int, fast: int, status: str = DONE) -> Trial:
    return Trial(number, {"strategy.fast": fast}, status, Outcome(), 1.0 if status == DONE else None)


def test_a_choice_among_instruments_is_deflated_by_all_of_them(run: Run) -> None:
    swept = run("instruments=[AAPL],[MSFT]", "strategy.fast=10", *BARE)
    assert swept.code == 0, swept.err
    assert swept.said["trials"] == swept.said["trials_ledger"] == 2
    returns = {row["number"]: np.array(row["returns"]) for row in read_rows(swept.folder / "trials.arrows")}
    daily = [each.mean() / each.std(ddof=1) for each in returns.values()]
    best = returns[swept.said["best"]["number"]]
    expected = deflated_sharpe(best, 2, float(np.var(daily, ddof=1)))
    alone = deflated_sharpe(best, 1, None)
    assert swept.said["deflated_sharpe"] == pytest.approx(expected, rel=1e-6)
    assert expected is not None
    assert alone is not None
    assert expected < alone


def test_a_choice_among_strategies_is_deflated_by_all_of_them(run: Run) -> None:
    swept = run("strategy=ema_cross,bollinger_reversion", "risk=default,aggressive", *QUICK)
    assert swept.said["trials"] == swept.said["trials_ledger"] == 4


def test_nothing_is_said_of_luck_where_the_ledger_was_not_told(run: Run, tmp_path: Path) -> None:
    """Also where a count of before could be read: it would flatter."""
    assert run("strategy.fast=5,10", *QUICK, name="before").said["trials_ledger"] == 2
    with closing(sqlite3.connect(tmp_path / "trials.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        locked = run("strategy.fast=6,7,8", *QUICK, name="locked")
    assert locked.code == 0, locked.err
    assert "not counted as a trial" in locked.err
    assert (locked.said["trials_ledger"], locked.said["deflated_sharpe"]) == (None, None)
    again = run(f"resume={locked.folder}")
    assert again.said["trials_ledger"] == 5, "going on with it counts what was not counted"


def test_a_ledger_that_cannot_be_made_says_nothing_of_luck(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [f"run.dir={tmp_path / 'sweep'}", "trials.path=/dev/null/x.db", "output=json"]
    assert sweep(["strategy.fast=5,10", *QUICK, *own]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["trials_ledger"], said["deflated_sharpe"]) == (None, None)


def test_trials_the_ledger_did_not_take_are_told_again(tmp_path: Path) -> None:
    told: list[list[int]] = []

    def tell(trials: Sequence[Trial]) -> bool:
        told.append([each.number for each in trials])
        return len(told) != 1

    space = space_of(["strategy.fast=5,6,7"])
    with open_folder("sweeps", "x", tmp_path / "x") as folder, TrialLog(folder, space) as log:
        keeper = Keeper(log, folder, tell)
        keeper.keep(trial(0, 5))
        assert not keeper.catch_up()
        keeper.keep(trial(1, 6))
        assert keeper.catch_up()
        keeper.keep(trial(2, 7))
        assert keeper.catch_up()
    assert told == [[0], [0, 1], [2]]


def test_a_point_that_was_asked_for_twice_was_tried_once() -> None:
    found = [trial(0, 5), trial(1, 5), trial(2, 6, PRUNED), trial(3, 7, FAILED)]
    assert distinct(found) == 2
