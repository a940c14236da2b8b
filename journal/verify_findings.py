"""What can be wrong with a journal, and how is that told?

CHANGED      a row's values no longer give its hash
REPLACED     a row gives its own hash, but the row after it holds on to another one
MISSING      numbers are left out in a chain
TRUNCATED    rows are gone from the end of a chain
INSERTED     a row that was never written into its chain
REORDERED    rows stand in another order than they were written in
REWRITTEN    a chain is whole, but not the one whose head was kept
HEAD         the head of a chain, in the database or in its file, is gone or was changed
FOREIGN      a row belongs to no run, or to a run of another account, mode or venue
DISAGREES    rows that follow from each other do not
UNDECIDED    an order was handed on without a decision
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

MOST = 1_000
"""Findings that are kept one by one; more are only counted."""
KEYS = {  # table -> the columns that a person would name its row by
    "decisions": ("client_order_id", "verdict"),
    "orders": ("client_order_id", "event"),
    "fills": ("client_order_id", "trade_id"),
    "risk_events": ("kind", "risk_scope"),
    "receipts": ("command_id", "outcome"),
    "approvals": ("client_order_id", "event"),
    "commands": ("command_id", "verb"),
    "positions": ("strategy", "instrument"),
    "round_trips": ("entry_order", "exit_order"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where, in which row, and what. `key`: the names the row has, by column."""

    kind: str
    run: str
    table: str | None
    seq: int | None
    row: int | None
    key: dict[str, str]
    text: str

    @property
    def where(self) -> str:
        """The row as a person would look for it."""
        parts = [self.table or "chain"]
        if self.seq is not None:
            parts.append(f"seq {self.seq:,}")
        elif self.row is not None:
            parts.append(f"id {self.row:,}")
        named = ", ".join(f"{column} {value}" for column, value in self.key.items())
        return f"{' '.join(parts)} of {self.run}" + (f" ({named})" if named else "")


@dataclass(slots=True)
class Findings:
    """What was found so far. Its rule: the first MOST are kept, all are counted."""

    kept: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many things are wrong."""
        return self.counts.total()

    def add(
        self, kind: str, run: str, text: str, *, seq: int | None = None, table: str | None = None
    ) -> None:
        """Something about a chain as a whole, or about a row that is not there."""
        self._keep(Finding(kind, run, table, seq, None, {}, text))

    def row(self, kind: str, table: str, row: Mapping[str, Any], text: str) -> None:
        """Something about a row."""
        key = {name: str(row[name]) for name in KEYS.get(table, ()) if row.get(name) is not None}
        seq, number = row.get("seq"), row.get("id")
        self._keep(
            Finding(
                kind,
                str(row.get("run_id")),
                table,
                seq if isinstance(seq, int) else None,
                number if isinstance(number, int) else None,
                key,
                text,
            )
        )

    def note(self, text: str) -> None:
        """Something to know that is not wrong."""
        if len(self.notes) < MOST:
            self.notes.append(text)

    def _keep(self, finding: Finding) -> None:
        self.counts[finding.kind] += 1
        if len(self.kept) < MOST:
            self.kept.append(finding)

    def as_rows(self) -> list[dict[str, Any]]:
        """The findings as plain values."""
        return [{**asdict(finding), "where": finding.where} for finding in self.kept]
