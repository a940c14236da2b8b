"""A journal is made once, in the shape that tables.py says, by whoever comes first; anything else is told in a line."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from journal import tables
from journal.config import JournalConfig
from journal.database import HEAD, MIGRATIONS, VERSION_TABLE, connect, open_journal
from journal.errors import JournalAbsentError, JournalBrokenError, JournalDownError, JournalError
from journal.reader import Reader
from journal.views import VIEWS
from tests.journal.filled import journal_on, throwaway_database
from tests.journal.kept import Kept, begun, open_folder, running

NANOS = 1_000_000_000
TODAY_PNL = "SELECT SUM(pnl) FROM trades WHERE date(closed_at) = date('now')"


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JournalConfig]:
    with journal_on(request.param, tmp_path) as found:
        yield found


def run(code: str, *arguments: str, **how: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)


# -- migrations -------------------------------------------------------------------------------------------------------


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        how = {"compare_type": True, "version_table": VERSION_TABLE}
        return list(compare_metadata(MigrationContext.configure(connection, opts=how), tables.metadata))


def test_the_migrations_make_the_tables_that_the_code_knows(config: JournalConfig) -> None:
    engine = open_journal(config, create=True)
    found = differences(engine)
    assert [str(each) for each in found[:3]] == []
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_orders_newest"))
    assert len(differences(engine)) == 1  # so that an empty answer means something
    engine.dispose()


def test_the_version_the_code_writes_is_the_newest_migration() -> None:
    newest = max((MIGRATIONS / "versions").glob("[0-9]*.py")).name
    assert newest.startswith(f"{HEAD}_")


MIGRATE = """
import sys
from journal.config import JournalConfig
from journal.database import open_journal
config = JournalConfig.model_validate_json(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
open_journal(config, create=True)
print("made", flush=True)
"""


def test_several_processes_that_come_at_once_make_one_journal(config: JournalConfig) -> None:
    given = config.model_dump_json()
    all_of_them = [run(MIGRATE, given, stdin=subprocess.PIPE) for _ in range(4)]
    for each in all_of_them:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in all_of_them:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    assert [each.communicate(timeout=240)[0] for each in all_of_them] == ["made\n"] * 4
    engine = open_journal(config, create=False)
    assert [str(each) for each in differences(engine)[:3]] == []
    engine.dispose()


# -- what is there ----------------------------------------------------------------------------------------------------


def one_line(error: pytest.ExceptionInfo[JournalError]) -> str:
    said = str(error.value)
    assert "\n" not in said
    assert "[SQL" not in said
    return said


def test_only_a_live_run_makes_a_journal(config: JournalConfig) -> None:
    with pytest.raises(JournalAbsentError) as error:
        open_journal(config, create=False)
    assert "python -m live run" in one_line(error)
    assert config.kind == "postgres" or not config.file.exists()


def test_a_journal_of_a_newer_keel_is_left_alone(config: JournalConfig) -> None:
    engine = open_journal(config, create=True)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608 - our name
    for create in (True, False):
        with pytest.raises(JournalBrokenError) as error:
            open_journal(config, create=create)
        assert "newer Keel" in one_line(error)
        assert "update Keel" in str(error.value)
    engine.dispose()


def test_the_database_of_something_else_is_left_alone(config: JournalConfig) -> None:
    if config.kind == "sqlite":
        with closing(sqlite3.connect(config.file)) as connection:
            connection.execute("CREATE TABLE recipes (name TEXT)")
    else:
        with psycopg.connect(str(config.url)) as server:
            server.execute("CREATE TABLE orders (name TEXT)")
    for create in (True, False):
        with pytest.raises(JournalBrokenError) as error:
            open_journal(config, create=create)
        assert "is the database of something else" in one_line(error)


def test_a_postgres_database_may_hold_other_tables_too() -> None:
    with throwaway_database() as url, psycopg.connect(url) as server:
        server.execute("CREATE TABLE recipes (name TEXT)")
        server.execute("CREATE TABLE alembic_version (version_num TEXT)")
        server.execute("INSERT INTO alembic_version VALUES ('of another')")
        server.commit()
        open_journal(JournalConfig(kind="postgres", url=url), create=True).dispose()


def test_a_postgres_database_that_cannot_hold_every_text_is_refused() -> None:
    with throwaway_database() as url:
        name = f"{url.rpartition('/')[2]}_ascii"
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(
                f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0".encode()
            )
            try:
                with pytest.raises(JournalBrokenError) as error:
                    open_journal(JournalConfig(kind="postgres", url=f"{url}_ascii"), create=True)
            finally:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    assert "LATIN1" in one_line(error)


def test_a_postgres_database_that_is_not_there_is_told_with_what_to_do() -> None:
    with throwaway_database() as url, pytest.raises(JournalDownError) as error:
        open_journal(JournalConfig(kind="postgres", url=f"{url}_gone"), create=True)
    assert "createdb" in one_line(error)


@pytest.mark.parametrize("content", [b"no database\n" * 100, b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    config.file.write_bytes(content)
    for create in (True, False):
        with pytest.raises(JournalBrokenError) as error:
            open_journal(config, create=create)
        assert "put a backup in its place" in one_line(error)
    assert config.file.read_bytes() == content


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalDownError) as error:
        open_journal(JournalConfig(path=tmp_path), create=True)
    assert str(tmp_path) in one_line(error)


def test_a_file_in_the_place_of_its_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalDownError) as error:
        open_journal(JournalConfig(path=tmp_path / "file" / "journal.db"), create=True)
    assert "journal.path=..." in one_line(error)


# -- who may read it --------------------------------------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_read_what_is_written(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "new" / "journal.db")
    old = os.umask(0)
    try:
        with running(config) as kept:
            kept.writer.commit(kept.order("O-1"))
            assert mode(config.folder) == 0o700
            assert mode(config.heads_folder) == 0o700
            files = [*config.folder.glob("journal.db*"), *config.heads_folder.iterdir()]
            assert len(files) == 5  # the file, its -wal and -shm, the folder of heads, a head
            assert {mode(each) for each in files if each.is_file()} == {0o600}
    finally:
        os.umask(old)


AS_NOBODY = """
import os, sys
from sqlalchemy import create_engine, inspect
inspect(create_engine("sqlite://"))
from journal.config import JournalConfig
from journal.database import open_journal
from journal.errors import JournalError
from journal.reader import Reader
from journal import tables
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    if sys.argv[2] == "write":
        open_journal(JournalConfig(path=sys.argv[1]), create=True)
    else:
        print(len(Reader(JournalConfig(path=sys.argv[1])).rows(tables.orders)))
except JournalError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def reached() -> Iterator[Path]:
    with open_folder() as found:
        yield found


root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")


def as_nobody(path: Path, what: str) -> str:
    """Another user does it."""
    said, _ = run(AS_NOBODY, str(path), what).communicate(timeout=240)
    return said.strip()


@root
def test_a_folder_that_cannot_be_written_is_told(reached: Path) -> None:
    said = as_nobody(reached / "journal.db", "write")
    assert said.startswith("JournalDownError")
    assert "cannot be used (Permission denied); name another: journal.path=..." in said


@root
@pytest.mark.parametrize("copied", ["backup", "file"])
def test_a_copy_on_a_read_only_place_can_be_read(reached: Path, copied: str) -> None:
    folder = reached / "kept"
    folder.mkdir()
    with running(JournalConfig(path=reached / "journal.db")) as kept:
        kept.writer.commit(kept.order("O-1"))
        if copied == "backup":
            with (
                closing(sqlite3.connect(kept.config.file)) as one,
                closing(sqlite3.connect(folder / "copy.db")) as two,
            ):
                one.backup(two)
    if copied == "file":
        (folder / "copy.db").write_bytes((reached / "journal.db").read_bytes())
    (folder / "copy.db").chmod(0o444)
    folder.chmod(0o555)
    assert as_nobody(folder / "copy.db", "read") == "1"


@root
def test_a_journal_that_is_written_can_be_read_by_a_user_who_may_only_read(reached: Path) -> None:
    folder = reached / "shared"
    with running(JournalConfig(path=folder / "journal.db")) as kept:
        kept.writer.commit(kept.order("O-1"), kept.order("O-2"))
        folder.chmod(0o755)
        for each in folder.glob("journal.db*"):
            if each.is_file():
                each.chmod(0o644)
        assert as_nobody(kept.config.file, "read") == "2"


def test_every_way_to_the_file_is_the_same_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    ways = [
        Path("journal.db"),
        tmp_path / "journal.db",
        tmp_path / "link" / "journal.db",
        Path("x/../journal.db"),
    ]
    configs = [JournalConfig(path=way) for way in ways]
    assert len({(each.file, each.heads_folder, each.sqlalchemy_url) for each in configs}) == 1


def test_a_journal_with_strange_letters_in_its_path_is_opened(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "a b?c#d%20é" / "journal?mode=memory.db")
    with running(config) as kept:
        kept.writer.commit(kept.order("O-1"))
        assert kept.names() == ["O-1"]
    assert config.file.stat().st_size > 0


# -- how it is written ------------------------------------------------------------------------------------------------


def test_every_connection_waits_for_the_disk(config: JournalConfig) -> None:
    with running(config) as kept:
        kept.writer.commit(kept.order("O-1"))
        asked = (
            {"PRAGMA synchronous": 2, "PRAGMA journal_mode": "wal"}
            if config.kind == "sqlite"
            else {"SHOW synchronous_commit": "on", "SHOW fsync": "on"}
        )
        for connection in (kept.engine.connect(), connect(config).connect()):
            with connection:
                assert {each: connection.exec_driver_sql(each).scalar() for each in asked} == asked


# -- views ------------------------------------------------------------------------------------------------------------


def trip(kept: Kept, closed_ns: int, pnl: str) -> None:
    row = {
        **kept.base, "ts": closed_ns, "strategy": "S-1", "instrument": "AAPL.XNAS", "side": "LONG",
        "quantity": Decimal(10), "entry_price": Decimal(100), "exit_price": Decimal(110),
        "opened_ns": closed_ns - NANOS, "closed_ns": closed_ns, "holding_ns": NANOS, "pnl": Decimal(pnl),
        "pnl_pct": Decimal("0.1"), "commission": Decimal(1), "slippage": None, "currency": "USD",
        "entry_order": "O-1", "exit_order": "O-2",
    }  # fmt: skip
    kept.writer.add(tables.round_trips, row)


def ask(config: JournalConfig, statement: str) -> list[tuple[Any, ...]]:
    """As a person would, with sqlite3 or psql."""
    if config.kind == "sqlite":
        with closing(sqlite3.connect(config.file)) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(str(config.url), options="-c TimeZone=UTC") as server:
        return server.execute(statement.encode()).fetchall()


def test_the_views_answer_whoever_asks_in_sql(config: JournalConfig) -> None:
    today = datetime.now(UTC)
    now = int(today.timestamp()) * NANOS
    with running(config) as kept:
        for closed, pnl in ((now, "9.50"), (now, "-100.25"), (now, "20"), (now - 86_400 * NANOS, "1000")):
            trip(kept, closed, pnl)
        kept.writer.commit(kept.order("O-1"), kept.order("O-1", status="FILLED"), kept.order("O-2"))
        position = {**kept.base, "ts": now, "strategy": "S-1", "average_price": None, "source": "engine"}
        for instrument, quantity in (("A", "5"), ("A", "0"), ("B", "-2.5"), ("C", "1"), ("C", "3")):
            row = {**position, "instrument": instrument, "quantity": Decimal(quantity)}
            kept.writer.commit((tables.positions, row))
        found_today = ask(config, TODAY_PNL)
        if datetime.now(UTC).date() == today.date():  # else it is yesterday's by now
            assert [float(each) for (each,) in found_today] == [-70.75]
        above = ask(config, "SELECT pnl FROM trades WHERE pnl > 9 ORDER BY pnl")
        assert [float(each) for (each,) in above] == [9.5, 20, 1000]
        days = ask(config, "SELECT trades, pnl, wins FROM daily_pnl ORDER BY day")
        assert [tuple(map(float, each)) for each in days] == [
            (1, 1000, 1),
            (3, -70.75, 2),
        ]
        found = ask(config, "SELECT instrument, quantity FROM open_positions ORDER BY instrument")
        assert [(name, float(each)) for name, each in found] == [("B", -2.5), ("C", 3)]
        assert ask(config, "SELECT client_order_id, status FROM order_states ORDER BY 1") == [
            ("O-1", "FILLED"),
            ("O-2", "INTENDED"),
        ]
        for view in VIEWS:
            ask(config, f"SELECT * FROM {view} LIMIT 1")  # noqa: S608 - our name


def test_the_last_instant_of_a_day_belongs_to_it(config: JournalConfig) -> None:
    last = 1_793_664_000 * NANOS - 1  # 2026-11-02 23:59:59.999999999 UTC
    with running(config) as kept:
        trip(kept, last, "1")
        kept.writer.commit()
        days = ask(config, "SELECT CAST(day AS TEXT), CAST(date(closed_at) AS TEXT) FROM daily_pnl, trades")
        assert days == [("2026-11-02", "2026-11-02")]
        assert ask(config, "SELECT CAST(closed_at AS TEXT) FROM trades")[0][0].startswith(
            "2026-11-02 23:59:59.999"
        )


def test_the_newest_state_of_each_order_and_position_is_found_without_reading_all(
    config: JournalConfig,
) -> None:
    with running(config) as kept:
        for number in range(3_000):
            kept.add(kept.order(f"O-{number % 1_000}"))
        kept.writer.commit()
        if config.kind == "sqlite":
            told = str(ask(config, "EXPLAIN QUERY PLAN SELECT * FROM order_states"))
            assert "USING COVERING INDEX ix_orders_newest" in told
        assert len(Reader(config).order_states(kept.base["scope"])) == 1_000


def test_a_run_that_never_began_to_write_leaves_no_head(config: JournalConfig) -> None:
    kept = begun(config, start=False)
    assert kept.writer.close() == 0
    kept.engine.dispose()
