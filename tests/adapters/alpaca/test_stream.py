"""Trade updates: their forms, keys that are not accepted, and lines that break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack
import pytest
from websockets.asyncio.server import ServerConnection, serve

from adapters.alpaca._api import Endpoints
from adapters.alpaca._trade_stream import Ears, TradeStream, read_frame
from adapters.alpaca.keys import Keys

KEYS = Keys("PKSECRETKEY000000000", "verysecretvalue")
UPDATE = {"stream": "trade_updates", "data": {"event": "new", "order": {"id": "1"}}}
TEXT = json.dumps(UPDATE)
OPEN = {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
SHUT = {"stream": "authorization", "data": {"status": "unauthorized", "action": "authenticate"}}
LISTENING = {"stream": "listening", "data": {"streams": ["trade_updates"]}}


class Heard:
    """What the stream told."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self.ups = 0
        self.downs: list[str] = []

    def up(self) -> None:
        self.ups += 1


Serve = Callable[[ServerConnection], Awaitable[None]]


def run(
    server: Serve, until: Callable[[Heard, TradeStream], bool], keys: Keys = KEYS, beat: float = 60.0
) -> Heard:
    """A stream at a server of the test's own, until something is so."""

    async def main() -> Heard:
        heard = Heard()
        async with serve(server, "127.0.0.1", 0) as serving:
            port = next(iter(serving.sockets)).getsockname()[1]
            url = f"ws://127.0.0.1:{port}/stream"
            ends = Endpoints("", "", url, "", "", "", local=True)
            ears = Ears(heard.updates.append, heard.up, heard.downs.append)
            stream = TradeStream(ends, keys, ears, 60.0, beat)
            running = asyncio.create_task(stream.run())
            async with asyncio.timeout(60):
                while not until(heard, stream):  # noqa: ASYNC110 - the test's own condition has no event
                    await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return heard

    return asyncio.run(main())


@pytest.mark.parametrize(
    "packed", [TEXT, TEXT.encode(), b" " + TEXT.encode(), msgpack.packb(UPDATE)]
)  # fmt: skip
def test_a_message_is_read_in_every_form_that_alpaca_sends(packed: str | bytes) -> None:
    assert read_frame(packed) == UPDATE


def test_amounts_in_numbers_stay_exact() -> None:
    assert str(read_frame('{"qty": 0.1}')["qty"]) == "0.1"


def test_updates_are_told_and_one_that_cannot_be_read_does_not_end_the_line() -> None:
    async def server(socket: ServerConnection) -> None:
        assert json.loads(await socket.recv())["data"]["key_id"] == KEYS.key
        await socket.send(json.dumps(OPEN).encode())
        await socket.recv()
        await socket.send(json.dumps(UPDATE))  # may come before the answer
        await socket.send(json.dumps(LISTENING).encode())
        await socket.send(json.dumps({"stream": "trade_updates"}))
        await socket.send(json.dumps(UPDATE).encode())
        await socket.wait_closed()

    heard = run(server, lambda heard, _: len(heard.updates) == 2)
    assert (heard.ups, heard.downs) == (1, [])


def test_a_server_of_the_new_words_is_understood() -> None:
    async def server(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(json.dumps(SHUT))
        assert json.loads(await socket.recv()) == {"action": "auth", "key": KEYS.key, "secret": KEYS.secret}
        await socket.send(json.dumps(OPEN))
        await socket.recv()
        await socket.send(json.dumps(LISTENING))
        await socket.wait_closed()

    assert run(server, lambda _, stream: stream.up).ups == 1


def test_an_oauth_token_is_sent_in_its_own_words() -> None:
    words: list[Any] = []

    async def server(socket: ServerConnection) -> None:
        words.append(json.loads(await socket.recv()))
        await socket.send(json.dumps(OPEN))
        await socket.recv()
        await socket.send(json.dumps(LISTENING))
        await socket.wait_closed()

    run(server, lambda _, stream: stream.up, Keys(token="a-token"))  # noqa: S106 - made up
    assert words == [{"action": "authenticate", "data": {"oauth_token": "a-token"}}]


def test_keys_that_are_not_accepted_are_told_and_never_shown() -> None:
    async def server(socket: ServerConnection) -> None:
        async for _ in socket:
            await socket.send(json.dumps(SHUT | {"data": {"status": "unauthorized", "message": KEYS.secret}}))

    heard = run(server, lambda _, stream: stream.refused is not None)
    assert heard.ups == 0
    assert str(KEYS.secret) not in " ".join(heard.downs)


def test_a_line_that_breaks_or_falls_silent_is_opened_anew() -> None:
    times = 0

    async def server(socket: ServerConnection) -> None:
        nonlocal times
        times += 1
        await socket.recv()
        await socket.send(json.dumps(OPEN))
        await socket.recv()
        await socket.send(json.dumps(LISTENING))
        if times == 1:
            return  # hangs up
        await socket.wait_closed()  # answers pings, and nothing else

    heard = run(server, lambda heard, _: heard.ups >= 3, beat=0.2)
    assert len(heard.downs) >= 2
