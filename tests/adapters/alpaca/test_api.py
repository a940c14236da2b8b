"""Requests to Alpaca: off the loop, with a timeout, within the budget, and every outcome has one meaning."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from adapters.alpaca._answers import AlpacaRefusedError, DuplicateError, RateLimitedError
from adapters.alpaca._api import AlpacaApi, endpoints_of
from adapters.alpaca._budget import Budget, wait_by_headers
from adapters.alpaca.config import AlpacaRehearsalConfig, AlpacaVenueConfig
from adapters.alpaca.keys import Keys
from adapters.errors import AdapterError
from adapters.outcomes import NotSentError, RequestError, UnknownOutcomeError
from tests.adapters.alpaca.driving import config_of

KEY, SECRET = "PKSECRETKEY000000000", "verysecretvalue"
KEYS = Keys(KEY, SECRET)
Answer = tuple[int, dict[str, str], str]


class Server:
    """Answers whatever the test says, and keeps what was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.delay = 0.0
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                told.asked.append((self.command, self.path, dict(self.headers)))
                time.sleep(told.delay)
                status, headers, body = told.answers.pop(0) if told.answers else (200, {}, "{}")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                with suppress(
                    BrokenPipeError, ConnectionResetError
                ):  # who asked did not wait for a late answer
                    self.end_headers()
                    self.wfile.write(body.encode())

            do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - the names that the library calls

            def log_message(self, *_: Any) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.http.shutdown()
    one.http.server_close()


def ask(server: Server, ask_it: Callable[[AlpacaApi], Any], **config: Any) -> Any:
    """One call, and what it raised or answered."""

    async def main() -> Any:
        api = AlpacaApi(config_of(server.url, **config), KEYS)
        try:
            return await ask_it(api)
        except RequestError as error:
            return error
        finally:
            api.close()

    return asyncio.run(main())


def submit(api: AlpacaApi) -> Any:
    return api.call(api.trading.post, "/orders", {"symbol": "AAPL"}, urgent=True, once=True)


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (401, '{"message":"unauthorized."}', AlpacaRefusedError, "paper keys start with PK"),
        (403, '{"code":40310000,"message":"insufficient buying power"}', AlpacaRefusedError, "insufficient"),
        (403, '{"message":"subscription does not permit recent SIP data"}', AlpacaRefusedError, "venue.feed=iex"),
        (422, "", AlpacaRefusedError, "no reason given"),
        (404, "<html>not here</html>", AlpacaRefusedError, "not here"),
        (422, '{"code":40010001,"message":"client_order_id must be unique"}', DuplicateError, "unique"),
        (429, '{"message":"too many requests."}', RateLimitedError, "429"),
        (500, "oops", UnknownOutcomeError, "500"),
        (504, "", UnknownOutcomeError, "504"),
        (408, "", UnknownOutcomeError, "408"),
        (200, "<html>", UnknownOutcomeError, "cannot be read"),
    ],
)  # fmt: skip
def test_every_answer_has_one_meaning(
    server: Server, status: int, body: str, kind: type[Exception], says: str
) -> None:
    server.answers = [(status, {}, body)]
    found = ask(server, submit)
    assert type(found) is kind
    assert says in str(found)
    assert "\n" not in str(found)
    assert len(server.asked) == 1  # the SDK would have sent it again after 429 and 504


def test_nobody_there_means_that_nothing_was_sent() -> None:
    with closing(socket.socket()) as taken:  # and nobody listens there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        class Nobody(Server):
            def __init__(self) -> None:
                self.url = f"http://127.0.0.1:{port}"

        assert type(ask(Nobody(), submit)) is NotSentError


def test_no_answer_in_time_is_an_unknown_outcome_and_the_loop_goes_on(server: Server) -> None:
    server.delay = 60.0

    async def both(api: AlpacaApi) -> Any:
        began, beats = time.monotonic(), 0
        asking = asyncio.ensure_future(submit(api))
        while not asking.done():
            await asyncio.sleep(0.01)
            beats += 1
        assert time.monotonic() - began < server.delay / 2
        assert beats > 3
        return await asking

    found = ask(server, both, answer_secs=1.0)
    assert type(found) is UnknownOutcomeError


def test_a_read_that_is_too_many_waits_and_asks_again(server: Server) -> None:
    server.answers = [(429, {"Retry-After": "0.3"}, "{}"), (200, {}, '{"cash":"1"}')]
    began = time.monotonic()
    assert ask(server, lambda api: api.call(api.trading.get_account)) == {"cash": "1"}
    assert time.monotonic() - began > 0.25


def test_no_part_of_the_credentials_is_in_any_text(server: Server) -> None:
    echo = f"bad request: {KEYS.key} {KEYS.secret}"
    server.answers = [(422, {}, echo)]
    found = ask(server, submit)
    for text in (str(found), repr(found), repr(KEYS)):
        assert KEY not in text
        assert SECRET not in text


def test_an_oauth_token_goes_in_the_place_of_keys(server: Server) -> None:
    async def main() -> None:
        api = AlpacaApi(config_of(server.url), Keys(token="a-token"))  # noqa: S106 - made up
        await api.call(api.trading.get_account)
        api.close()

    asyncio.run(main())
    headers = server.asked[0][2]
    assert headers["Authorization"] == "Bearer a-token"
    assert "APCA-API-KEY-ID" not in headers


def test_orders_have_a_share_of_the_budget_that_nobody_else_takes() -> None:
    async def main() -> None:
        budget = Budget(10)
        for _ in range(8):
            assert await budget.take(urgent=False, at_most_secs=0)
        assert not await budget.take(urgent=False, at_most_secs=0)
        assert await budget.take(urgent=True, at_most_secs=0)
        assert await budget.take(urgent=True, at_most_secs=0)
        assert not await budget.take(urgent=True, at_most_secs=0)
        assert budget.used == 10

    asyncio.run(main())


def test_urgent_calls_leave_first_and_in_their_order() -> None:
    async def main() -> list[str]:
        budget, left = Budget(100), []
        budget.hold(1.0)

        async def one(name: str, *, urgent: bool) -> None:
            await budget.take(urgent=urgent)
            left.append(name)

        calls = [one("read", urgent=False), *(one(f"order {n}", urgent=True) for n in range(3))]
        await asyncio.gather(*calls)
        return left

    assert asyncio.run(main()) == ["order 0", "order 1", "order 2", "read"]


@pytest.mark.parametrize(
    ("headers", "secs"),
    [
        ({"Retry-After": "3"}, 3.0), ({"X-RateLimit-Reset": "1010"}, 10.0), ({"X-RateLimit-Reset": "99999999"}, 65.0),
        ({"X-RateLimit-Reset": "5"}, 0.2), ({"Retry-After": "soon"}, 1.0), ({}, 1.0),
    ],
)  # fmt: skip
def test_how_long_a_429_asks_to_wait(headers: dict[str, str], secs: float) -> None:
    assert wait_by_headers(headers, 1000.0) == secs


def test_each_mode_has_its_own_endpoints_and_a_rehearsal_reaches_nothing_else() -> None:
    given: dict[str, Any] = {"name": "alpaca", "config": "a:B", "factory": "a:C"}
    paper = endpoints_of(AlpacaVenueConfig(mode="paper", **given))
    live = endpoints_of(AlpacaVenueConfig(mode="live", **given))
    assert paper.trading != live.trading
    assert paper.trade_stream != live.trade_stream
    assert "paper" in paper.trading
    assert "paper" not in live.trading
    assert not paper.local
    with pytest.raises(AdapterError, match="rehearsal"):
        endpoints_of(AlpacaRehearsalConfig(**given))
    local = endpoints_of(config_of("http://127.0.0.1:9", feed="sip"))
    assert local.local
    assert (local.trade_stream, local.stock_stream) == ("ws://127.0.0.1:9/stream", "ws://127.0.0.1:9/v2/sip")
