"""What happened in a run, in plain rows that backtest and live node hand to the same reports?"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nautilus_trader.model import OrderInitialized

    from market.catalog import MarketData
    from risk.breaker import Trip

Row = dict[str, Any]
STATUS_OF = {  # order event -> the order's status after it
    "OrderDenied": "DENIED",
    "OrderEmulated": "EMULATED",
    "OrderReleased": "RELEASED",
    "OrderSubmitted": "SUBMITTED",
    "OrderAccepted": "ACCEPTED",
    "OrderRejected": "REJECTED",
    "OrderCanceled": "CANCELED",
    "OrderExpired": "EXPIRED",
    "OrderTriggered": "TRIGGERED",
}


class Recorder:
    """The desk's witness: keeps orders, fills, refusals, trips and errors in the order they happened.

    Rows are described in `RunRecord`. `on_change` is called after every row, for a progress line.
    """

    def __init__(self) -> None:
        """An empty record."""
        self.orders: dict[str, Row] = {}  # client order id -> order row
        self.fills: list[Row] = []
        self.refusals: list[Row] = []
        self.trips: list[Row] = []
        self.errors: list[str] = []  # tracebacks of what strategies raised, as text
        self._trades: set[tuple[str, str]] = set()  # (client order id, trade id)

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """An order passed the gate."""
        self.orders[str(order.client_order_id)] = _order_row(ts, order)

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """An order or a change of one was refused."""
        self.refusals.append(
            {
                "ts": ts,
                "strategy": str(order.strategy_id),
                "instrument": str(order.instrument_id),
                "client_order_id": str(order.client_order_id),
                "side": order.order_side.name,
                "quantity": order.quantity.as_decimal(),
                "limit": reason.partition(":")[0],
                "reason": reason,
            }
        )

    def event(self, ts: int, event: Any) -> None:
        """An order changed; a denial by the engine counts as a refusal too."""
        kind, row = type(event).__name__, self.orders.get(str(event.client_order_id))
        if row is None:
            return
        if kind == "OrderFilled":
            self._filled(ts, event, row)
        elif kind == "OrderUpdated":
            _update(row, event)
        elif kind in STATUS_OF and row["status"] != "FILLED":
            row["status"] = STATUS_OF[kind]
        if kind in ("OrderDenied", "OrderRejected"):
            keys = ("strategy", "instrument", "client_order_id", "side", "quantity")
            limit = "ENGINE" if kind == "OrderDenied" else "VENUE"
            self.refusals.append(
                {
                    "ts": ts,
                    **{key: row[key] for key in keys},
                    "limit": limit,
                    "reason": f"{limit}: {event.reason}",
                }
            )

    def _filled(self, ts: int, event: Any, row: Row) -> None:
        trade = (row["client_order_id"], str(event.trade_id))
        if trade in self._trades:
            return
        self._trades.add(trade)
        quantity = event.last_qty.as_decimal()
        row["filled"] += quantity
        row["status"] = "FILLED" if row["filled"] >= row["quantity"] else "PARTIALLY_FILLED"
        commission = event.commission
        self.fills.append(
            {
                "ts": ts,
                "strategy": row["strategy"],
                "instrument": row["instrument"],
                "client_order_id": row["client_order_id"],
                "trade_id": str(event.trade_id),
                "side": row["side"],
                "quantity": quantity,
                "price": event.last_px.as_decimal(),
                "commission": Decimal(0) if commission is None else commission.as_decimal(),
                "currency": str(event.currency) if commission is None else commission.currency.code,
                "liquidity": event.liquidity_side.name,
            }
        )

    def tripped(self, trip: Trip) -> None:
        """A breaker went off."""
        self.trips.append(
            {
                "ts": trip.ts,
                "breaker": trip.breaker,
                "scope": trip.scope,
                "reason": trip.reason,
                "equity": trip.equity,
                "reference": trip.reference,
            }
        )

    def failed(self, strategy: str, where: str, error: BaseException) -> None:
        """A strategy's callback raised."""
        trace = "".join(traceback.format_exception(error))
        self.errors.append(f"{strategy} raised in {where}\n{trace}")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything the reports need. Stamps (`ts`) are market time in UTC nanoseconds, amounts exact Decimals.

    order:   ts strategy instrument client_order_id side type quantity price trigger_price tif reduce_only status filled
    fill:    ts strategy instrument client_order_id trade_id side quantity price commission currency liquidity
    refusal: ts strategy instrument client_order_id side quantity limit reason
    trip:    ts breaker scope reason equity reference
    """

    market: MarketData
    starting_equity: Decimal
    final_equity: Decimal
    currency: str
    halted: bool
    orders: list[Row] = field(default_factory=list)
    fills: list[Row] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)
    trips: list[Row] = field(default_factory=list)


def _order_row(ts: int, order: OrderInitialized) -> Row:
    return {
        "ts": ts,
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
        "status": "INITIALIZED",
        "filled": Decimal(0),
    }


def _update(row: Row, event: Any) -> None:
    row["quantity"] = event.quantity.as_decimal()
    for name in ("price", "trigger_price"):
        value = getattr(event, name)
        if value is not None:
            row[name] = value.as_decimal()
