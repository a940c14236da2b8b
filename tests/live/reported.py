"""A paper account whose journal is filled with what a report looks at: real config, real limits, a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert, select

from configs.load import compose
from journal import tables
from journal.config import JournalConfig
from journal.database import open_journal
from journal.limits_version import limits_text, limits_version
from journal.trips import Trips
from journal.writer import Writer
from risk.limits import RiskConfig
from tests.journal.filled import NANOS, Desk

NEW_YORK = "America/New_York"


def new_york(text: str) -> int:
    """UTC ns of an hour in New York: 2010-05-06 15:30."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(NEW_YORK))
    return int(local.astimezone(UTC).timestamp()) * NANOS


class _OwnClock:
    """A writer whose wall clock is market time; fills arrive so much later. Positions know their trip."""

    def __init__(self, writer: Writer, trips: Trips) -> None:
        self._writer = writer
        self._trips = trips
        self.fill_ns = 250_000_000

    def add(self, table: Table, values: Mapping[str, Any]) -> None:
        late = self.fill_ns if table is tables.fills else 0
        row = {"at": values["ts"] + late, **values}
        if table is tables.positions:
            trip = self._trips.open.get((values["strategy"], values["instrument"]))
            row["trip"] = None if trip is None else trip.as_text()
        self._writer.add(table, row)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


class Account(Desk):
    """A run of a paper account that begins at a moment in New York."""

    def __init__(self, config: JournalConfig, start: str, *overrides: str, **more: Any) -> None:
        """`overrides` are of the config that the journal keeps: risk.max_daily_loss_pct=0.05."""
        composed = compose("live", ["instruments=[AAPL,MSFT]", *overrides])
        self.text = composed.text
        self.limits: RiskConfig = composed.config.risk
        given: dict[str, Any] = {
            "run_id": "paper-1", "scope": "paper:local_paper", "mode": "paper", "venue": "local_paper",
        } | more  # fmt: skip
        super().__init__(open_journal(config, create=True), config, started_ns=new_york(start), **given)

    def __post_init__(self) -> None:
        super().__post_init__()
        own: Any = _OwnClock(self.writer, self.trips)
        self.clock, self.writer = own, own
        self.keep(self.limits)

    def _run(self) -> dict[str, Any]:
        values = {"config": self.text, "limits_version": limits_version(self.limits)}
        return {**super()._run(), **values}

    def keep(self, limits: RiskConfig) -> str:
        """Let the journal know what a version of limits stands for."""
        version, known = limits_version(limits), tables.limit_sets
        with self.engine.begin() as connection:
            if connection.execute(select(known).where(known.c.version == version)).first() is None:
                values = {"version": version, "at": self.started_ns, "limits": limits_text(limits)}
                connection.execute(insert(known), values)
        return version

    def pay(self, when: str, amount: str, why: str = "deposit") -> None:
        """Money comes or goes, as the desk tells it; a snapshot follows."""
        before, paid = self.equity, Decimal(amount)
        self.cash += paid
        self.peak += paid
        self._day = (self._day[0], self._day[1] + paid)
        told = f"CASH_FLOW: {why} of {paid:,.2f}; equity {before:,.2f} -> {self.equity:,.2f}, day start 0.00 -> 0.00"
        values = {
            "ts": new_york(when),
            "kind": "CASH_FLOW",
            "breaker": None,
            "risk_scope": "book",
            "reason": told,
        }
        self.writer.add(tables.risk_events, {**self.base, **values, "equity": None, "reference": None})
        self.snapshot(new_york(when) + NANOS)

    def see(self, when: str, why: str = "time", **prices: str) -> None:
        """Prices are what they are, and a snapshot is made."""
        for symbol, price in prices.items():
            self.mark(f"{symbol}.XNAS", price)
        self.snapshot(new_york(when), why)
