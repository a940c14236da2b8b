"""The websockets: trade updates of the account at /stream, market data at the paths of the data streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgpack
from aiohttp import WSMsgType, web

from simulators.alpaca.faults import Faults
from simulators.alpaca.gateway import Access
from simulators.alpaca.listeners import Listener

REORDER_SECS = 0.05
DEPRECATED = (
    'this authentication format is being deprecated. Please use {"action":"auth","key":"...","secret":"..."}'
)
CHANNELS = {
    "stocks": ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds"),
    "crypto": ("trades", "quotes", "bars", "updatedBars", "dailyBars", "orderbooks"),
    "news": ("news",),
}
ERRORS = {
    400: "invalid syntax", 401: "not authenticated", 402: "auth failed", 403: "already authenticated",
    404: "auth timeout", 405: "symbol limit exceeded", 406: "connection limit exceeded",
    409: "insufficient subscription", 410: "invalid subscribe action for this feed", 500: "internal error",
}  # fmt: skip


class Streams:
    """All websockets of the broker."""

    def __init__(self, faults: Faults, access: Access) -> None:
        """`access` says who may listen, and to what."""
        self._faults = faults
        self._access = access
        self.trading: set[Listener] = set()
        self.data: dict[str, set[Listener]] = {"stocks": set(), "crypto": set(), "news": set()}
        self._held: list[Any] = []

    # -- what is told

    def tell_update(self, row: Mapping[str, Any]) -> None:
        """A trade update, to everybody who listens."""
        faults = self._faults.streams
        if faults.drop_events or faults.drop_next_events > 0:
            faults.drop_next_events = max(0, faults.drop_next_events - 1)
            return
        message = {"stream": "trade_updates", "data": row}
        if faults.reorder_events:
            if not self._held:
                asyncio.get_running_loop().call_later(REORDER_SECS, self._release)
            self._held.append(message)
            return
        for _ in range(2 if faults.duplicate_events else 1):
            _after(faults.event_delay_ms, lambda: self._send_update(message))

    def tell_data(self, kind: str, channel: str, symbol: str, row: Mapping[str, Any]) -> None:
        """Market data, to everybody who subscribed to it. `kind` is stocks, crypto or news."""
        faults = self._faults.streams
        if faults.drop_data:
            return
        listeners = [each for each in self.data[kind] if each.wants(channel, symbol)]
        for _ in range(2 if faults.duplicate_data else 1):
            for each in listeners:
                _after(faults.data_delay_ms, lambda each=each: each.send([row]))  # type: ignore[misc]

    async def taken(self) -> None:
        """Wait until every listener has read what was sent."""
        everybody = [*self.trading, *(each for found in self.data.values() for each in found)]
        if everybody:
            await asyncio.gather(*(each.taken() for each in everybody))

    def listening(self) -> dict[str, int]:
        """How many streams of each kind are open."""
        return {"trading": len(self.trading)} | {name: len(each) for name, each in self.data.items()}

    def subscribed(self) -> dict[str, int]:
        """How many streams of each kind were told that they get something."""
        data = {name: sum(any(one.wanted.values()) for one in each) for name, each in self.data.items()}
        return {"trading": sum(one.listens for one in self.trading)} | data

    def drop(self, which: str = "all") -> int:
        """Cut connections without a word: all, trading or data; answers how many."""
        found = list(self.trading) if which in ("all", "trading") else []
        if which in ("all", "data"):
            found += [each for listeners in self.data.values() for each in listeners]
        for each in found:
            each.cut()
        return len(found)

    def half_close(self, which: str = "all") -> None:
        """Leave connections open, and never say anything there again."""
        found = list(self.trading) if which in ("all", "trading") else []
        if which in ("all", "data"):
            found += [each for listeners in self.data.values() for each in listeners]
        for each in found:
            each.half_closed = True

    # -- the account's stream

    async def serve_trading(self, request: web.Request) -> web.StreamResponse:
        """`/stream`."""
        if self._faults.streams.refuse_streams:
            return web.Response(status=503, text="streams are refused on demand")
        listener = await self._accept(request)
        self.trading.add(listener)
        try:
            async for message in self._messages(listener):
                self._on_trading(listener, message)
        finally:
            self.trading.discard(listener)
            await listener.end()
        return listener.socket

    def _on_trading(self, listener: Listener, message: Any) -> None:
        action = message.get("action") if isinstance(message, dict) else None
        data = message.get("data") or {} if isinstance(message, dict) else {}
        if action in ("authenticate", "auth"):
            old = action == "authenticate"
            key, secret = (
                (data.get("key_id"), data.get("secret_key"))
                if old
                else (message.get("key"), message.get("secret"))
            )
            listener.authenticated = self._access.accepts(key, secret, data.get("oauth_token"))
            status = "authorized" if listener.authenticated else "unauthorized"
            said = {"status": status, "action": action}
            if old:
                said["message"] = DEPRECATED
            listener.send({"stream": "authorization", "data": said}, binary=True)
        elif action == "listen" and not listener.authenticated:
            said = {"status": "unauthorized", "action": "listen"}
            listener.send({"stream": "authorization", "data": said}, binary=True)
        elif action == "listen":
            names = [each for each in data.get("streams", []) if each == "trade_updates"]
            listener.listens = bool(names)
            listener.send({"stream": "listening", "data": {"streams": names}}, binary=True)

    def _send_update(self, message: Any) -> None:
        for each in list(self.trading):
            if each.listens:
                each.send(message, binary=True)

    def _release(self) -> None:
        held, self._held = self._held, []
        for message in reversed(held):
            for _ in range(2 if self._faults.streams.duplicate_events else 1):
                self._send_update(message)

    # -- market data

    async def serve_data(self, request: web.Request, kind: str) -> web.StreamResponse:
        """`/v2/{feed}`, `/v1beta3/crypto/us`, `/v1beta1/news`."""
        if self._faults.streams.refuse_streams:
            return web.Response(status=503, text="streams are refused on demand")
        feed = request.match_info.get("feed", "")
        listener = await self._accept(request)
        listener.send([{"T": "success", "msg": "connected"}])
        self.data[kind].add(listener)
        try:
            async for message in self._messages(listener):
                self._on_data(listener, message, kind, feed)
        finally:
            self.data[kind].discard(listener)
            await listener.end()
        return listener.socket

    def _on_data(self, listener: Listener, message: Any, kind: str, feed: str) -> None:
        action = message.get("action") if isinstance(message, dict) else None
        if action == "auth":
            self._authenticate(listener, message, feed)
        elif action not in ("subscribe", "unsubscribe"):
            _say_error(listener, 400)
        elif not listener.authenticated:
            _say_error(listener, 401)
        else:
            self._subscribe(listener, message, kind, add=action == "subscribe")

    def _authenticate(self, listener: Listener, message: Mapping[str, Any], feed: str) -> None:
        if listener.authenticated:
            _say_error(listener, 403)
        elif not self._knows(message.get("key"), message.get("secret")):
            _say_error(listener, 402)
        elif feed and self._access.feeds and feed not in self._access.feeds:
            _say_error(listener, 409)
        else:
            listener.authenticated = True
            listener.send([{"T": "success", "msg": "authenticated"}])

    def _knows(self, key: str | None, secret: str | None) -> bool:
        """A pair, or an OAuth token in the place of the secret."""
        if key == "oauth":
            return self._access.token_streams and self._access.accepts(None, None, secret)
        return self._access.accepts(key, secret, None)

    def _subscribe(self, listener: Listener, message: Mapping[str, Any], kind: str, *, add: bool) -> None:
        unknown = set(message) - set(CHANNELS[kind]) - {"action"}
        if unknown:
            _say_error(listener, 400)
            return
        wanted = {channel: set(names) for channel, names in listener.wanted.items()}
        for channel in CHANNELS[kind]:
            names = set(message.get(channel) or ())
            wanted[channel] = (
                wanted.get(channel, set()) | names if add else wanted.get(channel, set()) - names
            )
        counted = wanted.get("trades", set()) | wanted.get("quotes", set())
        if self._access.most_symbols and len(counted) > self._access.most_symbols:
            _say_error(listener, 405)
            return
        listener.wanted = wanted
        told = {channel: sorted(names) for channel, names in wanted.items()}
        listener.send([{"T": "subscription", **told}])

    # -- both

    @staticmethod
    async def _accept(request: web.Request) -> Listener:
        socket = web.WebSocketResponse(autoping=False, max_msg_size=16_000_000)
        await socket.prepare(request)
        packed = request.headers.get("Content-Type", "") == "application/msgpack"
        return Listener(socket, packed=packed)

    @staticmethod
    async def _messages(listener: Listener) -> Any:
        """What it says, decoded; pings are answered, closing and nonsense end it."""
        async for frame in listener.socket:
            if listener.half_closed:
                continue
            if frame.type == WSMsgType.PING:
                with suppress(ConnectionError):
                    await listener.socket.pong(frame.data)
            elif frame.type == WSMsgType.PONG:
                listener.ponged()
            elif frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                try:
                    is_packed = listener.packed and frame.type == WSMsgType.BINARY
                    yield msgpack.unpackb(frame.data) if is_packed else json.loads(frame.data)
                except ValueError:
                    yield None


def _say_error(listener: Listener, code: int) -> None:
    listener.send([{"T": "error", "code": code, "msg": ERRORS[code]}])


def _after(delay_ms: int, work: Callable[[], None]) -> None:
    if delay_ms:
        asyncio.get_running_loop().call_later(delay_ms / 1000, work)
    else:
        work()
