"""The command line of a verb: Hydra's flags work, nothing is left behind, scripts get their exit code."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

import configs
from configs.errors import ConfigError
from configs.load import Composed, compose, load, main
from tests.configs.running import refusal, run

ROOT = Path(configs.__file__).parent.parent
TASK = """
import sys
from configs.load import main
def task(composed):
    print(composed.config.strategy.params.get("fast"), composed.config.run.dir)
    return 0
if __name__ == "__main__":
    sys.exit(main("backtest", sys.argv[1:], task))
"""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(home)])}


def process(home: Path, argv: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", TASK, *argv]
    return subprocess.run(
        command, cwd=cwd, env=environment(home), capture_output=True, text=True, check=False
    )


def test_help_tells_groups_keys_examples_and_exit_codes(
    capsys: pytest.CaptureFixture[str], mine: list[str], empty: Path
) -> None:
    for verb, program in (("backtest", "python -m backtests run"), ("live", "python -m live run")):
        seen = run(capsys, [*mine, "--help"], verb)
        assert (seen.code, seen.err, seen.runs) == (0, "", [])
        for part in (
            program,
            "venue: alpaca, alpaca_paper, alpaca_rehearsal, alpaca_sandbox, local_paper, mine, replay",
            "risk.max_leverage",
            "output=json",
            "130 interr",
        ):
            assert part in seen.out
    assert list(empty.iterdir()) == []


def test_cfg_prints_the_composed_yaml_and_runs_nothing(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    seen = run(capsys, [*mine, "strategy.fast=21", "--cfg", "job"])
    assert (seen.code, seen.err, seen.runs) == (0, "", [])
    assert "fast: 21" in seen.out
    assert "hydra" not in seen.out


def test_info_prints_the_files_a_run_is_made_of(home: Path, mine: list[str], empty: Path) -> None:
    done = process(home, [*mine, "--info", "defaults"], empty)
    assert (done.returncode, done.stderr) == (0, "")
    assert "venue/replay" in done.stdout


def test_a_plain_run_leaves_folder_logging_and_environment_alone(
    capsys: pytest.CaptureFixture[str], mine: list[str], empty: Path
) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), list(sys.argv), dict(os.environ), Path.cwd())
    assert run(capsys, mine).code == 0
    assert (root.level, list(root.handlers), list(sys.argv), dict(os.environ), Path.cwd()) == before
    assert list(empty.iterdir()) == []
    assert not GlobalHydra.instance().is_initialized()


def test_overrides_and_flags_may_stand_in_any_order(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    flag, strategy, data = mine
    seen = run(capsys, [strategy, flag, "strategy.fast=3", "--run", data, "bar=1h"])
    assert (seen.config.strategy.params["fast"], seen.config.bar) == (3, "1h")


def test_a_users_own_folder_gives_strategy_data_venue_and_experiment(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    config = run(capsys, [*mine, "experiment=mine"]).config
    assert (config.strategy.params["fast"], config.bar, config.symbols) == (33, "15m", ("AAPL", "MSFT"))
    assert config.venue.model_dump()["account"] == "U7"


def test_a_key_that_its_yaml_does_not_list_can_be_set(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    config = run(capsys, [*mine, "strategy.slow=50", "venue.latency_ms=5", "data.zone=UTC"]).config
    assert config.strategy.params == {"fast": 10, "slow": 50}
    assert config.venue.latency_ms == 5


def test_a_second_strategy_is_added_by_name(capsys: pytest.CaptureFixture[str], mine: list[str]) -> None:
    argv = [*mine, "+strategy@strategies.second=other", "strategies.second.instruments=[MSFT]"]
    config = run(capsys, argv).config
    assert config.all_strategies["second"].params == {"slow": 7}
    assert config.all_strategies["second"].instruments == ("MSFT",)


def test_multirun_runs_each_job_in_its_own_folder_and_answers_the_worst_code(
    capsys: pytest.CaptureFixture[str], mine: list[str], empty: Path
) -> None:
    seen = run(capsys, [*mine, "-m", "strategy.fast=5,0,7"])
    assert seen.code == 2
    assert [composed.config.strategy.params["fast"] for composed in seen.runs] == [5, 7]
    folders = [composed.config.run.dir for composed in seen.runs]
    assert [folder.name for folder in folders if folder] == ["0", "2"]
    assert all(folder and folder.parent.parent == Path("outputs/multirun") for folder in folders)
    assert seen.err.count("error: ") == 1
    assert "job 1 (of 3): " in seen.err
    assert list(empty.iterdir()) == []  # run folders are made by the runs themselves


def test_multirun_puts_its_jobs_under_a_run_folder_that_was_given(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    seen = run(capsys, [*mine, "--multirun", "run.dir=here", "bar=1d,1h"])
    assert [composed.config.run.dir for composed in seen.runs] == [Path("here/0"), Path("here/1")]
    assert [load(composed.text) for composed in seen.runs] == seen.runs


def test_a_bad_composition_stops_a_multirun_before_its_first_job(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    assert "venue=nope: no such option" in refusal(capsys, [*mine, "-m", "venue=replay,nope"])


def test_an_interrupted_job_ends_a_multirun(capsys: pytest.CaptureFixture[str], mine: list[str]) -> None:
    done = []

    def interrupted(composed: Composed) -> int:
        done.append(composed)
        raise KeyboardInterrupt

    assert main("backtest", [*mine, "-m", "bar=1d,1h"], interrupted) == 130
    assert len(done) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "interrupted"


def test_the_tasks_exit_code_is_the_answer(mine: list[str]) -> None:
    assert main("backtest", mine, lambda _: 3) == 3


def test_a_task_may_compose_too(mine: list[str]) -> None:
    folder = mine[0].partition("=")[2]

    def task(composed: Composed) -> int:
        return 0 if compose("backtest", mine[1:], folder) == composed else 1

    assert main("backtest", mine, task) == 0


def test_ctrl_c_while_composing_costs_one_line_and_130(home: Path, mine: list[str]) -> None:
    argv = [*mine, "strategy.config_path=my_slow:Config"]
    with subprocess.Popen(
        [sys.executable, "-c", TASK, *argv],
        env=environment(home), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "importing\n"
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=240)
    assert (child.returncode, err) == (130, "interrupted\n")


def test_compose_takes_an_override_for_what_it_is_never_for_a_flag(mine: list[str]) -> None:
    with pytest.raises(ConfigError, match="cannot read '--help'"):
        compose("backtest", ["--help"], mine[0].partition("=")[2])


def test_the_text_of_a_run_holds_every_key_and_nothing_of_hydra(mine: list[str]) -> None:
    composed = compose(
        "backtest", [*mine[1:], "run.name=${bar}", "run.start=2005-01-01"], mine[0].partition("=")[2]
    )
    assert composed.config.run.name == "1d"
    assert "hydra" not in composed.text
    assert "${" not in composed.text
    assert load(composed.text) == composed


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", "not YAML"),
        ("", "holds no keys"),
        ("- 1", "holds no keys"),
        ("a: ${b}", "a: Interpolation key 'b' not found"),
        ("bar: 1d", "strategy is missing"),
        ("bar: ???", "bar is missing"),
    ],
)
def test_a_kept_config_that_is_no_run_is_refused(text: str, line: str) -> None:
    with pytest.raises(ConfigError, match=line.replace("$", r"\$")):
        load(text)
