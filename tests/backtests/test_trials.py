"""What a user sees of the ledger: every run is counted, in the table, the JSON, the API and the verb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backtests.api import backtest
from backtests.trials import trials
from configs.errors import ConfigError
from runs.errors import StrategyError
from runs.trials import record_many, trials_of
from tests.runs.trials.making import FAMILY, config, ran

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SHORT = ["run.max_bars=400", "run.plots=false", "run.tearsheet=false"]


def keel(package: str, *arguments: str, cwd: Path, code: int = 0) -> tuple[str, str]:
    """Run a command with a state folder of its own; answers stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", package, *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=240, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(cwd / "state"), "COLUMNS": "80"},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def verb(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """The verb in this process: stdout, or stderr where it fails."""
    assert trials(arguments) == code
    said = capsys.readouterr()
    return said.err if code else said.out


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(verb(capsys, *arguments, "output=json"))
    return found


def test_every_run_is_counted_and_its_repeats_are_not(tmp_path: Path) -> None:
    first = json.loads(keel("backtests", "run", "output=json", "run.dir=one", *SHORT, cwd=tmp_path)[0])
    assert first["trials_ledger"] == 1
    assert first["deflated_sharpe"] == first["probabilistic_sharpe"]
    assert first["sharpe_low"] < first["sharpe"] < first["sharpe_high"]
    assert first["track_record_days"] == 400
    again = json.loads(keel("backtests", "rerun", "one", cwd=tmp_path)[0])
    live = json.loads(keel("live", "run", "output=json", *SHORT, cwd=tmp_path)[0])
    for each in (first, again, live):
        each.pop("run_dir")
    assert first == again == live
    multi = keel("backtests", "run", "-m", "strategy.fast=10,15", "output=json", *SHORT, cwd=tmp_path)[0]
    assert multi.count('"trials_ledger": 2') == multi.count('"trials_ledger": 3') == 1
    listed = json.loads(keel("backtests", "trials", "output=json", cwd=tmp_path)[0])
    assert listed["trials"] == 3
    (family,) = listed["families"]
    assert (family["name"], family["trials"], family["failed"], family["repeats"]) == (FAMILY, 3, 0, 2)
    assert Path(family["best"]["folder"]).is_absolute()


def test_the_table_says_what_may_be_luck(tmp_path: Path) -> None:
    said, _ = keel("backtests", "run", *SHORT, cwd=tmp_path)
    assert "90% of resamples" in said
    assert "sure of a Sharpe above 0" in said
    assert "after 1 trial of it on this data (deflated Sharpe)" in said


def test_a_ledger_that_cannot_be_written_fails_no_run(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("no database" * 1_000)
    out, err = keel("backtests", "run", "output=json", "trials.path=bad.db", *SHORT, cwd=tmp_path)
    found = json.loads(out)
    assert found["trials_ledger"] is None
    assert found["deflated_sharpe"] is None
    assert found["probabilistic_sharpe"] is not None
    assert [line for line in err.splitlines() if "not counted as a trial" in line] == err.splitlines()[1:]


def test_the_ledger_can_lie_anywhere(tmp_path: Path) -> None:
    keel("backtests", "run", "trials.path=team/trials.db", *SHORT, cwd=tmp_path)
    assert len(trials_of(FAMILY, tmp_path / "team" / "trials.db")) == 1
    assert not (tmp_path / "state" / "keel" / "trials.db").exists()


def test_a_notebooks_runs_are_counted(tmp_path: Path) -> None:
    ledger = tmp_path / "t.db"
    choices = [f"trials.path={ledger}", "run.max_bars=200"]
    results = [backtest([*choices, f"strategy.fast={fast}"]) for fast in (5, 10, 10)]
    assert [each.summary.trials_ledger for each in results] == [1, 2, 2]
    assert {each.kinds for each in trials_of(FAMILY, ledger)} == {("api",)}


def test_a_run_whose_strategy_raised_is_kept(tmp_path: Path) -> None:
    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "breaks.yaml").write_text(
        "strategy_path: tests.risk.test_gate:Breaks\nconfig_path: tests.driving:PlainConfig\n"
    )
    ledger = tmp_path / "t.db"
    with pytest.raises(StrategyError):
        backtest(["strategy=breaks", f"trials.path={ledger}"], tmp_path)
    (kept,) = trials_of(None, ledger)
    assert kept.error is not None
    assert "KeyError" in kept.error


# -- the verb ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """Three trials of one family, one of them failed, and one of another."""
    slow = ran(9, symbols=("MSFT",))
    many = [
        ran(5),
        ran(6, config=config(6, risk={"max_leverage": 1.5})),
        ran(7, error="it broke"),
        slow,
        ran(5),
    ]
    record_many(many, tmp_path / "t.db")
    return f"trials.path={tmp_path / 't.db'}"


def test_families_with_the_best_of_each(ledger: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = verb(capsys, ledger)
    assert "EmaCross" in said
    found = {each["name"]: each for each in document(capsys, ledger)["families"]}
    assert (found[FAMILY]["trials"], found[FAMILY]["failed"], found[FAMILY]["repeats"]) == (2, 1, 1)
    assert found[FAMILY]["best"]["sharpe"] == pytest.approx(found[FAMILY]["best"]["sharpe_daily"] * 252**0.5)
    assert 0 < found[FAMILY]["deflated_sharpe"] < 1
    assert document(capsys, ledger)["trials"] == 3


@pytest.mark.parametrize("width", [40, 60, 120])
def test_no_name_is_broken_inside_a_word(
    ledger: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    said = verb(capsys, ledger)
    for each in document(capsys, ledger)["families"]:
        assert each["name"] in said


def test_the_trials_of_one_family_and_what_differs(ledger: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = verb(capsys, "family=aapl", ledger)
    assert "strategy.fast=6" in said
    assert "failed: it broke" in " ".join(said.split())
    found = document(capsys, "family=AAPL 1d", ledger)
    assert (found["family"], found["trials"], len(found["rows"])) == (FAMILY, 2, 3)
    assert found["rows"][1]["config"]["risk"] == {"max_leverage": "1.5"}
    assert found["best"] in {row["key"] for row in found["rows"]}


def test_an_empty_ledger_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no trials yet" in verb(capsys, f"trials.path={tmp_path / 'none.db'}")
    assert document(capsys, f"trials.path={tmp_path / 'none.db'}")["families"] == []


def test_a_ledger_is_shared(ledger: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = f"file={tmp_path / 'out.jsonl'}"
    assert verb(capsys, "export", file, ledger).startswith("4 trials written to ")
    assert document(capsys, "import", file, ledger)["new"] == 0
    other = f"trials.path={tmp_path / 'other.db'}"
    assert document(capsys, "import", file, other) == {"file": file[5:], "trials": 4, "new": 4}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["exprt"], "did you mean export?"),
        (["family=zzz"], "family=zzz: no such family"),
        (["family=ema_cross"], "is in 2 of them"),
        (["famly=x"], "did you mean family?"),
        (["export"], "file is missing"),
        (["export", "family=x"], "unknown key family"),
        (["output=xml"], "must be text or json"),
        (["import", "file=nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
    ],
)
def test_bad_input_costs_one_line(
    arguments: list[str], told: str, ledger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verb(capsys, *arguments, ledger, code=2)
    assert told in said
    assert said.count("\n") == 1


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    said = verb(capsys, "--help")
    assert "Example: python -m backtests trials" in said
    assert max(map(len, said.splitlines())) <= 120


def test_a_path_that_is_no_path_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"trials\.path"):
        backtest(["trials.path=[1,2]"])
    with pytest.raises(ConfigError, match="trials"):
        backtest(["trials.pth=x"])
