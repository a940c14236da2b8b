"""Which rows does `live history` show: the newest of a kind, in the order in which they happened?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from journal import tables
from journal.moment import one_moment
from live._kinds import Kind
from live._periods import Span
from live._whose import Whose

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The rows, the oldest first, and how many there are in all."""

    rows: list[Row]
    count: int


def found(kind: Kind, whose: Whose, given: Mapping[str, str], span: Span, limit: int | None) -> Found:
    """Read them. limit: at most so many, the newest; None for all. Raises ConfigError, JournalError."""
    chosen = _chosen(kind, whose, given, span)
    with one_moment(whose.about.reader) as connection:
        count = connection.execute(
            select(func.count()).select_from(chosen.order_by(None).subquery())
        ).scalar()
        rows = [dict(row) for row in connection.execute(chosen.limit(limit)).mappings()]
        rows.reverse()
        if kind.name == "commands":
            _add_receipts(connection, rows)
    return Found(rows, int(count or 0))


def _chosen(kind: Kind, whose: Whose, given: Mapping[str, str], span: Span) -> Select[Any]:
    """The newest first."""
    if kind.name == "orders" and "order" not in given:
        return _newest_states(kind, whose, given, span)
    table = kind.table
    last = table.c.started_at if table is tables.runs else table.c.id
    where = kind.where(whose, given, span)
    if table is tables.runs and "run" not in given:  # a list of runs is what one chooses from
        venue = [table.c.venue == given["venue"]] if "venue" in given else []
        where = [*venue, *kind.within(span), *kind.filtered(given)]
    return select(table).where(*where).order_by(last.desc())


def _newest_states(kind: Kind, whose: Whose, given: Mapping[str, str], span: Span) -> Select[Any]:
    """One row an order: as it is now, and when it was sent, which periods are about."""
    orders = tables.orders
    sent: ColumnElement[int] = func.min(orders.c.ts)
    each = (
        select(
            func.max(orders.c.id).label("last"), func.min(orders.c.id).label("first"), sent.label("sent_ns")
        )
        .where(whose.where(orders))
        .group_by(orders.c.scope, orders.c.client_order_id)
        .having(*kind.within(span, sent))
        .subquery()
    )
    return (
        select(orders, each.c.sent_ns)
        .join(each, orders.c.id == each.c.last)
        .where(*kind.filtered(given))
        .order_by(each.c.first.desc())
    )


def _add_receipts(connection: Connection, rows: Sequence[Row]) -> None:
    """What became of each command, as far as anything did."""
    receipts = tables.receipts
    names = [row["command_id"] for row in rows]
    answers: dict[str, Row] = {}
    for at in range(0, len(names), 500):
        wanted = select(receipts).where(receipts.c.command_id.in_(names[at : at + 500]))
        answers |= {row["command_id"]: dict(row) for row in connection.execute(wanted).mappings()}
    for row in rows:
        answer = answers.get(row["command_id"])
        row["outcome"] = None if answer is None else answer["outcome"]
        row["text"] = None if answer is None else answer["text"]
        row["answer"] = json.dumps(None) if answer is None else answer["answer"]
        row["answered_by"] = None if answer is None else answer["by"]
