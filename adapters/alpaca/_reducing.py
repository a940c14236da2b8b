"""Does an order only reduce what is held? Alpaca has no such orders, so that nobody else asks."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from nautilus_trader.model import ClientOrderId, OrderStatus, PositionSide

from adapters.alpaca.orders import parent_of, text_of, ties_of
from adapters.tracking import Tracked

ZERO = Decimal(0)


def would_not_reduce(order: Any, cache: Any, book: Iterable[Tracked]) -> str | None:
    """Why an order that is to reduce only would not: with the others on their way it is more than is held."""
    held = _held(order, cache)
    wanted, taken = order.quantity.as_decimal(), _taken(order, cache, book)
    against = order.side.name == ("SELL" if held > 0 else "BUY")
    if held and against and not order.is_quote_quantity and wanted + taken <= abs(held):
        return None
    others = f", of which {text_of(taken)} are to be closed by other orders" if taken else ""
    return (
        f"REDUCE_ONLY: it would not only reduce what is held: {text_of(held)} {order.instrument_id}{others}"
    )


def _held(order: Any, cache: Any) -> Decimal:
    found = ZERO
    for position in cache.positions_open(instrument_id=order.instrument_id):
        quantity: Decimal = position.quantity.as_decimal()
        found += -quantity if position.side == PositionSide.SHORT else quantity
    return found


def _taken(order: Any, cache: Any, book: Iterable[Tracked]) -> Decimal:
    """What the others close at most; of orders that end each other one counts."""
    instrument, side, own = str(order.instrument_id), order.side.name, set(ties_of(order))
    groups: dict[str, Decimal] = {}
    for tracked in book:
        if tracked.closed or not tracked.own or tracked.instrument != instrument or tracked.side != side:
            continue
        name = str(tracked.client_order_id)
        other = cache.order(ClientOrderId(name))
        if other is None or name in own or not _works(other, cache, tracked):
            continue
        group = min([name, *ties_of(other)])
        groups[group] = max(groups.get(group, ZERO), tracked.quantity - tracked.filled)
    return sum(groups.values(), ZERO)


def _works(other: Any, cache: Any, tracked: Tracked) -> bool:
    """Whether it closes something that is held: not one that is being cancelled, nor one whose entry is not filled."""
    if not other.is_reduce_only or tracked.cancelling or other.status == OrderStatus.PENDING_CANCEL:
        return False
    parent = parent_of(other)
    entry = None if parent is None else cache.order(ClientOrderId(parent))
    return entry is None or entry.status == OrderStatus.FILLED
