"""A walk-forward chooses what it says, on days it may know, and stitches what came of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from backtests.points import configured, document_of
from backtests.search.log import LOG, read_rows
from backtests.search.space import space_of
from backtests.search.work import Job
from backtests.trial import market_of, run_trial
from backtests.windows.folds import folds_of
from backtests.windows.legs import calendar_of, market_over
from backtests.windows.picture import figure_of, headline
from backtests.windows.result import distance, walked
from backtests.windows.settings import WalkSettings
from backtests.windows.work import WINDOW, WalkWork, pooled
from configs.load import Axis, compose
from runs.luck.figures import Trials
from runs.trials import trials_of
from tests.backtests.walk.conftest import QUICK, Walked

pytestmark = pytest.mark.slow

type Walk = Callable[..., Walked]
KFOLD = [word for word in QUICK if not word.startswith("walk.")] + [
    "walk.kind=purged_kfold",
    "walk.folds=3",
    "walk.embargo=5",
]


def test_the_best_of_each_train_is_run_on_its_test_and_stitched(walk: Walk, ledger: Path) -> None:
    """Everything again by hand, with `run.start` and `run.end` as a user of `backtests run` has them."""
    done = walk(*QUICK)
    assert done.code == 0, done.err
    said = done.said
    returns = []
    for window in said["windows"]:
        (train,) = window["train"]
        scores = {}
        for fast, slow in product((3, 12), (20, 40)):
            scores[fast, slow] = _sharpe(fast, slow, train["start"], train["end"])
        best = max(scores, key=lambda point: scores[point])
        assert window["point"] == {"strategy.fast": best[0], "strategy.slow": best[1]}
        assert window["score_in_sample"] == scores[best]
        test = _run(*best, window["test"]["start"], window["test"]["end"])
        assert len(test.returns) == window["test"]["days"]
        returns.append(test.returns)
    stitched = np.concatenate(returns)
    equity = parquet.read_table(done.folder / "equity.parquet").to_pydict()
    np.testing.assert_array_equal(equity["return"], stitched)
    np.testing.assert_allclose(equity["equity"], 100_000 * np.cumprod(1 + stitched), rtol=1e-12)
    assert said["out_of_sample"]["total_return"] == pytest.approx(float(np.prod(1 + stitched) - 1))
    assert [len(one) for one in returns] == [100, 100, 50]
    assert said["trials"] == 12
    counted = trials_of(None, ledger)
    assert {kind for each in counted for kind in each.kinds} == {"walk_forward"}
    assert len(counted) == said["trials_ledger"] == 12 + 3


@cache
def _base() -> str:
    return compose("backtest").text


@cache
def _run(fast: int, slow: int, start: str, end: str) -> Any:
    point = {"strategy.fast": fast, "strategy.slow": slow, "run.start": start, "run.end": end}
    config = configured(document_of(_base()), point)
    return run_trial(config, market_of(config))


def _sharpe(fast: int, slow: int, start: str, end: str) -> float:
    value = _run(fast, slow, start, end).figures["sharpe"]
    assert isinstance(value, float)
    return value


def test_a_strategy_is_warm_at_the_first_bar_of_a_test_and_has_not_traded_before() -> None:
    config = compose(
        "backtest", ["strategy.fast=3", "strategy.slow=40", "run.max_bars=500", "strategy.sizing=fixed"]
    ).config
    market = market_of(config)
    calendar = calendar_of(config, market)
    (fold, *_) = folds_of(len(calendar), WalkSettings(train=200, test=100), 252)
    warm = calendar.leg(fold.test)
    outcomes = []
    for leg in (warm, replace(warm, history_ns=warm.start_ns)):
        free = config.model_copy(update={"run": config.run.model_copy(update={"max_bars": None})})
        outcomes.append(run_trial(free, market_over(market, leg)))
    first = [outcome.decisions[0][0] for outcome in outcomes]
    stamps = [row.ts_init for row in market.updates() if row.ts_init >= warm.start_ns]
    assert first[0] >= warm.start_ns
    assert first[1] >= stamps[39], "without history it must first see 40 bars"
    assert first[0] < first[1]


@pytest.mark.parametrize("words", [QUICK, KFOLD], ids=["rolling", "purged_kfold"])
def test_results_do_not_depend_on_workers(walk: Walk, words: list[str]) -> None:
    one = walk(*words, "walk.workers=1", name="one")
    two = walk(*words, "walk.workers=2", name="two")
    assert one.code == two.code == 0, two.err
    for file in ("trials.parquet", "equity.parquet"):
        assert (one.folder / file).read_bytes() == (two.folder / file).read_bytes()
    assert one.out.replace("/one", "") == two.out.replace("/two", "")


def test_an_interrupted_one_goes_on(walk: Walk, tmp_path: Path) -> None:
    whole = walk(*QUICK, name="whole")
    shutil.copytree(whole.folder, tmp_path / "torn")
    log = tmp_path / "torn" / LOG
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    left = len(list(read_rows(log)))
    assert 0 < left < 12
    again = walk(f"resume={tmp_path / 'torn'}")
    assert f"{left} of them done" in again.err
    assert again.out.replace("/torn", "/whole") == whole.out
    assert (tmp_path / "torn" / "equity.parquet").read_bytes() == (
        whole.folder / "equity.parquet"
    ).read_bytes()
    refused = walk(f"resume={tmp_path / 'torn'}", "walk.test=50")
    assert refused.code == 2
    assert "goes on as it began" in refused.err


# Nothing of the test may reach the choice


def _prices(file: Path, changed: tuple[int, int] | None = None) -> str:
    """400 days of one share in a file; between two days they swing to twice and more of what they were, and back."""
    rng = np.random.default_rng(7)
    closes = 100 * np.exp(np.cumsum(rng.normal(0.0004, 0.012, 400)))
    if changed is not None:
        first, end = changed
        closes[first:end] *= np.exp(np.sin(np.linspace(0, 3 * np.pi, end - first)))
    days = pd.bdate_range("2015-01-01", periods=400)
    table = pd.DataFrame({"time": days.date, "open": closes, "high": closes * 1.004, "low": closes * 0.996})
    table["close"], table["volume"] = closes, 1_000_000
    file.parent.mkdir(exist_ok=True)
    table.round(2).to_csv(file, index=False)
    return f"data.path={file}"


@pytest.mark.parametrize("kind", ["rolling", "anchored", "purged_kfold"])
def test_other_prices_in_a_test_leave_the_choice_as_it_was(walk: Walk, tmp_path: Path, kind: str) -> None:
    """The planted leak: whatever happens in a window's test, each of its trials in sample stays to the bit."""
    keys = (
        ["walk.folds=4", "walk.embargo=5"] if kind == "purged_kfold" else ["walk.train=150", "walk.test=100"]
    )
    settings = WalkSettings.model_validate(
        {
            "kind": kind,
            **{key.removeprefix("walk.").partition("=")[0]: int(key.partition("=")[2]) for key in keys},
        }
    )
    fold = folds_of(400, settings, 252)[1]
    spans = {
        "plain": None,
        "tested": (fold.test.first, fold.test.end),
        "trained": (fold.train[0].first, fold.train[0].end),
    }
    rows = {}
    for name, changed in spans.items():
        path = _prices(tmp_path / name / "MINE.csv", changed)
        done = walk(
            "strategy.fast=3,12", "strategy.slow=20,40", "strategy.sizing=fixed", "risk=off_for_research", "data=csv",
            path, "instruments=[MINE]", f"data.catalog_dir={tmp_path / name / 'catalog'}", f"walk.kind={kind}", *keys,
            name=f"walk_{name}",
        )  # fmt: skip
        assert done.code == 0, done.err
        table = parquet.read_table(done.folder / "trials.parquet").to_pylist()
        rows[name] = [{**row, "data_version": None} for row in table if row[WINDOW] == 2]
        rows[name].append(done.said["windows"][1]["point"])
    assert len(rows["plain"]) == 4 + 1
    assert rows["tested"] == rows["plain"]
    assert rows["trained"] != rows["plain"], "such a change must be one that would be seen"


def test_a_train_after_its_test_learns_nothing_from_it() -> None:
    config = compose("backtest", ["run.max_bars=300"]).config
    market = market_of(config)
    calendar = calendar_of(config, market)
    folds = folds_of(len(calendar), WalkSettings(kind="purged_kfold", folds=3, purge=2, embargo=10), 252)
    legs = calendar.legs(folds[1])
    before, after = legs.train
    assert market_over(market, after).history() == []
    assert after.start_ns > legs.test.end_ns
    assert before.end_ns < legs.test.start_ns
    assert before.days + after.days == 300 - 100 - 2 - 2 - 10
    assert legs.without == f"{before.end} to {after.start}"
    seen = market_over(market, legs.test).history()
    assert seen[-1].ts_init < legs.test.start_ns
    assert len(seen) == 100


# What is told


def test_stability_efficiency_and_luck_are_what_they_are_said_to_be(walk: Walk) -> None:
    said = walk(*QUICK, "walk.kind=anchored", "walk.metric=total_return").said
    points = [window["point"] for window in said["windows"]]
    steady = said["stability"]
    assert steady["boundaries"] == len(points) - 1
    assert steady["changes"] == sum(one != other for one, other in pairwise(points))
    moves = [window["moved"] for window in said["windows"][1:]]
    assert steady["mean_move"] == pytest.approx(np.mean(moves))
    assert said["windows"][0]["moved"] is None
    inside = []
    for window in said["windows"]:
        (train,) = window["train"]
        inside.append(
            _run(
                window["point"]["strategy.fast"],
                window["point"]["strategy.slow"],
                train["start"],
                train["end"],
            ).returns
        )
    assert said["annual_return_in_sample"] == pytest.approx(float(np.concatenate(inside).mean() * 252))
    if said["annual_return_in_sample"] > 0:
        ratio = said["annual_return_out_of_sample"] / said["annual_return_in_sample"]
        assert said["walk_forward_efficiency"] == pytest.approx(ratio)
    else:
        assert said["walk_forward_efficiency"] is None
    assert said["sharpe_low"] <= said["out_of_sample"]["sharpe"] <= said["sharpe_high"]
    assert 0 <= said["deflated_sharpe"] <= said["probabilistic_sharpe"] <= 1


def test_how_far_a_point_moves() -> None:
    axes = {
        "strategy.fast": Axis("strategy.fast", (5, 10, 20)),
        "risk": Axis("risk", ("default", "aggressive"), group=True),
        "strategy.slow": Axis("strategy.slow", (60,)),
    }
    here = {"strategy.fast": 5, "risk": "default", "strategy.slow": 60}
    assert distance(here, here, axes) == 0
    assert distance(here, {**here, "strategy.fast": 10}, axes) == 0.25
    assert distance(here, {**here, "strategy.fast": 20, "risk": "aggressive"}, axes) == 1


def test_the_table_and_the_picture_tell_the_same(walk: Walk) -> None:
    done = walk(*QUICK, "output=text", plots=True)
    assert done.code == 0, done.err
    for line in (
        "Walk-forward  rolling, 3 windows, 12 trials in sample",
        "Efficiency",
        "Stability",
        "Deflated Sharpe",
    ):
        assert line in done.out
    assert (done.folder / "walk_forward.png").stat().st_size > 20_000


@pytest.mark.parametrize("kind", ["rolling", "purged_kfold"])
def test_a_window_in_which_nothing_was_chosen_stays_flat(kind: str) -> None:
    space = space_of(["strategy.fast=3,12", "run.max_bars=300"])
    config = space.config(space.grid(0))
    market = market_of(config)
    keys: dict[str, Any] = {
        "kind": kind,
        **({"folds": 3} if kind == "purged_kfold" else {"train": 100, "test": 100}),
    }
    settings = WalkSettings.model_validate(keys)
    calendar = calendar_of(config, market)
    windows = tuple(map(calendar.legs, folds_of(len(calendar), settings, 252)))
    tested = WalkWork(space, windows, "sharpe", tested=True)(Job(1, {WINDOW: 1, "strategy.fast": 3}))
    result = walked(
        [(windows[0], tested, tested), *((each, None, None) for each in windows[1:])],
        space,
        market,
        days_per_year=252,
        starting=1000.0,
        trials=Trials(1),
    )
    assert not result.returns[windows[0].test.days :].any()
    assert len(result.days) == len(result.returns) == len(result.benchmark)
    figure = figure_of(result, settings, "EmaCross AAPL", "USD")
    figure.canvas.draw()
    assert figure.get_suptitle() == headline(result, "EmaCross AAPL")
    assert pooled([tested.outcome, tested.outcome], 252).equity[-1] == pytest.approx(
        float(tested.outcome.equity[-1]) ** 2 / float(tested.outcome.equity[0])
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["strategy.fast=5"], "nothing to sweep"),
        (["strategy.fast=int(interval(3,9))"], "walk_forward runs a grid"),
        (["instruments=[AAPL],[MSFT]"], "instruments cannot be swept"),
        (["run.start=2001-01-01,2002-01-01"], "run.start cannot be swept"),
        (["strategy.fast=5,6", "run.max_bars=100"], "100 session days"),
        (
            ["strategy.fast=5,6", "strategy.slow=2"],
            "no trial has a sharpe; the first error: strategy strategies.ema_cross:EmaCross: fast=5 must be below",
        ),
    ],
)
def test_what_cannot_be_walked_costs_one_line(walk: Walk, words: list[str], said: str) -> None:
    short = [] if any(word.startswith("run.max_bars") for word in words) else ["run.max_bars=320"]
    windows = [] if "run.max_bars=100" in words else ["walk.train=100", "walk.test=100"]
    done = walk(*words, *short, *windows)
    assert done.code in (1, 2)
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
