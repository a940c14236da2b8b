"""People read the journal with their own tools while it is written, and the log beside it does not grow for ever."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from journal.config import JournalConfig
from tests.journal.kept import Kept, running, until
from tests.journal.test_writer import wait_until_well

ROWS = "SELECT COUNT(*) FROM orders"


def log_size(kept: Kept) -> int:
    return kept.config.file.with_name("journal.db-wal").stat().st_size


def test_the_log_is_copied_into_the_file_when_nothing_waits(tmp_path: Path) -> None:
    with running(JournalConfig(path=tmp_path / "journal.db")) as kept:
        turns: list[int] = []
        kept.writer.each_turn(lambda _connection: turns.append(1))
        for number in range(2_000):
            kept.writer.commit(kept.order(str(number)))
            if number % 100 == 0:  # nothing waits for a moment, as between two bars
                enough = len(turns) + 3
                until(lambda enough=enough: len(turns) >= enough)  # type: ignore[misc]
        until(lambda: kept.config.file.stat().st_size > 500_000)
        assert log_size(kept) < 30_000_000


def test_the_log_stays_bounded_while_there_is_no_pause(tmp_path: Path) -> None:
    with running(JournalConfig(path=tmp_path / "journal.db"), max_waiting=10_000) as kept:
        enough, number = time.monotonic() + 6, 0
        while time.monotonic() < enough or number * 5_000 <= 50_000_000:
            kept.add(kept.order(str(number), reason="x" * 5_000))
            number += 1
        wait_until_well(kept)
        assert log_size(kept) < 250_000_000
        after = 0

        def is_small_again() -> bool:
            nonlocal after
            kept.writer.commit(kept.order("last"))
            after += 1
            return log_size(kept) <= 64_000_000

        until(is_small_again, pause=0.3)
        assert kept.names()[-after - 1] == str(number - 1)


def test_a_reader_that_stays_in_its_transaction_holds_nobody_up(tmp_path: Path) -> None:
    with running(JournalConfig(path=tmp_path / "journal.db")) as kept:
        kept.writer.commit(kept.order("before"))
        with closing(sqlite3.connect(kept.config.file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute(ROWS).fetchone() == (1,)
            secs = []
            for number in range(1_000):
                began = time.monotonic()
                kept.writer.commit(kept.order(str(number)))
                secs.append(time.monotonic() - began)
            assert reader.execute(ROWS).fetchone() == (1,)  # its own picture
            assert sorted(secs)[len(secs) // 2] < 1
            reader.execute("COMMIT")
            assert reader.execute(ROWS).fetchone() == (1_001,)


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")
def test_the_command_line_tool_reads_while_it_is_written(tmp_path: Path) -> None:
    tool = str(shutil.which("sqlite3"))
    with running(JournalConfig(path=tmp_path / "journal.db")) as kept:
        over = threading.Event()

        def work() -> None:
            number = 0
            while not over.is_set():
                kept.writer.commit(kept.order(str(number)))
                number += 1

        worker = threading.Thread(target=work)
        worker.start()
        counts = []
        for _ in range(10):
            for options in ([], ["-readonly"]):
                command = [tool, *options, str(kept.config.file), ROWS]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                assert (done.returncode, done.stderr) == (0, "")
                counts.append(int(done.stdout))
        over.set()
        worker.join()
        assert counts == sorted(counts)
        assert counts[-1] > counts[0]
        assert kept.writer.problem is None
    done = subprocess.run(
        [tool, str(kept.config.file), "PRAGMA integrity_check; SELECT COUNT(*) > 0 FROM order_states"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "ok\n1\n"
    assert sorted(each.name for each in tmp_path.glob("journal.db-*")) == []  # the last one out tidies up
