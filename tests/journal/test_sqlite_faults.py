"""SQLite: a full disk, a lock, a file that is deleted, replaced, damaged or read-only; nothing raised, nothing lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from journal import tables
from journal.config import JournalConfig
from journal.errors import JournalDownError
from journal.verify import Verifier
from tests.journal.kept import Kept, begun, open_folder, running, until
from tests.journal.test_writer import HERE, wait_until_well

pytestmark = pytest.mark.slow

MANY = 7_000  # more than a node can write again
IN_TIME = 30.0  # about two seconds, and a slow machine
AT_ONCE = 1.5  # less than a database has for its answer
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with running(JournalConfig(path=tmp_path / "journal.db")) as found:
        found.writer.commit(*(found.order(f"before-{number}") for number in range(5)))
        yield found


def refused(kept: Kept, name: str) -> str:
    """A commit that fails in time and in one line; the next one at once."""
    began = time.monotonic()
    with pytest.raises(JournalDownError) as error:
        kept.writer.commit(kept.order(name))
    assert time.monotonic() - began < IN_TIME
    assert kept.writer.problem is not None
    began = time.monotonic()
    with pytest.raises(JournalDownError):
        kept.writer.commit(kept.order(f"{name}-again"))
    assert time.monotonic() - began < AT_ONCE
    said = str(error.value)
    assert "\n" not in said
    assert said.startswith(f"journal {kept.config.shown}: ")
    return said


def whole(kept: Kept, *names: str) -> None:
    """Everything is there in order, and the chain holds."""
    wait_until_well(kept)
    kept.writer.commit(kept.order("after"))
    assert kept.names() == [*(f"before-{number}" for number in range(5)), *names, "after"]
    assert kept.broken() == []
    with closing(sqlite3.connect(kept.config.file)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# -- locked -----------------------------------------------------------------------------------------------------------

LOCKS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@pytest.mark.parametrize("how", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_file_that_another_process_keeps_locked(kept: Kept, how: str) -> None:
    command = [sys.executable, "-c", LOCKS, str(kept.config.file), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        refused(kept, "locked")
        told = "database is locked: another process keeps it locked; end that one"
        until(lambda: told in str(kept.writer.problem))
        kept.add(kept.order("meanwhile"))
        time.sleep(2)
        other.communicate("\n")
    whole(kept, "locked", "locked-again", "meanwhile")


def test_a_lock_of_a_moment_is_no_failure(kept: Kept) -> None:
    with closing(sqlite3.connect(kept.config.file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, other.execute, ("ROLLBACK",)).start()
        kept.writer.commit(kept.order("waited"))
    assert kept.writer.problem is None
    whole(kept, "waited")


# -- full -------------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "-l", folder], check=True)


def fill_up(file: Path) -> None:
    with file.open("ab", buffering=0) as opened, suppress(OSError):
        while True:
            opened.write(b"x" * 4_096)


@root
def test_a_full_disk(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 1_500) as disk,
        running(JournalConfig(path=disk / "journal.db")) as kept,
    ):
        kept.writer.commit(*(kept.order(f"before-{number}") for number in range(5)))
        (disk / "ballast").write_bytes(b"x" * 250_000)
        fill_up(disk / "rest")
        count = 0
        while kept.writer.problem is None and count < 2_000:  # the log may still have room
            kept.add(kept.order(f"fills-{count}"))
            count += 1
            time.sleep(0.002)
        said = refused(kept, "full")
        assert "full" in said or "refuses" in said
        time.sleep(1)
        (disk / "rest").unlink()
        (disk / "ballast").unlink()
        whole(kept, *(f"fills-{number}" for number in range(count)), "full", "full-again")


LIMITED = """
import resource, sys, time
from pathlib import Path
from journal.config import JournalConfig
from journal.errors import JournalDownError
from tests.journal.kept import running
from tests.journal.test_writer import wait_until_well
with running(JournalConfig(path=Path(sys.argv[1]))) as kept:
    kept.writer.commit(kept.order("O-0"))
    now = max(file.stat().st_size for file in Path(sys.argv[1]).parent.glob("journal.db*"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (now + int(sys.argv[2]), hard))
    number, down = 0, 0
    while down < 3 and number < 500:
        number += 1
        try:
            kept.writer.commit(kept.order(f"O-{number}"))
        except JournalDownError as error:
            assert "\\n" not in str(error)
            down += 1
    assert down == 3, "it never was full"
    time.sleep(1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    wait_until_well(kept)
    kept.writer.commit()
    assert kept.names() == [f"O-{each}" for each in range(number + 1)], "rows are missing"
    assert kept.broken() == []
    print("whole")
"""


@pytest.mark.parametrize("room", [1, 1_000, 5_000, 40_000])
def test_a_file_that_may_not_grow(tmp_path: Path, room: int) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "journal.db"), str(room)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.stdout == "whole\n", done.stderr[-2_000:]


# -- gone -------------------------------------------------------------------------------------------------------------


def files(config: JournalConfig) -> list[Path]:
    return [config.file, *(config.file.with_name(f"{config.file.name}{end}") for end in ("-wal", "-shm"))]


@pytest.mark.parametrize("taken", ["file", "log", "all", "folder", "emptied"])
@pytest.mark.parametrize("waiting", [False, True])
def test_a_journal_that_is_deleted_while_it_is_open_is_written_anew(
    kept: Kept, taken: str, waiting: bool
) -> None:
    file, log, index = files(kept.config)
    if taken == "folder":
        shutil.rmtree(kept.config.folder)
    elif taken == "emptied":  # by somebody who opened it anew before anything was there
        file.unlink()
        file.touch()
    else:
        for each in {"file": [file], "log": [log], "all": [file, log, index]}[taken]:
            each.unlink()
    if waiting:
        time.sleep(0.3)
    kept.writer.commit(kept.order("deleted"))
    assert kept.writer.problem is None
    news = kept.writer.take_news()
    assert len(news) == 1
    assert "was taken away while it was open; it was written anew, all of it" in news[0]
    assert kept.writer.take_news() == []
    assert sorted(each.suffix for each in kept.config.folder.glob("*rescue*")) == []
    whole(kept, "deleted")


def test_a_journal_that_is_deleted_again_and_again_loses_nothing(kept: Kept) -> None:
    over = threading.Event()

    def delete() -> None:
        while not over.wait(0.05):
            for each in files(kept.config):
                each.unlink(missing_ok=True)

    deleter = threading.Thread(target=delete)
    deleter.start()
    count, down = 0, 0
    enough = time.monotonic() + 4
    while time.monotonic() < enough:
        try:
            kept.writer.commit(kept.order(f"O-{count}"))
        except JournalDownError:
            down += 1
        count += 1
    over.set()
    deleter.join()
    whole(kept, *(f"O-{number}" for number in range(count)))


def test_two_nodes_on_one_deleted_journal_both_go_on_with_everything(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with running(config, "run-1") as one, running(config, "run-2") as two:
        over = threading.Event()
        done: dict[str, int] = {}

        def work(kept: Kept) -> None:
            number = 0
            while not over.is_set():
                try:
                    kept.writer.commit(kept.order(f"O-{number}"))
                except JournalDownError:
                    time.sleep(0.01)
                number += 1
                done[kept.run_id] = number

        def both_told(told: set[str]) -> bool:
            told |= {kept.run_id for kept in (one, two) if kept.writer.take_news()}
            return len(told) == 2

        threads = [threading.Thread(target=work, args=(kept,)) for kept in (one, two)]
        for each in threads:
            each.start()
        for _ in range(12):
            time.sleep(0.1)
            config.file.unlink()
            told: set[str] = set()
            until(lambda told=told: both_told(told))  # type: ignore[misc] # both are on the new file
        until(lambda: len(done) == 2 and min(done.values()) > 50)
        over.set()
        for each in threads:
            each.join()
        for kept in (one, two):
            wait_until_well(kept)
            kept.writer.commit()
        for kept in (one, two):
            assert kept.names() == [f"O-{number}" for number in range(done[kept.run_id])]
            assert kept.broken() == []


# -- replaced ---------------------------------------------------------------------------------------------------------


def backup(config: JournalConfig, to: Path) -> None:
    with closing(sqlite3.connect(config.file)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)


def test_another_file_in_its_place_is_not_written_to(kept: Kept, tmp_path: Path) -> None:
    other = begun(JournalConfig(path=tmp_path / "other.db"), "other")
    other.writer.commit(other.order("O-1"))
    other.writer.close()
    (tmp_path / "other.db").replace(kept.config.file)
    before = kept.config.file.read_bytes()
    said = refused(kept, "replaced")
    assert "another file lies there than the one that was opened; move it away" in said
    assert kept.config.file.read_bytes() == before
    kept.config.file.rename(tmp_path / "moved.db")
    wait_until_well(kept)
    whole(kept, "replaced", "replaced-again")


def test_the_file_may_be_put_back(kept: Kept, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    os.link(kept.config.file, old)  # so that moving it away and back can be told from a new file
    (tmp_path / "text").write_text("another file")
    (tmp_path / "text").replace(kept.config.file)
    refused(kept, "replaced")
    old.replace(kept.config.file)
    whole(kept, "replaced", "replaced-again")


def test_a_copy_that_has_everything_is_gone_on_with(kept: Kept, tmp_path: Path) -> None:
    backup(kept.config, tmp_path / "copy.db")
    (tmp_path / "copy.db").replace(kept.config.file)
    kept.writer.commit(kept.order("copied"))
    assert "was replaced by a file that has the same rows" in kept.writer.take_news()[0]
    whole(kept, "copied")


def test_an_older_copy_is_not_while_the_newer_rows_are_still_at_hand(kept: Kept, tmp_path: Path) -> None:
    backup(kept.config, tmp_path / "copy.db")
    kept.writer.commit(kept.order("newer"))
    (tmp_path / "copy.db").replace(kept.config.file)
    refused(kept, "replaced")
    kept.config.file.unlink()
    whole(kept, "newer", "replaced", "replaced-again")


# -- damaged ----------------------------------------------------------------------------------------------------------


def spoil(kept: Kept) -> None:
    """Overwrite all pages of the file and what is in its log."""
    for each in files(kept.config)[:2]:
        size = each.stat().st_size
        with each.open("r+b") as file:
            file.write(b"\xa5" * size)


def fill(kept: Kept, count: int) -> None:
    """So that there are pages which nobody has in memory."""
    for number in range(count):
        kept.add(kept.order(f"many-{number}"))
    kept.writer.commit()


def damaged(kept: Kept, most: int = 200) -> str:
    """Write until the damage shows."""
    for number in range(most):
        try:
            kept.writer.commit(kept.order(f"blind-{number}"))
            time.sleep(0.01)
        except JournalDownError as error:
            return str(error)
    raise AssertionError("the damage was never seen")


def test_a_damaged_file_is_told_and_a_backup_in_its_place_is_gone_on_with(kept: Kept, tmp_path: Path) -> None:
    backup(kept.config, tmp_path / "backup.db")
    fill(kept, MANY)
    spoil(kept)
    said = damaged(kept)
    assert "damaged" in said
    assert "put a backup in its place (python -m live backup makes them)" in said
    said = refused(kept, "down")
    assert "\n" not in said
    for each in files(kept.config):
        each.unlink(missing_ok=True)
    until(lambda: "the file is gone" in str(kept.writer.problem))
    assert "the file is gone" in refused(kept, "gone")
    shutil.copy(tmp_path / "backup.db", kept.config.file)
    wait_until_well(kept)
    kept.writer.commit(kept.order("after"))
    names = kept.names()
    assert names[:5] == [f"before-{number}" for number in range(5)]
    assert names[-5:] == ["down", "down-again", "gone", "gone-again", "after"]
    news = " ".join(kept.writer.take_news())
    assert "a good file was put in the place of the damaged one" in news
    assert "was put back to an earlier time and goes on from there; rows 6 to " in news
    found = Verifier(kept.engine, kept.config.heads_folder).verify().findings
    missing = [each for each in found.kept if each.kind == "MISSING"]
    assert len(missing) == 1
    assert missing[0].text.startswith(f"rows 6 to {MANY:,}"[:10])


def test_a_backup_that_is_not_old_gets_what_was_written_since_then(kept: Kept, tmp_path: Path) -> None:
    state = {"scope": "s", "run_id": kept.run_id, "ts": 1, "at": 1, "state": "ACTIVE"}
    kept.writer.keep(tables.risk_states, "s", state)
    kept.writer.commit(kept.alert("before"))
    backup(kept.config, tmp_path / "backup.db")
    kept.writer.keep(tables.risk_states, "s", {**state, "state": "HALTED"})
    for number in range(1_000):
        kept.add(kept.order(f"many-{number}"))
        kept.add(kept.alert(str(number)))
    kept.writer.commit()
    spoil(kept)
    damaged(kept)
    for each in files(kept.config):
        each.unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", kept.config.file)
    wait_until_well(kept)
    kept.writer.commit(kept.order("after"))
    assert "what this node wrote since then was written again" in kept.writer.take_news()[-1]
    names = kept.names()
    assert names[:1_005] == [
        *(f"before-{number}" for number in range(5)),
        *(f"many-{number}" for number in range(1_000)),
    ]
    assert names[-1] == "after"
    assert kept.names(tables.alerts) == ["before", *(str(number) for number in range(1_000))]
    assert kept.broken() == []
    with kept.engine.connect() as connection:
        assert connection.execute(select(tables.risk_states.c.state)).scalars().all() == ["HALTED"]


def test_what_is_kept_of_an_account_is_never_put_back_to_an_earlier_time(kept: Kept, tmp_path: Path) -> None:
    """A halt that an old backup does not know is written into it again, even where no row changes any more."""
    state = {"scope": "s", "run_id": kept.run_id, "ts": 1, "at": 1, "state": "ACTIVE"}
    kept.writer.keep(tables.risk_states, "s", state)
    kept.writer.commit()
    backup(kept.config, tmp_path / "backup.db")
    kept.writer.keep(tables.risk_states, "s", {**state, "state": "HALTED"})
    fill(kept, MANY)
    spoil(kept)
    damaged(kept)
    for each in files(kept.config):
        each.unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", kept.config.file)
    wait_until_well(kept)
    kept.writer.commit()
    with kept.engine.connect() as connection:
        assert connection.execute(select(tables.risk_states.c.state)).scalars().all() == ["HALTED"]


def test_a_second_damaged_file_is_not_taken_for_a_good_one(kept: Kept, tmp_path: Path) -> None:
    fill(kept, 500)
    backup(kept.config, tmp_path / "bad.db")
    with (tmp_path / "bad.db").open("r+b") as file:
        file.seek(40_960)
        file.write(b"\x5a" * 60_000)
    backup(kept.config, tmp_path / "good.db")
    fill(kept, 500)
    spoil(kept)
    damaged(kept)
    (tmp_path / "bad.db").replace(kept.config.file)
    time.sleep(1.2)
    assert "damaged" in refused(kept, "still")
    (tmp_path / "good.db").replace(kept.config.file)
    wait_until_well(kept)
    kept.writer.commit(kept.order("after"))
    with closing(sqlite3.connect(kept.config.file)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert kept.names()[-3:] == ["still", "still-again", "after"]


def test_an_older_state_of_the_same_file_is_gone_on_with_and_told(kept: Kept) -> None:
    """As when somebody copies a backup over the file: the rows since are gone, and nobody pretends otherwise."""
    with kept.engine.begin() as connection:
        connection.execute(tables.orders.delete().where(tables.orders.c.seq > 3))
        third = connection.execute(select(tables.orders.c.hash).where(tables.orders.c.seq == 3)).scalar_one()
        connection.execute(tables.heads.update().values(seq=3, hash=third, batch=0))
    kept.writer.commit(kept.order("O-6"))
    assert "rows 4 to 5 of this run are missing in it" in kept.writer.take_news()[0]
    assert kept.names() == ["before-0", "before-1", "before-2", "O-6"]


def test_a_run_that_another_process_writes_too_is_told(kept: Kept) -> None:
    with kept.engine.begin() as connection:
        connection.execute(tables.heads.update().values(seq=50, hash="a" * 64, batch=50))
    time.sleep(0.2)
    with pytest.raises(JournalDownError):
        kept.writer.commit(kept.order("O-6"))
    until(lambda: "another process writes it; stop one of them" in str(kept.writer.problem))


# -- read-only --------------------------------------------------------------------------------------------------------

READ_ONLY = """
import os, sys, time
from pathlib import Path
from journal.config import JournalConfig
from journal.errors import JournalDownError
from tests.journal.kept import begun
from tests.journal.test_writer import wait_until_well
path = Path(sys.argv[1])
kept = begun(JournalConfig(path=path), start=False)
kept.writer.commit(kept.order("O-0"))
assert kept.broken() == []
os.setgroups([]); os.setgid(65534); os.setuid(65534)
kept.writer._store.close()  # as after any error
try:
    kept.writer.commit(kept.order("O-1"))
except JournalDownError as error:
    print(error, flush=True)
sys.stdin.readline()
kept.writer.commit()
print(kept.names(), kept.broken())
"""


@root
def test_a_file_that_may_only_be_read() -> None:
    with open_folder() as folder:
        file = folder / "kept" / "journal.db"
        file.parent.mkdir()
        command = [sys.executable, "-c", READ_ONLY, str(file)]
        with subprocess.Popen(
            command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as node:
            assert node.stdout is not None
            said = node.stdout.readline()
            assert said.startswith(f"journal {file}: ")
            assert "readonly" in said or "unable to open" in said
            for each in (file.parent, *file.parent.rglob("*")):
                os.chown(each, 65534, 65534)
            out, _ = node.communicate("\n", timeout=240)
        assert out == "['O-0', 'O-1'] []\n"


# -- the head's file --------------------------------------------------------------------------------------------------


def test_a_head_that_cannot_be_kept_is_told_and_kept_later(kept: Kept) -> None:
    folder = kept.config.heads_folder
    shutil.rmtree(folder)
    folder.write_text("in the way")
    kept.writer.commit(kept.order("on disk"))
    until(lambda: kept.writer.problem is not None)
    assert "File exists" in str(kept.writer.problem) or "Not a directory" in str(kept.writer.problem)
    folder.unlink()
    whole(kept, "on disk")


def test_a_head_that_is_deleted_is_written_again(kept: Kept) -> None:
    for each in kept.config.heads_folder.iterdir():
        each.unlink()
    whole(kept)
