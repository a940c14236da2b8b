"""The websockets speak as documented: greetings, keys, subscriptions, errors, and frames of the right kind."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgpack
import pytest

from simulators.alpaca.control import AlpacaProcess
from tests.simulators.alpaca.asking import KEY, SECRET, Socket, ask, listening

AUTH = {"action": "auth", "key": KEY, "secret": SECRET}
OLD_AUTH = {"action": "authenticate", "data": {"key_id": KEY, "secret_key": SECRET}}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}
CONNECTED = [{"T": "success", "msg": "connected"}]
BUY = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1"}


@pytest.mark.parametrize("auth", [AUTH, OLD_AUTH])
def test_trade_updates_come_in_binary_frames_of_json(broker: AlpacaProcess, auth: dict[str, Any]) -> None:
    async def talk(socket: Socket) -> None:
        await socket.send(auth)
        said = await socket.next()
        assert (said["stream"], said["data"]["status"]) == ("authorization", "authorized")
        await socket.send(LISTEN)
        assert await socket.next() == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        ask(broker, "POST", "/v2/orders", BUY)
        frame = await socket.frame()
        assert frame.type is aiohttp.WSMsgType.BINARY
        assert [frame.json()["data"]["event"], *[(await socket.next())["data"]["event"] for _ in range(2)]] == [
            "pending_new", "new", "fill",
        ]  # fmt: skip

    listening(broker, "/stream", talk)


def test_nobody_listens_without_keys_and_a_new_list_replaces_the_old(broker: AlpacaProcess) -> None:
    async def talk(socket: Socket) -> None:
        await socket.send(LISTEN)
        assert (await socket.next())["data"] == {"status": "unauthorized", "action": "listen"}
        await socket.send({"action": "authenticate", "data": {"key_id": KEY, "secret_key": "wrong"}})
        assert (await socket.next())["data"]["status"] == "unauthorized"
        await socket.send(OLD_AUTH)
        await socket.next()
        await socket.send(LISTEN)
        await socket.next()
        await socket.send({"action": "listen", "data": {"streams": []}})
        assert (await socket.next())["data"] == {"streams": []}
        ask(broker, "POST", "/v2/orders", BUY)
        assert await socket.quiet()

    listening(broker, "/stream", talk)


def test_market_data_comes_in_msgpack_with_real_time_stamps(broker: AlpacaProcess) -> None:
    async def talk(socket: Socket) -> None:
        assert await socket.next() == CONNECTED
        await socket.send(AUTH)
        assert await socket.next() == [{"T": "success", "msg": "authenticated"}]
        await socket.send({"action": "subscribe", "bars": ["AAPL"], "quotes": ["IBM"]})
        assert (await socket.next())[0] == {
            "T": "subscription", "trades": [], "quotes": ["IBM"], "bars": ["AAPL"], "updatedBars": [],
            "dailyBars": [], "statuses": [], "lulds": [],
        }  # fmt: skip
        await socket.send({"action": "unsubscribe", "quotes": ["IBM"]})
        await socket.next()
        broker.control().ask("market", do="step", n=1)
        bar = (await socket.next())[0]
        assert (bar["T"], bar["S"], type(bar["t"])) == ("b", "AAPL", msgpack.Timestamp)
        assert bar["l"] <= min(bar["o"], bar["c"]) <= max(bar["o"], bar["c"]) <= bar["h"]
        newest = ask(broker, "GET", "/v2/stocks/AAPL/bars/latest")[1]["bar"]
        assert (newest["o"], newest["c"]) == (bar["o"], bar["c"])

    listening(broker, "/v2/iex", talk, packed=True)


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"action": "subscribe", "bars": ["AAPL"]}], 401),
        ([AUTH | {"secret": "wrong"}], 402),
        ([AUTH, AUTH], 403),
        ([AUTH, {"action": "dance"}], 400),
        ([AUTH, {"action": "subscribe", "colours": ["AAPL"]}], 400),
    ],
)
def test_what_the_data_stream_cannot_do_is_an_error_with_its_number(
    broker: AlpacaProcess, messages: list[Any], code: int
) -> None:
    async def talk(socket: Socket) -> None:
        await socket.next()
        said: Any = None
        for message in messages:
            await socket.send(message)
            said = await socket.next()
        assert (said[0]["T"], said[0]["code"]) == ("error", code)

    listening(broker, "/v2/iex", talk)


def test_a_feed_or_more_symbols_than_the_account_has_are_refused(start: Any) -> None:
    broker = start("feeds=iex", "most_symbols=2")

    async def sip(socket: Socket) -> None:
        await socket.next()
        await socket.send(AUTH)
        assert (await socket.next())[0]["code"] == 409

    async def many(socket: Socket) -> None:
        await socket.next()
        await socket.send(AUTH)
        await socket.next()
        await socket.send({"action": "subscribe", "trades": ["A", "B", "C"]})
        assert (await socket.next())[0]["code"] == 405

    listening(broker, "/v2/sip", sip)
    listening(broker, "/v2/iex", many)
    status, said, _ = ask(broker, "GET", "/v2/stocks/bars?symbols=AAPL&timeframe=1Min&feed=sip")
    assert (status, said["message"]) == (403, "subscription does not permit querying recent SIP data")
