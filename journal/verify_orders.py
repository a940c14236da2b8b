"""Does every order have a decision, and every fill an order, and do they say the same of what was filled?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from journal.verify_findings import Findings
from risk.foreign import EXTERNAL

OVER = frozenset({"FILLED", "CANCELED", "REJECTED", "DENIED", "EXPIRED", "NOT_SENT", "ABSENT"})
HANDED_ON = frozenset({"SENDING", "SUBMITTED"})
FILLING = frozenset({"FILLED", "PARTIALLY_FILLED"})
ZERO = Decimal(0)
Row = Mapping[str, Any]
Key = tuple[str, str]


@dataclass(slots=True)
class _Order:
    """What is known of an order that may still change."""

    key: Key
    is_buy: bool
    quantity: Decimal
    passed: bool = False
    reduces: bool = False
    filled: Decimal = ZERO
    told: bool = False
    trades: set[str] = field(default_factory=set)


class Orders:
    """The orders of one account, in the order of their rows. `see` takes the rows of decisions, orders and fills."""

    def __init__(self, findings: Findings, was_there: Callable[[str], bool]) -> None:
        """Nothing yet. was_there: whether any row of an order is in the journal, for fills that come late."""
        self.findings = findings
        self._was_there = was_there
        self._orders: dict[str, _Order] = {}
        self._passed: dict[
            str, bool
        ] = {}  # client order id -> whether it only reduces, until its first order row
        self._positions: dict[Key, Decimal] = {}
        self._live: dict[Key, set[str]] = {}
        self.foreign = 0  # fills of orders that nobody here sent

    def see(self, table: str, row: Row) -> None:
        """A row that is in the chain. Raises what its values raise where they were changed."""
        if table == "decisions":
            if row["verdict"] == "PASS":
                self._passed[row["client_order_id"]] = bool(row["reduces"])
        elif table == "orders":
            self._order(row)
        elif table == "fills":
            self._fill(row)

    def held(self, key: Key, quantity: Decimal) -> None:
        """A position is known from elsewhere: it was adopted."""
        self._positions[key] = quantity

    # -- orders ----------------------------------------------------------------------------------------------------

    def _order(self, row: Row) -> None:
        name = str(row["client_order_id"])
        order = self._orders.get(name)
        if order is None:
            order = self._begun(name, row)
        order.quantity = Decimal(row["quantity"])
        if row["event"] in HANDED_ON and not (order.passed or order.reduces or order.told):
            order.told = True
            text = "it was handed on, and no decision let it pass, nor did it only reduce what was held"
            self.findings.row("UNDECIDED", "orders", row, text)
        filled = Decimal(row["filled"])
        if row["event"] in FILLING and filled != order.filled and row["source"] != "operator":
            text = f"it says that {filled:f} were filled, the fills say {order.filled:f}"
            self.findings.row("DISAGREES", "orders", row, text)
        if row["event"] in FILLING:
            order.filled = filled
        if row["status"] in OVER:
            self._over(name, order)

    def _begun(self, name: str, row: Row) -> _Order:
        key, is_buy = (str(row["strategy"]), str(row["instrument"])), row["side"] == "BUY"
        order = _Order(key, is_buy, Decimal(row["quantity"]))
        order.passed = self._passed.pop(name, None) is not None
        order.filled = ZERO if row["event"] == "INTENT" else Decimal(row["filled"])
        order.reduces = bool(row["reduce_only"]) or order.quantity <= self._opposite(key, is_buy=is_buy)
        self._orders[name] = order
        self._live.setdefault(key, set()).add(name)
        return order

    def _opposite(self, key: Key, *, is_buy: bool) -> Decimal:
        """What an order can reduce at most: what is held, and what the orders it was sent with may still fill."""
        held = self._positions.get(key, ZERO)
        found = max(ZERO, -held if is_buy else held)
        for name in self._live.get(key, ()):
            other = self._orders[name]
            if other.passed and other.is_buy is not is_buy:
                found += other.quantity - other.filled
        return found

    def _over(self, name: str, order: _Order) -> None:
        self._orders.pop(name, None)
        live = self._live.get(order.key)
        if live is not None:
            live.discard(name)
            if not live:
                del self._live[order.key]

    # -- fills -----------------------------------------------------------------------------------------------------

    def _fill(self, row: Row) -> None:
        name, quantity = str(row["client_order_id"]), Decimal(row["quantity"])
        key = (str(row["strategy"]), str(row["instrument"]))
        self._positions[key] = self._positions.get(key, ZERO) + (
            quantity if row["side"] == "BUY" else -quantity
        )
        order = self._orders.get(name)
        if order is None:
            self._check_late(name, row)
            return
        if row["trade_id"] in order.trades:
            self.findings.row(
                "DISAGREES", "fills", row, f"trade {row['trade_id']} of its order is in the journal twice"
            )
        order.trades.add(str(row["trade_id"]))
        order.filled += quantity
        if order.key != key or order.is_buy is not (row["side"] == "BUY"):
            side = "BUY" if order.is_buy else "SELL"
            text = f"{row['side']} of {' '.join(key)}, but its order is a {side} of {' '.join(order.key)}"
            self.findings.row("DISAGREES", "fills", row, text)

    def _check_late(self, name: str, row: Row) -> None:
        if self._was_there(name):
            return
        if row["strategy"] == EXTERNAL:
            self.foreign += 1
        else:
            self.findings.row("DISAGREES", "fills", row, f"no order {name} is in the journal")
