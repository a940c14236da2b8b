"""What is asked of a node while it still starts is done before it trades, and is not lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import runs.prepare
from configs.load import Composed, compose
from journal import tables
from journal.config import JournalConfig
from journal.database import open_journal
from live import run as live_run
from live._journal import RunJournal
from tests.faults.kept import SCOPE, VENUE, YAML, composed_in

ROOT = Path(__file__).parents[2]
QUICK = ["run.plots=false", "run.tearsheet=false", "output=json", "strategy.fast=2", "strategy.slow=5"]


def composed(folder: Path, *words: str) -> Composed:
    (folder / "mine" / "venue").mkdir(parents=True, exist_ok=True)
    (folder / "mine" / "venue" / f"{VENUE}.yaml").write_text(YAML)
    place = f"journal.path={folder / 'journal.db'}"
    return compose("live", [f"venue={VENUE}", place, *QUICK, *words], folder / "mine")


def verb(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "live",
        *words,
        f"venue={VENUE}",
        f"journal.path={folder / 'journal.db'}",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=240, check=False, env=environment
    )


def test_a_halt_that_comes_while_a_node_starts_comes_before_its_first_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live_run.trade(composed(tmp_path, "run.max_bars=3", f"run.dir={tmp_path / 'first'}"))
    capsys.readouterr()
    asked: list[subprocess.CompletedProcess[str]] = []
    prepare: Callable[..., Any] = runs.prepare.prepare

    def slowly(*given: Any) -> Any:
        asked.append(verb(tmp_path, "halt", "reason=now"))
        return prepare(*given)

    monkeypatch.setattr(live_run, "prepare", slowly)
    live_run.trade(composed(tmp_path, "run.max_bars=200", f"run.dir={tmp_path / 'second'}"))
    shown = json.loads(capsys.readouterr().out)
    (halt,) = asked
    assert halt.returncode == 1
    assert "it does halt as soon as it goes on" in halt.stderr
    assert "no halt is kept" not in halt.stderr
    assert (shown["orders"], shown["halted"]) == (0, True)
    engine = open_journal(JournalConfig(path=tmp_path / "journal.db"), create=False)
    with engine.connect() as connection:
        assert connection.execute(select(tables.receipts.c.outcome)).scalars().all() == ["DONE"]
    engine.dispose()


def test_a_halt_is_kept_once_whoever_had_the_account_is_gone(tmp_path: Path) -> None:
    live_run.trade(composed(tmp_path, "run.max_bars=3", f"run.dir={tmp_path / 'first'}"))
    journal = RunJournal(composed_in(tmp_path))
    command = [sys.executable, "-m", "live", "halt", "reason=now", f"journal.path={tmp_path / 'journal.db'}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as asking:
        commands = select(tables.commands.c.verb)
        while asking.poll() is None:
            with journal.engine.connect() as connection:
                if connection.execute(commands).scalars().all():
                    break
        journal.release()
        out, err = asking.communicate(timeout=240)
    assert asking.returncode == 0, err
    assert "trading is halted" in out
    engine = open_journal(JournalConfig(path=tmp_path / "journal.db"), create=False)
    with engine.connect() as connection:
        state = connection.execute(
            select(tables.risk_states.c.state).where(tables.risk_states.c.scope == SCOPE)
        ).scalar()
    engine.dispose()
    assert json.loads(str(state))["state"] == "HALTED"
