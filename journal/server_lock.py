"""How is one thing kept to one process by a PostgreSQL server that may be cut off?

An advisory lock lives as long as its connection. A connection that was cut off may live on at the server, so it bears a
name of its own, and the next one ends it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from journal.config import JournalConfig
from journal.database import connect, told
from journal.errors import JournalDownError
from journal.plug import Plug

PATIENCE_SECS = 2.0
AGAIN_SECS = 1.0
PAUSE_SECS = 0.05


class ServerLock:
    """An advisory lock of PostgreSQL. Its rule: it is held only as long as its connection answers."""

    def __init__(self, config: JournalConfig, key: int) -> None:
        """Not taken yet."""
        self._config = config
        self._key = key
        self._name = f"keel hold {token_hex(8)}"
        self._connection: Connection | None = None
        self._plug: Plug | None = None
        self._released = False

    def take(self, wait_secs: float) -> bool:
        """Whether it could be taken. Raises JournalDownError."""
        with told(self._config):
            connection = connect(self._config).connect()
            plug = Plug(connection)
            try:
                with _patient(plug, PATIENCE_SECS + wait_secs):
                    taken = self._taken(connection, time.monotonic() + wait_secs)
            except BaseException:
                plug.close(connection)
                raise
        if taken:
            self._connection, self._plug = connection, plug
        else:
            plug.close(connection)
        return taken

    def still_held(self) -> bool:
        """Whether it is; a lock that was lost is taken again if it is free."""
        if self._connection is None or self._plug is None:
            return self._retaken()
        try:
            with _patient(self._plug, PATIENCE_SECS):
                self._connection.execute(text("SELECT 1"))
                self._connection.rollback()
        except (SQLAlchemyError, OSError):
            return self._retaken()
        return True

    def release(self) -> None:
        """Give it up."""
        self._released = True
        self._unlock()
        self._let_go()

    def _taken(self, connection: Connection, deadline: float) -> bool:
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": self._name})
        connection.execute(text(END_OTHERS), {"name": self._name})
        connection.commit()
        while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar():
            connection.commit()
            if time.monotonic() >= deadline:
                return False
            time.sleep(PAUSE_SECS)
        connection.commit()
        return True

    def _retaken(self) -> bool:
        self._let_go()
        try:
            return not self._released and self.take(AGAIN_SECS)
        except JournalDownError:
            return False

    def _unlock(self) -> None:
        """Have it free at once: a server may notice the end of a connection a moment later."""
        if self._connection is None or self._plug is None:
            return
        with suppress(SQLAlchemyError, OSError), _patient(self._plug, PATIENCE_SECS):
            self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
            self._connection.commit()

    def _let_go(self) -> None:
        connection, plug = self._connection, self._plug
        self._connection = self._plug = None
        if connection is not None and plug is not None:
            plug.close(connection)


@contextmanager
def _patient(plug: Plug, secs: float) -> Iterator[None]:
    """Cut the connection off when the block takes longer."""
    alarm = threading.Timer(secs, plug.pull)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = :name AND usename = current_user AND pid <> pg_backend_pid()
"""
