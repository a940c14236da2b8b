"""What did one run order, fill and have refused, as its journal tells it?

A node on an account runs for weeks, so it keeps none of this in memory: the rows of its folder come from the journal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from journal import tables
from risk.coins import netted_row
from risk.orders import STATUS_OF
from runs.record import REFUSED_BY

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from runs.record import RunRecord

Row = dict[str, Any]
ORDER = (
    "strategy", "instrument", "client_order_id", "side", "type", "quantity", "price", "trigger_price", "tif",
    "reduce_only", "status", "filled",
)  # fmt: skip
FILL = (
    "ts", "strategy", "instrument", "client_order_id", "trade_id", "side", "quantity", "price", "commission",
    "currency", "liquidity",
)  # fmt: skip
REFUSAL = ("ts", "strategy", "instrument", "client_order_id", "side", "quantity")


def with_rows(record: RunRecord, engine: Engine, run_id: str) -> RunRecord:
    """The record of a run with its orders, fills and refusals; call it once the journal is flushed."""
    with engine.connect() as connection:

        def rows(table: Any, *where: Any) -> list[Row]:
            wanted = select(table).where(table.c.run_id == run_id, *where).order_by(table.c.id)
            return [dict(row) for row in connection.execute(wanted).mappings()]

        orders, decisions = tables.orders, tables.decisions
        began: dict[str, int] = {}  # client order id -> when this run meant to send it
        newest: dict[str, Row] = {}
        for row in rows(orders):
            if row["event"] == "INTENT":
                began[row["client_order_id"]] = row["ts"]
            newest[row["client_order_id"]] = row
        refused = [
            {**_of(row, REFUSAL), "limit": row["code"], "reason": row["reason"]}
            for row in rows(decisions, decisions.c.verdict == "REFUSE")
        ]
        said = {(row["client_order_id"], row["reason"]) for row in refused}  # which the engine repeats
        others = [
            {**_of(row, REFUSAL), "limit": by, "reason": f"{by}: {row['reason']}"}
            for event, by in REFUSED_BY.items()
            for row in rows(orders, orders.c.event == STATUS_OF[event])
            if (row["client_order_id"], row["reason"]) not in said
        ]
        return replace(
            record,
            orders=[{"ts": ts, **_of(newest[name], ORDER)} for name, ts in began.items()],
            fills=[netted_row(_of(row, FILL)) for row in rows(tables.fills)],
            refusals=sorted([*refused, *others], key=lambda row: int(row["ts"])),
        )


def _of(row: Row, keys: tuple[str, ...]) -> Row:
    return {key: row[key] for key in keys}
