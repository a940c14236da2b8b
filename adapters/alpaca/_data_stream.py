"""How does one of Alpaca's data streams stay connected, and who is told when it is not?

Connection, login and subscription are alpaca-py's own (`DataStream`). Its loop is not used: it tells nobody of a gap,
tries again for ever with keys that are wrong, and subscribing from the loop it runs on locks up for good.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgpack
from alpaca.data.live.websocket import DataStream

from adapters.alpaca._parsing_data import Row
from adapters.alpaca.keys import Keys
from adapters.errors import AdapterError

FIRST_WAIT_SECS, LONGEST_WAIT_SECS = 0.1, 20.0
HEARTBEAT_SECS = 10.0
"""A ping this often, whose answer may take as long: a dead connection is noticed within twice this time."""
MOST_FRAMES = 64
"""Frames read ahead of the engine; the rest waits at the sender."""
AUTH_FAILED, SYMBOL_LIMIT, CONNECTION_LIMIT, NO_SUBSCRIPTION = 402, 405, 406, 409
TOKEN_KEY = "oauth"  # noqa: S105 - a word of the protocol
"""What stands in a key's place where the secret is an OAuth token, by Alpaca's documentation of its streams."""
CONTROL = ("subscription", "error", "success")
"""Kinds of rows that are no data."""
FATAL = {
    AUTH_FAILED: "the keys are wrong or for the other environment; paper keys start with PK, live keys with AK",
    NO_SUBSCRIPTION: "the account has no subscription for this feed; venue.feed=iex is free",
}
"""Codes that no later try can change -> what to do."""
HINTS = {
    CONNECTION_LIMIT: "another program streams with these keys: Alpaca allows one connection a feed",
    SYMBOL_LIMIT: "the plan of this account allows fewer symbols on the stream",
}


class StreamError(Exception):
    """The server refused something; one line. `fatal`: trying again cannot help."""

    def __init__(self, code: int, message: str) -> None:
        """`code` is Alpaca's own number."""
        hint = FATAL.get(code) or HINTS.get(code)
        super().__init__(f"{code}: {message}" + (f" ({hint})" if hint else ""))
        self.code, self.message = code, message
        self.fatal = code in FATAL


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what; on the loop, in order."""

    on_row: Callable[[Row], None]
    """A row of data."""
    on_up: Callable[[], Awaitable[None]]
    """Subscribed, for the first time or again; rows wait until it returns."""
    on_down: Callable[[str], None]
    """Not connected any more, or still not; one line says why."""
    on_refused: Callable[[str], None]
    """The server does not give all that was asked for, but the rest; one line."""
    on_over: Callable[[str], None]
    """It takes no OAuth token, and is not asked again: what it would say has to be had otherwise; one line."""


class _Socket(DataStream):
    """alpaca-py's stream, one step at a time."""

    def __init__(self, url: str, keys: Keys, answer_secs: float) -> None:
        settings = {
            "ping_interval": HEARTBEAT_SECS, "ping_timeout": HEARTBEAT_SECS, "max_queue": MOST_FRAMES,
            "open_timeout": answer_secs, "close_timeout": 1.0,
        }  # fmt: skip
        key, secret = (keys.key, keys.secret) if keys.token is None else (TOKEN_KEY, keys.token)
        super().__init__(url, key or "", secret or "", raw_data=True, websocket_params=settings)

    async def login(self) -> None:
        """Connect and say who we are. Raises StreamError, OSError, ValueError or the socket library's own."""
        await self._connect()
        socket: Any = self._ws
        login = {"action": "auth", "key": self._api_key, "secret": self._secret_key}
        await socket.send(msgpack.packb(login))
        for row in await self.receive():
            refuse(row)
            if row.get("msg") != "authenticated":
                raise ValueError(f"the login was answered with {row.get('msg')}")

    async def receive(self) -> list[Row]:
        """The next frame."""
        socket: Any = self._ws
        rows: list[Row] = msgpack.unpackb(await socket.recv(), timestamp=0)
        return rows

    async def ask(self, action: str, wanted: dict[str, Iterable[str]]) -> bool:
        """Subscribe or unsubscribe; answers whether there was anything to ask for."""
        socket: Any = self._ws
        asked = {channel: sorted(symbols) for channel, symbols in wanted.items() if symbols}
        if asked:
            await socket.send(msgpack.packb({"action": action, **asked}))
        return bool(asked)


class DataLine:
    """One stream that comes back by itself. Rows flow from `start` on; nothing of it raises into the engine."""

    def __init__(self, name: str, url: str, keys: Keys, listener: Listener, *, answer_secs: float) -> None:
        """`name` is how messages call it; nothing is connected yet."""
        self.name = name
        self._url, self._keys = url, keys
        self._listener = listener
        self._answer_secs = answer_secs
        self._wanted: dict[str, set[str]] = defaultdict(set)  # channel -> symbols
        self._socket: _Socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self.is_up = False
        """Whether rows can come."""
        self.failure: AdapterError | None = None
        """What keeps it down for good."""
        self.given: dict[str, set[str]] = {}
        """What the server last said that it sends: channel -> symbols."""
        self._refusals = 0
        self._answered = asyncio.Event()  # the server said what it sends, or what it does not; or it is gone

    @property
    def wanted(self) -> dict[str, set[str]]:
        """Channel -> the symbols that were asked for."""
        return {channel: set(symbols) for channel, symbols in self._wanted.items() if symbols}

    async def start(self) -> None:
        """Connect, and stay connected; returns when the first try ended. Raises AdapterError if it can never work."""
        loop = asyncio.get_running_loop()
        self._first = loop.create_future()
        self._task = loop.create_task(self._stay(), name=f"alpaca {self.name} stream")
        await self._first
        if self.failure is not None:
            raise self.failure

    async def stop(self) -> None:
        """Hang up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._hang_up()

    async def restart(self) -> None:
        """Drop the connection, so that a new one is made: it is up, but nothing comes."""
        socket = self._socket
        if socket is not None:
            with suppress(Exception):  # whatever is wrong with it is why it is dropped
                await socket.close()

    async def add(self, channels: Iterable[str], *symbols: str) -> None:
        """Ask for symbols on channels, now or as soon as there is a connection.

        Returns when the server says that it sends them or refuses, or does neither in time: what was made before is
        for REST to tell, what is made afterwards comes.
        """
        new = {channel: set(symbols) - self._wanted[channel] for channel in channels}
        for channel, added in new.items():
            self._wanted[channel] |= added
        refusals = self._refusals
        await self._ask("subscribe", new)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._answer_secs):
                while self.is_up and refusals == self._refusals and not self._gives(new):
                    self._answered.clear()
                    await self._answered.wait()

    async def remove(self, channel: str, *symbols: str) -> None:
        """Ask for them no more."""
        gone = self._wanted[channel] & set(symbols)
        self._wanted[channel] -= gone
        await self._ask("unsubscribe", {channel: gone})

    # -- below

    def _gives(self, wanted: dict[str, set[str]]) -> bool:
        return all(symbols <= self.given.get(channel, set()) for channel, symbols in wanted.items())

    async def _ask(self, action: str, wanted: dict[str, set[str]]) -> None:
        if self._socket is not None and self.is_up:
            with suppress(Exception):  # a broken connection: the next one asks for everything
                await self._socket.ask(action, dict(wanted))

    async def _stay(self) -> None:
        wait = FIRST_WAIT_SECS
        while self.failure is None:
            try:
                await self._once()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it was, the stream is down, and that is told
                was_up, why = self.is_up, _told(error)
                await self._hang_up()
                if isinstance(error, StreamError) and error.fatal:
                    if error.code == AUTH_FAILED and self._keys.token is not None:
                        self._tried()
                        self._listener.on_over(f"it refuses the OAuth token: {error.code} {error.message}")
                        return
                    self.failure = AdapterError(f"the {self.name} stream refuses us: {why}")
                wait = FIRST_WAIT_SECS if was_up else wait
                self._listener.on_down(why)
            self._tried()
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads clients out, no secret
            wait = min(LONGEST_WAIT_SECS, wait * 2)

    async def _once(self) -> None:
        """One connection, from its beginning to its end."""
        socket = _Socket(self._url, self._keys, self._answer_secs)
        self._socket = socket
        await asyncio.wait_for(socket.login(), self._answer_secs)
        early: list[Row] = []
        if await socket.ask("subscribe", dict(self._wanted)):
            await asyncio.wait_for(self._until_answered(socket, early), self._answer_secs)
        self.is_up = True
        await self._listener.on_up()
        self._tried()
        for row in early:
            self._take(row)
        while True:
            for row in await socket.receive():
                self._take(row)
            await asyncio.sleep(0)  # one turn of the loop a frame keeps the engine's unbounded queue short

    async def _until_answered(self, socket: _Socket, early: list[Row]) -> None:
        """Read until the server has answered a subscription; rows that come with it are put into `early`."""
        self._answered.clear()
        while not self._answered.is_set():
            for row in await socket.receive():
                if row.get("T") in CONTROL:
                    self._take(row)
                else:
                    early.append(row)

    def _take(self, row: Row) -> None:
        kind = row.get("T")
        if kind == "subscription":
            self.given = {key: set(value) for key, value in row.items() if isinstance(value, list)}
            self._answered.set()
        elif kind == "error":
            self._refusals += 1
            self._answered.set()
            try:
                refuse(row)
            except StreamError as error:
                if error.code not in (SYMBOL_LIMIT, NO_SUBSCRIPTION):
                    raise
                self._listener.on_refused(str(error))
        elif kind not in CONTROL:
            self._listener.on_row(row)

    def _tried(self) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_result(None)

    async def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        self.is_up = False
        self.given = {}
        self._answered.set()
        if socket is not None:
            with suppress(Exception):  # it is broken already
                await socket.close()


def refuse(row: Row) -> None:
    """Raise StreamError for an error of the server's."""
    if row.get("T") == "error":
        raise StreamError(int(row.get("code") or 0), str(row.get("msg") or "no reason given"))


def _told(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return "no answer in time" if isinstance(error, TimeoutError) else text
