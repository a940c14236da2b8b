"""How is the ledger's file opened, so that several processes can write to it at once?"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from platformdirs import user_state_path
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from runs.errors import RunError
from runs.trials.tables import META, STEPS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "trials.db"
_WAIT_SECS = 2.0  # for another process's lock
_ADVICE = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_READONLY: "it is read-only; make it and its folder writable",
    sqlite3.SQLITE_IOERR: "the disk refuses it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; look at the file and its folder",
    sqlite3.SQLITE_CORRUPT: "it is damaged; move it away and a new one is begun",
    sqlite3.SQLITE_NOTADB: "it is no SQLite file; move it away and a new one is begun",
}


class LedgerError(RunError):
    """The ledger of trials cannot be read or written. `str()` of it is one line: the file, why, what to do."""

    exit_code: ClassVar[int] = 2


def file_of(path: Path | None) -> Path:
    """The ledger's file: `path`, or trials.db in the user's own state folder."""
    return path or user_state_path("keel") / FILE


@contextmanager
def writing(path: Path | None) -> Iterator[Connection]:
    """One transaction that holds the lock from its start; the file is made if there is none. Raises LedgerError."""
    file = file_of(path)
    with _told(file):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
        with _engine(file).connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _bring_up_to_date(connection, file)
            yield connection
            connection.commit()


@contextmanager
def reading(path: Path | None) -> Iterator[Connection | None]:
    """A connection to read from; None where there is no ledger yet. Raises LedgerError."""
    file = file_of(path)
    with _told(file):
        if not file.exists():
            yield None
            return
        with _engine(file).connect() as connection:
            found = _version(connection)
            _refuse_newer(found, file)
            yield connection if found else None


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """Whatever is wrong with the file as a LedgerError."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # without its extension
        why = _ADVICE.get(code) or " ".join(str(cause or error).split())
        raise LedgerError(f"ledger of trials {file}: {why}, or name another with trials.path=FILE") from error
    except OSError as error:
        raise LedgerError(
            f"ledger of trials {file}: {error.strerror}; name another with trials.path=FILE"
        ) from error


@lru_cache(maxsize=8)
def _engine(file: Path) -> Engine:
    """Connections are closed after use, so that nothing stays open in a process that is forked."""
    engine = create_engine("sqlite://", creator=lambda: _connected(file), poolclass=NullPool)
    # A transaction begins where `writing` says so: the driver would begin one at the first INSERT, without the lock.
    event.listen(engine, "begin", lambda _: None)
    return engine


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(file.absolute()))}?mode=rwc", uri=True, timeout=_WAIT_SECS, isolation_level=None
    )
    try:
        # With a write-ahead log readers never wait, and a commit needs no flush: at worst a power cut loses the last.
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            with suppress(sqlite3.OperationalError):  # another process does it, or the file is read-only
                connection.execute("PRAGMA journal_mode=WAL").fetchone()
        connection.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: Connection, file: Path) -> None:
    found = _version(connection)
    _refuse_newer(found, file)
    if found == VERSION:
        return
    if found == 0:
        there = connection.exec_driver_sql("SELECT name FROM sqlite_master LIMIT 1").fetchone()
        if there is not None:
            raise LedgerError(
                f"ledger of trials {file}: this is a database of something else; name another with trials.path=FILE"
            )
        META.create_all(connection)
    for version in range(found + 1, VERSION + 1) if found else ():
        for statement in STEPS[version]:
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")


def _version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _refuse_newer(found: int, file: Path) -> None:
    if found > VERSION:
        raise LedgerError(
            f"ledger of trials {file}: a newer Keel wrote it (version {found}, this one knows {VERSION}); "
            "update Keel, or name another with trials.path=FILE"
        )
