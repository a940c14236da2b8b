"""How do requests reach the local broker, and its news this process? Lines of JSON over one connection."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from adapters.errors import AdapterError
from adapters.outcomes import NotSentError, RefusedError, UnknownOutcomeError

Row = dict[str, Any]
LONGEST_LINE = 64_000_000  # a snapshot is one line
FIRST_WAIT_SECS, LONGEST_WAIT_SECS = 0.05, 2.0
KNOWN_ALREADY = "DUPLICATE"
"""The broker's code for a client order id that it has received before: so it may have that order."""


def unreachable(name: str, host: str, port: int) -> AdapterError:
    """What to tell a user when nobody answers."""
    return AdapterError(
        f"venue={name}: no broker answers on {host}:{port}; start it: python -m simulators broker"
    )


def ask_once(name: str, host: str, port: int, secs: float, op: str) -> Row:
    """One question before anything runs, over a connection of its own. Raises AdapterError."""
    try:
        with socket.create_connection((host, port), secs) as connection:
            connection.sendall(json.dumps({"id": 0, "op": op}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer = json.loads(lines.readline())
    except (OSError, ValueError) as error:
        raise unreachable(name, host, port) from error
    if not isinstance(answer, dict) or "error" in answer:
        raise AdapterError(f"venue={name}: what answers on {host}:{port} is not Keel's local broker")
    return answer


class Wire:
    """One connection. After `open` it comes back by itself, and `on_up` is called each time it did.

    With `on_event` it listens for news.
    """

    def __init__(
        self,
        host: str,
        port: int,
        answer_secs: float,
        on_event: Callable[[Row], None] | None = None,
        on_up: Callable[[], None] | None = None,
    ) -> None:
        """Nothing is connected before `open`."""
        self._host, self._port, self._answer_secs = host, port, answer_secs
        self._on_event, self._on_up = on_event, on_up
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[Row]] = {}
        self._id = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether a request can be sent."""
        return self._writer is not None and not self._writer.is_closing()

    async def open(self) -> None:
        """Connect, and stay connected. Raises OSError when nobody answers the first time."""
        reader = await self._connected()
        self._task = asyncio.get_running_loop().create_task(self._stay(reader))

    async def close(self) -> None:
        """Hang up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._hung_up()

    async def request(self, op: str, **fields: Any) -> Row:
        """Ask one thing; it is on its way before the first await.

        Raises NotSentError, RefusedError, or UnknownOutcomeError when no answer comes.
        """
        if self._writer is None or self._writer.is_closing():
            raise NotSentError("not connected to the broker")
        self._id += 1
        number, answer = self._id, asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._writer.write(json.dumps({"id": number, "op": op, **fields}).encode() + b"\n")
        try:
            row: Row = await asyncio.wait_for(answer, self._answer_secs)
        except TimeoutError:
            raise UnknownOutcomeError(f"no answer to {op} within {self._answer_secs:g} s") from None
        finally:
            self._waiting.pop(number, None)
        if "error" in row:
            raise (UnknownOutcomeError if row.get("code") == KNOWN_ALREADY else RefusedError)(row["error"])
        return row

    async def _connected(self) -> asyncio.StreamReader:
        opening = asyncio.open_connection(self._host, self._port, limit=LONGEST_LINE)
        reader, self._writer = await asyncio.wait_for(opening, self._answer_secs)
        return reader

    async def _stay(self, reader: asyncio.StreamReader) -> None:
        wait = FIRST_WAIT_SECS
        while True:
            listening = asyncio.get_running_loop().create_task(self._greet())
            if await self._read(reader):
                wait = FIRST_WAIT_SECS
            listening.cancel()
            self._hung_up()
            while not self.ready:
                await asyncio.sleep(wait)
                wait = min(LONGEST_WAIT_SECS, wait * 2)
                with suppress(OSError, TimeoutError):
                    reader = await self._connected()

    async def _greet(self) -> None:
        with suppress(NotSentError, UnknownOutcomeError):
            if self._on_event is not None:
                await self.request("listen")
            if self._on_up is not None:
                self._on_up()

    async def _read(self, reader: asyncio.StreamReader) -> bool:
        """Read until the broker hangs up; answers whether anything came."""
        heard = False
        with suppress(OSError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                heard = True
                self._take(json.loads(line))
        return heard

    def _take(self, row: Row) -> None:
        if "event" in row:
            if self._on_event is not None:
                self._on_event(row)
            return
        answer = self._waiting.get(row.get("id", 0))
        if answer is not None and not answer.done():
            answer.set_result(row)

    def _hung_up(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.transport.abort()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(UnknownOutcomeError("the connection broke before the broker answered"))
