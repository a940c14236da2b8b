"""Do the rows of one account follow from each other: orders from decisions, fills from orders, positions from fills?"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from journal import tables
from journal.tables import CONTROL
from journal.verify_findings import Findings
from journal.verify_orders import Orders
from journal.verify_pages import Found, Pages
from journal.verify_positions import Positions

Row = Mapping[str, Any]


class AccountRows:
    """The rows of one account, run after run."""

    def __init__(self, pages: Pages, scope: str, findings: Findings) -> None:
        """Before the first row."""
        self._pages = pages
        self._scope = scope
        self._orders = Orders(findings, self._has_order)
        positions, trips = tables.positions, tables.round_trips
        self._positions = Positions(
            findings,
            pages.by_id(positions, positions.c.scope == scope),
            pages.by_id(trips, trips.c.scope == scope),
        )
        self._by_verbs = deque(pages.of_scope(CONTROL, scope))
        self._newest = 0  # wall clock of the newest row, UTC ns
        self._open = False  # whether the newest run has not come to its end

    def use(self, findings: Findings) -> None:
        """Tell these from now on."""
        self._orders.findings = self._positions.findings = findings

    def see(self, run: Row, found: Found) -> None:
        """A row of the chain of a run."""
        table, row = found
        try:
            self._newest = max(self._newest, row["at"])
            if table == "orders":
                self._positions.adopted_before(row["at"])
            elif table == "fills":
                self._positions.fill(row, str(run["currency"]))
            for key, quantity in self._positions.take_adopted():
                self._orders.held(key, quantity)
            self._orders.see(table, row)
        except (ArithmeticError, TypeError, ValueError, KeyError):
            return  # values that nothing follows from: the chain has told of the row

    def between_runs(self, run: Row, until: int | None) -> None:
        """What verbs wrote while no node ran, up to a moment of the wall clock: it is in the chain of the commands."""
        while self._by_verbs and (until is None or self._by_verbs[0][1]["at"] < until):
            self.see(run, self._by_verbs.popleft())
        self._positions.end_run(ended=True)

    def end_run(self, run: Row, *, ended: bool) -> None:
        """No more rows of a run."""
        self._open = not ended
        self._positions.end_run(ended=ended)
        if self._orders.foreign:
            self._positions.findings.note(
                f"{run['run_id']}: {self._orders.foreign:,} fills are of orders that nobody here sent"
            )
            self._orders.foreign = 0

    def finish(self) -> None:
        """No more runs."""
        self._positions.finish(self._newest if self._open else None)
        if self._positions.unvalued:
            self._positions.findings.note(
                f"{self._scope}: {self._positions.unvalued:,} round trips were earned in another currency; their P&L "
                "is not worked out again, since no rate is in the journal"
            )

    def _has_order(self, name: str) -> bool:
        orders = tables.orders
        found = select(orders.c.id).where(orders.c.scope == self._scope, orders.c.client_order_id == name)
        return bool(self._pages.all(found.limit(1)))
