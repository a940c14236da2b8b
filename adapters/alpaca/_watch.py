"""What happens on an Alpaca account, as it happens: orders and fills by the stream, all else by its activities."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from adapters.account import VenueFlow
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._facts import read_account
from adapters.alpaca._parsing import nanos
from adapters.alpaca._trade_stream import Ears, TradeStream
from adapters.alpaca.activities import FlowWatch
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.alpaca.keys import Keys
from adapters.errors import AdapterError
from adapters.inspection import Seen

KEPT = ("price", "qty", "position_qty", "execution_id")
ORDER_KEPT = (
    "client_order_id", "symbol", "side", "type", "qty", "notional", "limit_price", "stop_price", "filled_qty",
    "filled_avg_price", "status",
)  # fmt: skip


async def watch(config: AlpacaVenueConfig, keys: Keys) -> AsyncGenerator[Seen]:
    """Events, for as long as they are read. Raises AdapterError when the account cannot be reached."""
    if config.mode == "sandbox":
        raise AdapterError(f"venue={config.name}: a sandbox has no account at the broker to watch")
    api, found = AlpacaApi(config, keys), asyncio.Queue[Seen]()
    facts = await _known(config, api)
    ears = Ears(
        update=lambda row: found.put_nowait(seen_update(row)),
        up=lambda: found.put_nowait(Seen(time.time_ns(), "stream", f"account {facts.number}: updates come")),
        down=lambda why: found.put_nowait(Seen(time.time_ns(), "stream", f"updates have stopped: {why}")),
    )
    stream = TradeStream(api.endpoints, keys, ears, config.answer_secs)
    activities = FlowWatch(api, lambda flow: found.put_nowait(seen_flow(flow)))
    await activities.open()
    listening = asyncio.create_task(stream.run())
    try:
        while True:
            yield await found.get()
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await activities.close()
        api.close()


async def _known(config: AlpacaVenueConfig, api: AlpacaApi) -> Any:
    try:
        return await read_account(config, api)
    except AdapterError:
        api.close()
        raise


def seen_update(update: dict[str, Any]) -> Seen:
    """A trade update."""
    order = update["order"]
    event = str(update["event"])
    values = {key: _text(order.get(key)) for key in ORDER_KEPT} | {
        f"event_{key}": _text(update[key]) for key in KEPT if update.get(key) is not None
    }
    size = order.get("qty") or f"{order.get('notional')} USD of"
    text = f"{event}: {order.get('side')} {size} {order.get('symbol')} {order.get('type')}"
    if event in ("fill", "partial_fill"):
        text += f", {update.get('qty')} at {update.get('price')}"
    stamp = update.get("timestamp") or order.get("updated_at")
    ts = nanos(str(stamp)) if stamp else time.time_ns()
    return Seen(ts, "order", text, {"event": event, "venue_order_id": _text(order.get("id")), **values})


def seen_flow(flow: VenueFlow) -> Seen:
    """An activity that is not a trade."""
    values = {
        "event": flow.kind,
        "activity_id": flow.id,
        "amount": f"{flow.amount:f}",
        "currency": flow.currency,
        "instrument": flow.instrument,
        "quantity": None if flow.quantity is None else f"{flow.quantity:f}",
        "status": flow.status,
    }
    return Seen(flow.ts, "account", str(flow), values)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
