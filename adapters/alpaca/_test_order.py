"""Does an order that cannot fill come to rest, and is it gone once it is cancelled?"""

from __future__ import annotations

import asyncio
import time
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any
from uuid import uuid4

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca.providers import tick_of
from adapters.errors import AdapterError
from adapters.inspection import Sized
from adapters.outcomes import RequestError

FAR = Decimal("0.6")
"""Of the newest price: nobody sells for so little, and no broker refuses it as a slip of the finger."""
LEAST_NOTIONAL = Decimal(11)
"""In dollars: above every smallest order."""
ENDED = ("canceled", "expired", "rejected", "done_for_day")
WAIT_SECS, POLL_SECS = 10.0, 0.1


async def place_and_cancel(api: AlpacaApi, size: Sized) -> str:
    """Buy the smallest quantity far below the price, cancel it, see it cancelled. Raises AdapterError."""
    if size.price is None:
        raise AdapterError("no price to stay far away from")
    price = (size.price * FAR).quantize(tick_of(size.price * FAR), ROUND_DOWN)
    units = LEAST_NOTIONAL / price if "/" in size.symbol else size.least
    quantity = max(size.least, (units / size.step).quantize(Decimal(1), ROUND_UP) * size.step)
    name = f"keel-check-{uuid4().hex[:20]}"
    began = time.monotonic()
    try:
        placed = await api.call(
            api.trading.post, "/orders", _order(size.symbol, quantity, price, name), urgent=True, once=True
        )
        taken = time.monotonic() - began
        await api.call(api.trading.delete, f"/orders/{placed['id']}", urgent=True)
        row = await _ended(api, placed["id"])
    except RequestError as error:
        raise AdapterError(
            f"buy {quantity.normalize():f} {size.symbol} at {price:f} ({name}): {error}"
        ) from None
    if row["status"] != "canceled" or Decimal(str(row.get("filled_qty") or 0)):
        raise AdapterError(
            f"{name} ended as {row['status']}, filled {row.get('filled_qty')}: look at the broker's page"
        )
    return f"buy {quantity.normalize():f} {size.symbol} at {price:f}: taken in {taken * 1000:.0f} ms, then cancelled"


def _order(symbol: str, quantity: Decimal, price: Decimal, name: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "qty": f"{quantity.normalize():f}",
        "side": "buy",
        "type": "limit",
        "limit_price": f"{price:f}",
        "time_in_force": "gtc" if "/" in symbol else "day",
        "client_order_id": name,
    }


async def _ended(api: AlpacaApi, order_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECS
    while True:
        row: dict[str, Any] = await api.call(api.trading.get, f"/orders/{order_id}", urgent=True)
        if row["status"] in ENDED or Decimal(str(row.get("filled_qty") or 0)):
            return row
        if time.monotonic() > deadline:
            raise AdapterError(f"order {order_id} is still {row['status']} {WAIT_SECS:g} s after its cancel")
        await asyncio.sleep(POLL_SECS)
