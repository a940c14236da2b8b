"""How does a journal whose file was deleted come back, from the connection that still has it open?"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from secrets import token_hex

from journal.errors import JournalDownError
from journal.place import Place, There

TRIES = 5


class Rescue:
    """Writes all that an open connection has to the place where its file was.

    Several nodes may do so at once: who holds the write lock of the old file puts a new one there, the others find it.
    """

    def __init__(self, driver: sqlite3.Connection, place: Place) -> None:
        """`driver` is still good, and in no transaction."""
        self._driver = driver
        self._place = place

    def done(self) -> bool:
        """Do it; False when another file lies there meanwhile. Raises OSError, sqlite3.Error, JournalDownError."""
        file = self._place.file
        if file is None:
            return False
        part = file.with_name(f"{file.name}.{token_hex(4)}.rescue")
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            for _ in range(TRIES):
                before = self._version()
                self._copy(part)
                self._driver.execute("BEGIN IMMEDIATE")  # from here on nobody writes to the old one
                try:
                    if self._version() == before:
                        return self._put(part, file)
                finally:
                    self._driver.execute("ROLLBACK")
        finally:
            for each in (part, *_beside(part)):
                with suppress(OSError):
                    each.unlink(missing_ok=True)
        raise JournalDownError("its file is gone, and others write to it too fast to write it anew")

    def _version(self) -> int:
        """Changes when another connection writes."""
        return int(self._driver.execute("PRAGMA data_version").fetchone()[0])

    def _copy(self, part: Path) -> None:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            self._driver.backup(copy)
            copy.execute("PRAGMA journal_mode=WAL")
        file = os.open(part, os.O_RDWR)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def _put(self, part: Path, file: Path) -> bool:
        if self._place.look() is There.OTHER:
            return False
        for each in _beside(file):  # they belong to the old one: SQLite would read them into the new one
            each.unlink(missing_ok=True)
        part.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return True


def _beside(file: Path) -> tuple[Path, Path]:
    """The write-ahead log of a SQLite file, and the index of that."""
    return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")
