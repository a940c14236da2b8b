"""Is the journal's file still the one that was opened?

SQLite goes on writing to files that were deleted or replaced under it, and every row of it would be lost.
"""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path

from journal.config import JournalConfig
from journal.errors import JournalDownError

Identity = tuple[int, int]


class There(Enum):
    """What lies where the journal was opened."""

    SAME = "the file that was opened"
    GONE = "nothing, or an empty file, or one without what was written last"
    OTHER = "another file"


class Place:
    """Where a journal is. A PostgreSQL server looks after its own files, so there it is always the SAME."""

    def __init__(self, config: JournalConfig) -> None:
        """Remember which file is there now. Raises JournalDownError when it cannot be looked at."""
        self.shown = config.shown
        self.file: Path | None = config.file if config.kind == "sqlite" else None
        self._paths = ("", "") if self.file is None else (str(self.file), f"{self.file}-wal")
        self._identity: Identity | None = None
        self._log: Identity | None = None
        self._old_log: tuple[int, ...] | None = None
        if self.file is not None:
            try:
                self.accept()
            except OSError as error:
                raise JournalDownError(
                    f"journal {self.shown}: the file is gone ({error.strerror})"
                ) from error

    def look(self) -> There:
        """What is there now. Raises OSError when nobody can tell."""
        if self.file is None:
            return There.SAME
        identity, size = _look(self._paths[0])
        if identity is None or (size == 0 and identity != self._identity):
            return There.GONE
        if identity != self._identity:
            return There.OTHER
        if self._log is not None and _look(self._paths[1])[0] != self._log:
            return There.GONE
        return There.SAME

    def accept(self) -> None:
        """What is there now is the journal. Raises OSError when nothing is."""
        found = os.stat(self._paths[0])  # noqa: PTH116 - as below
        self._identity, self._log = (found.st_dev, found.st_ino), None

    def accept_log(self) -> None:
        """The write-ahead log beside it belongs to it: rows are in there that are not in the file yet."""
        if self.file is not None and self._log is None:
            self._log = _look(self._paths[1])[0]

    def log_size(self) -> int:
        """Bytes of the write-ahead log."""
        return 0 if self.file is None else _look(self._paths[1])[1]

    def left(self) -> None:
        """The file was closed. Its log goes with the last who has it open; one that stays is remembered."""
        if self._log is not None:
            self._old_log = _trace(self._paths[1]) if _look(self._paths[1])[0] == self._log else None
            self._log = None

    def drop_stale_log(self) -> None:
        """Where a new file lies beside the old one's log, take that away: SQLite would read it into the new one.

        The number of a file that nobody has open any more may be given to a new one, so that alone tells nothing.
        """
        held = self._log is not None and _look(self._paths[1])[0] == self._log
        if (held or (self._old_log is not None and _trace(self._paths[1]) == self._old_log)) and (
            self.look() is There.OTHER
        ):
            for end in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.unlink(self._paths[0] + end)  # noqa: PTH108 - as below


def _trace(path: str) -> tuple[int, ...] | None:
    """What tells a file from one that got its number later."""
    try:
        found = os.stat(path)  # noqa: PTH116 - as below
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _look(path: str) -> tuple[Identity | None, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - looked at around every write: a Path costs as much as the call
    except FileNotFoundError:
        return None, 0
    return (found.st_dev, found.st_ino), found.st_size
