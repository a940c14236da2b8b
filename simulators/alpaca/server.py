"""One port, four interfaces: trading, market data, streams, and the control of tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from aiohttp import web

from simulators.alpaca.desk import Desk
from simulators.alpaca.gateway import Access, Endpoint, Gateway, reply
from simulators.alpaca.operations import Operations
from simulators.alpaca.player import Player
from simulators.alpaca.prices import Prices
from simulators.alpaca.refusal import RefusedError
from simulators.alpaca.routes import data_routes, trading_routes
from simulators.alpaca.streams import Streams
from simulators.alpaca.trading import Answer, Trading
from simulators.alpaca.wire import loads
from simulators.broker.server import HOST
from simulators.errors import SimulatorError


class Server:
    """Serves one desk and plays its market."""

    def __init__(self, desk: Desk, access: Access, last: date, speed: float, *, paused: bool) -> None:
        """The market is played to the end of the day `last` at `speed` market seconds a second."""
        self.desk = desk
        self.streams = Streams(desk.faults, access)
        self.gateway = Gateway(desk, access)
        self.player = Player(
            desk,
            last,
            speed,
            taken=self.streams.taken,
            busy=lambda: bool(self.gateway.in_flight),
            paused=paused,
        )
        self._feeds = access.feeds
        desk.on_update = self.streams.tell_update
        desk.on_data = self._tell_data
        self.operations = Operations(desk, self.streams, self.gateway, self.player)

    async def serve(self, port: int, on_ready: Callable[[int], None]) -> None:
        """Serve until cancelled; `on_ready(port)` once it can be reached. Raises SimulatorError for a port in use."""
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise SimulatorError(f"port={port}: cannot be used ({error.strerror}); choose another") from error
        try:
            on_ready(int(runner.addresses[0][1]))
            await self.player.play()
        finally:
            self.streams.drop()
            await runner.cleanup()

    def _tell_data(self, channel: str, symbol: str, row: dict[str, Any]) -> None:
        asset = self.desk.assets.find(symbol)
        kind = "crypto" if asset is not None and asset.is_crypto else "stocks"
        self.streams.tell_data("news" if channel == "news" else kind, channel, symbol, row)

    def _app(self) -> web.Application:
        app = web.Application()
        delayed = frozenset({"sip", "otc"}) - self._feeds if self._feeds else frozenset[str]()
        prices = Prices(self.desk, delayed)
        add, endpoint = app.router.add_route, self.gateway.endpoint
        for method, path, op, handler, says in trading_routes(Trading(self.desk)):
            add(method, path, endpoint(op, "trading", handler, says))
        for method, path, op, handler, says in data_routes(prices):
            add(method, path, endpoint(op, "data", handler, says))
        add("GET", "/v1beta1/news", self._news(endpoint("news", "data", prices.news)))
        add("GET", "/stream", self.streams.serve_trading)
        add("GET", "/v2/{feed:iex|sip|otc|delayed_sip|boats}", self._data_stream("stocks"))
        add("GET", "/v1beta3/crypto/us", self._data_stream("crypto"))
        add("POST", "/keel/control", self._control)
        add("*", "/{tail:.*}", _no_such)
        return app

    def _data_stream(self, kind: str) -> Endpoint:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self.streams.serve_data(request, kind)

        return serve

    def _news(self, past: Endpoint) -> Endpoint:
        """The stream and the past of news have the same address."""
        stream = self._data_stream("news")

        async def serve(request: web.Request) -> web.StreamResponse:
            is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
            return await (stream if is_socket else past)(request)

        return serve

    async def _control(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = loads(await request.text() or "{}")
            return reply(Answer(await self.operations.do(asked)), {})
        except RefusedError as refused:
            return reply(Answer(refused.body(), refused.status), {})
        except ValueError as error:
            return reply(Answer({"code": 40010000, "message": str(error)}, 400), {})


async def _no_such(request: web.Request) -> web.StreamResponse:
    return reply(
        Answer({"code": 40410000, "message": f"endpoint not found: {request.method} {request.path}"}, 404),
        {},
    )
