"""What do the local Alpaca's books say, in the words that `soak.checks` compares?

At Alpaca a changed order is another order, and the exits of a bracket have names that Alpaca made up. Here the rows
that replace each other are one order again, under the name that it was sent with; fills get the name that both sources
of them agree on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from adapters.alpaca._names import read
from adapters.alpaca._parsing import Execution

ZERO = Decimal(0)
STATUS = {
    "filled": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED", "rejected": "REJECTED",
    "replaced": "CANCELED",  # the newest row: no change of it, but the other exit of its group, took its place
}  # fmt: skip
Row = Mapping[str, Any]


def told(audit: Row, journal: Mapping[str, str]) -> dict[str, Any]:
    """An audit as `soak.checks` reads it; journal: client order id -> how the order stands by it.

    An order that was accepted and then rejected has been canceled, as far as the engine is concerned.
    """
    chains = _chains(audit["orders"])
    names = {row["id"]: name for name, chain in chains.items() for row in chain}
    received: Counter[str] = Counter()
    for name, times in audit["received"].items():
        received[read(name).root] += times
    return {
        "received": dict(received),
        "orders": [_order(name, chain, journal.get(name)) for name, chain in chains.items()],
        "fills": list(_fills(audit["fills"], names)),
        "positions": [
            {"instrument": _instrument(symbol), "quantity": row["qty"]}
            for symbol, row in audit["positions"].items()
        ],
        "cash": audit["cash"],
    }


def replaced_twice(audit: Row) -> list[str]:
    """Orders that two changes took the place of: one change was sent twice."""
    taken = [row["replaces"] for row in audit["orders"] if row["replaces"] and row["status"] != "rejected"]
    return sorted({each for each in taken if taken.count(each) > 1}) if len(set(taken)) < len(taken) else []


def _chains(orders: Iterable[Row]) -> dict[str, list[Row]]:
    """Name -> the rows of an order, oldest first; a change that the exchange rejected is none."""
    rows = {row["id"]: row for row in orders}
    heads = {row["group_id"]: row for row in rows.values() if row.get("group_id") and _names_exits(row)}
    later = {row["replaces"]: row for row in rows.values() if row["replaces"] and row["status"] != "rejected"}
    found = {}
    for row in rows.values():
        if row["replaces"]:
            continue
        chain = [row]
        while (after := later.get(chain[-1]["id"])) is not None:
            chain.append(after)
        found[_name(row, heads)] = chain
    return found


def _names_exits(row: Row) -> bool:
    """Whether an order was sent with names for its exits."""
    wire = read(str(row["client_order_id"]))
    return wire.target is not None or wire.stop is not None


def _name(row: Row, heads: Mapping[str, Row]) -> str:
    """What the first row of an order is called here."""
    head = heads.get(row.get("group_id") or "")
    if head is None or _names_exits(row):
        return read(str(row["client_order_id"])).root
    wire = read(str(head["client_order_id"]))
    name = wire.target if row["group_role"] == "take_profit" else wire.stop
    return name or str(row["client_order_id"])


def _order(name: str, chain: list[Row], by_journal: str | None) -> dict[str, Any]:
    """An order as it stands after all of its changes."""
    tip = chain[-1]
    earlier = sum((Decimal(row["filled_qty"]) for row in chain[:-1]), ZERO)
    filled = earlier + Decimal(tip["filled_qty"])
    status = STATUS.get(tip["status"], "PARTIALLY_FILLED" if filled else "ACCEPTED")
    if status == "REJECTED" and by_journal == "CANCELED":
        status = by_journal
    return {
        "client_order_id": name,
        "instrument": _instrument(tip["symbol"]),
        "status": status,
        "filled": str(filled),
        "quantity": str(earlier + Decimal(tip["qty"])),
        "price": tip["limit_price"],
    }


def _fills(fills: Iterable[Row], names: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    filled: dict[str, Decimal] = {}
    for fill in fills:
        order_id, units = fill["order_id"], Decimal(fill["qty"])
        filled[order_id] = filled.get(order_id, ZERO) + units
        price = Decimal(fill["price"])
        yield {
            "trade_id": Execution(order_id, units, filled[order_id], price, 0).trade_id,
            "execution_id": fill["execution_id"],
            "client_order_id": names.get(order_id, fill["client_order_id"]),
            "instrument": _instrument(fill["symbol"]),
            "side": fill["side"].upper(),
            "quantity": fill["qty"],
            "price": fill["price"],
            "commission": "0",
        }


def _instrument(symbol: str) -> str:
    return f"{symbol}.ALPACA"
