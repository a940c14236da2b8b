"""The ledger counts each trial once, whoever writes at the same time, and never fails a run."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runs.trials import Trials, counted, families, family_of, record, record_many, trials_of
from runs.trials.file import file_of
from runs.trials.tables import META, VERSION
from tests.runs.trials.making import FAMILY, config, ran

ROOT = Path(__file__).parents[3]


def per_day(returns: np.ndarray) -> float:
    return float(returns.mean() / returns.std(ddof=1))


def test_the_same_trial_counts_once_and_is_kept_as_a_repeat(tmp_path: Path) -> None:
    ledger = tmp_path / "deep" / "er" / "t.db"
    for kind in ("run", "rerun", "replay"):
        assert record(ran(kind=kind), ledger)
    assert counted(FAMILY, ledger) == Trials(1)
    (only,) = trials_of(FAMILY, ledger)
    assert (only.repeats, only.kinds) == (2, ("replay", "rerun", "run"))
    assert (only.total_return, only.max_drawdown, only.orders, only.days) == (0.1, 0.2, 12, 300)
    returns = ran().returns
    assert returns is not None
    assert only.sharpe == pytest.approx(per_day(returns) * 252**0.5)


@pytest.mark.parametrize(
    "other", [ran(30), ran(data_version="v2"), ran(config=config(risk={"max_leverage": 1.5}))]
)
def test_another_config_or_other_data_is_another_trial(other: object, tmp_path: Path) -> None:
    assert record_many([ran(), other], tmp_path / "t.db")  # type: ignore[list-item]
    found = counted(FAMILY, tmp_path / "t.db")
    assert found is not None
    assert found.count == 2


@pytest.mark.parametrize(
    "sections",
    [
        {
            "run": {
                "name": "again",
                "plots": False,
                "tearsheet": False,
                "dir": "x",
                "on_strategy_error": "stop",
            }
        },
        {"log": {"level": "debug"}, "trials": {"path": "elsewhere.db"}},
        {"data": {"source": "market.us_equities:UsEquities", "catalog_dir": "elsewhere"}},
        {"journal": {"path": "elsewhere.db"}},
    ],
)
def test_where_files_lie_and_what_is_shown_makes_no_other_trial(
    sections: dict[str, Any], tmp_path: Path
) -> None:
    record_many([ran(), ran(config=config(**sections))], tmp_path / "t.db")
    assert counted(FAMILY, tmp_path / "t.db") == Trials(1)


def test_the_variance_is_that_of_sharpe_ratios_a_day(tmp_path: Path) -> None:
    made = [ran(fast) for fast in range(5, 15)]
    record_many(made, tmp_path / "t.db")
    found = counted(FAMILY, tmp_path / "t.db", days=300)
    sharpes = [per_day(each.returns) for each in made if each.returns is not None]
    assert found is not None
    assert found.count == 10
    assert found.variance == pytest.approx(np.var(sharpes, ddof=1), rel=1e-9)
    (family,) = families(tmp_path / "t.db")
    assert family.best is not None
    assert family.best.sharpe == pytest.approx(max(sharpes) * 252**0.5)
    assert family.best.track is not None
    assert family.deflated_sharpe == pytest.approx(family.best.track.deflated(10, found.variance))


def test_a_try_over_a_few_bars_counts_but_its_noise_does_not(tmp_path: Path) -> None:
    record_many([ran(5, days=600), ran(6, days=600), ran(7, days=20)], tmp_path / "t.db")
    alone, both = (counted(FAMILY, tmp_path / "t.db", days) for days in (600, None))
    assert alone is not None
    assert both is not None
    assert alone.count == both.count == 3
    assert alone.variance != both.variance
    assert counted(FAMILY, tmp_path / "t.db", 20) == Trials(3)  # one of three says nothing of their spread


def test_a_trial_that_failed_is_kept_and_not_counted(tmp_path: Path) -> None:
    ledger = tmp_path / "t.db"
    record_many([ran(5), ran(6, error="Breaks raised\nin on_bar")], ledger)
    assert counted(FAMILY, ledger) == Trials(1)
    (family,) = families(ledger)
    assert (family.trials, family.failed) == (1, 1)
    assert [each.error for each in trials_of(FAMILY, ledger)] == [None, "Breaks raised in on_bar"]
    record(ran(6), ledger)  # mended
    found = counted(FAMILY, ledger)
    assert found is not None
    assert found.count == 2
    record(ran(6, error="later it failed"), ledger)
    assert all(each.error is None for each in trials_of(FAMILY, ledger))


def test_of_a_run_that_was_stopped_the_longer_one_stays(tmp_path: Path) -> None:
    for days in (100, 300, 200):
        record(ran(days=days), tmp_path / "t.db")
    assert [(each.days, each.repeats) for each in trials_of(FAMILY, tmp_path / "t.db")] == [(300, 2)]


def test_a_trial_that_never_traded_counts_without_a_sharpe(tmp_path: Path) -> None:
    record_many([ran(5), ran(6, returns=np.zeros(300))], tmp_path / "t.db")
    assert counted(FAMILY, tmp_path / "t.db") == Trials(2)


def test_a_trial_whose_returns_are_no_numbers_counts_without_a_sharpe(tmp_path: Path) -> None:
    record_many([ran(5), ran(6, returns=np.array([0.1, np.nan, 0.2, 0.3, 0.1]))], tmp_path / "t.db")
    assert counted(FAMILY, tmp_path / "t.db") == Trials(2)


def test_a_family_is_strategies_instruments_and_bar() -> None:
    assert family_of(config(), ("AAPL",)) == FAMILY
    assert family_of(config(run={"start": "2005-01-01"}), ("AAPL",)) == FAMILY
    assert family_of(config(), ("MSFT", "AAPL")) == family_of(config(), ("AAPL", "MSFT"))
    many = [f"S{number}" for number in range(500)]
    assert len(family_of(config(), many)) < 100
    assert family_of(config(), many) != family_of(config(), [*many[:-1], "OTHER"])


def test_several_families_count_together(tmp_path: Path) -> None:
    """A choice among instruments is one among all trials of them."""
    ledger = tmp_path / "t.db"
    here, there = [ran(fast) for fast in (10, 20)], [ran(fast, symbols=("MSFT",)) for fast in (30, 40, 50)]
    assert record_many([*here, *there, ran(60, symbols=("IBM",))], ledger)
    other = FAMILY.replace("AAPL", "MSFT")
    found = counted({FAMILY, other}, ledger, 300)
    sharpes = [per_day(each.returns) for each in (*here, *there) if each.returns is not None]
    assert found is not None
    assert found.count == 5
    assert found.variance == pytest.approx(float(np.var(sharpes, ddof=1)))
    assert counted([other], ledger, 300) == counted(other, ledger, 300) != found


def test_a_count_is_never_below_what_was_tried_for_sure(tmp_path: Path) -> None:
    record_many([ran(10), ran(20)], tmp_path / "t.db")
    counts = [counted(FAMILY, tmp_path / "t.db", least=least) for least in (0, 1, 7)]
    assert [None if each is None else each.count for each in counts] == [2, 2, 7]


def test_without_a_ledger_nothing_was_tried(tmp_path: Path) -> None:
    assert counted(FAMILY, tmp_path / "none.db") == Trials(0)
    assert families(tmp_path / "none.db") == []
    assert not (tmp_path / "none.db").exists()


def test_it_lies_in_the_users_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert record(ran())
    if sys.platform == "linux":
        assert file_of(None) == tmp_path / "keel" / "trials.db"
    assert file_of(None).exists()


WRITER = """
import sys
from pathlib import Path
from runs.trials import record
from tests.runs.trials.making import ran
for number in range(20):
    if not record(ran(int(sys.argv[1]) * 100 + number), Path(sys.argv[2])):
        sys.exit(1)
    record(ran(7), Path(sys.argv[2]))
"""


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    """Also the very first time, when each finds no file."""
    ledger = tmp_path / "t.db"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number), str(ledger)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(1, 5)
    ]
    assert [(writer.communicate(timeout=240)[1], writer.returncode) for writer in writers] == [("", 0)] * 4
    found = counted(FAMILY, ledger)
    assert found is not None
    assert found.count == 81
    assert sum(each.repeats + 1 for each in trials_of(FAMILY, ledger)) == 160


def test_a_thousand_trials_are_written_in_no_time(tmp_path: Path) -> None:
    made = [ran(20, seed=1, data_version=f"v{number}", days=50) for number in range(1_000)]
    began = time.process_time()
    assert record_many(made, tmp_path / "t.db")
    assert time.process_time() - began < 30
    assert record_many([], tmp_path / "t.db")


# -- a ledger that cannot be written -----------------------------------------------------------------------------------


def not_counted(ledger: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a run that could not be counted: one line."""
    assert not record(ran(), ledger)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("not counted as a trial: ledger of trials ")
    assert said.err.count("\n") == 1
    assert "trials.path=FILE" in said.err
    return said.err


def test_a_damaged_ledger_costs_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = tmp_path / "t.db"
    ledger.write_bytes(b"no database at all, but long enough to look like one" * 100)
    assert "no SQLite file; move it away" in not_counted(ledger, capsys)
    assert counted(FAMILY, ledger) is None


def test_a_torn_ledger_costs_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = tmp_path / "t.db"
    record_many([ran(fast) for fast in range(5, 80)], ledger)
    content = bytearray(ledger.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    ledger.write_bytes(bytes(content))
    assert "damaged" in not_counted(ledger, capsys)


def test_a_folder_that_takes_no_file_costs_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    not_counted(tmp_path / "file" / "t.db", capsys)
    (tmp_path / "folder.db").mkdir()
    assert "cannot be opened" in not_counted(tmp_path / "folder.db", capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_ledger_costs_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = tmp_path / "t.db"
    record(ran(5), ledger)
    ledger.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        not_counted(ledger, capsys)
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_costs_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A device that takes no byte stands for the disk."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "t.db").symlink_to("/dev/full")
    not_counted(tmp_path / "t.db", capsys)


def test_a_locked_ledger_costs_one_line_and_two_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "t.db"
    record(ran(5), ledger)
    other = sqlite3.connect(ledger, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert "locked" in not_counted(ledger, capsys)
    assert 1.5 < time.monotonic() - began < 60
    assert counted(FAMILY, ledger) == Trials(1)  # readers never wait
    other.execute("ROLLBACK")
    other.close()
    assert record(ran(6), ledger)


def test_one_that_is_locked_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    ledger = tmp_path / "t.db"
    record(ran(5), ledger)
    other = sqlite3.connect(ledger, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, lambda: other.execute("ROLLBACK")).start()
    assert record(ran(6), ledger)
    other.close()


def test_a_ledger_of_a_newer_keel_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = tmp_path / "t.db"
    record(ran(5), ledger)
    connection = sqlite3.connect(ledger)
    connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    assert "a newer Keel wrote it" in not_counted(ledger, capsys)
    assert counted(FAMILY, ledger) is None


def test_a_database_of_something_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "t.db"
    connection = sqlite3.connect(ledger)
    connection.execute("CREATE TABLE diary (text)")
    connection.commit()
    connection.close()
    assert "a database of something else" in not_counted(ledger, capsys)


FIRST = """
CREATE TABLE trials (key VARCHAR NOT NULL, family VARCHAR NOT NULL, config VARCHAR NOT NULL,
    config_hash VARCHAR NOT NULL, code VARCHAR NOT NULL, data_version VARCHAR NOT NULL, days INTEGER NOT NULL,
    days_per_year INTEGER NOT NULL, sharpe_daily FLOAT, sharpe_annual FLOAT, skewness FLOAT, kurtosis FLOAT,
    total_return FLOAT, max_drawdown FLOAT, orders INTEGER, error VARCHAR, PRIMARY KEY (key));
CREATE INDEX trials_by_family ON trials (family);
CREATE TABLE runs (id VARCHAR NOT NULL, trial VARCHAR NOT NULL, at VARCHAR NOT NULL, kind VARCHAR NOT NULL,
    keel VARCHAR NOT NULL, folder VARCHAR, PRIMARY KEY (id), FOREIGN KEY(trial) REFERENCES trials ("key"));
CREATE INDEX ix_runs_trial ON runs (trial);
PRAGMA user_version=1;
"""


def shape(ledger: Path) -> dict[str, object]:
    """Version, tables with their columns, and indexes of a file."""
    connection = sqlite3.connect(ledger)
    found: dict[str, object] = {"version": connection.execute("PRAGMA user_version").fetchone()}
    for name, kind in connection.execute("SELECT name, type FROM sqlite_master").fetchall():
        columns = connection.execute(f"PRAGMA table_info({name})").fetchall() if kind == "table" else None
        if not name.startswith("sqlite_"):
            found[name] = columns
    connection.close()
    return found


def test_a_ledger_of_the_first_version_becomes_one_of_today(tmp_path: Path) -> None:
    """A change of the tables needs a new VERSION and a step to it."""
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    connection = sqlite3.connect(old)
    connection.executescript(FIRST)
    connection.close()
    assert counted(FAMILY, old) == Trials(0)
    assert record(ran(), old)
    assert record(ran(), new)
    assert shape(old) == shape(new)
    assert shape(new)["version"] == (VERSION,)
    assert {table.name for table in META.sorted_tables} <= set(shape(new))
    assert len(trials_of(FAMILY, old)) == 1


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    record(ran(), tmp_path / "t.db")
    connection = sqlite3.connect(tmp_path / "t.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
