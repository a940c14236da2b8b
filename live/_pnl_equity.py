"""How did equity change from one session day to the next, open positions included?

Read from the account's snapshots, the last one of each session day; every change counts, deposits and withdrawals too.
A replay at full speed has a snapshot only now and then: a change then stands on the day of the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from sqlalchemy import Connection, Select, func, select, union

from journal import tables
from live._amounts import EXACT_DIGITS
from live._fees import ACCOUNT_FLOW
from live._kinds import KINDS
from live._periods import NANOS, Days, Span
from live._whose import Whose

ZERO = Decimal(0)
QUARTER = 900 * NANOS
SNAPSHOTS = tables.account_snapshots
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Equity:
    """Equity at the beginning and at the last snapshot; both None where several runs each started fresh, or none did.

    changes: session day -> change since the day before (of the first day: since the beginning), in order.
    """

    start: Decimal | None = None
    end: Decimal | None = None
    as_of_ns: int | None = None
    changes: dict[date, Decimal] = field(default_factory=dict)

    @property
    def change(self) -> Decimal | None:
        """Over the whole time; None where nobody knows."""
        with localcontext(prec=EXACT_DIGITS):
            return sum(self.changes.values(), ZERO) if self.changes else None


def equity_of(connection: Connection, whose: Whose, days: Days, span: Span) -> Equity:
    """Read how it went. Raises what the database raises."""
    latest = _latest_by_day(connection, whose, days, span)
    if not latest:
        return Equity()
    starts = _starts(connection, whose, span)
    before = dict(starts)
    changes: dict[date, Decimal] = {}
    with localcontext(prec=EXACT_DIGITS):
        for (_, day), row in latest.items():
            change = row["equity"] - before[row["scope"]]
            changes[day] = changes.get(day, ZERO) + change
            before[row["scope"]] = row["equity"]
    last = list(latest.values())[-1]
    if len(before) > 1:
        return Equity(None, None, last["ts"], changes)
    return Equity(starts[last["scope"]], last["equity"], last["ts"], changes)


def _latest_by_day(
    connection: Connection, whose: Whose, days: Days, span: Span
) -> dict[tuple[str, date], Row]:
    """(scope, session day) -> its last snapshot with a known equity, in order of time.

    Session days end on a quarter of an hour, or one nanosecond after it: of each quarter, counted either way, only the
    last snapshot can be the last of a day.
    """
    columns = SNAPSHOTS.c
    where = [*KINDS["snapshots"].where(whose, {}, span), columns.equity.is_not(None)]
    last = union(
        *(
            select(func.max(columns.id)).where(*where).group_by(columns.scope, stamp // QUARTER)
            for stamp in (columns.ts, columns.ts - 1)
        )
    )
    chosen = select(columns.scope, columns.ts, columns.equity).where(columns.id.in_(last.scalar_subquery()))
    rows = connection.execute(chosen.order_by(columns.ts, columns.id)).mappings()
    return {(row["scope"], days.day_of(row["ts"])): dict(row) for row in rows}


def _starts(connection: Connection, whose: Whose, span: Span) -> dict[str, Decimal]:
    """Scope -> equity before the span: of the last snapshot before it, else what a sandbox began with, else the first.

    A sandbox begins flat. What an account's run found there may be held in positions, so only a snapshot tells.
    """
    columns, runs = SNAPSHOTS.c, tables.runs
    mine = [whose.where(SNAPSHOTS), columns.equity.is_not(None)]
    first = (
        select(func.min(columns.id)).where(*mine, *KINDS["snapshots"].within(span)).group_by(columns.scope)
    )
    found = _equity_at(connection, first)
    if span.since_ns is not None:
        before = select(func.max(columns.id)).where(*mine, columns.ts < span.since_ns).group_by(columns.scope)
        return found | _equity_at(connection, before)
    if whose.is_account:
        return found
    began = (
        select(runs.c.scope, runs.c.starting_equity)
        .where(whose.where(runs))
        .order_by(runs.c.started_at.desc())
    )
    newest_first = connection.execute(began).all()
    return found | {row.scope: row.starting_equity for row in newest_first if row.starting_equity is not None}


def _equity_at(connection: Connection, ids: Select[Any]) -> dict[str, Decimal]:
    columns = SNAPSHOTS.c
    rows = connection.execute(select(columns.scope, columns.equity).where(columns.id.in_(ids)))
    return {row.scope: row.equity for row in rows}


def cash_flows(connection: Connection, whose: Whose, span: Span) -> list[Row]:
    """Deposits and withdrawals: what moved equity and no trade explains."""
    return _events(connection, whose, span, "CASH_FLOW")


def account_flows(connection: Connection, whose: Whose, span: Span) -> list[Row]:
    """What else the venue did to the account without an order: fees, dividends, interest."""
    return _events(connection, whose, span, ACCOUNT_FLOW)


def _events(connection: Connection, whose: Whose, span: Span, name: str) -> list[Row]:
    where = [*KINDS["events"].where(whose, {}, span), tables.risk_events.c.kind == name]
    chosen = select(tables.risk_events).where(*where).order_by(tables.risk_events.c.id)
    return [dict(row) for row in connection.execute(chosen).mappings()]
