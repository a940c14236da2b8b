"""The backtest command as a user meets it: interrupted, timed out, repeated, given bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backtests.run import run

ROOT = Path(__file__).parents[2]
QUICK = ["run.plots=false", "run.tearsheet=false"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "backtests", *arguments]


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.fixture
def slow(tmp_path: Path) -> list[str]:
    """A strategy of the user's own, 20 ms a bar, in a folder of their own YAML."""
    folder = tmp_path / "mine" / "strategy"
    folder.mkdir(parents=True)
    (folder / "slow.yaml").write_text(
        "strategy_path: tests.live.slow:Slow\nconfig_path: tests.driving:PlainConfig\n"
    )
    return ["--config-dir", str(tmp_path / "mine"), "strategy=slow", *QUICK]


@pytest.mark.parametrize(
    "after_secs", [0.0, 0.15, 2.0], ids=["while it is put together", "as it begins", "later"]
)
def test_ctrl_c_ends_a_backtest_at_once(after_secs: float, slow: list[str], tmp_path: Path) -> None:
    process = start("run", *slow, cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("outputs/backtests/*/engine*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(after_secs)
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    out, err = process.communicate(timeout=240)
    assert time.monotonic() - asked < 60
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize("package", ["backtests", "live"])
def test_a_run_ends_at_max_minutes_with_its_summary(package: str, slow: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", package, "run", *slow, "run.max_minutes=0.1", "output=json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 0 < json.loads(done.stdout)["bars"] < 3270


def test_rerun_repeats_a_run_to_the_bit(tmp_path: Path) -> None:
    printed = []
    arguments = [
        "run",
        "run.dir=first",
        "run.max_bars=900",
        "risk.max_position_pct=0.07",
        "output=json",
        *QUICK,
    ]
    for each in (arguments, ["rerun", "first"]):
        process = start(*each, cwd=tmp_path)
        out, err = process.communicate(timeout=240)
        assert process.returncode == 0, err
        printed.append(json.loads(out))
    folders = [Path(tmp_path, one.pop("run_dir")) for one in printed]
    assert printed[0] == printed[1]
    for name in ("orders", "fills", "refusals", "trips", "equity"):
        first, second = ((folder / f"{name}.parquet").read_bytes() for folder in folders)
        assert first == second, name


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["data=csv"], "data.path"),
        (["data=csv", "data.path=nowhere"], "nowhere"),
        (["strategy.strategy_path=strategies.nothing:Nothing"], "strategies.nothing"),
        (["risk.max_leverage=-1"], "risk.max_leverage"),
        (["risk.max_position_pct=5"], "0.05 is 5%"),
        (["venue.slippage_ticks=2"], "venue.slippage_ticks"),
    ],
)
def test_bad_input_costs_one_line_and_exit_code_two(arguments: list[str], told: str, tmp_path: Path) -> None:
    process = start("run", *arguments, *QUICK, cwd=tmp_path)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 2, err
    assert out == ""
    assert "Traceback" not in err
    assert told in err.strip().splitlines()[-1]


def test_a_strategy_that_raises_ends_the_backtest_and_leaves_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "mine" / "strategy").mkdir(parents=True)
    (tmp_path / "mine" / "strategy" / "breaks.yaml").write_text(
        "strategy_path: tests.risk.test_gate:Breaks\nconfig_path: tests.driving:PlainConfig\n"
    )
    process = start(
        "run", "--config-dir", str(tmp_path / "mine"), "strategy=breaks", "run.dir=here", *QUICK, cwd=tmp_path
    )
    out, err = process.communicate(timeout=240)
    assert process.returncode == 1
    assert out == ""
    assert "Traceback" not in err
    assert "Breaks-001 raised in on_bar: KeyError: 'strategy broke' at test_gate.py:" in err
    assert "Traceback" in (tmp_path / "here" / "errors.txt").read_text()


def test_a_strategy_that_cannot_be_made_is_said_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "broken.yaml").write_text(
        "strategy_path: broken_desk:Broken\nconfig_path: tests.driving:PlainConfig\n"
    )
    (tmp_path / "broken_desk.py").write_text(
        "from nautilus_trader.trading import Strategy\n\n\nclass Broken(Strategy):\n"
        "    def __init__(self, config):\n        super().__init__(config)\n        {}['period']\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert run(["--config-dir", str(tmp_path), "strategy=broken", "run.max_bars=20"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == (
        "error: strategy broken_desk:Broken: it cannot be made: KeyError: 'period' at broken_desk.py:7"
    )
