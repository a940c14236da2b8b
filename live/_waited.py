"""What becomes of orders that waited for a person when their node ended?

They are gone with it: their strategy decides anew. That is put on record at the next start, so that none seems to wait.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from journal import tables
from journal.database import told

if TYPE_CHECKING:
    from live._journal import RunJournal

GONE = "the node that held it ended; a strategy decides anew"


def expire_waiting(journal: RunJournal) -> int:
    """Put on record that what waited for a person when an earlier node ended is gone. Answers how many orders."""
    rows = _still_held(journal)
    for row in rows:
        values = {
            key: row[key]
            for key in ("client_order_id", "strategy", "instrument", "side", "quantity", "price")
        }
        gone = {"event": "EXPIRED", "until_ns": row["until_ns"], "reason": GONE, "ts": time.time_ns()}
        journal.writer.add(tables.approvals, {**journal.witness.base, **values, **gone})
    return len(rows)


def _still_held(journal: RunJournal) -> list[dict[str, Any]]:
    table, scope = tables.approvals, journal.account.scope
    newest = (
        select(func.max(table.c.id).label("id"))
        .where(table.c.scope == scope)
        .group_by(table.c.client_order_id)
        .subquery()
    )
    asked = select(table).join(newest, table.c.id == newest.c.id).where(table.c.event == "HELD")
    with told(journal.config.journal), journal.engine.connect() as connection:
        return [dict(row) for row in connection.execute(asked.order_by(table.c.id)).mappings()]
