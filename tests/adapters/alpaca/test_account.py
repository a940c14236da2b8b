"""An account with more orders than are remembered is told whole, and what ended long ago is forgotten afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from adapters.alpaca._account import AccountReader
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._ledger import MOST_ROWS
from adapters.alpaca.keys import REHEARSAL
from tests.adapters.alpaca.driving import Broker, config_of

MANY = MOST_ROWS + 100
BODY = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1"}


def test_a_snapshot_of_more_orders_than_are_remembered_tells_every_one(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start()
    broker.price(100)

    async def read() -> None:
        api = AlpacaApi(config_of(broker.url), REHEARSAL)

        async def send(name: str, tif: str) -> None:
            body: dict[str, Any] = {**BODY, "client_order_id": name, "time_in_force": tif}
            await api.call(api.trading.post, "/orders", body)

        try:
            await send("works", "gtc")
            for number in range(0, MANY, 50):
                await asyncio.gather(*(send(f"ended-{number + more}", "ioc") for more in range(50)))
            reader = AccountReader(api)
            names = {each.name for each in (await reader.snapshot(0)).orders}
            assert names == {"works", *(f"ended-{number}" for number in range(MANY))}
            again = await reader.snapshot(await reader.market_now())
            assert [each.name for each in again.orders] == ["works"]
            forgotten = [number for number in range(MANY) if reader.ledger.tip(f"ended-{number}") is None]
            assert len(forgotten) >= MANY - MOST_ROWS
        finally:
            api.close()

    try:
        asyncio.run(read())
    finally:
        broker.kill()
