"""A data stream is up, and a subscription made, when the server says so and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack
from websockets.asyncio.server import ServerConnection, serve

from adapters.alpaca._data_stream import SYMBOL_LIMIT, DataLine, Listener
from adapters.alpaca.keys import Keys

KEYS = Keys("PKSECRETKEY000000000", "verysecretvalue")
ROW = {"T": "t", "S": "AAPL", "p": 1.5}


@dataclass
class Server:
    """A server that answers a subscription when the test lets it; `early`: rows that it sends before."""

    early: list[Any] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: int | None = None

    async def serve(self, socket: ServerConnection) -> None:
        await send(socket, {"T": "success", "msg": "connected"})
        await socket.recv()
        await send(socket, {"T": "success", "msg": "authenticated"})
        given: dict[str, list[str]] = {}
        while True:
            wanted = msgpack.unpackb(await socket.recv(decode=False))
            self.asked.set()
            for row in self.early:
                await send(socket, row)
            await self.answers.wait()
            if self.refusal is not None:
                await send(socket, {"T": "error", "code": self.refusal, "msg": "no"})
                continue
            given |= {key: given.get(key, []) + value for key, value in wanted.items() if key != "action"}
            await send(socket, {"T": "subscription", **given})


async def send(socket: ServerConnection, row: Any) -> None:
    await socket.send(msgpack.packb([row]))


@dataclass
class Heard:
    """What a listener was told, in order."""

    words: list[Any] = field(default_factory=list)

    async def up(self) -> None:
        self.words.append("up")

    @property
    def listener(self) -> Listener:
        add = self.words.append
        return Listener(
            on_row=add,
            on_up=self.up,
            on_down=lambda why: add(f"down: {why}"),
            on_refused=lambda why: add(f"refused: {why}"),
            on_over=lambda why: add(f"over: {why}"),
        )


def run(server: Server, work: Callable[[DataLine, Heard], Awaitable[None]]) -> list[Any]:
    """A line at the server, and what the test does with it; answers what its listener was told."""

    async def main() -> list[Any]:
        heard = Heard()
        async with serve(server.serve, "127.0.0.1", 0) as serving:
            port = next(iter(serving.sockets)).getsockname()[1]
            line = DataLine("stock", f"ws://127.0.0.1:{port}", KEYS, heard.listener, answer_secs=60)
            async with asyncio.timeout(60):
                await work(line, heard)
                await line.stop()
        return heard.words

    return asyncio.run(main())


def test_a_line_is_up_when_its_subscription_is_confirmed_and_rows_wait_for_that() -> None:
    server = Server(early=[ROW])

    async def work(line: DataLine, heard: Heard) -> None:
        await line.add(["trades"], "AAPL")
        starting = asyncio.create_task(line.start())
        await server.asked.wait()
        await asyncio.sleep(0.2)
        assert (line.is_up, heard.words) == (False, [])
        server.answers.set()
        await starting
        assert line.given == {"trades": {"AAPL"}}
        while len(heard.words) < 2:  # noqa: ASYNC110 - a listener has no event
            await asyncio.sleep(0.01)

    assert run(server, work) == ["up", ROW]


def test_a_later_subscription_returns_when_it_is_confirmed() -> None:
    server = Server()

    async def work(line: DataLine, _heard: Heard) -> None:
        await line.start()
        adding = asyncio.create_task(line.add(["bars"], "AAPL"))
        await server.asked.wait()
        await asyncio.sleep(0.2)
        assert not adding.done()
        server.answers.set()
        await adding
        assert line.given == {"bars": {"AAPL"}}

    assert run(server, work) == ["up"]


def test_a_refused_subscription_holds_nobody_up() -> None:
    server = Server(refusal=SYMBOL_LIMIT)
    server.answers.set()

    async def work(line: DataLine, _heard: Heard) -> None:
        await line.start()
        await line.add(["bars"], "AAPL")
        assert line.is_up

    up, refused = run(server, work)
    assert (up, refused.startswith("refused: 405")) == ("up", True)
