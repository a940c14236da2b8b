"""Plain HTTP and plain websockets, to see the local Alpaca as it is on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from typing import Any

import aiohttp
import msgpack

from simulators.alpaca.control import AlpacaProcess

KEY, SECRET = "PKREHEARSAL0000000000", "rehearsal"
KEYS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}


def ask(
    broker: AlpacaProcess,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    secs: float = 60,
) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of one request."""
    connection = HTTPConnection("127.0.0.1", broker.port, timeout=secs)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, KEYS if headers is None else headers)
        reply = connection.getresponse()
        said = reply.read().decode()
        is_json = reply.headers.get("Content-Type", "").startswith("application/json")
        return reply.status, json.loads(said) if said and is_json else said, dict(reply.headers)
    finally:
        connection.close()


class Socket:
    """One websocket; `packed` speaks msgpack."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, packed: bool) -> None:
        self._socket = socket
        self._packed = packed

    async def send(self, message: Any) -> None:
        """Say something."""
        if self._packed:
            await self._socket.send_bytes(msgpack.packb(message))
        else:
            await self._socket.send_str(json.dumps(message))

    async def frame(self, secs: float = 60) -> aiohttp.WSMessage:
        """The next frame as it comes."""
        return await self._socket.receive(timeout=secs)

    async def next(self, secs: float = 60) -> Any:
        """The next message."""
        frame = await self.frame(secs)
        assert frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), frame
        return msgpack.unpackb(frame.data) if self._packed else json.loads(frame.data)

    async def quiet(self, secs: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self._socket.receive(timeout=secs)
        except TimeoutError:
            return True
        return False


def listening(
    broker: AlpacaProcess, path: str, talk: Callable[[Socket], Awaitable[None]], *, packed: bool = False
) -> None:
    """Run `talk` with an open websocket."""

    async def run() -> None:
        headers = {"Content-Type": "application/msgpack"} if packed else {}
        url = broker.stream_url + path
        async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
            await talk(Socket(socket, packed=packed))

    asyncio.run(run())
