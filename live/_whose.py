"""Whose rows does a verb read: a whole account's, one run's, or those of all sandbox runs?

An account that outlives its runs is one history over all of them. A replay starts fresh each time, so its newest run
stands alone. run=ID is one run, run=all all of them; paper, live and sandbox never mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, select

from configs.errors import ConfigError
from journal import tables
from journal.database import told
from live._about import About, about

ALL = "all"


@dataclass(frozen=True, slots=True)
class Whose:
    """A choice of rows. `named`: run=ID was given; `everything`: run=all was."""

    about: About
    named: bool = False
    everything: bool = False

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Whose:
        """Open the journal that the arguments name and choose. Raises ConfigError, JournalError."""
        everything = given.get("run") == ALL
        kept = {key: value for key, value in given.items() if not (everything and key == "run")}
        found = about(kept)
        if "venue" in given and given["venue"] != found.run["venue"]:
            raise ConfigError(
                f"venue={given['venue']}: run {found.run['run_id']} was on {found.run['venue']}"
            )
        return cls(found, "run" in kept, everything)

    @property
    def run(self) -> Mapping[str, Any]:
        """The run that is meant, or the newest of those that are."""
        return self.about.run

    @property
    def is_account(self) -> bool:
        """Whether the account goes on after its runs, so that periods count back from now."""
        return bool(self.about.scope != self.run["run_id"])

    @property
    def runs_alone(self) -> bool:
        """Whether the rows of several runs that each started fresh are read together."""
        return self.everything and not self.is_account

    def where(self, table: Table) -> ColumnElement[bool]:
        """What its rows in a table have in common."""
        run, columns = self.run, table.c
        if self.named:
            return self._of_one_run(table)
        if self.runs_alone:
            return and_(columns.mode == run["mode"], columns.venue == run["venue"])
        return and_(columns.scope == run["scope"])

    def _of_one_run(self, table: Table) -> ColumnElement[bool]:
        """Commands are in a chain of their own: those of a run were written while it ran."""
        run, columns = self.run, table.c
        if table is not tables.commands:
            return and_(columns.run_id == run["run_id"])
        meant = [columns.scope == run["scope"], columns.at >= run["started_at"]]
        return and_(*meant, *([columns.at <= run["ended_at"]] if run["ended_at"] is not None else []))

    @property
    def told(self) -> str:
        """In a few words, for a heading."""
        run = self.run
        if self.named:
            return f"{run['venue']} ({run['mode']}), run {run['run_id']}"
        if self.runs_alone:
            return f"{run['venue']} ({run['mode']}), all its runs"
        if self.is_account:
            return f"{run['venue']} ({run['mode']})"
        return f"{run['venue']} ({run['mode']}), its newest run {run['run_id']}"

    def last_ns(self) -> int | None:
        """The newest market time of its rows; None where there are none."""
        stamps = [
            select(func.max(table.c.ts)).where(self.where(table)).scalar_subquery()
            for table in (tables.account_snapshots, tables.orders, tables.fills)
        ]
        with told(self.about.reader.config), self.about.reader.engine.connect() as connection:
            found = [each for each in connection.execute(select(*stamps)).one() if each is not None]
        return max(found) if found else None

    def now_ns(self, clock_ns: int) -> int:
        """What periods count back from: `clock_ns` for an account, the last market time for a sandbox's runs."""
        if self.is_account:
            return clock_ns
        last = self.last_ns()
        return clock_ns if last is None else last
