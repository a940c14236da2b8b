"""How is the local broker reached? Lines of JSON over TCP on this machine only.

A request is `{"id": n, "op": ..., ...}`, its answer has the same id. After `{"op": "listen"}` a connection also gets
events: `{"event": "order" | "fill" | "account" | "bar", ...}`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from simulators.broker.desk import Desk
from simulators.broker.faults import Outbox
from simulators.errors import SimulatorError

HOST = "127.0.0.1"
LONGEST_LINE = 4_000_000
MOST_UNREAD = 50_000_000  # bytes that wait for a listener that does not read


class Server:
    """Serves one desk to any number of connections, and plays its market."""

    def __init__(self, make_desk: Callable[[Callable[[str, dict[str, Any]], None]], Desk]) -> None:
        """`make_desk(news)` builds the desk that tells its news to this server's listeners."""
        self.desk = make_desk(self._news)
        self._connections: set[Connection] = set()
        self._refuse_until = 0.0

    async def serve(self, port: int, bars_per_sec: float, on_ready: Callable[[int], None]) -> None:
        """Serve until cancelled; `on_ready(port)` once it can be reached. Raises SimulatorError for a port in use."""
        try:
            server = await asyncio.start_server(self._accept, HOST, port, limit=LONGEST_LINE)
        except OSError as error:
            raise SimulatorError(f"port={port}: cannot be used ({error.strerror}); choose another") from error
        async with server:
            on_ready(server.sockets[0].getsockname()[1])
            try:
                await self._play(bars_per_sec)
            finally:
                for each in list(self._connections):
                    each.cut()

    async def _play(self, bars_per_sec: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + 1 / bars_per_sec, loop.time() - 1)
            await asyncio.sleep(max(0.0, due - loop.time()))
            if self.desk.playing:
                self.desk.step()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if asyncio.get_running_loop().time() < self._refuse_until:
            writer.transport.abort()
            return
        connection = Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            await connection.talk()
        finally:
            self._connections.discard(connection)
            connection.cut()

    def ask(self, connection: Connection, request: Mapping[str, Any]) -> None:
        """Take one request of a connection, and answer it unless a fault prevents that."""
        faults, op = self.desk.faults, request.get("op")
        answer: dict[str, Any] = {}
        if faults.take("cut_before", op):
            connection.cut()
            return
        if faults.take("lose_request", op):
            return
        if op == "listen":
            connection.listening = True
        elif op == "disconnect":
            for each in [each for each in self._connections if each is not connection]:
                each.cut()
        else:
            answer = self.desk.do(request)
        if op == "fault":
            self._refuse_until = asyncio.get_running_loop().time() + faults.refuse_secs
        if faults.take("cut_after", op):
            connection.cut()
        elif not faults.take("drop_answer", op):
            connection.outbox.answer({"id": request.get("id"), **answer})

    def _news(self, kind: str, row: dict[str, Any]) -> None:
        for each in list(self._connections):
            if each.listening:
                each.outbox.event({"event": kind, kind: row}, market=kind == "bar")


class Connection:
    """One connection: reads requests in order, writes lines."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Nothing is read before `talk`."""
        self.listening = False
        self.outbox = Outbox(server.desk.faults, self._write)
        self._server = server
        self._reader = reader
        self._writer = writer

    async def talk(self) -> None:
        """Read and answer until the other side leaves."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            while line := await self._reader.readline():
                request = json.loads(line)
                if not isinstance(request, dict):
                    return
                self._server.ask(self, request)

    def cut(self) -> None:
        """Close at once; what was written may be lost."""
        self._writer.transport.abort()

    def _write(self, message: Mapping[str, Any]) -> None:
        if self._writer.is_closing():
            return
        self._writer.write(json.dumps(message).encode() + b"\n")
        if self._writer.transport.get_write_buffer_size() > MOST_UNREAD:
            self.cut()
