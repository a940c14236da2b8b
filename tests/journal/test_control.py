"""A command reaches the node once, whoever writes it and whatever else is written; the chain of all of them holds."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from journal import tables
from journal.chain import GENESIS, Link, link
from journal.config import JournalConfig
from journal.control import Account, Command, Mailbox, Receipt, awaited, command_row, receipt_row, write
from journal.database import open_journal
from journal.heads import HeadFile
from journal.shapes import RowError
from journal.tables import CONTROL
from tests.journal.filled import journal_on
from tests.journal.kept import ACCOUNT, begun, broken, running, until
from tests.journal.test_writer import HERE, wait_until_well

WRITERS, EACH = 5, 60
SPAMS = """
import sys
from journal import tables
from journal.config import JournalConfig
from journal.control import command_row, write
from journal.database import open_journal
from journal.heads import HeadFile
from tests.journal.kept import ACCOUNT
config = JournalConfig.model_validate_json(sys.argv[1])
engine = open_journal(config, create=False)
head = HeadFile.of(config.heads_folder, tables.CONTROL)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    write(engine, head, [(tables.commands, command_row(ACCOUNT, "halt", {"number": number}, sys.argv[2]))])
print("done", flush=True)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JournalConfig]:
    with journal_on(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def engine(config: JournalConfig) -> Iterator[Engine]:
    found = open_journal(config, create=True)
    yield found
    found.dispose()


def ask(
    config: JournalConfig, engine: Engine, verb: str = "halt", account: Account = ACCOUNT, **args: Any
) -> str:
    """Write a command; answers its id."""
    row = command_row(account, verb, args, "a test")
    head = HeadFile.of(config.heads_folder, CONTROL)
    write(engine, head, [(tables.commands, row)])
    head.close()
    return str(row["command_id"])


def read(engine: Engine, mailbox: Mailbox) -> list[Command]:
    with engine.connect() as connection:
        mailbox.read(connection)
    return mailbox.take()


def test_many_processes_that_write_commands_at_once_keep_one_chain_and_none_is_missed(
    config: JournalConfig,
) -> None:
    """A node writes all it can meanwhile, and reads commands as it does in life."""
    mailbox = Mailbox(ACCOUNT.scope)
    kept = begun(config, start=False)
    ask(config, kept.engine, note="from before its start")
    kept.writer.each_turn(mailbox.read)
    listens = threading.Event()
    kept.writer.each_turn(lambda _connection: listens.set())
    kept.writer.start()
    kept.writer.commit()
    assert listens.wait(150)
    arguments = config.model_dump_json()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", SPAMS, arguments, str(who), str(EACH)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE,
        )
        for who in range(WRITERS)
    ]  # fmt: skip
    for each in writers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in writers:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    taken: list[Command] = []
    rows = 0
    while any(each.poll() is None for each in writers):
        taken += mailbox.take()
        for _ in range(20):
            kept.add(kept.order("busy"))
            rows += 1
        time.sleep(0.001)
    for each in writers:
        assert each.communicate()[0] == "done\n"

    def all_taken() -> bool:
        taken.extend(mailbox.take())
        return len(taken) >= WRITERS * EACH

    until(all_taken)
    time.sleep(0.2)  # none comes twice
    taken += mailbox.take()
    wait_until_well(kept)
    assert kept.writer.close(120) == 0
    found = Counter((command.why, command.args["number"]) for command in taken)
    assert len(found) == WRITERS * EACH
    assert set(found.values()) == {1}
    for who in range(WRITERS):
        assert [each.args["number"] for each in taken if each.why == str(who)] == list(range(EACH))
    assert broken(kept.engine, config, CONTROL) == []
    assert kept.broken() == []
    assert len(kept.names()) == rows
    kept.engine.dispose()


def test_a_node_sees_no_command_of_another_account_and_none_from_before_it(
    config: JournalConfig, engine: Engine
) -> None:
    ask(config, engine)
    mailbox = Mailbox(ACCOUNT.scope)
    assert read(engine, mailbox) == []
    ask(config, engine, account=Account("live:test", "live", "test"))
    name = ask(config, engine, "flatten", order="O-1")
    [command] = read(engine, mailbox)
    assert (command.command_id, command.verb, command.args, command.why) == (
        name,
        "flatten",
        {"order": "O-1"},
        "a test",
    )
    assert read(engine, mailbox) == []


def test_a_command_that_was_not_committed_is_not_seen_and_leaves_no_trace(
    config: JournalConfig, engine: Engine
) -> None:
    mailbox = Mailbox(ACCOUNT.scope)
    ask(config, engine)
    read(engine, mailbox)
    head = HeadFile.of(config.heads_folder, CONTROL)
    row = command_row(ACCOUNT, "halt", {}, "x")
    with pytest.raises(Exception, match=r"(?i)unique"):
        write(engine, head, [(tables.commands, row), (tables.commands, row)])
    with pytest.raises(RowError):
        write(engine, head, [(tables.commands, row), (tables.commands, {**row, "why": None})])
    head.close()
    assert read(engine, mailbox) == []
    ask(config, engine)
    assert len(read(engine, mailbox)) == 1
    assert broken(engine, config, CONTROL) == []


def test_a_command_that_somebody_spoilt_still_reaches_the_node(config: JournalConfig, engine: Engine) -> None:
    mailbox = Mailbox(ACCOUNT.scope)
    read(engine, mailbox)
    for text in ("{half", "[1]", "null"):
        name = ask(config, engine)
        with engine.begin() as connection:
            connection.execute(
                update(tables.commands).where(tables.commands.c.command_id == name).values(args=text)
            )
        [command] = read(engine, mailbox)
        assert (command.verb, command.args) == ("halt", {"unreadable": text})


def test_commands_reach_the_node_after_an_older_journal_was_put_in_its_place(
    config: JournalConfig, engine: Engine
) -> None:
    mailbox = Mailbox(ACCOUNT.scope)
    read(engine, mailbox)
    names = [ask(config, engine) for _ in range(4)]
    assert [each.command_id for each in read(engine, mailbox)] == names
    with engine.begin() as connection:  # back to the first of them
        first = connection.execute(
            select(tables.commands).where(tables.commands.c.command_id == names[0])
        ).one()
        connection.execute(delete(tables.commands).where(tables.commands.c.command_id.in_(names[1:])))
        connection.execute(
            update(tables.heads).where(tables.heads.c.chain == CONTROL).values(seq=first.seq, hash=first.hash)
        )
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval('commands_id_seq', %s)", (first.id,))
    new = ask(config, engine)
    assert [each.command_id for each in read(engine, mailbox)] == [new]
    newer = ask(config, engine)
    assert [each.command_id for each in read(engine, mailbox)] == [newer]


def test_ids_come_to_light_in_order(config: JournalConfig, engine: Engine) -> None:
    """A second writer waits for the first to end, so no command can come to light behind one that was seen."""
    first = command_row(ACCOUNT, "halt", {}, "first")
    over = threading.Event()
    with engine.execution_options(writes=True).connect() as connection:
        begun_ = connection.begin()
        head = connection.execute(select(tables.heads).where(tables.heads.c.chain == CONTROL)).one_or_none()
        if head is None:
            connection.execute(insert(tables.heads).values(chain=CONTROL, seq=0, hash=GENESIS, batch=0, at=1))
        connection.execute(select(tables.heads).where(tables.heads.c.chain == CONTROL).with_for_update())
        row = link(Link(), "commands", {**first, "at": 1, "run_id": CONTROL})
        connection.execute(insert(tables.commands), row)
        connection.execute(
            update(tables.heads).where(tables.heads.c.chain == CONTROL).values(seq=1, hash=row["hash"])
        )

        def second() -> None:
            ask(config, engine)
            over.set()

        other = threading.Thread(target=second)
        other.start()
        assert not over.wait(0.7)
        begun_.commit()
    assert over.wait(150)
    other.join()
    with engine.connect() as connection:
        found = connection.execute(select(tables.commands.c.why).order_by(tables.commands.c.id)).scalars()
        assert list(found) == ["first", "a test"]
    assert broken(engine, config, CONTROL) == []


def test_an_answer_is_waited_for_and_no_longer_than_asked(config: JournalConfig) -> None:
    with running(config) as kept:
        name = ask(config, kept.engine)
        began = time.monotonic()
        assert awaited(kept.engine, name, 0.3) is None
        assert 0.3 <= time.monotonic() - began < 30
        row = receipt_row(ACCOUNT, Receipt(name, "DONE", "halted", {"orders": 2}), by="node")
        threading.Timer(0.2, kept.writer.add, (tables.receipts, {**row, "run_id": kept.run_id})).start()
        assert awaited(kept.engine, name, 150) == Receipt(name, "DONE", "halted", {"orders": 2})


def test_a_command_and_its_receipt_are_written_together(config: JournalConfig, engine: Engine) -> None:
    """Where no node runs the verb acts itself; what else it changes is written with it, all or nothing."""
    head = HeadFile.of(config.heads_folder, CONTROL)
    for number in range(2):
        command = command_row(ACCOUNT, "limits", {}, "tighter")
        receipt = receipt_row(ACCOUNT, Receipt(command["command_id"], "DONE", "set", {}), by="verb")
        limit = {"scope": "s", "key": "k", "value": str(number), "at": 1, "who": "w", "why": "x"}
        write(
            engine,
            head,
            [(tables.commands, command), (tables.limit_overrides, limit), (tables.receipts, receipt)],
        )
    head.close()
    with engine.connect() as connection:
        assert connection.execute(select(tables.limit_overrides.c.value)).scalars().all() == ["1"]
    assert broken(engine, config, CONTROL) == []


def test_a_command_gets_through_while_a_node_writes_without_a_pause(tmp_path: Path) -> None:
    """`halt` must not wait for a quiet moment."""
    with journal_on("sqlite", tmp_path) as config, running(config, max_waiting=20_000) as kept:
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                kept.add(kept.order("busy"))

        worker = threading.Thread(target=work)
        worker.start()
        secs = []
        for _ in range(15):
            began = time.monotonic()
            ask(config, kept.engine)
            secs.append(time.monotonic() - began)
        over.set()
        worker.join()
        assert max(secs) < 30, secs
        assert broken(kept.engine, config, CONTROL) == []


def test_the_file_of_the_head_is_never_ahead_of_the_chain(tmp_path: Path) -> None:
    """The lock is refused while the rows are written: nothing of a command that failed is kept anywhere."""
    with journal_on("sqlite", tmp_path) as config:
        engine = open_journal(config, create=True, busy_ms=100)
        ask(config, engine)
        before = HeadFile.of(config.heads_folder, CONTROL).read()
        with closing(sqlite3.connect(config.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            thread_error: list[BaseException] = []

            def late() -> None:
                try:
                    ask(config, engine)
                except Exception as error:  # noqa: BLE001 - told to the test
                    thread_error.append(error)

            thread = threading.Thread(target=late)
            thread.start()
            time.sleep(0.5)
            assert HeadFile.of(config.heads_folder, CONTROL).read() == before
            other.execute("ROLLBACK")
            thread.join()
        assert thread_error == []
        assert broken(engine, config, CONTROL) == []
        engine.dispose()


def test_an_older_head_never_takes_the_place_of_a_newer_one(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "control.head")
    for seq in (3, 1, 2):
        file.raise_to(Link(seq, str(seq) * 64))
    assert file.read() == Link(3, "3" * 64)
    (tmp_path / "control.head").write_text("spoilt")
    file.raise_to(Link(9, "9" * 64))
    with pytest.raises(ValueError, match="does not hold the head of a chain"):
        file.read()  # what somebody did to it is left for `audit verify` to tell
    file.close()
