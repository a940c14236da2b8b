"""The broker as a process: it survives its own kill, refuses bad input in one line, and misbehaves on demand."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.broker.control import BrokerProcess, Control
from simulators.broker.run import parse
from simulators.errors import SimulatorError

pytestmark = pytest.mark.slow

WINDOW = ["instruments=[AAPL]", "run.end=2000-06-01", "commission=0"]
BUY = {"instrument": "AAPL.XNAS", "side": "BUY", "type": "MARKET", "quantity": "10"}


def started(folder: Path, *arguments: str) -> tuple[BrokerProcess, Control]:
    process = BrokerProcess([*WINDOW, f"state={folder / 'state.jsonl'}", *arguments], folder / "log")
    return process, Control(process.port)


def test_a_kill_at_any_moment_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    answered: list[str] = []
    for life in range(3):
        process, control = started(tmp_path, "paused=true")
        with control:
            control.ask("market", do="step", steps=2)
            for n in range(5):
                name = f"{life}-{n}"
                control.ask("submit", client_order_id=name, **BUY)
                answered.append(name)
            process.kill()
        with (tmp_path / "state.jsonl").open("a") as file:
            file.write('{"order": {"venue_ord')  # the line that the kill cut short
    process, control = started(tmp_path, "paused=true")
    with control:
        audit = control.ask("audit")
    assert process.stop() == 0
    assert [order["client_order_id"] for order in audit["orders"]] == answered
    assert [fill["trade_id"] for fill in audit["fills"]] == [f"T-{n}" for n in range(1, 16)]
    assert audit["positions"][0]["quantity"] == "150"
    assert audit["received"] == dict.fromkeys(answered, 1)
    assert audit["played"] == 6


def test_the_market_plays_on_while_nobody_is_connected(tmp_path: Path) -> None:
    process, control = started(tmp_path, "bars_per_sec=200")
    with control:
        control.ask("market", do="pause")
        before = control.ask("audit")["played"]
        control.ask("market", do="resume")
    _until(lambda: _played(process) > before + 20)
    process.stop()


def _played(process: BrokerProcess) -> int:
    """How many bars, by a connection that is closed again."""
    with Control(process.port) as control:
        return int(control.ask("audit")["played"])


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_serves_this_machine_only(tmp_path: Path) -> None:
    process, control = started(tmp_path)
    control.close()
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()
        if line.split()[1].endswith(f":{process.port:04X}") and line.split()[3] == "0A"
    ]
    process.stop()
    assert listening == [f"0100007F:{process.port:04X}"]


def test_what_it_is_told_wrong_is_answered_and_breaks_nothing(tmp_path: Path) -> None:
    process, control = started(tmp_path)
    with control:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"op": "dance"}, "op=dance"),
            ({"op": "submit"}, "type=None"),
            ({"op": "fault", "no_such": 1}, "there is no fault no_such"),
            ({"op": "fault", "delay_ms": "x"}, "delay_ms=x"),
            ({"op": "market", "do": "crash"}, "do=crash"),
            ({"op": "market", "do": "price", "instrument": "X", "price": "1"}, "not traded"),
            ({"op": "snapshot", "since": "then"}, "cannot be read"),
            ({"op": "cancel", "client_order_id": "X"}, "no such order"),
        ]
        for request, told in wrong:
            with pytest.raises(SimulatorError, match=told):
                control.ask(**request)
        with socket.create_connection(("127.0.0.1", process.port), 60) as rude:
            rude.sendall(b"not json\n")
            assert rude.recv(10) == b""
        assert control.ask("hello")["account"] == "LOCAL"
    assert process.stop() == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_connection_that_is_refused_can_come_back_later(tmp_path: Path) -> None:
    process, control = started(tmp_path)
    with control:
        control.ask("fault", refuse_secs=3600)
        assert _is_refused(process)
        control.ask("fault", refuse_secs=0.5)
        _until(lambda: not _is_refused(process))
        with Control(process.port) as taken:
            assert taken.ask("hello")["currency"] == "USD"
    process.stop()


def _is_refused(process: BrokerProcess) -> bool:
    try:
        with Control(process.port) as control:
            control.ask("hello")
    except (SimulatorError, OSError):
        return True
    return False


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("prot=1", "did you mean port?"),
        ("port=x", "port=x: must be a whole number from 0 to 65535"),
        ("bars_per_sec=0", "bars_per_sec=0"),
        ("partial=2", "partial=2"),
        ("paused=maybe", "paused=maybe: must be true or false"),
        ("venue=replay", "unknown key venue"),
        ("--port", "key=value"),
        ("instruments=[APPL]", "AAPL"),
    ],
)
def test_bad_input_costs_one_line_and_exit_code_two(argument: str, told: str) -> None:
    command = [sys.executable, "-m", "simulators", "broker", "port=0", argument]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    process, control = started(tmp_path)
    control.close()
    with pytest.raises(SimulatorError, match=r"port=\d+: cannot be used"):
        BrokerProcess(WINDOW, tmp_path / "second", process.port)
    process.stop()


def test_a_state_file_that_is_something_else_is_not_overwritten(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    state.write_text("my diary\nsecond page\n")
    with pytest.raises(SimulatorError, match="line 1 is not JSON"):
        started(tmp_path)
    assert state.read_text() == "my diary\nsecond page\n"


def test_ctrl_c_ends_it_quietly(tmp_path: Path) -> None:
    process, control = started(tmp_path)
    control.close()
    os.kill(process.process.pid, signal.SIGINT)
    assert process.process.wait(60) == 130
    assert process.process.stdout is not None
    process.process.stdout.close()
    assert (tmp_path / "log").read_text() == ""


def test_settings_are_read_and_the_rest_says_what_is_played() -> None:
    settings, overrides = parse(["port=1", "cash=5000.50", "data.zone=UTC", "bar=1d"])
    assert (settings.port, str(settings.cash)) == (1, "5000.50")
    assert overrides == ["data.zone=UTC", "bar=1d"]


def test_the_help_shows_an_example() -> None:
    command = [sys.executable, "-m", "simulators", "broker", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0
    assert "python -m simulators broker instruments=[AAPL]" in done.stdout
    assert json.dumps(done.stderr) == '""'
