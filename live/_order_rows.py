"""What does the journal write of an order that a venue tells of, and no engine?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.account import VenueFill, VenueOrder

OF_ITS_OWN_ROW = ("id", "at", "run_id", "seq", "prev", "hash")
"""What an order's row has of its place in the journal, and a later row of the same order has anew."""


def again(row: Mapping[str, Any], base: Mapping[str, str]) -> dict[str, Any]:
    """The values of an order's row, for a later one of the same order."""
    return {**{key: value for key, value in row.items() if key not in OF_ITS_OWN_ROW}, **base}


def take_values(row: dict[str, Any], order: VenueOrder) -> bool:
    """Put quantity and prices of an order into its row as the venue has them; answers whether anything changed."""
    wanted = {"quantity": order.quantity, "price": order.price, "trigger_price": order.trigger_price}
    changed = {key: value for key, value in wanted.items() if row[key] != value}
    row.update(changed)
    return bool(changed)


def fill_row(base: dict[str, str], fill: VenueFill, name: str, owner: str, ts: int) -> dict[str, Any]:
    """The values of a fill that the venue told, and no engine."""
    return {
        **base,
        "ts": ts,
        "trade_id": fill.trade_id,
        "client_order_id": name,
        "venue_order_id": fill.venue_order_id,
        "strategy": owner,
        "instrument": fill.instrument,
        "side": fill.side,
        "quantity": fill.quantity,
        "price": fill.price,
        "commission": fill.commission,
        "currency": fill.currency,
        "liquidity": fill.liquidity,
        "source": "reconciled",
    }
