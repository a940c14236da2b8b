"""How do Alpaca's trade updates reach this process, and how is it noticed that they do not?

alpaca-py's own TradingStream is not used: it tries a wrong key for ever without telling anybody, does not say that it
was away (so nobody could ask for what was missed), takes up to three minutes to notice a dead line, drops a message
that its models cannot read, and knows no OAuth token. This one speaks the same protocol.

Beside the websocket's own pings it asks for the subscription again from time to time: a server that still answers
pings but has forgotten whom it talks to is found out too.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgpack
from nautilus_trader.common import Logger
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from adapters.alpaca._api import Endpoints
from adapters.alpaca._parsing import Row
from adapters.alpaca.keys import Keys

FIRST_WAIT_SECS, LONGEST_WAIT_SECS = 0.1, 30.0
BEAT_SECS = 10.0
"""Between two requests for the subscription."""
STREAM = "trade_updates"


class StreamRefusedError(Exception):
    """The stream does not accept the keys."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who is told, on the loop; must not wait."""

    update: Callable[[Row], None]
    """A trade update, as Alpaca tells it."""
    up: Callable[[], None]
    """Updates come, from now on: what was before has to be asked for."""
    down: Callable[[str], None]
    """Updates have stopped, and why."""


class TradeStream:
    """Trade updates of one account. It comes back by itself, and tells each time."""

    def __init__(
        self,
        endpoints: Endpoints,
        keys: Keys,
        ears: Ears,
        answer_secs: float = 10.0,
        beat_secs: float = BEAT_SECS,
    ) -> None:
        """Connects nothing."""
        self._endpoints, self._keys, self._ears = endpoints, keys, ears
        self._answer_secs, self._beat_secs = answer_secs, beat_secs
        self._socket: ClientConnection | None = None
        self._heard = 0.0
        self.log = Logger("TradeStream-ALPACA")
        self.up = False
        """Whether updates come."""
        self.refused: str | None = None
        """Why the stream does not accept the keys."""

    async def run(self) -> None:
        """Listen until cancelled."""
        wait = FIRST_WAIT_SECS
        while True:
            try:
                if await self._listen():
                    wait = FIRST_WAIT_SECS
                why = "the line was closed"
            except StreamRefusedError as error:
                why = self.refused = str(error)
            except Exception as error:  # noqa: BLE001 - whatever it was, the line is opened anew, or nobody listens
                why = f"{type(error).__name__}: {error}"
            finally:
                was_up, self.up = self.up, False
            if was_up or wait == FIRST_WAIT_SECS:
                self._ears.down(self._cleaned(why))
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - so that not all come back at once
            wait = min(LONGEST_WAIT_SECS, wait * 2)

    async def again(self, why: str) -> None:
        """Hang up, to come back anew: what it should have told did not come."""
        if self._socket is not None:
            self.log.warning(f"trade updates are opened anew: {why}")
            await self._socket.close()

    # -- below

    async def _listen(self) -> bool:
        """One connection, from its opening to its end; answers whether anything was heard of it."""
        async with connect(
            self._endpoints.trade_stream,
            open_timeout=self._answer_secs,
            close_timeout=1,
            ping_interval=self._beat_secs,
            ping_timeout=self._beat_secs,
            max_size=None,
            proxy=None if self._endpoints.local else True,
        ) as socket:
            self._socket = socket
            beating = None
            try:
                await asyncio.wait_for(self._greet(socket), self._answer_secs)
                self._heard = asyncio.get_running_loop().time()
                self.up, self.refused = True, None
                self._ears.up()
                beating = asyncio.create_task(self._beat(socket))
                async for frame in socket:
                    self._heard = asyncio.get_running_loop().time()
                    self._take(read_frame(frame))
            finally:
                self._socket = None
                if beating is not None:
                    beating.cancel()
        return True

    async def _greet(self, socket: ClientConnection) -> None:
        if not await self._authorized(socket, self._old_words()) and not (
            self._keys.token is None and await self._authorized(socket, self._new_words())
        ):
            raise StreamRefusedError("the stream does not accept the keys")
        await socket.send(LISTEN)
        while (row := read_frame(await socket.recv())).get("stream") != "listening":
            self._take(row)
        if STREAM not in (row.get("data") or {}).get("streams", ()):
            raise StreamRefusedError("the stream does not offer trade updates to these keys")

    @staticmethod
    async def _authorized(socket: ClientConnection, words: Row) -> bool:
        await socket.send(json.dumps(words))
        while (row := read_frame(await socket.recv())).get("stream") != "authorization":
            pass
        return bool((row.get("data") or {}).get("status") == "authorized")

    def _old_words(self) -> Row:
        """The documented form, which alpaca-py sends too."""
        if self._keys.token is not None:
            return {"action": "authenticate", "data": {"oauth_token": self._keys.token}}
        data = {"key_id": self._keys.key, "secret_key": self._keys.secret}
        return {"action": "authenticate", "data": data}

    def _new_words(self) -> Row:
        """What Alpaca announced to take its place."""
        return {"action": "auth", "key": self._keys.key, "secret": self._keys.secret}

    async def _beat(self, socket: ClientConnection) -> None:
        """Ask for the subscription again and again; hang up when nothing comes back."""
        with suppress(WebSocketException, OSError):
            while True:
                await asyncio.sleep(self._beat_secs)
                quiet = asyncio.get_running_loop().time() - self._heard
                if quiet > 2 * self._beat_secs:
                    await self.again(f"silent for {quiet:.0f} s")
                    return
                await socket.send(LISTEN)

    def _take(self, row: Row) -> None:
        if row.get("stream") != STREAM:
            return
        try:
            self._ears.update(row["data"])
        except Exception:  # news that cannot be read must not end the connection
            self.log.exception(self._cleaned(f"a trade update cannot be read: {row}"))

    def _cleaned(self, text: str) -> str:
        for secret in (self._keys.key, self._keys.secret, self._keys.token):
            if secret:
                text = text.replace(secret, "***")
        return " ".join(text.split())


LISTEN = json.dumps({"action": "listen", "data": {"streams": [STREAM]}})


def read_frame(frame: str | bytes) -> dict[str, Any]:
    """A message; Alpaca sends JSON in binary frames, or MessagePack. Raises ValueError for anything else."""
    if isinstance(frame, bytes) and not frame.lstrip().startswith(b"{"):
        row = msgpack.unpackb(frame)
    else:
        row = json.loads(frame, parse_float=Decimal)
    if not isinstance(row, dict):
        raise ValueError("not an object")  # noqa: TRY004 - for the caller it is a message like any other bad one
    return row
