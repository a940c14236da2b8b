"""A search by Optuna: the same seed finds the same, however many work on it, and a pruned trial is a trial."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from pyarrow import parquet

from backtests.search.settings import settings_of
from backtests.search.sources import Search
from backtests.search.space import Space
from backtests.search.work import Job, Trial
from backtests.trial import Outcome
from configs.load import Axis
from tests.backtests.sweep.conftest import QUICK, Swept

type Run = Callable[..., Swept]
WORDS = [
    "strategy.fast=int(interval(3,12))",
    "strategy.slow=range(15,60,5)",
    "strategy.volatility_pct=tag(log,interval(0.01,0.1))",
    "strategy.direction=long,both",
    "risk.allow_short=true",
    *QUICK,
    "sweep.search=optuna",
    "sweep.trials=14",
]


def test_the_same_seed_finds_the_same_whatever_the_number_of_workers(run: Run) -> None:
    one = run(*WORDS, "sweep.prune=median", "sweep.workers=1", name="one")
    two = run(*WORDS, "sweep.prune=median", "sweep.workers=2", name="two")
    assert one.code == 0, one.err
    assert (one.folder / "trials.parquet").read_bytes() == (two.folder / "trials.parquet").read_bytes()
    other = run(*WORDS, "sweep.seed=2", name="other")
    assert (other.folder / "trials.parquet").read_bytes() != (one.folder / "trials.parquet").read_bytes()


def test_every_value_is_one_that_was_asked_for(run: Run) -> None:
    swept = run(*WORDS, "sweep.sampler=random")
    for row in parquet.read_table(swept.folder / "trials.parquet").to_pylist():
        assert row["strategy.fast"] in range(3, 13)
        assert row["strategy.slow"] in range(15, 60, 5)
        assert 0.01 <= row["strategy.volatility_pct"] <= 0.1
        assert row["strategy.direction"] in ("long", "both")


def test_a_pruned_trial_is_a_row_and_counts_as_a_trial(run: Run, tmp_path: Path) -> None:
    swept = run(*WORDS, "sweep.prune=median", "sweep.ahead=1")
    said = swept.said
    assert said["pruned"] > 0
    assert said["done"] + said["pruned"] == 14
    pruned = [
        row
        for row in parquet.read_table(swept.folder / "trials.parquet").to_pylist()
        if row["status"] == "pruned"
    ]
    assert all(row["score"] is None and row["bars"] < 300 for row in pruned)
    with sqlite3.connect(tmp_path / "trials.db") as ledger:
        (counted,) = ledger.execute("select count(*) from trials where error is null").fetchone()
    assert said["trials_ledger"] == counted == 14


def answered(
    folder: Path, trials: int, ahead: int, order: Callable[[list[Job]], Job]
) -> list[dict[str, object]]:
    """Search a made-up score, best at x=3, answering the jobs that are out in any order."""
    axes = (Axis("x", low=0.0, high=10.0), Axis("kind", ("a", "b", "c")))
    space = Space(axes, {"[]": "{}"})
    kept: dict[int, Trial] = {}
    settings = settings_of({"search": "optuna", "trials": trials, "ahead": ahead})
    source = Search(space, settings, kept, lambda trial: kept.update({trial.number: trial}), folder)
    out: list[Job] = []
    while True:
        while (job := source.next()) is not None:
            out.append(job)
        if not out:
            return [dict(kept[number].point) for number in sorted(kept)]
        job = order(out)
        out.remove(job)
        assert len(out) < ahead
        x = float(job.point["x"])
        source.told(Trial(job.number, job.point, "done", Outcome(), -abs(x - 3)))


def test_trials_do_not_depend_on_the_order_in_which_they_end(tmp_path: Path) -> None:
    for name in ("first", "last"):
        (tmp_path / name).mkdir()
    first = answered(tmp_path / "first", 40, 4, lambda out: out[0])
    last = answered(tmp_path / "last", 40, 4, lambda out: out[-1])
    assert first == last
    late = [float(str(point["x"])) for point in first[30:]]
    assert sum(abs(x - 3) < 2 for x in late) > 5, "the search has learnt nothing"
