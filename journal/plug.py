"""How does whoever waits for the answer of a PostgreSQL server get free when none comes?"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError


class Plug:
    """Our own handle of a connection's socket: `pull` from any thread ends every wait on it with an error at once.

    Its own, since the driver may close its number at any moment, and the number be that of something else then.
    """

    def __init__(self, connection: Connection) -> None:
        """Of a connection that is open."""
        self._pulling = threading.Lock()
        driver = connection.connection.driver_connection
        self._socket: int | None = os.dup(driver.fileno()) if isinstance(driver, psycopg.Connection) else None

    def pull(self) -> None:
        """Cut it off."""
        with self._pulling:
            if self._socket is not None:
                pulled = socket.socket(fileno=os.dup(self._socket))
                with pulled, suppress(OSError):
                    pulled.shutdown(socket.SHUT_RDWR)

    def close(self, connection: Connection) -> None:
        """Let go of the connection; never raises, and never waits for the server."""
        self.pull()
        with self._pulling:
            if self._socket is not None:
                os.close(self._socket)
                self._socket = None
        with suppress(SQLAlchemyError, psycopg.Error, OSError):
            connection.invalidate()
            connection.close()
