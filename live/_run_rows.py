"""What did one run order, fill and have refused, as its journal tells it?

A node on an account runs for weeks, so it keeps none of this in memory: the rows of its folder come from the journal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from journal import tables
from risk.coins import netted_row

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
BY_VENUE = "VENUE"


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
        rejected = [
            {**_of(row, REFUSAL), "limit": BY_VENUE, "reason": f"{BY_VENUE}: {row['reason']}"}
            for row in rows(orders, orders.c.event == "REJECTED")
        ]
        return replace(
            record,
            orders=[{"ts": ts, **_of(newest[name], ORDER)} for name, ts in began.items()],
            fills=[netted_row(_of(row, FILL)) for row in rows(tables.fills)],
            refusals=sorted([*refused, *rejected], key=lambda row: int(row["ts"])),
        )


def _of(row: Row, keys: tuple[str, ...]) -> Row:
    return {key: row[key] for key in keys}
