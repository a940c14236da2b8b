"""What happened in a run, in plain rows that backtest and live node hand to the same reports?"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from risk.coins import netted_row
from risk.orders import STATUS_OF

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.model import OrderInitialized

    from adapters.costs import Costs
    from market.catalog import MarketData
    from risk.breaker import Notice, Trip

Row = dict[str, Any]
REFUSED_BY = {
    "OrderDenied": "ENGINE",
    "OrderRejected": "VENUE",
}  # event -> who refused the order after the gate


class Recorder:
    """The desk's witness: keeps what happened in order, as the engine told it, and makes rows of it when asked.

    Keeping is on the way of every order, so nothing is worked out there. Rows are described in `RunRecord`.
    """

    def __init__(self) -> None:
        """An empty record."""
        self.trips: list[Row] = []
        self.notices: list[Row] = []
        self.carried: list[Row] = []  # what holding cost, a row a charge
        self.expected: dict[str, Decimal] = {}  # client order id -> price it would have had without slippage
        self.errors: list[str] = []  # tracebacks of what strategies raised, as text
        self.on_trip: Callable[[], None] | None = None  # told at once, before anything else happens
        self.sent = 0
        self.refused_count = 0
        self.keeps = True  # False where a journal keeps the orders: a node runs for weeks
        self._log: list[tuple[int, Any, str | None]] = []  # (market time, event, why it was refused)
        self._rows: tuple[int, dict[str, Row], list[Row], list[Row]] = (0, {}, [], [])

    @property
    def orders(self) -> dict[str, Row]:
        """Client order id -> order row."""
        return self._made()[0]

    @property
    def fills(self) -> list[Row]:
        """Fill rows, in the order they happened."""
        return self._made()[1]

    @property
    def refusals(self) -> list[Row]:
        """Refusal rows, in the order they happened; what engine or venue refused is among them."""
        return self._made()[2]

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """An order passed the gate."""
        self.sent += 1
        self._keep(ts, order)

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """An order or a change of one was refused."""
        self.refused_count += 1
        self._keep(ts, order, reason)

    def event(self, ts: int, event: Any) -> None:
        """An order changed."""
        self._keep(ts, event)

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
        if self.on_trip is not None:
            self.on_trip()

    def noticed(self, notice: Notice) -> None:
        """A person should see this, though it is neither refusal nor trip."""
        self.notices.append(
            {"ts": notice.ts, "kind": notice.kind, "scope": notice.scope, "reason": notice.reason}
        )

    def charged(
        self, ts: int, kind: str, strategy: str | None, instrument: str | None, amount: Decimal
    ) -> None:
        """Holding cost something, in the account's currency: BORROW of a short position, INTEREST of the account."""
        row = {"ts": ts, "kind": kind, "strategy": strategy, "instrument": instrument, "amount": amount}
        self.carried.append(row)

    def failed(self, strategy: str, where: str, error: BaseException) -> None:
        """A strategy's callback raised."""
        trace = "".join(traceback.format_exception(error))
        self.errors.append(f"{strategy} raised in {where}\n{trace}")

    def waits(self, *_: object) -> None:
        """An order waits for a person, or no longer does: its notice and its denial say so in the report."""

    def _keep(self, ts: int, event: Any, reason: str | None = None) -> None:
        if self.keeps:
            self._log.append((ts, event, reason))

    def _made(self) -> tuple[dict[str, Row], list[Row], list[Row]]:
        seen, orders, fills, refusals = self._rows
        if seen != len(self._log):
            orders, fills, refusals = _rows_of(self._log)
            self._rows = (len(self._log), orders, fills, refusals)
        return orders, fills, refusals


def _rows_of(log: list[tuple[int, Any, str | None]]) -> tuple[dict[str, Row], list[Row], list[Row]]:
    orders: dict[str, Row] = {}
    fills: list[Row] = []
    refusals: list[Row] = []
    trades: set[tuple[str, str]] = set()  # (client order id, trade id): a fill counts once
    told: set[tuple[str, str]] = (
        set()
    )  # (client order id, reason): the gate's refusal, which the engine then repeats
    for ts, event, reason in log:
        kind, name = type(event).__name__, str(event.client_order_id)
        row = orders.get(name)
        if reason is not None:
            told.add((name, reason))
            refusals.append(_refusal(ts, row or _order_row(ts, event), reason.partition(":")[0], reason))
        elif kind == "OrderInitialized":
            orders[name] = _order_row(ts, event)
        elif row is None:
            continue
        elif kind == "OrderFilled":
            if (name, str(event.trade_id)) not in trades:
                trades.add((name, str(event.trade_id)))
                fills.append(_fill(ts, event, row))
        elif kind == "OrderUpdated":
            _update(row, event)
        elif kind in STATUS_OF and row["status"] != "FILLED":
            row["status"] = STATUS_OF[kind]
        if row is not None and kind in REFUSED_BY and (name, event.reason) not in told:
            by = REFUSED_BY[kind]
            refusals.append(_refusal(ts, row, by, f"{by}: {event.reason}"))
    return orders, fills, refusals


def _refusal(ts: int, order: Row, limit: str, reason: str) -> Row:
    keys = ("strategy", "instrument", "client_order_id", "side", "quantity")
    return {"ts": ts, **{key: order[key] for key in keys}, "limit": limit, "reason": reason}


def _fill(ts: int, event: Any, row: Row) -> Row:
    quantity = event.last_qty.as_decimal()
    row["filled"] += quantity
    row["status"] = "FILLED" if row["filled"] >= row["quantity"] else "PARTIALLY_FILLED"
    commission = event.commission
    fill = {
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
    return netted_row(fill)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything the reports need. Stamps (`ts`) are market time in UTC nanoseconds, amounts exact Decimals.

    order:   ts strategy instrument client_order_id side type quantity price trigger_price tif reduce_only status filled
    fill:    ts strategy instrument client_order_id trade_id side quantity price commission currency liquidity
             (a commission in the coin that is traded is taken off the quantity: risk.coins)
    refusal: ts strategy instrument client_order_id side quantity limit reason
    trip:    ts breaker scope reason equity reference
    notice:  ts kind scope reason
    carried: ts kind strategy instrument amount, what a night cost in the account's currency

    expected: client order id -> the price an order that took liquidity would have had without slippage. costs: what was
    assumed of trading where the engine filled orders; None where a broker did.
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
    notices: list[Row] = field(default_factory=list)
    carried: list[Row] = field(default_factory=list)
    expected: dict[str, Decimal] = field(default_factory=dict)
    costs: Costs | None = None


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
