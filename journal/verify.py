"""Is the journal as it was written, and does what it says agree with itself?

`verify` goes along every chain in order, a page at a time, and along what follows from it. A node may go on writing
meanwhile: what is in the file of a head is read first, since the rows it stands for are in the database by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from journal import tables
from journal.tables import CHAINED, CONTROL
from journal.verify_account import AccountRows
from journal.verify_chain import Walk
from journal.verify_findings import Findings
from journal.verify_heads import Head, Kept, check_heads
from journal.verify_pages import Found, Pages, chained_tables
from journal.verify_plain import (
    check_answers,
    check_control,
    check_limits,
    check_modes,
    check_runs,
    lost_from,
)

HINTS = 20
"""Gaps of which the table is looked for; it takes a few questions each."""
Row = Mapping[str, Any]


@dataclass(slots=True)
class Verified:
    """What came of it. rows: how many were looked at; chains: their names, in the order they were read."""

    findings: Findings
    rows: int = 0
    chains: list[str] = field(default_factory=list)
    secs: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return self.findings.total == 0


class Verifier:
    """Goes along a journal. Its rule: it reads, and holds nothing that a node would wait for."""

    def __init__(
        self,
        engine: Engine,
        heads_folder: Path | None,
        on_rows: Callable[[int], None] = lambda _rows: None,
        *,
        copied: bool = False,
    ) -> None:
        """heads_folder: where the files of the heads are; None goes without. on_rows: told how many rows were read.

        copied: the folder is a copy, which may be older than the rows.
        """
        self._copied = copied
        self._engine = engine
        self._heads = heads_folder
        self._on_rows = on_rows
        self._findings = Findings()
        self._done = Verified(self._findings)
        self._hints = HINTS
        self._pages = Pages(engine)

    def verify(self, run: str | None = None) -> Verified:
        """All chains, or those of one run and of the commands. Raises what the database raises."""
        began = time.monotonic()
        pages = self._pages
        try:
            runs = pages.dicts(select(tables.runs).order_by(tables.runs.c.started_at, tables.runs.c.run_id))
            self._runs(runs, run)
            self._chain(CONTROL, ended=False)
            if run is None:
                self._unknown_chains({row["run_id"] for row in runs})
                check_modes(pages, self._findings)
                check_control(pages, self._findings)
            check_runs(pages, self._findings, run)
            check_limits(pages, self._findings, run)
            scopes = None if run is None else [row["scope"] for row in runs if row["run_id"] == run]
            check_answers(pages, self._findings, scopes)
        finally:
            pages.close()
        self._done.secs = time.monotonic() - began
        return self._done

    def expected(self, run: str | None) -> int:
        """About how many rows there are to read, for a progress bar."""
        heads = tables.heads
        wanted = select(func.sum(heads.c.seq))
        return int(
            self._pages.all(wanted if run is None else wanted.where(heads.c.chain.in_([run, CONTROL])))[0][0]
            or 0
        )

    # -- accounts --------------------------------------------------------------------------------------------------

    def _runs(self, runs: list[dict[str, Any]], wanted: str | None) -> None:
        """The runs of each account, one account after the other: its positions go on from run to run."""
        scopes = {row["scope"]: None for row in runs if wanted in (None, row["run_id"])}
        for scope in scopes:
            own = [row for row in runs if row["scope"] == scope]
            if wanted is not None:
                own = own[: 1 + next(place for place, row in enumerate(own) if row["run_id"] == wanted)]
            self._account(scope, own, wanted)

    def _account(self, scope: str, runs: list[dict[str, Any]], wanted: str | None) -> None:
        silent = Findings()
        account = AccountRows(self._pages, scope, self._findings)
        for row in runs:
            ended = row["ended_at"] is not None
            is_wanted = wanted in (None, row["run_id"])
            account.use(self._findings if is_wanted else silent)
            account.between_runs(row, row["started_at"])
            if is_wanted:
                self._chain(row["run_id"], ended=ended, see=partial(account.see, row))
            else:  # what was held before the run that is asked about
                for found in _rows(self._pages, row["run_id"]):
                    account.see(row, found)
            account.end_run(row, ended=ended)
        if wanted is None:
            account.between_runs(runs[-1], None)
            account.finish()

    # -- chains ----------------------------------------------------------------------------------------------------

    def _chain(self, chain: str, *, ended: bool, see: Callable[[Found], None] = lambda _found: None) -> None:
        self._done.chains.append(chain)
        kept = Kept.read(self._heads, chain)
        walk = Walk(chain, self._findings, kept.link, partial(self._lost_from, chain))
        head = _head(self._pages, chain)
        upto = None if head is None else head.link.seq
        if upto is not None:
            self._along(walk, walk.along(self._pages.chain(chain, after=None, upto=upto)), see)
        end = Pages(self._engine)
        try:
            end.at_once()
            head = _head(end, chain)
            rest = walk.along(end.chain(chain, after=upto, upto=None), None if head is None else head.link)
            self._along(walk, rest, see)
        finally:
            end.close()
        check_heads(chain, walk, head, kept, self._findings, ended=ended and not self._copied)

    def _along(self, walk: Walk, rows: Iterator[Found], see: Callable[[Found], None]) -> None:
        told = walk.rows
        for found in rows:
            see(found)
            if walk.rows - told >= 1_000:  # noqa: PLR2004 - often enough for a bar
                self._on_rows(walk.rows - told)
                self._done.rows += walk.rows - told
                told = walk.rows
        self._on_rows(walk.rows - told)
        self._done.rows += walk.rows - told

    def _lost_from(self, chain: str, first: int, last: int) -> list[str]:
        self._hints -= 1
        return lost_from(self._pages, chain, chained_tables(chain), first, last) if self._hints >= 0 else []

    def _unknown_chains(self, known: set[str]) -> None:
        """Chains whose run is gone: their rows, the heads' rows and their files still tell of them."""
        found = {name for table in CHAINED.values() for name in self._pages.names(table.c.run_id)}
        found |= {
            *self._pages.names(tables.commands.c.run_id),
            *self._pages.names(tables.heads.c.chain),
        }
        if self._heads is not None and self._heads.is_dir():
            found |= {file.name.removesuffix(".head") for file in self._heads.glob("*.head")}
        for chain in sorted(found - known - {CONTROL}):
            self._findings.add(
                "FOREIGN", chain, "no run of this name is in the journal, yet rows or the head of one are"
            )
            self._chain(chain, ended=False)


def _head(pages: Pages, chain: str) -> Head | None:
    found = pages.all(select(tables.heads).where(tables.heads.c.chain == chain))
    return Head.of(found[0]) if found else None


def _rows(pages: Pages, chain: str) -> Iterator[Found]:
    for _, group in pages.chain(chain, after=None, upto=None):
        yield from group
