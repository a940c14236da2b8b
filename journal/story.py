"""What is in the journal about one order: everything that a person would want told of it, in the order it happened?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, desc, func, or_, select

from journal import tables

Row = Mapping[str, Any]
NEAR = 3
LOOKED_AT = 20_000
"""Newest orders among which one with almost the same name is looked for."""
MOST = 200
"""Rows around an order (halts, commands) that are told at most."""
AROUND = ("TRIP", "RESUMED", "HALT_ENDED", "FLATTEN", "FLAT", "ALARM", "LIMITS")
"""Kinds of events that every order of the account has to do with while it lives."""
ENDS_HALT = ("RESUMED", "HALT_ENDED")
NAMED = (tables.orders, tables.decisions, tables.approvals, tables.fills)


@dataclass(frozen=True, slots=True)
class Story:
    """The rows about one order, each list in the order it was written. `run`: the run it was first in."""

    order: str
    run: Row
    decisions: list[Row]
    orders: list[Row]
    fills: list[Row]
    approvals: list[Row]
    round_trips: list[Row]
    position: Row | None  # the newest row of the position that its fills changed
    halted_by: Row | None  # the halt that was in force when it was decided on
    events: list[Row]  # what happened to the account while it lived
    commands: list[Row]  # what people asked for: of it, or while it lived
    receipts: dict[str, Row]  # command id -> its answer
    limits: dict[str, dict[str, Any]]  # limits version -> the limits
    other_runs: list[str]  # runs of other accounts in which an order has this name

    @property
    def first(self) -> Row:
        """The row that says what the strategy wanted."""
        return min((*self.orders[:1], *self.decisions[:1], *self.approvals[:1], *self.fills[:1]), key=_moment)

    @property
    def rows(self) -> Iterable[Row]:
        """All rows that are about it alone."""
        return (*self.decisions, *self.orders, *self.fills, *self.approvals)


def names_of(connection: Connection, word: str) -> list[str]:
    """The client order id that a word means: itself, or that of the order with this venue order id or trade id."""
    for table in NAMED:
        if (
            connection.execute(select(table.c.id).where(table.c.client_order_id == word).limit(1)).first()
            is not None
        ):
            return [word]
    orders, fills = tables.orders, tables.fills
    found: dict[str, None] = {}
    for column, meant in ((orders.c.venue_order_id, orders), (fills.c.trade_id, fills)):
        names = select(meant.c.client_order_id).where(column == word).distinct()
        found |= dict.fromkeys(connection.execute(names.limit(NEAR + 1)).scalars())
    return list(found)


def like(connection: Connection, word: str) -> list[str]:
    """Orders whose names are almost this one, the closest first; else those that end with it."""
    newest: dict[str, None] = {}
    for table in (tables.orders, tables.decisions):
        names = select(table.c.client_order_id).order_by(desc(table.c.id)).limit(LOOKED_AT)
        newest |= dict.fromkeys(connection.execute(names).scalars())
    ending = [name for name in newest if name.casefold().endswith(word.casefold())]
    return ending[:NEAR] or get_close_matches(word, newest, n=NEAR, cutoff=0.8)


def story_of(connection: Connection, order: str, run: str | None) -> Story | None:
    """The story of an order, by its client order id: in the account of a run, else in the newest account that has it.

    None where no row is about it. An account's orders may go on from one run to the next.
    """
    homes = _homes(connection, order)
    if run is not None:
        homes = [each for each in homes if run in (each["run_id"], *_runs_of(connection, each["scope"]))]
    if not homes:
        return None
    scope = homes[0]["scope"]
    rows = {table.name: _rows(connection, table, table.c.client_order_id == order, scope) for table in NAMED}
    all_rows = [row for found in rows.values() for row in found]
    first, last = min(all_rows, key=_moment), max(all_rows, key=_moment)
    trips = _trips(connection, scope, order, rows["fills"])
    commands = _commands(connection, scope, order, first["at"], last["at"])
    return Story(
        order=order,
        run=_run(connection, first),
        decisions=rows["decisions"],
        orders=rows["orders"],
        fills=rows["fills"],
        approvals=rows["approvals"],
        round_trips=trips,
        position=_position(connection, scope, rows["fills"]),
        halted_by=_halted_by(connection, scope, first),
        events=_events(connection, scope, order, first["at"], last["at"]),
        commands=commands,
        receipts=_receipts(connection, commands),
        limits=_limits(connection, {str(row["limits_version"]) for row in rows["decisions"]}),
        other_runs=[each["run_id"] for each in homes if each["scope"] != scope],
    )


def _moment(row: Row) -> tuple[int, int]:
    return row["at"], row["seq"]


def _all(connection: Connection, statement: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(statement).mappings()]


def _homes(connection: Connection, order: str) -> list[Row]:
    """Accounts in which an order has this name, the newest first."""
    found: dict[str, Row] = {}
    for table in NAMED:
        last = func.max(table.c.at).label("at")
        of = select(table.c.scope, func.max(table.c.run_id).label("run_id"), last)
        for row in _all(connection, of.where(table.c.client_order_id == order).group_by(table.c.scope)):
            if row["scope"] not in found or found[row["scope"]]["at"] < row["at"]:
                found[row["scope"]] = row
    return sorted(found.values(), key=lambda row: -int(row["at"]))


def _runs_of(connection: Connection, scope: str) -> list[str]:
    return list(
        connection.execute(select(tables.runs.c.run_id).where(tables.runs.c.scope == scope)).scalars()
    )


def _run(connection: Connection, row: Row) -> Row:
    """Its run; of what a verb wrote without a node, the account's last run before."""
    runs = tables.runs
    own_run = runs.c.run_id == row["run_id"]
    if row["run_id"] == tables.CONTROL:
        own_run = and_(runs.c.scope == row["scope"], runs.c.started_at <= row["at"])
    found = _all(connection, select(runs).where(own_run).order_by(desc(runs.c.started_at)).limit(1))
    own = {key: row[key] for key in ("run_id", "scope", "mode", "venue")}
    return found[0] if found else {**own, "currency": "", "config": ""}


def _rows(connection: Connection, table: Any, where: ColumnElement[bool], scope: str) -> list[Row]:
    return _all(connection, select(table).where(where, table.c.scope == scope).order_by(table.c.id))


def _trips(connection: Connection, scope: str, order: str, fills: list[Row]) -> list[Row]:
    """Round trips that its fills are part of: those it opened or closed, and those it added to."""
    table = tables.round_trips
    parts = [or_(table.c.entry_order == order, table.c.exit_order == order)]
    if fills:
        about = [table.c[key] == fills[0][key] for key in ("strategy", "instrument")]
        parts += [
            and_(*about, table.c.opened_ns < fill["ts"], table.c.closed_ns > fill["ts"]) for fill in fills
        ]
    return _rows(connection, table, or_(*parts), scope)


def _position(connection: Connection, scope: str, fills: list[Row]) -> Row | None:
    if not fills:
        return None
    table = tables.positions
    about = [table.c[key] == fills[0][key] for key in ("strategy", "instrument")]
    found = _all(
        connection, select(table).where(table.c.scope == scope, *about).order_by(desc(table.c.id)).limit(1)
    )
    return found[0] if found else None


def _halted_by(connection: Connection, scope: str, first: Row) -> Row | None:
    """The newest trip before it that had not ended; of the account, or of its own strategy."""
    table = tables.risk_events
    scopes = ["book", f"strategy:{first['strategy']}"]
    kinds = table.c.kind.in_(["TRIP", *ENDS_HALT])
    wanted = select(table).where(
        table.c.scope == scope, table.c.at < first["at"], table.c.risk_scope.in_(scopes), kinds
    )
    newest = _all(connection, wanted.order_by(desc(table.c.id)).limit(1))
    return newest[0] if newest and newest[0]["kind"] == "TRIP" else None


def _events(connection: Connection, scope: str, order: str, since: int, until: int) -> list[Row]:
    """What happened to the account while it lived, and what was said of this very order at any time."""
    table = tables.risk_events
    lived = and_(table.c.kind.in_(AROUND), table.c.at >= since, table.c.at <= until)
    found = _rows(connection, table, or_(lived, table.c.reason.contains(order, autoescape=True)), scope)
    whole = re.compile(
        rf"(?<![\w-]){re.escape(order)}(?![\w-])"
    )  # no order whose name only begins with this one
    return [row for row in found if row["kind"] in AROUND or whole.search(row["reason"])][:MOST]


def _commands(connection: Connection, scope: str, order: str, since: int, until: int) -> list[Row]:
    """What people asked for while it lived, and what they asked about it at any time."""
    table = tables.commands
    lived = and_(table.c.at >= since, table.c.at <= until)
    about = table.c.args.contains(json.dumps(order), autoescape=True)
    return _rows(connection, table, or_(lived, about), scope)[:MOST]


def _receipts(connection: Connection, commands: list[Row]) -> dict[str, Row]:
    table = tables.receipts
    wanted = select(table).where(table.c.command_id.in_([row["command_id"] for row in commands]))
    return {row["command_id"]: row for row in _all(connection, wanted.order_by(desc(table.c.id)))}


def _limits(connection: Connection, versions: set[str]) -> dict[str, dict[str, Any]]:
    table = tables.limit_sets
    found = connection.execute(select(table.c.version, table.c.limits).where(table.c.version.in_(versions)))
    return {row.version: json.loads(row.limits) for row in found}
