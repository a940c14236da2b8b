"""How is an account kept to one node at a time?

A lock of the operating system beside a SQLite journal, an advisory lock of the server in PostgreSQL: both end with the
process that holds them, however it ends. Beside it stands a file that names the process, for a signal.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from journal.config import JournalConfig
from journal.database import connect, told
from journal.errors import JournalDownError, JournalInUseError

if TYPE_CHECKING:
    from journal.server_lock import ServerLock

WAIT_SECS = 0.5
"""How long a node waits for an account: `is_held` of another process may touch the lock for a moment."""
PAUSE_SECS = 0.02


class Hold:
    """The right to trade an account and to write its journal, for as long as this process lives or until `release`."""

    def __init__(self, config: JournalConfig, scope: str) -> None:
        """Take it. Raises JournalInUseError when another process has it, JournalDownError when nobody can tell."""
        self._config = config
        self._scope = scope
        self._file: int | None = None
        self._server: ServerLock | None = None
        if config.kind == "sqlite":
            self._file = _locked(config, scope)
        else:
            from journal.server_lock import ServerLock  # noqa: PLC0415 - psycopg takes a while to import

            self._server = ServerLock(config, _key(scope))
            if not self._server.take(WAIT_SECS):
                raise _in_use(config, scope)
        self._sign()

    def still_held(self) -> bool:
        """Whether nobody else can have it meanwhile; where it was lost, it is taken again if it is free.

        Takes about two seconds at most, where a server does not answer.
        """
        if self._server is not None:
            return self._server.still_held()
        if self._file is None:
            return False
        return _is_at(self._file, _lock_path(self._config, self._scope)) or self._retaken()

    def release(self) -> None:
        """Give it up."""
        with suppress(OSError):
            signature(self._config, self._scope).unlink(missing_ok=True)
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
        if self._server is not None:
            self._server.release()

    def _retaken(self) -> bool:
        """The file of the lock was deleted, so another process could make a new one."""
        try:
            new = _locked(self._config, self._scope)
        except (JournalInUseError, JournalDownError):
            return False
        old, self._file = self._file, new
        if old is not None:
            os.close(old)
        self._sign()
        return True

    def _sign(self) -> None:
        path = signature(self._config, self._scope)
        with suppress(OSError):  # it only serves `halt` where the journal cannot be written
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(json.dumps({"pid": os.getpid(), "scope": self._scope}), encoding="utf-8")


@contextmanager
def held(config: JournalConfig, scope: str) -> Iterator[Hold]:
    """Hold an account for a block. Raises JournalInUseError, JournalDownError."""
    hold = Hold(config, scope)
    try:
        yield hold
    finally:
        hold.release()


def is_held(config: JournalConfig, scope: str) -> bool:
    """Whether some process holds this account now. Raises JournalDownError when nobody can tell."""
    if config.kind == "postgres":
        key = _key(scope) % 2**64
        parts = {"high": key >> 32, "low": key % 2**32}
        with told(config), connect(config).connect() as connection:
            return connection.execute(text(IS_HELD), parts).first() is not None
    try:
        file = os.open(_lock_path(config, scope), os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _cannot(config, error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


IS_HELD = """
    SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = :high AND objid::bigint = :low
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def holder(config: JournalConfig, scope: str) -> int | None:
    """The process that holds an account on this machine, as far as it signed."""
    try:
        return int(json.loads(signature(config, scope).read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def signature(config: JournalConfig, scope: str) -> Path:
    """The file that names the process which holds an account."""
    return config.folder / "holds" / f"{_word(config, scope)}.json"


def _word(config: JournalConfig, scope: str) -> str:
    place = hashlib.sha256(config.sqlalchemy_url.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', scope)}-{place}"


def _key(scope: str) -> int:
    return int.from_bytes(hashlib.sha256(f"keel {scope}".encode()).digest()[:8], signed=True)


def _lock_path(config: JournalConfig, scope: str) -> Path:
    return config.folder / "holds" / f"{_word(config, scope)}.lock"


def _locked(config: JournalConfig, scope: str) -> int:
    """The file of the lock, open and locked. Raises JournalInUseError, JournalDownError."""
    path = _lock_path(config, scope)
    deadline = time.monotonic() + WAIT_SECS
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _cannot(config, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            if time.monotonic() >= deadline:
                raise _in_use(config, scope) from None
            time.sleep(PAUSE_SECS)
            continue
        except OSError as error:
            os.close(file)
            raise _cannot(config, error) from error
        if _is_at(file, path):
            return file
        os.close(file)  # it was deleted between opening and locking


def _is_at(file: int, path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    own = os.fstat(file)
    return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)


def _cannot(config: JournalConfig, error: OSError) -> JournalDownError:
    return JournalDownError(
        f"journal {config.shown} cannot be used ({error.strerror}); name another: journal.path=..."
    )


def _in_use(config: JournalConfig, scope: str) -> JournalInUseError:
    pid = holder(config, scope)
    by = f", process {pid}" if pid is not None else ""
    return JournalInUseError(f"another node trades {scope} in journal {config.shown}{by}: stop it first")
