"""Do the streams answer? One connection each: authenticate, ask for something, hang up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from adapters.alpaca._api import AlpacaApi
from adapters.errors import AdapterError

LIMIT_SECS = 10.0
FIXES = {
    401: "the stream was not authenticated",
    402: "the keys are wrong or for the other environment",
    405: "more symbols than this account's plan allows",
    406: "another program has this stream open: one connection an account",
    409: "this feed needs a subscription of its own; venue.feed=iex is free",
}
"""Alpaca's numbers on the data streams."""


async def probe_trades(api: AlpacaApi) -> None:
    """Authenticate on the stream of trade updates and listen to it. Raises AdapterError, one line."""
    await _guarded(api, _trades(api))


async def probe_data(api: AlpacaApi, url: str, symbols: list[str]) -> None:
    """Authenticate on a data stream and subscribe to the minute bars of symbols. Raises AdapterError, one line."""
    await _guarded(api, _data(api, url, symbols))


async def _guarded(api: AlpacaApi, work: Any) -> None:
    try:
        await asyncio.wait_for(work, LIMIT_SECS)
    except TimeoutError:
        raise AdapterError(f"no answer within {LIMIT_SECS:g} s") from None
    except (OSError, WebSocketException, ValueError, KeyError) as error:
        raise AdapterError(api.cleaned(f"{type(error).__name__}: {error}")) from None


def _opened(api: AlpacaApi, url: str, headers: dict[str, str] | None = None) -> connect:
    direct: dict[str, Any] = {"proxy": None} if api.endpoints.local else {}
    return connect(url, additional_headers=headers, open_timeout=LIMIT_SECS, close_timeout=1, **direct)


async def _trades(api: AlpacaApi) -> None:
    async with _opened(api, api.endpoints.trade_stream) as stream:
        if api.keys.token is not None:
            message = {"action": "authenticate", "data": {"oauth_token": api.keys.token}}
        else:
            data = {"key_id": api.keys.key, "secret_key": api.keys.secret}
            message = {"action": "authenticate", "data": data}
        await stream.send(json.dumps(message))
        answer = (await _json(stream)).get("data", {})
        if answer.get("status") != "authorized":
            raise AdapterError(f"not authorized: {FIXES[402]}")
        await stream.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        listening = (await _json(stream)).get("data", {})
        if "trade_updates" not in listening.get("streams", ()):
            raise AdapterError("the stream does not listen to trade_updates")


async def _data(api: AlpacaApi, url: str, symbols: list[str]) -> None:
    async with _opened(api, url, {"Content-Type": "application/msgpack"}) as stream:
        await _expect(stream, "connected")
        key, secret = (
            ("oauth", api.keys.token) if api.keys.token is not None else (api.keys.key, api.keys.secret)
        )
        await stream.send(_packed({"action": "auth", "key": key, "secret": secret}))
        await _expect(stream, "authenticated")
        await stream.send(_packed({"action": "subscribe", "bars": symbols}))
        while True:
            for row in _unpacked(await stream.recv()):
                _refuse(row)
                if row.get("T") == "subscription":
                    return


async def _expect(stream: ClientConnection, word: str) -> None:
    for row in _unpacked(await stream.recv()):
        _refuse(row)
        if row.get("msg") == word:
            return
    raise AdapterError(f"the stream did not say {word}")


def _refuse(row: dict[str, Any]) -> None:
    if row.get("T") == "error":
        code = row.get("code")
        fix = FIXES.get(code) if isinstance(code, int) else None
        raise AdapterError(f"{code}: {row.get('msg')}" + (f" ({fix})" if fix else ""))


async def _json(stream: ClientConnection) -> dict[str, Any]:
    found = json.loads(await stream.recv())
    return found if isinstance(found, dict) else {}


def _packed(message: dict[str, Any]) -> bytes:
    packed: bytes = msgpack.packb(message)
    return packed


def _unpacked(frame: str | bytes) -> list[dict[str, Any]]:
    rows = json.loads(frame) if isinstance(frame, str) else msgpack.unpackb(frame, timestamp=0)
    return rows if isinstance(rows, list) else [rows]
