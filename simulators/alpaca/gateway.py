"""What stands between a request and its answer: keys, the rate limit, faults on demand."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulators.alpaca.desk import Desk
from simulators.alpaca.faults import HttpFault
from simulators.alpaca.limits import RateLimit
from simulators.alpaca.refusal import LIMITED, RefusedError
from simulators.alpaca.trading import Answer, Asked
from simulators.alpaca.wire import loads

type Handler = Callable[[Asked], Answer]
type Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in, and how often."""

    key: str
    secret: str
    token: str
    calls_per_min: int = 200
    feeds: frozenset[str] = frozenset()
    most_symbols: int = 0
    token_streams: bool = True
    """Whether the data streams take the token too."""

    def accepts(self, key: str | None, secret: str | None, token: str | None) -> bool:
        """Whether these are the keys, or the OAuth token."""
        return token == self.token if token else (key, secret) == (self.key, self.secret)


class Gateway:
    """Makes endpoints of handlers. `requests` counts by operation what came in, `in_flight` what is not answered."""

    def __init__(self, desk: Desk, access: Access) -> None:
        self.desk = desk
        self.requests: Counter[str] = Counter()
        self.in_flight = 0
        self._access = access
        self._limits = {name: RateLimit(access.calls_per_min) for name in ("trading", "data")}

    def reset_limits(self, calls_per_min: Any = None) -> None:
        """Begin the minute again."""
        per_min = self._access.calls_per_min if calls_per_min is None else int(calls_per_min)
        self._limits = {name: RateLimit(per_min) for name in self._limits}

    def endpoint(self, op: str, side: str, handler: Handler, path: dict[str, str] | None = None) -> Endpoint:
        """The endpoint of one operation; `side` is the limit that it counts for, `path` what its address says."""

        async def serve(request: web.Request) -> web.StreamResponse:
            async with self._counted():
                return await self._serve(request, op, side, handler, path or {})

        return serve

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    async def _serve(
        self, request: web.Request, op: str, side: str, handler: Handler, path: dict[str, str]
    ) -> web.StreamResponse:
        self.requests[op] += 1
        limit = self._limits[side]
        headers = {} if limit.take() else {"Retry-After": "1"}
        headers |= limit.headers()
        if not self._may_enter(request):
            return reply(Answer({"code": 40110000, "message": "request is not authorized"}, 401), headers)
        if "Retry-After" in headers:
            return reply(Answer({"code": LIMITED, "message": "too many requests."}, 429), headers)
        fault = self.desk.faults.take(op)
        undone = fault is not None and (
            fault.kind in ("lose", "cut_before") or (fault.kind == "status" and not fault.after)
        )
        text = await request.text()
        answer = Answer() if undone else self._answer(request, text, handler, path)
        if fault is None:
            return reply(answer, headers)
        return await self._spoil(request, fault, answer, headers)

    def _answer(self, request: web.Request, text: str, handler: Handler, path: dict[str, str]) -> Answer:
        try:
            body = loads(text) if text else {}
        except ValueError:
            return Answer({"code": 40010000, "message": "request body format is invalid"}, 400)
        if not isinstance(body, dict):
            return Answer({"code": 40010000, "message": "request body format is invalid"}, 400)
        try:
            answer = handler(Asked({**request.match_info, **path}, dict(request.query), body))
        except RefusedError as refused:
            answer = Answer(refused.body(), refused.status)
        if "client_order_id" in body and request.method == "POST":
            self.desk.note_received(str(body["client_order_id"]))
        if request.method != "GET":
            self.desk.flush()
            self.desk.settle()
        return answer

    async def _spoil(
        self, request: web.Request, fault: HttpFault, answer: Answer, headers: dict[str, str]
    ) -> web.StreamResponse:
        if fault.kind in ("hang", "lose"):
            self.in_flight -= 1  # the market does not wait for an answer that never comes
            try:
                await asyncio.sleep(float(fault.secs))
            finally:
                self.in_flight += 1
            return reply(
                answer if fault.kind == "hang" else Answer({"message": "gateway timeout"}, 504), headers
            )
        if fault.kind in ("cut_after", "cut_before"):
            if request.transport is not None:
                request.transport.abort()
            return reply(Answer(status=500), headers)
        if fault.kind == "delay":
            await asyncio.sleep(float(fault.secs))
        elif fault.kind == "garbage":
            return web.Response(text="<html>Bad Gateway</html>", content_type="text/html", headers=headers)
        elif fault.kind == "status":
            limited = fault.status == 429  # noqa: PLR2004 - too many requests
            extra = {"Retry-After": "1"} if limited else {}
            said = {"code": LIMITED if limited else fault.status * 100_000, "message": "on demand"}
            return reply(Answer(said, fault.status), headers | extra)
        return reply(answer, headers)

    def _may_enter(self, request: web.Request) -> bool:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        key, secret = (request.headers.get(f"APCA-API-{name}") for name in ("KEY-ID", "SECRET-KEY"))
        return self._access.accepts(key, secret, bearer or None)


def reply(answer: Answer, headers: dict[str, str]) -> web.Response:
    """As on the wire."""
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return web.Response(
        text=json.dumps(answer.body, default=str),
        status=answer.status,
        headers=headers,
        content_type="application/json",
    )
