"""What does an order's event say, with what is known of the order from before?

Used on the log's own thread: it reads the engine's events, which are plain values, and nothing else of the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from risk.checks import CHECKS
from runs.logs.events import EVENTS, EventName, Level

Fields = dict[str, Any]
Told = tuple[EventName, Level, Fields]
LIMITS = frozenset(code for code, _, _ in CHECKS)
_FINEST = Decimal("1e-10")  # an average is rounded to this
_DIGITS = 60  # enough for any quantity times any price
ZERO = Decimal(0)

NAMES: dict[str, EventName] = {
    "OrderSubmitted": "order.submitted",
    "OrderAccepted": "order.accepted",
    "OrderRejected": "order.rejected",
    "OrderDenied": "order.denied",
    "OrderEmulated": "order.emulated",
    "OrderReleased": "order.released",
    "OrderTriggered": "order.triggered",
    "OrderPendingUpdate": "order.pending_update",
    "OrderUpdated": "order.updated",
    "OrderModifyRejected": "order.modify_rejected",
    "OrderPendingCancel": "order.pending_cancel",
    "OrderCancelRejected": "order.cancel_rejected",
    "OrderCanceled": "order.canceled",
    "OrderExpired": "order.expired",
    "OrderFilled": "fill.received",
    "OrderFillVoided": "fill.voided",
}
"""Class of the engine's event -> what the log calls it."""
ENDS = ("order.rejected", "order.denied", "order.canceled", "order.expired")


@dataclass(slots=True)
class _Working:
    """An order that works, as far as its later events do not repeat it."""

    row: Fields
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    trades: set[str] = field(default_factory=set)


class Orders:
    """Puts order events in words; remembers each order until it has ended."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._working: dict[str, _Working] = {}
        self._refused: dict[str, str] = {}  # client order id -> the gate's reason, which the engine repeats

    def approved(self, order: Any) -> Iterator[Told]:
        """An order passed the gate."""
        row = order_row(order)
        self._working[row["client_order_id"]] = _Working(row)
        yield _told("order.approved", row)

    def refused(self, order: Any, reason: str) -> Iterator[Told]:
        """The gate refused an order or a change of one."""
        row, limit = order_row(order), reason.partition(":")[0]
        if row["client_order_id"] not in self._working:
            self._refused[row["client_order_id"]] = reason
        yield _told("order.refused", {**row, "limit": limit, "reason": reason})
        if limit in LIMITS:
            kept = {
                key: row[key] for key in ("strategy", "instrument", "client_order_id", "side", "quantity")
            }
            yield _told("risk.violation", {"limit": limit, "scope": "order", "reason": reason, **kept})

    def waits(self, outcome: str, orders: Sequence[Any], why: str, until: int | None) -> Iterator[Told]:
        """Orders of one call wait for a person, or no longer do."""
        for order in orders:
            row = order_row(order)
            kept = {key: row[key] for key in row if key in EVENTS["order.approval"].fields}
            yield _told("order.approval", {**kept, "outcome": outcome, "reason": why, "until": until})

    def event(self, event: Any) -> Iterator[Told]:
        """An order changed. What the log has no name for is left out."""
        name = NAMES.get(type(event).__name__)
        if name is None:
            return
        order = str(event.client_order_id)
        known = self._working.get(order)
        fields: Fields = {key: _read(event, key) for key in EVENTS[name].fields}
        if name == "fill.received":
            yield from self._filled(_fill(event, fields), known)
            return
        if name == "order.submitted" and known is not None:
            fields = dict(known.row)
        elif name == "order.updated" and known is not None:
            changed = {key: fields[key] for key in ("quantity", "price", "trigger_price")}
            known.row.update({key: value for key, value in changed.items() if value is not None})
        elif name == "order.denied" and self._refused.pop(order, None) == fields["reason"]:
            yield name, "debug", fields
            return
        elif "filled" in fields:
            fields["filled"] = ZERO if known is None else known.filled
        yield _told(name, fields)
        if name in ENDS:
            self._working.pop(order, None)

    def _filled(self, fill: Fields, known: _Working | None) -> Iterator[Told]:
        if known is None:
            yield _told("fill.received", fill)
            return
        if fill["trade_id"] in known.trades:  # the engine was told twice; it counted once
            return
        yield _told("fill.received", fill)
        known.trades.add(fill["trade_id"])
        known.filled += fill["quantity"]
        with localcontext(prec=_DIGITS):
            known.paid += fill["quantity"] * fill["price"]
        if known.filled < known.row["quantity"]:
            return
        with localcontext(prec=_DIGITS):
            average = (known.paid / known.filled).quantize(_FINEST).normalize()
        same = {key: fill[key] for key in ("strategy", "instrument", "client_order_id", "side")}
        totals = {"quantity": known.filled, "average_price": average, "fills": len(known.trades)}
        yield _told("order.filled", {**same, **totals})
        del self._working[fill["client_order_id"]]


def order_row(order: Any) -> Fields:
    """An OrderInitialized as plain values."""
    return {
        "strategy": str(order.strategy_id),
        "instrument": str(order.instrument_id),
        "client_order_id": str(order.client_order_id),
        "side": order.order_side.name,
        "type": order.order_type.name,
        "quantity": order.quantity.as_decimal(),
        "price": None if order.price is None else order.price.as_decimal(),
        "trigger_price": None if order.trigger_price is None else order.trigger_price.as_decimal(),
        "tif": order.time_in_force.name,
        "reduce_only": bool(order.reduce_only),
    }


def _told(name: EventName, fields: Fields) -> Told:
    return name, EVENTS[name].level, fields


def _fill(event: Any, fields: Fields) -> Fields:
    """The currency of a fill is its commission's, where it has one."""
    commission = event.commission
    return {**fields, "currency": str(event.currency) if commission is None else commission.currency.code}


READ = {  # field -> the attribute of the engine's event it is read from
    "strategy": "strategy_id",
    "instrument": "instrument_id",
    "side": "order_side",
    "liquidity": "liquidity_side",
}
_OF_FILLS = {"quantity": "last_qty", "price": "last_px"}
_OF_VOIDS = {"quantity": "voided_qty", "price": "last_px"}


def _read(event: Any, name: str) -> Any:
    kind = type(event).__name__
    special = _OF_FILLS if kind == "OrderFilled" else _OF_VOIDS if kind == "OrderFillVoided" else {}
    value = getattr(event, special.get(name) or READ.get(name, name), None)
    if name in ("quantity", "price", "trigger_price", "commission"):
        return None if value is None else value.as_decimal()
    if name in ("side", "liquidity"):
        return None if value is None else value.name
    return None if value is None else str(value)
