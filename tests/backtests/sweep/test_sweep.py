"""`python -m backtests sweep`: every trial is a row, whatever became of it, and the best is the best."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pyarrow import parquet

from backtests.__main__ import VERBS
from backtests.report import report
from backtests.rerun import rerun
from backtests.sweep import HELP
from runs.luck.overfitting import pbo
from runs.luck.sharpe import deflated_sharpe
from tests.backtests.sweep.conftest import ODD, QUICK, Swept
from tests.runs.pages import section

type Run = Callable[..., Swept]
BARE = [word for word in QUICK if word != "run.tearsheet=false"]


def rows(swept: Swept) -> list[dict[str, object]]:
    found: list[dict[str, object]] = parquet.read_table(swept.folder / "trials.parquet").to_pylist()
    return found


def hashes(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("trials.parquet", "best/config.yaml")
    }


@pytest.fixture
def small(run: Run) -> Swept:
    return run("strategy.fast=5,10,20", "strategy.slow=20,30", *QUICK, "run.plots=true", "run.tearsheet=true")


def test_every_combination_is_a_row_and_the_best_is_first_of_the_metric(small: Swept) -> None:
    assert small.code == 0, small.err
    said, table = small.said, rows(small)
    assert [row["number"] for row in table] == list(range(6))
    assert [(row["strategy.fast"], row["strategy.slow"]) for row in table] == [
        (fast, slow) for fast in (5, 10, 20) for slow in (20, 30)
    ]
    done = [row for row in table if row["status"] == "done"]
    best = max(done, key=lambda row: float(str(row["sharpe"])))
    assert said["best"]["number"] == best["number"]
    assert said["best"]["point"] == {
        "strategy.fast": best["strategy.fast"],
        "strategy.slow": best["strategy.slow"],
    }
    assert said["best"]["score"] == said["best"]["sharpe"] == best["sharpe"] == best["score"]
    assert said["table"] == str(small.folder / "trials.parquet")
    assert set(said["files"]) >= {
        "best",
        "sweep.html",
        "sweep.png",
        "sweep.json",
        "trials.parquet",
        "versions.json",
    }
    assert json.loads((small.folder / "summary.json").read_text()) == said


def test_a_point_that_is_refused_is_a_row_and_not_the_end(small: Swept) -> None:
    refused = [row for row in rows(small) if row["status"] == "refused"]
    assert [(row["strategy.fast"], row["strategy.slow"]) for row in refused] == [(20, 20)]
    assert "fast=20 must be below slow=20" in str(refused[0]["error"])
    assert refused[0]["sharpe"] is None
    assert (small.said["trials"], small.said["done"], small.said["refused"], small.said["failed"]) == (
        6,
        5,
        1,
        0,
    )


def test_the_figures_about_luck_are_those_of_the_ledger_and_the_table(small: Swept, tmp_path: Path) -> None:
    from backtests.search.log import read_rows  # noqa: PLC0415 - one use

    said = small.said
    with sqlite3.connect(tmp_path / "trials.db") as ledger:
        (counted,) = ledger.execute("select count(*) from trials").fetchone()
    assert said["trials_ledger"] == counted == 5
    kept = [row for row in read_rows(small.folder / "trials.arrows") if row["status"] == "done"]
    returns = [row["returns"] for row in sorted(kept, key=lambda row: row["number"])]
    import numpy as np  # noqa: PLC0415 - one use

    matrix = np.array(returns).T
    found = pbo(matrix)
    assert found is not None
    assert said["pbo"] == found.probability
    assert said["pbo_trials"] == 5
    assert said["pbo_note"] is None
    daily = matrix.mean(axis=0) / matrix.std(axis=0, ddof=1)
    best = next(row for row in kept if row["number"] == said["best"]["number"])
    expected = deflated_sharpe(np.array(best["returns"]), 5, float(np.var(daily, ddof=1)))
    assert said["deflated_sharpe"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("words", [["sweep.metric=total_return"], ["sweep.direction=minimize"]])
def test_no_probability_of_overfitting_is_told_of_a_choice_it_is_not_of(run: Run, words: list[str]) -> None:
    swept = run("strategy.fast=5,10,20", "run.tearsheet=true", *BARE, *words)
    assert swept.code == 0, swept.err
    assert (swept.said["pbo"], swept.said["pbo_trials"]) == (None, 0)
    assert "not measured: it is of a choice by the highest sharpe" in swept.said["pbo_note"]
    summary = swept.folder / "summary.json"
    summary.write_text(json.dumps({**swept.said, "pbo": 0.25, "pbo_trials": 3}))
    for _ in range(2):
        page = (swept.folder / "sweep.html").read_text()
        assert "Overfitting probability not measured" in section(page, "honesty")
        assert report([str(swept.folder)]) == 0


def test_a_sweep_seen_twice_counts_once(small: Swept, run: Run) -> None:
    again = run("strategy.fast=5,10", "strategy.slow=30", *QUICK, name="again")
    assert again.said["trials"] == 2
    assert again.said["trials_ledger"] == small.said["trials_ledger"]


def test_the_same_to_the_bit_whatever_the_number_of_workers(run: Run) -> None:
    words = ["strategy.fast=5,10,20", "strategy.slow=20,30,40", *QUICK]
    one = run(*words, "sweep.workers=1", name="one")
    two = run(*words, "sweep.workers=2", name="two")
    assert hashes(one.folder) == hashes(two.folder)
    assert {**one.said, **dict.fromkeys(("table", "sweep_dir"))} == {
        **two.said,
        **dict.fromkeys(("table", "sweep_dir")),
    }


def test_a_trial_that_fails_is_a_row_with_its_error(run: Run) -> None:
    swept = run("strategy.fast=5,6,7", "strategy.raises_at=6", *ODD)
    assert swept.code == 0, swept.err
    table = rows(swept)
    assert [row["status"] for row in table] == ["done", "failed", "done"]
    assert "RuntimeError: odd, as it was asked to be" in str(table[1]["error"])
    assert table[1]["exit_code"] == 1
    assert swept.said["first_error"] == table[1]["error"]


def test_a_sweep_of_which_nothing_came_says_so(run: Run) -> None:
    swept = run("strategy.fast=5,6", "strategy.slow=5", *QUICK)
    assert swept.code == 1
    assert "no trial has a sharpe; the first error" in swept.err
    assert swept.said["best"] is None
    assert swept.said["refused"] == 2
    assert len(rows(swept)) == 2


def test_the_best_config_is_a_run_that_rerun_repeats(
    small: Swept, capsys: pytest.CaptureFixture[str]
) -> None:
    best = small.folder / "best"
    document = yaml.safe_load((best / "config.yaml").read_text())
    assert document["strategy"]["fast"] == small.said["best"]["point"]["strategy.fast"]
    assert rerun([str(best)]) == 0
    assert json.loads(capsys.readouterr().out)["sharpe"] == small.said["best"]["sharpe"]


def test_groups_lists_and_other_metrics(run: Run) -> None:
    swept = run(
        "strategy=ema_cross,bollinger_reversion", "risk=default,aggressive", "instruments=[AAPL],[MSFT]",
        "run.max_bars=300", "sweep.metric=max_drawdown",
    )  # fmt: skip
    assert swept.code == 0, swept.err
    table = rows(swept)
    assert len(table) == 8
    assert {row["instruments"] for row in table} == {'["AAPL"]', '["MSFT"]'}
    assert {row["strategy"] for row in table} == {"ema_cross", "bollinger_reversion"}
    assert swept.said["best"]["score"] == min(float(str(row["max_drawdown"])) for row in table)
    assert swept.said["direction"] == "minimize"


def test_a_person_reads_the_best_ten_and_how_it_ended(
    mine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from backtests.sweep import sweep  # noqa: PLC0415 - one use

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    words = ["strategy.fast=range(3,15)", "strategy.slow=14", *QUICK, *mine, "sweep.metric=total_return"]
    assert sweep(words) == 0
    said = capsys.readouterr()
    assert "12 trials: 11 done, 1 refused" in said.out.replace("strategy.slow", "") or "trials:" in said.out
    assert "total_return" in said.out
    assert "Overfitting" in said.out
    assert "Sweep folder" in said.out
    (folder,) = (tmp_path / "outputs" / "sweeps").iterdir()
    assert folder.name.endswith("-ema_cross")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["strategy.fast=5"], "nothing to sweep"),
        (["strategy.fast=interval(5,9)"], "has no grid: add sweep.search=optuna"),
        (["strategy.fast=5,6", "sweep.prune=median"], "a grid is run whole"),
        (["strategy.fast=5,6", "sweep.heat=[strategy.fast,strategy.slwo]"], "strategy.slwo is not swept"),
        (["strategy.fast=5,6", "hydra/launcher=ray", "sweep.workers=2"], "give hydra.launcher.workers"),
        (["strategy.fast=5,6", "instruments=[NOPE]"], "NOPE"),
        (["resume=nowhere"], "nowhere: no sweep is kept there"),
        (["strategy.fast=5,6", "sweep.trails=5"], "did you mean sweep.trials?"),
    ],
)  # fmt: skip
def test_bad_input_costs_one_line_and_code_2(run: Run, words: list[str], told: str) -> None:
    swept = run(*words)
    assert swept.code == 2
    assert told in swept.err
    assert swept.err.count("\n") == 1
    assert swept.out == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sweep.json", '{"settings": {"search": "gr'),
        ("sweep.json", "{}"),
        ("sweep.json", "[]"),
        (
            "sweep.json",
            '{"settings": {}, "launcher": {}, "output": "json", "space": {"axes": [], "bases": {}}}',
        ),
        ("sweep.json", "\udcff"),
        ("versions.json", None),
        ("versions.json", "{"),
        ("versions.json", "{}"),
    ],
)
def test_a_damaged_folder_costs_one_line(run: Run, name: str, content: str | None) -> None:
    folder = run("strategy.fast=5,10", *QUICK).folder
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content.encode(errors="surrogateescape"))
    again = run(f"resume={folder}")
    assert (again.code, again.out) == (2, "")
    assert again.err.count("\n") == 1
    assert str(folder) in again.err
    assert name in again.err


def test_what_resume_prints_is_checked(run: Run) -> None:
    folder = run("strategy.fast=5,10", *QUICK).folder
    again = run("output=xml", f"resume={folder}")
    assert (again.code, again.out) == (2, "")
    assert "output=xml: must be text or json" in again.err


def test_help_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    from backtests.search.settings import SweepSettings  # noqa: PLC0415 - one use
    from backtests.sweep import sweep  # noqa: PLC0415 - one use

    assert sweep(["--help"]) == 0
    assert capsys.readouterr().out == HELP
    assert [key for key in SweepSettings.model_fields if f"sweep.{key}=" not in HELP] == []
    assert "sweep" in [verb.name for verb in VERBS]
