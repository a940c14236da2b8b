"""A whole run's log: what is in its files, what a person sees, and that no secret is in anything it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LIVE = ["-m", "live", "run"]
BACKTEST = ["-m", "backtests", "run"]
QUICK = ["run.plots=false", "run.tearsheet=false", "run.dir=made", "output=json"]
SECRETS = {
    "CHATTY_ID": "id-of-nobody-else",
    "CHATTY_WORDS": "correct horse/battery",
    "URL_PART": "tr0ub4dor",
    "OTHER_SECRET": "never-named-by-any-config",
}
VENUE = """
config: tests.live.talkative:ChattyConfig
factory: {factory}
name: chatty
mode: sandbox
"""
STRATEGY = """
strategy_path: tests.live.talkative:{name}
config_path: tests.driving:PlainConfig
"""


@dataclass(frozen=True)
class Done:
    """A finished run."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "log.jsonl").read_text().splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["event"] == event]


def run(
    folder: Path,
    strategy: str,
    *arguments: str,
    program: list[str] = LIVE,
    factory: str = "adapters.replay.factories:ReplayVenue",
) -> Done:
    for name, text in (
        ("venue", VENUE.format(factory=factory)),
        ("strategy", STRATEGY.format(name=strategy)),
    ):
        (folder / "mine" / name).mkdir(parents=True)
        (folder / "mine" / name / "chatty.yaml").write_text(text)
    chosen = ["--config-dir", str(folder / "mine"), "venue=chatty", "strategy=chatty", *QUICK]
    done = subprocess.run(
        [sys.executable, *program, *chosen, "run.max_bars=40", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **SECRETS, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")},
    )
    return Done(done.returncode, done.stdout, done.stderr, folder / "made")


def assert_no_secret(done: Done, folder: Path) -> None:
    places = {"stdout": done.out.encode(), "stderr": done.err.encode()}
    places |= {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert len(places) > 4
    found = [
        (name, place)
        for place, data in places.items()
        for name, secret in SECRETS.items()
        if secret.encode() in data
    ]
    assert found == []


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("policy", ["halt", "stop", "ignore"])
def test_no_file_and_no_line_of_a_run_holds_a_secret(form: str, policy: str, tmp_path: Path) -> None:
    done = run(
        tmp_path, "Leaks", f"log.format={form}", "log.file=copy/keel.log", f"run.on_strategy_error={policy}"
    )
    assert done.code == (1 if policy == "stop" else 0), done.err
    assert_no_secret(done, tmp_path)
    for place in (tmp_path / "copy" / "keel.log", done.folder / "errors.txt"):
        assert "***" in place.read_text()
    if policy == "stop":
        assert "raised in on_bar: ValueError" in done.err
        assert "***" in done.err


def test_an_error_that_ends_the_run_is_told_without_secrets(tmp_path: Path) -> None:
    done = run(tmp_path, "Buys", "log.format=json", factory="tests.live.talkative:BrokenVenue")
    assert done.code == 1
    assert "error: the data stopped: ConnectionError: wss://***:***@host refused" in done.err
    (ended,) = done.of("run.ended")
    assert ended["level"] == "error"
    assert "the data stopped" in ended["error"]
    assert_no_secret(done, tmp_path)


def test_a_key_in_the_place_of_its_name_is_refused_without_being_shown(tmp_path: Path) -> None:
    done = run(tmp_path, "Buys", f"venue.credentials.key_variable={SECRETS['URL_PART']}")
    assert done.code == 2
    assert "NAME of an environment variable" in done.err
    assert SECRETS["URL_PART"] not in done.err + done.out


def test_an_order_s_story_is_in_the_folder_as_json_lines(tmp_path: Path) -> None:
    done = run(tmp_path, "Leaks", "log.format=json", "log.level=debug")
    rows = done.rows
    names = [row["event"] for row in rows]
    assert names[0] == "run.started"
    assert names[-1] == "run.ended"
    story = [row["event"] for row in rows if row.get("client_order_id")]
    assert story[:4] == ["order.approved", "order.submitted", "fill.received", "order.filled"]
    (fill,) = done.of("fill.received")
    assert fill["quantity"] == "10"
    assert fill["ts"].endswith("16:00:00-05:00")
    assert (fill["mode"], fill["venue"]) == ("sandbox", "chatty")
    (error,) = done.of("policy.error")
    assert error["where"] == "on_bar"
    assert "in at_bar" in error["traceback"]
    assert [row["breaker"] for row in done.of("trading.halted")] == ["STRATEGY_ERROR"]
    (health,) = done.of("health.check")  # the first at once, the next in a minute
    assert (health["currency"], health["lost_lines"]) == ("USD", 0)


def test_what_the_engine_s_log_complains_of_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "Complains")
    lines = (done.folder / "log.txt").read_text().splitlines()
    (error,) = [line for line in lines if "policy.error" in line]
    assert "Complains-001 I do not know what to do where=log" in error
    assert "run.ended" in lines[-1]
    assert done.err.count("I do not know what to do") == 1  # the engine's own line
    assert "my own affair" not in done.err


def test_stdout_holds_the_result_alone_and_stderr_what_a_person_has_to_see(tmp_path: Path) -> None:
    done = run(tmp_path, "Leaks")
    assert json.loads(done.out)["orders"] == 1
    shown = [line for line in done.err.splitlines() if line.startswith("20")]
    assert {line.split()[1] for line in shown} == {"ERROR"}
    assert any("policy.error" in line for line in shown)
    assert "order.submitted" not in done.err
    assert "order.submitted" in (done.folder / "log.txt").read_text()


def test_debug_shows_everything_on_stderr_and_error_only_errors(tmp_path: Path) -> None:
    loud = run(tmp_path / "loud", "Leaks", "log.level=debug")
    assert "order.approved" in loud.err
    quiet = run(tmp_path / "quiet", "Buys", "log.level=error", "risk.max_order_notional=1")
    assert "risk.violation" not in quiet.err


def test_the_copy_holds_the_lines_of_all_runs_that_name_it(tmp_path: Path) -> None:
    copy = tmp_path / "keel.log"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        done = run(tmp_path / name, "Buys", f"log.file={copy}")
        assert done.code == 0, done.err
    lines = copy.read_text().splitlines()
    assert len({line.partition("]")[0] for line in lines}) == 2  # each line names its run
    assert sum("run.started" in line for line in lines) == 2


def test_a_copy_that_cannot_be_made_is_one_line_and_exit_code_two(tmp_path: Path) -> None:
    done = run(tmp_path, "Buys", "log.file=/proc/nowhere/keel.log")
    assert done.code == 2
    assert "error: log.file=/proc/nowhere/keel.log: cannot be written" in done.err
    assert "Traceback" not in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_stops_no_order_and_is_told_once(tmp_path: Path) -> None:
    done = run(tmp_path, "Buys", "log.format=json", "log.file=/dev/full")
    assert done.code == 0, done.err
    assert json.loads(done.out)["fills"] == 40
    (lost,) = done.of("log.lost")
    assert lost["where"] == "/dev/full"
    assert done.err.count("No space left on device") == 1
    assert len(done.of("order.filled")) == 40


@pytest.mark.parametrize("level", ["info", "error"])
def test_a_backtest_logs_no_orders_and_only_what_is_loud(level: str, tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "Leaks",
        "log.format=json",
        f"log.level={level}",
        "run.on_strategy_error=halt",
        program=BACKTEST,
    )
    assert done.code == 0, done.err
    assert [row["event"] for row in done.rows] == ["policy.error", "trading.halted"]
    assert {row["mode"] for row in done.rows} == {"backtest"}
    assert_no_secret(done, tmp_path)


def test_a_backtest_without_trouble_has_no_log(tmp_path: Path) -> None:
    done = run(tmp_path, "Buys", program=BACKTEST)
    assert done.code == 0, done.err
    assert not list(done.folder.glob("log*"))
