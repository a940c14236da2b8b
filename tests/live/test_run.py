"""The live command as a user meets it: it stops when told, tells bad input in one line, and never forgets a halt."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

PAPER = """
config: tests.live.paper:PaperReplayConfig
factory: adapters.replay.factories:ReplayVenue
name: my_paper
mode: paper
"""
QUICK = ["run.plots=false", "run.tearsheet=false"]
ROOT = Path(__file__).parents[2]


def live(*arguments: str, cwd: Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "live", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(cwd / "state-home")}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False, env=environment
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.strip().splitlines()
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert lines[-1].startswith("error: ")
    return lines[-1]


def test_keys_that_are_missing_are_said_in_one_line(tmp_path: Path) -> None:
    done = live("run", "venue=alpaca_paper", cwd=tmp_path)
    assert done.returncode == 2
    assert "no keys; set ALPACA_API_KEY and ALPACA_API_SECRET" in one_line(done)
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_stops_the_node_at_once_with_a_summary(number: int, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "live", "run", "venue.speed=20000", "output=json", *QUICK]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("outputs/live/*/engine*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(number)
    asked = time.monotonic()
    out, err = process.communicate(timeout=240)
    assert time.monotonic() - asked < 60
    assert process.returncode == code, err
    assert "Traceback" not in err
    summary = json.loads(out)
    assert summary["bars"] < 3270


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["venue.speed=-1"], "venue.speed"),
        (["risk.max_leverage=-1"], "risk.max_leverage"),
        (["risk.max_leverage=two"], "risk.max_leverage"),
        (["risk.max_position_pct=5"], "0.05 is 5%"),
        (["strategy.strategy_path=strategies.ema_cross:EmaCros"], "EmaCross"),
        (["venue=alpaca_papr"], "alpaca_paper"),
        (["run.dir=/proc/nowhere"], "run.dir"),
        (["instruments=[APPL]"], "AAPL"),
        (["instruments=[AAPL]", "bar=5m"], "1d"),
        (["venue.currency=EUR"], "USD"),
        (["venue.latency_ms=100"], "venue.speed=1"),
    ],
)
def test_bad_input_costs_one_line_and_exit_code_two(arguments: list[str], told: str, tmp_path: Path) -> None:
    done = live("run", *arguments, *QUICK, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert told in one_line(done)


def test_two_runs_in_one_folder(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "live", "run", "venue.speed=20000", "run.dir=mine", *QUICK],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("mine/engine*")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = live("run", "run.dir=mine", *QUICK, cwd=tmp_path)
        assert second.returncode == 2
        assert "in use by another run" in one_line(second)
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=240)
    third = live("run", "run.dir=mine", *QUICK, cwd=tmp_path)
    assert third.returncode == 2
    assert "already holds a finished run" in one_line(third)


def kept_state(folder: Path) -> dict[str, Any]:
    """What the journal keeps of the paper account's breakers; empty before there is anything."""
    if not (folder / "journal.db").exists():
        return {}
    with closing(sqlite3.connect(folder / "journal.db")) as journal:
        try:
            found = journal.execute("SELECT state FROM risk_states WHERE scope = 'paper:my_paper'").fetchone()
        except sqlite3.OperationalError:  # it is just being made
            return {}
    return {} if found is None else json.loads(found[0])


def begun(arguments: list[str], folder: Path, speed: int = 100_000_000) -> subprocess.Popen[str]:
    """A run that lasts until it is killed."""
    command = [sys.executable, "-m", "live", "run", *arguments, f"venue.speed={speed}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, env=environment, text=True)


@pytest.fixture
def paper(tmp_path: Path) -> list[str]:
    """A paper account made of the replay venue, in a folder of the user's own YAML."""
    (tmp_path / "mine" / "venue").mkdir(parents=True)
    (tmp_path / "mine" / "venue" / "my_paper.yaml").write_text(PAPER)
    state = f"journal.path={tmp_path / 'journal.db'}"
    return [
        "--config-dir",
        str(tmp_path / "mine"),
        "venue=my_paper",
        "risk.untrusted_jump_pct=0.25",
        state,
        *QUICK,
    ]


def test_a_halt_outlives_the_run_and_only_a_person_lifts_it(paper: list[str], tmp_path: Path) -> None:
    tripped = live(
        "run",
        *paper,
        "risk.max_drawdown_pct=0.02",
        "risk.max_daily_loss_pct=off",
        "output=json",
        cwd=tmp_path,
    )
    assert tripped.returncode == 0, tripped.stderr
    assert json.loads(tripped.stdout)["halted"] is True
    assert kept_state(tmp_path)["state"] == "HALTED"
    again = live("run", *paper, cwd=tmp_path)
    assert again.returncode == 3
    assert "DRAWDOWN" in one_line(again)
    assert "resume venue=my_paper" in one_line(again)
    state = f"journal.path={tmp_path / 'journal.db'}"
    assert "reason" in one_line(live("resume", "venue=my_paper", state, cwd=tmp_path))
    resumed = live("resume", "venue=my_paper", "reason=bad tick", state, "output=json", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    shown: dict[str, Any] = json.loads(resumed.stdout)
    assert shown["before"]["state"] == "HALTED"
    assert shown["after"]["peak"] == shown["before"]["equity"]
    assert live("run", *paper, "run.max_bars=5", cwd=tmp_path).returncode == 0
    with closing(sqlite3.connect(tmp_path / "journal.db")) as journal:
        commanded = journal.execute("SELECT verb, why FROM commands").fetchall()
    assert commanded == [("resume", "bad tick")]


def test_real_money_wants_every_limit_on(tmp_path: Path) -> None:
    (tmp_path / "mine" / "venue").mkdir(parents=True)
    yaml = PAPER.replace("mode: paper", "mode: live").replace("my_paper", "my_live")
    (tmp_path / "mine" / "venue" / "my_live.yaml").write_text(
        yaml.replace("PaperReplayConfig", "LiveReplayConfig")
    )
    arguments = [
        "--config-dir",
        str(tmp_path / "mine"),
        "venue=my_live",
        f"journal.path={tmp_path / 'journal.db'}",
        *QUICK,
    ]
    arguments += ["live.enabled=true", "risk=first_month_live"]
    done = live("run", *arguments, "risk.max_drawdown_pct=off", "risk.allow_off=true", cwd=tmp_path)
    assert done.returncode == 2
    assert "risk.max_drawdown_pct=off" in one_line(done)
    arguments = [each for each in arguments if not each.startswith("risk.")]
    meant = live("run", *arguments, "live.confirm=YES I UNDERSTAND", "run.max_bars=5", cwd=tmp_path)
    assert meant.returncode == 0, meant.stderr


def test_an_account_that_is_not_halted_cannot_be_resumed(paper: list[str], tmp_path: Path) -> None:
    """Resuming measures drawdown anew, so without a halt it would be a way to forget one."""
    assert live("run", *paper, "run.max_bars=5", cwd=tmp_path).returncode == 0
    done = live(
        "resume", "venue=my_paper", "reason=x", f"journal.path={tmp_path / 'journal.db'}", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "not halted" in one_line(done)


def test_a_damaged_state_refuses_to_start(paper: list[str], tmp_path: Path) -> None:
    assert live("run", *paper, "run.max_bars=5", cwd=tmp_path).returncode == 0
    with closing(sqlite3.connect(tmp_path / "journal.db")) as journal, journal:
        journal.execute("""UPDATE risk_states SET state = '{"state": "HAL'""")
    done = live("run", *paper, cwd=tmp_path)
    assert done.returncode == 2
    assert "nobody knows whether it is halted" in one_line(done)


def test_two_nodes_never_trade_one_account(paper: list[str], tmp_path: Path) -> None:
    """The second refuses to start, in one line, and the first goes on."""
    first = begun(paper, tmp_path, speed=864_000)
    try:
        deadline = time.monotonic() + 120
        while not kept_state(tmp_path):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = live("run", *paper, cwd=tmp_path)
        assert second.returncode == 2
        assert "another node trades paper:my_paper" in one_line(second)
        assert first.poll() is None
    finally:
        first.kill()
        first.communicate(timeout=240)


def test_a_replay_has_nothing_to_resume(tmp_path: Path) -> None:
    done = live("resume", "venue=replay", "reason=x", cwd=tmp_path)
    assert done.returncode == 2
    assert "starts fresh" in one_line(done)


def test_killed_in_the_middle_of_a_trip_the_halt_is_still_there(paper: list[str], tmp_path: Path) -> None:
    """SIGKILL as soon as the journal says HALTED: the next start sees it."""
    process = begun([*paper, "risk.max_drawdown_pct=0.02"], tmp_path)
    deadline = time.monotonic() + 120
    while kept_state(tmp_path).get("state") != "HALTED":
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=240)
    assert live("run", *paper, cwd=tmp_path).returncode == 3
