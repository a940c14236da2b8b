"""Who listens to a stream, and how does a message get to them: in order, as late, often or never as faults want it?"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgpack
from aiohttp import web

from simulators.alpaca.wire import NANOS, iso

PONG_SECS = 2.0
STAMPS = ("t", "created_at", "updated_at")


class Listener:
    """One websocket: messages are queued and written by a task of its own."""

    def __init__(self, socket: web.WebSocketResponse, *, packed: bool) -> None:
        self.socket = socket
        self.packed = packed
        self.authenticated = False
        self.listens = False
        self.wanted: dict[str, set[str]] = {}
        self.half_closed = False
        self._queue: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._pong = asyncio.Event()
        self._writer = asyncio.ensure_future(self._write())

    def send(self, message: Any, *, binary: bool | None = None) -> None:
        """Queue a message; `binary` frames of JSON are what the paper account's trade updates come in."""
        if self.packed:
            self._queue.put_nowait(bytes(msgpack.packb(_packable(message))))
        else:
            text = json.dumps(_jsonable(message))
            self._queue.put_nowait(text.encode() if binary else text)

    def wants(self, channel: str, symbol: str) -> bool:
        """Whether it subscribed to this."""
        names = self.wanted.get(channel)
        return names is not None and (symbol in names or "*" in names)

    def ponged(self) -> None:
        """It answered a ping."""
        self._pong.set()

    async def taken(self) -> None:
        """Wait until it has read everything, by a ping behind all of it; not for ever."""
        if self.half_closed or self.socket.closed:
            return
        with suppress(TimeoutError, ConnectionError, RuntimeError):
            async with asyncio.timeout(PONG_SECS):
                await self._queue.join()
                self._pong.clear()
                await self.socket.ping()
                await self._pong.wait()

    def cut(self) -> None:
        """Close the connection without a word."""
        self._writer.cancel()
        transport = self.socket._req.transport if self.socket._req is not None else None  # noqa: SLF001 - no public way to cut
        if transport is not None:
            transport.abort()

    async def end(self) -> None:
        """Stop writing."""
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer

    async def _write(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                if not self.half_closed:
                    await (
                        self.socket.send_bytes(message)
                        if isinstance(message, bytes)
                        else self.socket.send_str(message)
                    )
            except (ConnectionError, RuntimeError):
                return
            finally:
                self._queue.task_done()


def _moment(stamp: int) -> msgpack.Timestamp:
    return msgpack.Timestamp(*divmod(stamp, NANOS))


def _packable(message: Any) -> Any:
    """Times as msgpack's own, amounts as numbers."""
    if isinstance(message, dict):
        return {
            name: _moment(value) if name in STAMPS and isinstance(value, int) else _packable(value)
            for name, value in message.items()
        }
    if isinstance(message, list | tuple):
        return [_packable(each) for each in message]
    return plain(message)


def _jsonable(message: Any) -> Any:
    """Times as text, amounts as numbers."""
    if isinstance(message, dict):
        return {
            name: iso(value) if name in STAMPS and isinstance(value, int) else _jsonable(value)
            for name, value in message.items()
        }
    if isinstance(message, list | tuple):
        return [_jsonable(each) for each in message]
    return plain(message)


def plain(value: Any) -> Any:
    """A market data number, which is no text: whole ones are integers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


jsonable = _jsonable
