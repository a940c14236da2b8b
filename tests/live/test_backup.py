"""`live backup`: a consistent copy while somebody writes, that is checked, and that can be gone back to."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from journal import tables
from journal.backup import backup as copied
from journal.config import JournalConfig
from journal.database import open_journal
from journal.heads import HeadFile
from journal.reader import Reader
from live.audit import audit
from live.backup import HELP, backup
from live.history import history
from tests.journal.filled import MONDAY, Desk, arguments, fill, journal_on, throwaway_database

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
NEEDS_PG_DUMP = pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")


@pytest.fixture
def config(tmp_path: Path) -> JournalConfig:
    """A SQLite journal with the story in it."""
    found = JournalConfig(path=tmp_path / "journal.db")
    fill(found)
    return found


@pytest.fixture
def on_server(tmp_path: Path) -> Iterator[JournalConfig]:
    """The same in PostgreSQL."""
    with journal_on("postgres", tmp_path) as found:
        fill(found)
        yield found


def pnls(of: list[str], capsys: Capture) -> list[str]:
    capsys.readouterr()
    assert history([*of, "output=json"]) == 0
    return [row["pnl"] for row in json.loads(capsys.readouterr().out)["rows"]]


def run_sql(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def test_a_copy_says_what_the_journal_says_and_its_chains_verify(
    config: JournalConfig, tmp_path: Path, capsys: Capture
) -> None:
    to = tmp_path / "backups" / "copy.db"
    assert backup([*arguments(config), f"to={to}"]) == 0
    said = capsys.readouterr().out
    assert f"to      {to}: 0.3 MB, " in said
    assert "6 of 6 chains end where their heads say" in said
    of = [f"journal.path={to}"]
    assert pnls(of, capsys) == pnls(arguments(config), capsys) == ["98", "-52", "198", "-152", "48"]
    assert audit(["verify", *of]) == 0, capsys.readouterr().err


def test_a_copy_is_one_file_for_this_user_alone(config: JournalConfig, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert backup([*arguments(config), f"to={folder / 'copy.db'}"]) == 0
    assert sorted(file.name for file in folder.iterdir()) == ["copy.db", "copy.db.heads"]
    assert (folder / "copy.db").stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(f"file:{folder / 'copy.db'}?mode=ro&immutable=1", uri=True)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_json_counts_rows(config: JournalConfig, tmp_path: Path, capsys: Capture) -> None:
    assert backup([*arguments(config), f"to={tmp_path / 'copy.db'}", "output=json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["rows"]["fills"], told["rows"]["runs"], told["chains"]) == (15 + 2, 5, 6)
    assert told["size"] == (tmp_path / "copy.db").stat().st_size
    assert told["problems"] == told["without_head"] == []


def test_copies_made_while_a_node_writes_are_consistent_and_do_not_hold_it_up(
    tmp_path: Path, capsys: Capture
) -> None:
    """Ten copies under a writer that never pauses: each verifies, and the writer lost nothing and went on."""
    config = JournalConfig(path=tmp_path / "journal.db")
    desk = Desk(open_journal(config, create=True), config, "r", "paper:x", "paper", "x", MONDAY)
    desk.writer.start()
    done, made = threading.Event(), 0

    def write() -> None:
        nonlocal made
        while not done.is_set():
            made += 1
            desk.trade(MONDAY + made * 10, MONDAY + made * 10 + 5, "AAPL.XNAS", "1", "100", "101")
            done.wait(0.0005)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = []
        for number in range(10):
            to = tmp_path / f"copy{number}.db"
            made_now = copied(Reader(config), to, lambda _done, _total: None)
            assert made_now.problems == ()
            sizes.append(made_now.rows["fills"])
            assert audit(["verify", f"journal.path={to}"]) == 0, capsys.readouterr().err
    finally:
        done.set()
        writer.join()
    desk.close()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]
    with Reader(config).engine.connect() as connection:
        assert connection.execute(tables.fills.select()).all()[-1].client_order_id == f"O-r-{made * 2}"
    assert audit(["verify", *arguments(config)]) == 0


def test_a_large_copy_tells_how_far_it_is_and_never_begins_again(tmp_path: Path) -> None:
    """SQLite's backup begins anew when another connection writes between two steps, unless it holds a snapshot."""
    config = JournalConfig(path=tmp_path / "journal.db")
    engine = open_journal(config, create=True)
    desk = Desk(engine, config, "r", "paper:x", "paper", "x", MONDAY)
    for number in range(30_000):
        desk.alert(MONDAY + number, "info", "TEST", "x" * 500)
    desk.writer.commit()
    parts: list[int] = []

    def on_part(done: int, _total: int) -> None:
        desk.alert(MONDAY, "info", "MEANWHILE", "x")
        desk.writer.commit()
        parts.append(done)

    made = copied(Reader(config), tmp_path / "copy.db", on_part)
    desk.close()
    assert len(parts) > 2
    assert parts == sorted(set(parts))
    assert made.rows["alerts"] == 30_000


def test_going_back_to_a_copy_is_putting_it_there(
    config: JournalConfig, tmp_path: Path, capsys: Capture
) -> None:
    to = tmp_path / "copy.db"
    assert backup([*arguments(config), f"to={to}"]) == 0
    for file in (config.file, Path(f"{config.file}-wal"), Path(f"{config.file}-shm")):
        file.unlink(missing_ok=True)
    shutil.rmtree(config.heads_folder)
    shutil.copy(to, config.file)
    shutil.copytree(f"{to}.heads", config.heads_folder)
    assert pnls(arguments(config), capsys) == ["98", "-52", "198", "-152", "48"]
    Desk(open_journal(config, create=False), config, "r", "r", "sandbox", "replay", MONDAY).close()
    assert audit(["verify", *arguments(config)]) == 0


def test_nothing_is_overwritten(config: JournalConfig, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine.db").write_text("mine")
    (tmp_path / "other.db.heads").mkdir()
    for name in ("mine.db", "other.db", "journal.db"):
        assert backup([*arguments(config), f"to={tmp_path / name}"]) == 2
        assert "is there already and is not overwritten" in capsys.readouterr().err
    assert (tmp_path / "mine.db").read_text() == "mine"
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "DELETE FROM fills WHERE run_id='paper-2' AND seq=(SELECT MAX(seq) FROM fills WHERE run_id='paper-2')",
            None,
        ),
        ("DELETE FROM orders WHERE run_id='paper-2'", "chain paper-2: row "),
        ("UPDATE heads SET seq=seq-1 WHERE chain='paper-1'", "chain paper-1: "),
        ("DELETE FROM commands", "chain control: row 2 is not the one that its head names"),
        ("DELETE FROM heads WHERE chain='control'", "chain control: it has rows after number 0"),
    ],
)
def test_a_chain_that_does_not_end_where_its_head_says_is_copied_and_named(
    config: JournalConfig, tmp_path: Path, capsys: Capture, statement: str, said: str | None
) -> None:
    run_sql(config.file, statement)
    code = backup([*arguments(config), f"to={tmp_path / 'copy.db'}"])
    shown = capsys.readouterr().err
    if said is None:  # a row in the middle is for `audit verify`, which goes through all of them
        assert code in (0, 1)
    else:
        assert code == 1
        assert shown.startswith(f"error: {said}")
    assert audit(["verify", f"journal.path={tmp_path / 'copy.db'}"]) == 1


def test_rows_cut_off_together_with_their_head_are_missed_by_the_file(
    config: JournalConfig, tmp_path: Path, capsys: Capture
) -> None:
    with closing(sqlite3.connect(config.file)) as connection, connection:
        (hash_,) = connection.execute("SELECT hash FROM commands WHERE seq=1").fetchone()
        connection.execute("DELETE FROM commands WHERE seq=2")
        connection.execute("UPDATE heads SET seq=1, hash=? WHERE chain='control'", (hash_,))
    assert backup([*arguments(config), f"to={tmp_path / 'copy.db'}"]) == 1
    assert "chain control: row 2 is not the one that control.head names" in capsys.readouterr().err
    kept = HeadFile.of(tmp_path / "copy.db.heads", "control").read()
    assert kept is not None
    assert kept.seq == 2  # the evidence goes along


def test_a_journal_without_heads_on_this_machine_is_copied_and_says_so(
    config: JournalConfig, tmp_path: Path, capsys: Capture
) -> None:
    shutil.rmtree(config.heads_folder)
    assert backup([*arguments(config), f"to={tmp_path / 'copy.db'}"]) == 0
    assert "0 of 6 chains end where their heads say; 6 have none on this machine" in capsys.readouterr().out


def test_of_a_damaged_journal_no_copy_is_kept(config: JournalConfig, tmp_path: Path, capsys: Capture) -> None:
    run_sql(config.file, "PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(config.file.read_bytes())
    content[40 * 4096 : 60 * 4096] = b"\x5a" * (20 * 4096)
    config.file.write_bytes(content)
    assert backup([*arguments(config), f"to={tmp_path / 'copy.db'}"]) == 1
    shown = capsys.readouterr().err
    assert (shown.startswith("error: "), shown.count("\n")) == (True, 1)
    assert not [file for file in tmp_path.iterdir() if "copy" in file.name]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "to: where to? name a file, as in to=backups/journal.db"),
        (["to=/tmp"], "to=/tmp: is a folder; name a file in it"),
        (["to=/proc/none/copy.db"], "to=/proc/none: no folder can be made there ("),
        (["to=x", "output=xml"], "output=xml: text or json"),
        (["to=x", "venue=replay"], "unknown key venue; "),
    ],
)
def test_bad_input_is_one_line(config: JournalConfig, capsys: Capture, given: list[str], said: str) -> None:
    assert backup([*arguments(config), *given]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"error: {said}")


def test_without_a_journal_nothing_is_made(tmp_path: Path, capsys: Capture) -> None:
    assert backup([f"journal.path={tmp_path / 'none.db'}", f"to={tmp_path / 'copy.db'}"]) == 2
    assert "there is no journal" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@NEEDS_PG_DUMP
def test_postgres_is_dumped_and_restored_into_another_database(
    on_server: JournalConfig, tmp_path: Path, capsys: Capture
) -> None:
    to = tmp_path / "out" / "journal.dump"
    assert backup([*arguments(on_server), f"to={to}"]) == 0
    assert "6 of 6 chains end where their heads say" in capsys.readouterr().out
    expected = pnls(arguments(on_server), capsys)
    with throwaway_database() as url:
        subprocess.run(["pg_restore", f"--dbname={url}", str(to)], check=True, timeout=240)  # noqa: S607
        restored = JournalConfig(kind="postgres", url=url)
        shutil.copytree(f"{to}.heads", restored.heads_folder)
        assert pnls(arguments(restored), capsys) == expected
        assert audit(["verify", *arguments(restored)]) == 0, capsys.readouterr().err


@NEEDS_PG_DUMP
def test_postgres_is_dumped_consistently_while_a_node_writes(
    on_server: JournalConfig, tmp_path: Path
) -> None:
    engine = open_journal(on_server, create=False)
    desk = Desk(engine, on_server, "r", "paper:x", "paper", "x", MONDAY)
    desk.writer.start()
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 10
            desk.trade(MONDAY + number, MONDAY + number + 5, "AAPL.XNAS", "1", "100", "101")
            done.wait(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            made = copied(Reader(on_server), tmp_path / f"{number}.dump", lambda _done, _total: None)
            assert made.problems == ()
            assert made.rows["fills"] == made.rows["positions"]
    finally:
        done.set()
        writer.join()
    desk.close()


def test_without_pg_dump_the_command_is_told(
    on_server: JournalConfig, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert backup([*arguments(on_server), f"to={tmp_path / 'x.dump'}"]) == 2
    said = capsys.readouterr().err
    assert "pg_dump, which is not installed here" in said
    assert f"pg_dump --format=custom --no-owner --no-privileges --file=FILE {on_server.url}" in said
    assert not (tmp_path / "x.dump").exists()


def test_help_ends_with_an_example(capsys: Capture) -> None:
    assert backup(["--help"]) == 0
    assert capsys.readouterr().out == HELP
    assert HELP.splitlines()[-1].startswith("Example: python -m live backup ")
