"""What does the account hold: cash, positions, fills and every other movement of money or shares?"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from typing import Any
from uuid import uuid4

from simulators.alpaca.orders import Order
from simulators.alpaca.wire import amount, iso
from simulators.broker.account import Position

ZERO, CENT = Decimal(0), Decimal("0.01")
SEC_FEE = Decimal("0.0000278")
"""Of the notional of sells: the section 31 fee as it stood from 2024-05 to 2025-05."""

TAF_FEE, MOST_TAF = Decimal("0.000166"), Decimal("8.30")
"""FINRA's trading activity fee a share sold, and its most for one fill."""

Row = dict[str, Any]


@dataclass(slots=True)
class Ledger:
    """Cash in dollars and net positions; every change of them is an activity."""

    number: str
    id: str
    cash: Decimal
    created_at: int
    crypto_fee: Decimal = ZERO
    charges_fees: bool = True
    positions: dict[str, Position] = field(default_factory=dict)
    lastday: dict[str, Decimal] = field(default_factory=dict)
    last_equity: Decimal = ZERO
    activities: list[Row] = field(default_factory=list)
    """Oldest first, as on the wire."""

    fees_due: Decimal = ZERO
    """Fees of the day's sells, charged after the close."""

    def held(self, symbol: str) -> Decimal:
        """Signed quantity held."""
        position = self.positions.get(symbol)
        return ZERO if position is None else position.quantity

    def fill(self, order: Order, qty: Decimal, price: Decimal, stamp: int) -> str:
        """Book a fill of an order, which counts it already; answers the execution's id."""
        execution = str(uuid4())
        self._trade(order.symbol, qty * order.sign, price)
        kind = "fill" if order.status == "filled" else "partial_fill"
        self._note(stamp, {
            "activity_type": "FILL", "transaction_time": iso(stamp), "type": kind, "price": amount(price),
            "qty": amount(qty), "side": order.side, "symbol": order.symbol, "leaves_qty": amount(order.leaves),
            "order_id": order.id, "cum_qty": amount(order.filled_qty), "order_status": order.status,
        }, execution)  # fmt: skip
        if order.is_crypto:
            self._charge_crypto(order, qty, price, stamp)
        elif self.charges_fees and order.side == "sell":
            self.fees_due += qty * price * SEC_FEE + min(MOST_TAF, qty * TAF_FEE)
        return execution

    def book(
        self, stamp: int, kind: str, net_amount: Decimal = ZERO, *, moves: bool = True, **details: Any
    ) -> Row:
        """Book anything else: a dividend, a transfer, a fee. `symbol` and `qty` move shares too, if it `moves` them."""
        self.cash += net_amount
        symbol, qty = details.get("symbol"), details.get("qty")
        shares = kind in ("ACATS", "SPLIT", "JNLS", "CFEE", "SPIN", "MA")
        if symbol and qty and shares and moves:
            position = self.positions.setdefault(symbol, Position())
            cost = position.quantity * position.average_price
            position.quantity += qty
            keeps_cost = kind == "SPLIT" and position.quantity
            position.average_price = cost / position.quantity if keeps_cost else position.average_price
            self._tidy(symbol)
        row: Row = {
            "activity_type": kind, "date": iso(stamp)[:10], "net_amount": amount(net_amount),
            "description": details.pop("description", ""), "status": details.pop("status", "executed"),
            "currency": "USD", "created_at": iso(stamp),
        }  # fmt: skip
        row |= {name: amount(each) if isinstance(each, Decimal) else each for name, each in details.items()}
        return self._note(stamp, row)

    def charge_fees(self, stamp: int, day: str) -> None:
        """Charge the day's fees, rounded up to the cent."""
        if self.fees_due:
            fees = self.fees_due.quantize(CENT, ROUND_UP)
            self.fees_due = ZERO
            self.book(stamp, "FEE", -fees, activity_sub_type="REG", description=f"REG and TAF fees of {day}")

    def row(self) -> Row:
        """Everything but the activities, for the record."""
        return {
            "number": self.number, "id": self.id, "cash": f"{self.cash:f}", "created_at": self.created_at,
            "last_equity": f"{self.last_equity:f}", "fees_due": f"{self.fees_due:f}",
            "lastday": {name: f"{price:f}" for name, price in self.lastday.items()},
            "positions": {
                name: [f"{each.quantity:f}", f"{each.average_price:f}"] for name, each in self.positions.items()
            },
        }  # fmt: skip

    def restore(self, row: Row) -> None:
        """Back from the record."""
        self.number, self.id, self.created_at = row["number"], row["id"], row["created_at"]
        self.cash, self.fees_due = Decimal(row["cash"]), Decimal(row["fees_due"])
        self.last_equity = Decimal(row["last_equity"])
        self.lastday = {name: Decimal(price) for name, price in row["lastday"].items()}
        self.positions = {
            name: Position(Decimal(qty), Decimal(price)) for name, (qty, price) in row["positions"].items()
        }

    def _trade(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        self.positions.setdefault(symbol, Position()).add(signed, price)
        self.cash -= signed * price
        self._tidy(symbol)

    def _charge_crypto(self, order: Order, qty: Decimal, price: Decimal, stamp: int) -> None:
        """The fee is taken from what is received: coins of a buy, dollars of a sell."""
        if not self.crypto_fee:
            return
        said: Row = {
            "symbol": order.symbol,
            "description": f"Coin Pair Transaction Fee ({self.crypto_fee:%})",
        }
        if order.side == "buy":
            fee = (qty * self.crypto_fee).quantize(Decimal("0.000000001"))
            self.book(stamp, "CFEE", qty=-fee, price=amount(price), **said)
        else:
            self.book(stamp, "CFEE", -(qty * price * self.crypto_fee), **said)

    def _note(self, stamp: int, row: Row, execution: str | None = None) -> Row:
        digits = "".join(char for char in iso(stamp)[:23] if char.isdigit()).ljust(17, "0")
        row = {"id": f"{digits}::{execution or uuid4()}", "account_id": self.id, **row}
        self.activities.append(row)
        return row

    def _tidy(self, symbol: str) -> None:
        if not self.positions[symbol].quantity:
            del self.positions[symbol]
