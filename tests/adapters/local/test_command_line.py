"""The local paper venue as a user meets it: one line when no broker answers, real trading when one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulators.broker.control import BrokerProcess, Control

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
MOST_SECS = 60.0
"""From Ctrl-C to the end of a node; one that hangs takes for ever."""
QUICK = ["run.plots=false", "run.tearsheet=false", "risk.max_position_pct=0.5"]


@contextmanager
def brokering(folder: Path, *arguments: str) -> Iterator[BrokerProcess]:
    """A broker that ends with the test, whatever becomes of it."""
    broker = BrokerProcess(["instruments=[AAPL]", *arguments], folder / "log")
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def running(folder: Path, port: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A node that ends with the test, whatever becomes of it."""
    with live(folder, port, *arguments) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def live(folder: Path, port: int, *arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "live", "run", "venue=local_paper", f"venue.port={port}", "instruments=[AAPL]",
        *QUICK, *arguments,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def test_without_a_broker_a_run_ends_in_one_line_that_says_how_to_start_one(tmp_path: Path) -> None:
    with running(tmp_path, 1) as process:
        _, err = process.communicate(timeout=240)
    assert process.returncode == 2
    assert "Traceback" not in err
    assert err.splitlines()[-1].endswith(
        "venue=local_paper: no broker answers on 127.0.0.1:1; start it: python -m simulators broker"
    )


def test_a_broker_that_plays_something_else_is_said(tmp_path: Path) -> None:
    with (
        brokering(tmp_path, "run.end=2000-06-01") as broker,
        running(tmp_path, broker.port, "instruments=[MSFT]") as process,
    ):
        _, err = process.communicate(timeout=240)
    assert process.returncode == 2
    assert "the broker does not play MSFT.XNAS" in err.splitlines()[-1]


def test_a_run_trades_until_ctrl_c_and_the_broker_goes_on(tmp_path: Path) -> None:
    with (
        brokering(tmp_path, "bars_per_sec=100") as broker,
        running(tmp_path, broker.port) as process,
        Control(broker.port) as control,
    ):
        deadline = time.monotonic() + 240
        while len(control.ask("audit")["fills"]) < 2:
            assert time.monotonic() < deadline, "no two fills"
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        _, err = process.communicate(timeout=240)
        assert time.monotonic() - asked < MOST_SECS
        assert process.returncode == 130
        assert "Traceback" not in err
        audit = control.ask("audit")
        assert set(audit["received"].values()) == {1}
        assert audit["playing"]
