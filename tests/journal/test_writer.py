"""Rows get to disk in the order they came, are there when `commit` returns, and none is lost or there twice."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from journal import tables
from journal.chain import Link
from journal.config import JournalConfig
from journal.database import open_journal
from journal.heads import HeadFile
from journal.verify import Verifier
from journal.writer import EVERY_SECS
from tests.journal.filled import journal_on
from tests.journal.kept import Kept, begun, broken, running, until

HERE = Path(__file__).parents[2]
ROUNDS = 6  # of kill -9; tried with 200


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JournalConfig]:
    with journal_on(request.param, tmp_path) as found:
        yield found


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with journal_on(request.param, tmp_path_factory.mktemp("writer")) as config, running(config) as found:
        yield found


# -- order ------------------------------------------------------------------------------------------------------------

calls = st.lists(st.sampled_from(["add", "commit", "commit two", "alert", "keep", "pause"]), max_size=25)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(calls=calls)
def test_rows_stand_in_the_order_of_the_calls(kept: Kept, calls: list[str]) -> None:
    before, number = kept.names(), len(kept.names())
    new = []
    for call in calls:
        names = [f"O-{number}", f"O-{number + 1}"][: 2 if call == "commit two" else 1]
        if call == "add":
            kept.add(kept.order(names[0]))
        elif call.startswith("commit"):
            kept.writer.commit(*(kept.order(name) for name in names))
            assert kept.names()[-len(names) :] == names
        else:
            kept.add(kept.alert("x")) if call == "alert" else time.sleep(0.001)
            continue
        new += names
        number += len(names)
    kept.writer.commit()
    assert kept.names()[len(before) :] == new
    assert kept.writer.lag().rows == 0


def test_rows_of_many_threads_are_all_there_once_and_in_each_ones_order(config: JournalConfig) -> None:
    with running(config, max_waiting=1_000) as kept:

        def work(who: int) -> None:
            for number in range(400):
                row = kept.order(f"{who}-{number}") if number % 3 else kept.decision(f"{who}-{number}")
                if number % 20 == 0:
                    kept.writer.commit(row)
                else:
                    kept.add(row)

        threads = [threading.Thread(target=work, args=(who,)) for who in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        kept.writer.commit()
        for table, wanted in ((tables.orders, lambda n: n % 3), (tables.decisions, lambda n: not n % 3)):
            found = [name.split("-") for name in kept.names(table)]
            for who in range(6):
                own = [int(number) for name, number in found if int(name) == who]
                assert own == [number for number in range(400) if wanted(number)], (
                    f"thread {who} of {table.name}"
                )
        assert kept.broken() == []


def test_the_rows_of_one_commit_are_there_all_or_none(config: JournalConfig) -> None:
    counts: set[int] = set()
    with running(config) as kept:
        over = threading.Event()

        def watch() -> None:
            with kept.engine.connect() as connection:
                while not over.is_set():
                    counts.add(
                        connection.execute(select(func.count()).select_from(tables.orders)).scalar_one()
                    )
                    connection.rollback()

        watcher = threading.Thread(target=watch)
        watcher.start()
        for number in range(150):
            kept.add(kept.alert("before"))
            kept.writer.commit(*(kept.order(f"{number}-{part}") for part in range(3)))
        over.set()
        watcher.join()
    assert {count % 3 for count in counts} == {0}
    assert len(counts) > 3


def test_what_is_kept_is_replaced_by_the_newest(config: JournalConfig) -> None:
    with running(config) as kept:
        for number in range(500):
            state = {
                "scope": "paper:test",
                "run_id": kept.run_id,
                "ts": number,
                "at": 1,
                "state": json.dumps(number),
            }
            kept.writer.keep(tables.risk_states, "paper:test", state)
            kept.writer.keep(tables.risk_states, "live:test", {**state, "scope": "live:test", "ts": -number})
            if number % 100 == 0:
                kept.writer.commit()
        for key in ("max_leverage", "max_orders"):
            limit = {"scope": "s", "key": key, "value": "1", "at": 1, "who": "w", "why": ""}
            kept.writer.keep(tables.limit_overrides, f"s {key}", limit)
        kept.writer.commit(kept.order("O-1"))
        with kept.engine.connect() as connection:
            found = connection.execute(
                select(tables.risk_states.c.ts).order_by(tables.risk_states.c.ts)
            ).scalars()
            assert list(found) == [-499, 499]
            assert connection.execute(select(func.count()).select_from(tables.limit_overrides)).scalar() == 2


# -- durability -------------------------------------------------------------------------------------------------------

NODE = """
import sys, time
from pathlib import Path
from random import Random
from journal.config import JournalConfig
from tests.journal.kept import begun
kept = begun(JournalConfig.model_validate_json(sys.argv[1]), sys.argv[2])
choose = Random(sys.argv[2])
number = 0
while True:
    for _ in range(choose.randrange(4)):
        kept.add(kept.alert("between"))
    names = [f"O-{number + each}" for each in range(choose.randrange(1, 4))]
    kept.writer.commit(*(kept.order(name) for name in names))
    print("\\n".join(names), flush=True)
    number += len(names)
"""


def killed_after(config: JournalConfig, run_id: str, secs: float) -> list[str]:
    """Let a node commit for a while and kill it; answers the orders whose commit had returned."""
    command = [sys.executable, "-c", NODE, config.model_dump_json(), run_id]
    node = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=HERE)
    assert node.stdout is not None
    first = node.stdout.readline()
    time.sleep(secs)
    node.send_signal(signal.SIGKILL)
    said = first + node.communicate()[0]
    return [line for line in said.split("\n")[:-1] if line]


def test_a_row_is_there_when_its_commit_has_returned_whenever_the_process_is_killed(
    config: JournalConfig,
) -> None:
    choose = Random(1)  # noqa: S311 - nothing is to be kept secret
    engine = open_journal(config, create=True)
    for number in range(ROUNDS):
        run_id = f"run-{number}"
        told = killed_after(config, run_id, choose.random() * 0.3)
        kept = Kept(config, engine, run_id, writer=None)  # type: ignore[arg-type] # only reads
        found = kept.names()
        assert told, "it said nothing"
        assert found[: len(told)] == told
        assert len(found) - len(told) <= 3  # the commit that was not told any more
        assert [each for each in broken(engine, config, run_id) if "in the file" not in each] == []
        filed = HeadFile.of(config.heads_folder, run_id).read()
        assert filed is not None
        with engine.connect() as connection:
            seq = connection.execute(
                select(tables.orders.c.hash).where(tables.orders.c.seq == filed.seq)
            ).scalars()
            assert filed.seq == 0 or filed.hash in list(seq)
        assert len(found) - 3 <= filed.seq <= len(found)
    kinds = {each.kind for each in Verifier(engine, config.heads_folder).verify().findings.kept}
    assert kinds <= {"FOREIGN", "HEAD"}, "no row of runs was made here; nothing else is wrong"
    engine.dispose()


DIES = """
import os, sys
from journal.config import JournalConfig
from journal.heads import HeadFile
from tests.journal.kept import begun

class Dies(HeadFile):
    def write(self, link):
        if link.seq > 3:
            os._exit(9)  # as a crash right there
        super().write(link)

kept = begun(JournalConfig.model_validate_json(sys.argv[1]))
kept.writer._head_file = Dies(kept.writer._head_file.path)
for number in range(9):
    kept.writer.commit(kept.order(f"O-{number}"))
"""


def test_a_crash_between_the_commit_and_the_file_of_the_head_is_no_tampering(config: JournalConfig) -> None:
    done = subprocess.run([sys.executable, "-c", DIES, config.model_dump_json()], cwd=HERE, check=False)
    assert done.returncode == 9
    engine = open_journal(config, create=False)
    assert broken(engine, config, "run-1") == ["the head in the file is not 4"]
    assert HeadFile.of(config.heads_folder, "run-1").read() == Link(3, _hash(engine.connect(), 3))
    found = Verifier(engine, config.heads_folder).verify().findings
    assert [each.kind for each in found.kept] == ["FOREIGN"]  # the test made no row in runs; nothing else
    engine.dispose()


def _hash(connection: Connection, seq: int) -> str:
    with connection:
        return str(
            connection.execute(select(tables.orders.c.hash).where(tables.orders.c.seq == seq)).scalar_one()
        )


# -- how much waits ---------------------------------------------------------------------------------------------------


def test_who_is_faster_than_the_disk_is_held_up_and_loses_nothing(config: JournalConfig) -> None:
    with running(config, max_waiting=1_000) as kept:
        takes_secs = iter([1.0])
        kept.writer.each_turn(lambda _connection: time.sleep(next(takes_secs, 0.0)))
        most = 0
        for number in range(12_000):
            kept.add(kept.order(str(number)))
            most = max(most, kept.writer.lag().rows)
        assert kept.writer.problem is None
        kept.writer.commit()
        assert 100 < most <= 1_000
        assert kept.writer.held_up_secs > 0
        assert kept.names() == [str(number) for number in range(12_000)]
        assert kept.broken() == []


def test_rows_that_wait_are_seen(tmp_path: Path) -> None:
    with journal_on("sqlite", tmp_path) as config, running(config, max_waiting=1_000) as kept:
        kept.writer.commit()
        with closing(sqlite3.connect(config.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            for number in range(1_500):
                kept.add(kept.order(str(number)))
            held_up = time.monotonic() - began
            assert held_up < 60
            assert kept.writer.lag().rows == 1_500
            assert kept.writer.lag().secs >= 1
            until(lambda: "locked" in str(kept.writer.problem))
            other.execute("ROLLBACK")
        wait_until_well(kept)
        assert kept.writer.lag().rows == 0
        assert kept.names() == [str(number) for number in range(1_500)]


def wait_until_well(kept: Kept, secs: float = 150) -> None:
    """Until it works again and nothing waits."""
    until = time.monotonic() + secs
    while (kept.writer.problem is not None or kept.writer.lag().rows) and time.monotonic() < until:
        time.sleep(0.01)
    assert kept.writer.problem is None


# -- start and end ----------------------------------------------------------------------------------------------------


def test_everything_that_waits_is_written_at_the_end(config: JournalConfig) -> None:
    kept = begun(config)
    for number in range(5_000):
        kept.add(kept.order(str(number)))
    state = {"scope": "s", "run_id": kept.run_id, "ts": 1, "at": 1, "state": "{}"}
    kept.writer.keep(tables.risk_states, "s", state)
    assert kept.writer.close(120) == 0
    assert kept.writer.close() == 0  # again is no harm
    assert kept.names() == [str(number) for number in range(5_000)]
    assert kept.broken() == []
    with kept.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(tables.risk_states)).scalar() == 1
    kept.engine.dispose()


def test_before_the_thread_runs_rows_are_written_by_who_commits_them(config: JournalConfig) -> None:
    kept = begun(config, start=False, max_waiting=1_000)
    for number in range(2_000):
        kept.add(kept.order(str(number)))
    kept.writer.commit(kept.order("last"))
    assert len(kept.names()) == 2_001
    assert kept.writer.close() == 0
    kept.engine.dispose()


def test_the_end_comes_in_time_and_says_what_is_left_when_the_file_is_locked(tmp_path: Path) -> None:
    with journal_on("sqlite", tmp_path) as config:
        kept = begun(config)
        kept.writer.commit(kept.order("O-1"))
        with closing(sqlite3.connect(config.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            kept.add(kept.order("O-2"))
            kept.add(kept.order("O-3"))
            began = time.monotonic()
            assert kept.writer.close(2.0) == 2
            assert time.monotonic() - began < 60
            until(lambda: "locked" in str(kept.writer.problem))
            other.execute("ROLLBACK")
        kept.engine.dispose()


# -- turns ------------------------------------------------------------------------------------------------------------


def test_turns_are_given_again_and_again_even_after_one_that_fails(config: JournalConfig) -> None:
    seen: list[Any] = []

    def fails(_connection: Connection) -> None:
        raise KeyError("a mistake")

    def counts(connection: Connection) -> None:
        seen.append(connection.execute(select(func.count()).select_from(tables.orders)).scalar_one())

    kept = begun(config, start=False)
    kept.writer.each_turn(fails)
    kept.writer.each_turn(counts)
    began = time.monotonic()
    kept.writer.start()
    kept.writer.commit(kept.order("O-1"))
    until(lambda: len(seen) >= 8 and seen[-1] == 1)
    assert kept.writer.problem is None
    assert len(seen) <= (time.monotonic() - began) / EVERY_SECS + 2
    assert kept.writer.close() == 0
    kept.engine.dispose()


def test_many_commits_do_not_wait_for_turns(config: JournalConfig) -> None:
    kept = begun(config, start=False)
    turns = []
    kept.writer.each_turn(lambda _connection: turns.append(1))
    began = time.monotonic()
    kept.writer.start()
    for number in range(300):
        kept.writer.commit(kept.order(str(number)))
    assert len(turns) <= (time.monotonic() - began) / EVERY_SECS + 2
    assert kept.writer.close() == 0
    kept.engine.dispose()


def test_amounts_are_exact_to_the_last_digit(config: JournalConfig) -> None:
    exact = Decimal("123456789012345678901234567890.123456789012345678901234567890")
    with running(config) as kept:
        kept.writer.commit(kept.order("O-1", price=exact, quantity=Decimal("1E+2"), filled=Decimal("-0")))
        with kept.engine.connect() as connection:
            row = connection.execute(select(tables.orders)).one()
        assert (row.price, row.quantity, row.filled) == (exact, 100, 0)
        assert str(row.filled) == "0"
