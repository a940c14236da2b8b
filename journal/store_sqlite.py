"""How are rows written to a SQLite file that may be locked, full, deleted, replaced or damaged meanwhile?

What lies in the open connection is the truth while it can be read: where the file is gone, it is written anew from
there. Where it cannot be read any more, a good file that is put in its place is.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from sqlalchemy.exc import SQLAlchemyError

from journal.database import why
from journal.errors import JournalBrokenError, JournalDownError, JournalError
from journal.place import There
from journal.rescue import Rescue
from journal.shapes import Cell, Shape
from journal.statements import fence, head_there, insert_of, moved
from journal.store import Insert, Store

BUSY_MS = 1_500
"""How long a transaction waits for another process's. The engine's thread waits with it."""
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
MAGIC = b"SQLite format 3\x00"
LOOK_SECS = 1.0
DUE_PAGES = 1_000
LOG_BYTES = (
    64_000_000  # SQLite cuts a log that was copied back to this size, so a longer one was not copied yet
)
COPY_SECS = 0.5
ADVICE = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked; end that one",
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_READONLY: "it is read-only; make it and its folder writable",
    sqlite3.SQLITE_IOERR: "the disk refuses it; look at its space and its health",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; look at the file and its folder",
}


class SqliteStore(Store):
    """Rows go to a SQLite file."""

    expected = (*Store.expected, sqlite3.Error)
    _driver: sqlite3.Connection | None = None
    _damaged = False
    _next_look = 0.0
    _next_copy = 0.0
    _looked_at: object = None  # the damaged file that was looked at last
    _pages = 0  # about how many pages the log has grown since it was copied into the file

    # -- writing ----------------------------------------------------------------------------------------------------

    def reach(self) -> None:
        """Be connected to the file that lies there. Raises JournalError, OSError, sqlite3.Error, SQLAlchemyError."""
        there = self.place.look()
        if self._driver is None:
            if there is There.GONE:
                raise JournalDownError("the file is gone; put it, or a backup of it, back")
            self._open()
        elif there is There.GONE:
            self._rescue(self._driver)
        elif there is There.OTHER:
            self._move_over()

    def transaction(self, values: tuple[Cell, ...], inserts: Iterable[Insert]) -> None:
        """All or nothing, on disk in the file that lies there when it returns."""
        driver = self._driver
        if driver is None:
            raise JournalDownError("it is not open")
        driver.execute("BEGIN IMMEDIATE")
        if driver.execute(fence("?"), values).rowcount != 1:
            raise moved()
        rows = 0
        for shape, cells in inserts:
            self.insert(shape, cells)
            rows += len(cells)
        driver.execute("COMMIT")
        self._pages += 8 + rows // 2
        self.place.accept_log()
        if self.place.look() is not There.SAME:
            raise JournalDownError("its file was taken away while it was written")

    def insert(self, shape: Shape, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows of one table."""
        if self._driver is not None:
            self._driver.executemany(insert_of(shape, "?"), rows)

    def begin(self) -> None:
        """Take the lock for writing."""
        self.execute("BEGIN IMMEDIATE", ())

    def execute(self, statement: str, values: Sequence[Cell]) -> Any:
        """Run a statement."""
        if self._driver is None:
            raise JournalDownError("it is not open")
        return self._driver.execute(statement, values)

    def commit(self) -> None:
        """On disk when it returns."""
        self.execute("COMMIT", ())

    def rollback(self) -> None:
        """Leave it."""
        self.execute("ROLLBACK", ())

    def cut(self) -> None:
        """A disk that does not answer cannot be cut off."""

    def tidy(self, *, idle: bool) -> None:
        """Copy the log into the file, so that it does not grow: when nothing waits, or when it has grown long."""
        if self._driver is None:
            return
        now = time.monotonic()
        due = (
            self._pages >= DUE_PAGES if idle else now >= self._next_copy and self.place.log_size() > LOG_BYTES
        )
        if due or now >= self._next_look:
            self._next_look = now + LOOK_SECS
            self._look_at_file()
        if due:
            self._pages, self._next_copy = 0, now + COPY_SECS
            self._driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _look_at_file(self) -> None:
        """Whether the file still begins as it has to: SQLite itself would read on from its memory for a while."""
        file = self.place.file
        if file is None or self.place.look() is not There.SAME:
            return
        try:
            begins = _beginning(file)
        except FileNotFoundError:  # it was taken away this moment, which `reach` sees to
            return
        if begins and begins != MAGIC:
            self._damaged = True
            self.close()
            raise self._broken("it was overwritten")

    # -- opening ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        file = self.place.file
        if file is not None and self._damaged:
            found = file.stat()
            looked_at = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if looked_at == self._looked_at:
                raise self._broken("it is still the damaged one")
            self._looked_at = looked_at
            self.place.drop_stale_log()
        self._connect()
        if self._damaged:
            said = [row[0] for row in self.execute("PRAGMA quick_check(1)", ()).fetchall()]
            if said != ["ok"]:
                raise self._broken(said[0] if said else "damaged")
        self.check_version()
        replaced = self.place.look() is There.OTHER
        self.place.accept()
        if replaced and not self._damaged:
            self.news.append(f"journal {self.place.shown} was replaced by another file; it goes on there")
        if self._damaged:
            self._damaged, self._looked_at = False, None
            self.news.append(
                f"journal {self.place.shown}: a good file was put in the place of the damaged one"
            )

    def _connect(self) -> None:
        self.connection = self.engine.connect()
        self._driver = cast("sqlite3.Connection", self.connection.connection.driver_connection)
        for setting in (f"busy_timeout={BUSY_MS}", "wal_autocheckpoint=0", f"journal_size_limit={LOG_BYTES}"):
            self.execute(f"PRAGMA {setting}", ()).fetchall()

    def _broken(self, said: str) -> JournalBrokenError:
        return JournalBrokenError(
            f"it is damaged ({said}); move it, its -wal and its -shm away and put a backup in its place "
            "(python -m live backup makes them): the node goes on with it"
        )

    # -- when the file is not there any more --------------------------------------------------------------------------

    def _rescue(self, driver: sqlite3.Connection) -> None:
        """Write the file anew from the open connection, which still has all of it."""
        if Rescue(driver, self.place).done() and self._switched():
            self.news.append(
                f"journal {self.place.shown} was taken away while it was open; it was written anew, all of it"
            )

    def _move_over(self) -> None:
        """Another file lies there. It will do if it has all that this node wrote: another node may have rescued it."""
        if not self._switched():
            raise JournalDownError(
                "another file lies there than the one that was opened; move it away (all that is in the journal is "
                "written there anew), or stop the node"
            )
        self.news.append(
            f"journal {self.place.shown} was replaced by a file that has the same rows; it goes on there"
        )

    def _switched(self) -> bool:
        """Go over to the file that lies there if it has everything; what is open is let go only then."""
        self.place.drop_stale_log()
        old = self.connection, self._driver
        try:
            self._connect()
            self.check_version()
            row = self.execute(head_there("?", ""), (self.chain,)).fetchone()
            whole = row is not None and tuple(row) in self._own_places()
        except (sqlite3.Error, SQLAlchemyError, JournalError):
            whole = False
        new = self.connection, self._driver
        if not whole:
            self.connection, self._driver = old
            if new[0] is not old[0]:
                _close(new[0])
            return False
        self.connection, self._driver = old
        self.close()
        self.connection, self._driver = new
        self.place.accept()
        return True

    def _own_places(self) -> tuple[tuple[int, str, int], ...]:
        """Where the head of this run may be in a file that has all of it."""
        newest = (self.head, self._batch), (self._doubt.head, self._batch + 1)
        return tuple((link.seq, link.hash, batch) for link, batch in newest)

    # -- after an error ---------------------------------------------------------------------------------------------

    def failed(self, error: BaseException) -> str:
        """Leave the transaction; a connection that may be spoilt is opened anew, unless all that is left is in it."""
        code = _code(error)
        if code in DAMAGE:
            self._damaged = True
            self.close()
            return str(self._broken(why(error)))
        if code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL) and self._is_there():
            self.close()
        elif self._driver is not None and self.connection is not None:
            try:
                self.connection.rollback()
                if self._driver.in_transaction:
                    self.rollback()
            except (sqlite3.Error, SQLAlchemyError):
                self.close()
        said = why(error)
        return f"{said}: {ADVICE[code]}" if code in ADVICE else said

    def close(self) -> None:
        """Let go of the file."""
        connection, self.connection, self._driver = self.connection, None, None
        self._certain = False
        _close(connection)
        if connection is not None:
            with suppress(OSError):
                self.place.left()

    def _is_there(self) -> bool:
        try:
            return self.place.look() is There.SAME
        except OSError:
            return False


def _code(error: BaseException) -> int | None:
    """SQLite's number of an error, without the details."""
    cause = error.orig if isinstance(error, SQLAlchemyError) and hasattr(error, "orig") else error
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _close(connection: Any) -> None:
    if connection is not None:
        with suppress(SQLAlchemyError, sqlite3.Error, OSError):
            connection.close()


_EYES: dict[tuple[int, int], int] = {}  # (device, inode) -> a descriptor of it, which is never closed


def _beginning(file: Path) -> bytes:
    """The first bytes of a database that this process has open. Raises FileNotFoundError.

    Closing any descriptor of it would drop SQLite's own locks on it, those of this whole process (POSIX), and the next
    process to leave would take the log of what was written away: sqlite.org/howtocorrupt.html, 2.2.
    """
    found = file.stat()
    key = (found.st_dev, found.st_ino)
    if key not in _EYES:
        _EYES[key] = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    return os.pread(_EYES[key], len(MAGIC), 0)
