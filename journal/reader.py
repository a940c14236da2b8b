"""What does the journal say? For the verbs: reads, never writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, desc, func, select

from journal import tables
from journal.config import JournalConfig
from journal.database import open_journal, told

Row = Mapping[str, Any]


class Reader:
    """A journal that is there. Every method raises JournalDownError or JournalBrokenError when it cannot be read."""

    def __init__(self, config: JournalConfig) -> None:
        """Open it. Raises JournalAbsentError when there is none."""
        self.config = config
        self.engine: Engine = open_journal(config, create=False)

    def runs(self, *where: ColumnElement[bool], limit: int | None = None) -> list[Row]:
        """Runs, the newest first."""
        return self._all(
            select(tables.runs).where(*where).order_by(desc(tables.runs.c.started_at)).limit(limit)
        )

    def rows(
        self, table: Table, *where: ColumnElement[bool], newest: bool = False, limit: int | None = None
    ) -> list[Row]:
        """Rows of a table in the order they were written, or the newest first."""
        order = desc(table.c.id) if newest else table.c.id
        return self._all(select(table).where(*where).order_by(order).limit(limit))

    def order_states(self, scope: str, *where: ColumnElement[bool]) -> list[Row]:
        """The newest row of every order of a scope, in the order they were sent."""
        orders = tables.orders
        newest = (
            select(func.max(orders.c.id).label("id"), func.min(orders.c.id).label("first"))
            .where(orders.c.scope == scope)
            .group_by(orders.c.client_order_id)
            .subquery()
        )
        return self._all(
            select(orders).join(newest, orders.c.id == newest.c.id).where(*where).order_by(newest.c.first)
        )

    def open_positions(self, scope: str) -> list[Row]:
        """The newest row of every position that is not flat."""
        positions = tables.positions
        newest = (
            select(func.max(positions.c.id).label("id"))
            .where(positions.c.scope == scope)
            .group_by(positions.c.strategy, positions.c.instrument)
            .subquery()
        )
        found = self._all(
            select(positions).join(newest, positions.c.id == newest.c.id).order_by(positions.c.id)
        )
        return [row for row in found if row["quantity"]]

    def risk_state(self, scope: str) -> dict[str, Any] | None:
        """What the breakers remember of an account, as risk.state.RiskState.as_row wrote it; None: nothing yet."""
        found = self._all(select(tables.risk_states).where(tables.risk_states.c.scope == scope))
        return json.loads(found[0]["state"]) if found else None

    def node_status(self, scope: str) -> Row | None:
        """The newest word of a node about itself: a row with `at` and the decoded `document`."""
        found = self._all(select(tables.node_status).where(tables.node_status.c.scope == scope))
        return {**found[0], "document": json.loads(found[0]["document"])} if found else None

    def limit_overrides(self, scope: str) -> dict[str, Any]:
        """Key -> value of the limits that a person set on an account."""
        found = self._all(select(tables.limit_overrides).where(tables.limit_overrides.c.scope == scope))
        return {row["key"]: json.loads(row["value"]) for row in found}

    def _all(self, statement: Any) -> list[Row]:
        with told(self.config), self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]


def newest_run(reader: Reader, venue: str | None, run: str | None) -> Row | None:
    """The run that a verb is about: the one named, else the newest (of a venue); None when there is none."""
    where: Sequence[ColumnElement[bool]] = []
    if run is not None:
        where = [tables.runs.c.run_id == run]
    elif venue is not None:
        where = [tables.runs.c.venue == venue]
    found = reader.runs(*where, limit=1)
    return found[0] if found else None
