"""Does `rerun` take what it says it takes, and say what it does not understand?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backtests.rerun import rerun
from backtests.run import run

QUICK = ["run.plots=false", "run.tearsheet=false", "run.max_bars=30"]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a short run."""
    monkeypatch.chdir(tmp_path)
    assert run([*QUICK, f"run.dir={tmp_path / 'one'}"]) == 0
    capsys.readouterr()
    return tmp_path / "one"


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert rerun(["--help"]) == 0
    assert "Example: python -m backtests rerun outputs/backtests/NAME" in capsys.readouterr().out


def test_it_answers_in_json_where_asked(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rerun([str(kept), "output=json"]) == 0
    assert json.loads(capsys.readouterr().out)["bars"] == 30
    assert rerun([f"run_dir={kept}"]) == 0
    assert capsys.readouterr().out.startswith("EmaCross")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "error: rerun takes the folder of one earlier run, not 0: python -m backtests rerun outputs"),
        (["a", "b"], "error: rerun takes the folder of one earlier run, not 2"),
        (["a", "outptu=json"], "error: outptu=json: rerun takes a run folder and output=json"),
        (["a", "--fast"], "error: --fast: rerun takes a run folder and output=json"),
        (["a", "output=yaml"], "error: output=yaml: must be text or json"),
        (["nowhere"], "error: nowhere: no run is kept there"),
    ],
)
def test_what_is_not_understood_is_named(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rerun(words) == 2
    assert capsys.readouterr().err.startswith(said)


def test_run_names_rerun_where_it_is_given_the_config_of_a_run(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--config-dir", str(kept), "--config-name", "config"]
    assert run([*argv, "costs=ib"]) == 2
    assert f"python -m backtests rerun {kept} repeats it" in capsys.readouterr().err


def test_a_folder_that_holds_a_run_is_refused_with_rerun(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*QUICK, f"run.dir={kept}"]) == 2
    assert f"python -m backtests rerun {kept} repeats a backtest" in capsys.readouterr().err
