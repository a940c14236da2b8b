"""How is a SQLite file opened, so that what is committed is on disk and readers never hold a writer up?"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection

SETTINGS = (
    "synchronous=FULL",  # a commit is on disk when it returns
    "fullfsync=ON",  # the same on a Mac
    "cell_size_check=ON",  # damage is noticed earlier
)


def opened(file: Path, busy_ms: int) -> sqlite3.Connection:
    """A connection to a file that is there. Raises sqlite3.Error.

    A copy of a journal on a read-only place can be read, where no log beside it has rows that are not in the file yet.
    """
    connection = _connected(file, busy_ms, "mode=rw")
    try:
        _prepare(connection)
    except sqlite3.OperationalError:
        connection.close()
        if os.access(file.parent, os.W_OK) or not os.access(file, os.R_OK) or _has_log(file):
            raise
        connection = _connected(file, busy_ms, "mode=ro&immutable=1")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def be_patient(connection: Connection, wait_ms: int) -> None:
    """Let a connection wait longer for another process's lock; one that waits a short while at most is not enough."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.execute(f"PRAGMA busy_timeout={wait_ms}").fetchall()


def _connected(file: Path, busy_ms: int, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(file))}?{how}",
        uri=True,
        timeout=busy_ms / 1000,
        isolation_level=None,  # transactions begin and end where we say so
        check_same_thread=False,
    )


def _prepare(connection: sqlite3.Connection) -> None:
    for setting in SETTINGS:
        connection.execute(f"PRAGMA {setting}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        with suppress(sqlite3.OperationalError):  # of a read-only copy; a writer finds out soon enough
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def _has_log(file: Path) -> bool:
    log = file.with_name(f"{file.name}-wal")
    return log.exists() and log.stat().st_size > 0
