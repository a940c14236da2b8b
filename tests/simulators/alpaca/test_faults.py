"""Whatever can go wrong goes wrong on demand, and the books are right all the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http.client import HTTPException
from typing import Any

import pytest

from simulators.alpaca.control import AlpacaProcess
from simulators.errors import SimulatorError
from tests.simulators.alpaca.asking import Socket, ask, listening
from tests.simulators.alpaca.test_streams import AUTH, LISTEN

BUY = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1"}


@pytest.fixture(autouse=True)
def healed(broker: AlpacaProcess) -> None:
    broker.control().ask("fault", kind="clear")


def fills(broker: AlpacaProcess, name: str) -> int:
    return sum(each["client_order_id"] == name for each in broker.control().audit()["fills"])


@pytest.mark.parametrize(
    ("kind", "done"), [("hang", 1), ("lose", 0), ("cut_after", 1), ("cut_before", 0), ("garbage", 1)]
)
def test_a_submit_without_an_answer_may_have_been_done_or_not(
    broker: AlpacaProcess, kind: str, done: int
) -> None:
    broker.control().ask("fault", kind=kind, on="submit")
    secs = 2.0 if kind in ("hang", "lose") else 60.0
    try:
        answer = ask(broker, "POST", "/v2/orders", BUY | {"client_order_id": kind}, secs=secs)[1]
    except (OSError, HTTPException):
        answer = None
    assert answer is None or "html" in answer
    assert fills(broker, kind) == done
    status = ask(broker, "GET", f"/v2/orders:by_client_order_id?client_order_id={kind}")[0]
    assert status == (200 if done else 404)


@pytest.mark.parametrize(
    ("status", "after", "done"), [(500, False, 0), (503, False, 0), (504, True, 1), (429, False, 0)]
)
def test_an_error_of_the_server_may_come_before_or_after_it_was_done(
    broker: AlpacaProcess, status: int, after: bool, done: int
) -> None:
    broker.control().ask("fault", kind="status", status=status, after=after, on="submit")
    name = f"{status}-{after}"
    got, body, headers = ask(broker, "POST", "/v2/orders", BUY | {"client_order_id": name})
    assert (got, set(body)) == (status, {"code", "message"})
    assert ("Retry-After" in headers) == (status == 429)
    assert fills(broker, name) == done


def test_a_fault_hits_as_often_as_asked_and_only_its_operation(broker: AlpacaProcess) -> None:
    broker.control().ask("fault", kind="status", status=500, on="account", times=2)
    assert ask(broker, "GET", "/v2/clock")[0] == 200
    assert [ask(broker, "GET", "/v2/account")[0] for _ in range(3)] == [500, 500, 200]


def test_the_rate_limit_answers_429_with_headers(broker: AlpacaProcess) -> None:
    broker.control().ask("reset_limits", calls_per_min=3)
    got = [ask(broker, "GET", "/v2/clock") for _ in range(4)]
    broker.control().ask("reset_limits", calls_per_min=0)
    assert [status for status, _, _ in got] == [200, 200, 200, 429]
    assert got[-1][1] == {"code": 42910000, "message": "too many requests."}
    assert [each["X-RateLimit-Remaining"] for _, _, each in got] == ["2", "1", "0", "0"]
    assert got[-1][2]["X-RateLimit-Limit"] == "3"


def test_wrong_keys_an_unknown_path_and_a_broken_body_are_told_apart(broker: AlpacaProcess) -> None:
    assert ask(broker, "GET", "/v2/account", headers={"APCA-API-KEY-ID": "AKLIVE"})[0] == 401
    assert ask(broker, "GET", "/v2/nothing")[0] == 404
    assert ask(broker, "GET", "/v2/orders/no-such-order")[0] == 404
    assert ask(broker, "POST", "/v2/orders", [1])[0] == 400


def test_a_wrong_clock_is_told_by_the_clock(broker: AlpacaProcess) -> None:
    right = ask(broker, "GET", "/v2/clock")[1]["timestamp"]
    broker.control().ask("fault", clock_skew_secs=3600)
    wrong = ask(broker, "GET", "/v2/clock")[1]["timestamp"]
    assert int(wrong[11:13]) == int(right[11:13]) + 1


def heard(broker: AlpacaProcess, faults: dict[str, Any], count: int) -> list[str]:
    """The events of one order, as a listener heard them under these faults: so many, and whatever more came."""
    events: list[str] = []

    async def talk(socket: Socket) -> None:
        await socket.send(AUTH)
        await socket.next()
        await socket.send(LISTEN)
        await socket.next()
        broker.control().ask("fault", **faults)
        ask(broker, "POST", "/v2/orders", BUY)
        with suppress(TimeoutError):
            while True:
                events.append((await socket.next(0.4 if len(events) >= count else 60))["data"]["event"])

    listening(broker, "/stream", talk)
    return events


def test_trade_updates_are_lost_doubled_late_or_in_disorder_on_demand(broker: AlpacaProcess) -> None:
    usual = ["pending_new", "new", "fill"]
    assert heard(broker, {"kind": "clear"}, 3) == usual
    assert heard(broker, {"duplicate_events": True}, 6) == [each for each in usual for _ in range(2)]
    assert heard(broker, {"duplicate_events": False, "reorder_events": True}, 3) == usual[::-1]
    assert heard(broker, {"reorder_events": False, "drop_next_events": 1}, 2) == usual[1:]
    assert heard(broker, {"event_delay_ms": 100}, 3) == usual
    assert heard(broker, {"drop_events": True}, 0) == []


def test_streams_are_cut_go_silent_and_are_refused_on_demand(broker: AlpacaProcess) -> None:
    control = broker.control()

    async def cut(socket: Socket) -> None:
        await socket.next()
        async with asyncio.timeout(60):  # whoever left before may not be missed yet
            while sum(control.audit()["streams"].values()) > 1:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.05)
        assert control.ask("drop_streams")["cut"] == 1
        assert (await socket.frame()).type.name in ("CLOSED", "ERROR", "CLOSE", "CLOSING")

    async def silent(socket: Socket) -> None:
        await socket.next()
        control.ask("half_close")
        await socket.send(AUTH)
        assert await socket.quiet()

    listening(broker, "/v2/iex", cut)
    listening(broker, "/v2/iex", silent)
    control.ask("fault", refuse_streams=True)
    with pytest.raises(Exception, match="503"):
        listening(broker, "/v2/iex", cut)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"op": "dance"}, "no op dance"),
        ({"op": "fault", "kind": "odd"}, "kind=odd"),
        ({"op": "fault", "colour": 1}, "no fault colour"),
        ({"op": "price"}, "price: KeyError"),
    ],
)
def test_an_operation_or_fault_that_does_not_exist_is_said_to_be_so(
    broker: AlpacaProcess, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(SimulatorError, match=said):
        broker.control().ask(**asked)
