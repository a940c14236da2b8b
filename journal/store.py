"""Where do the rows of one run go, and did the newest of them arrive?

A store writes one transaction at a time. Each first moves the run's row in `heads` from the place that this store knows
to the next one, so two transactions can never both count, and one whose answer was lost is found again, or not.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from journal.chain import Link
from journal.database import HEAD
from journal.errors import JournalBrokenError, JournalError
from journal.place import Place
from journal.shapes import Cell, Shape
from journal.statements import first_head, head_there, no_head, version


class Entry(NamedTuple):
    """A row that waits. at: wall clock in UTC nanoseconds when it was handed in."""

    shape: Shape
    cells: list[Cell]
    at: int


class Doubt(NamedTuple):
    """A transaction that was begun: how many groups of rows it has, and the head after it."""

    groups: int
    head: Link


Insert = tuple[Shape, Sequence[Sequence[Cell]]]
RECENT_ROWS = 5_000


class Done(NamedTuple):
    """A transaction that arrived: its number, the head before it, and what it wrote."""

    batch: int
    before: Link
    inserts: list[Insert]
    rows: int


class Store(ABC):
    """One connection to the journal's database, for the writer's thread alone; only `cut` is for others.

    Raises what the database's driver raises, and JournalError; `failed` is to be called then.
    """

    mark = "?"  # what stands for a value in a statement
    lock = ""  # what a SELECT ends with to wait for whoever changes its row
    expected: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, JournalError)
    """What can go wrong with a database; anything else is a mistake in the code."""

    def __init__(self, engine: Engine, place: Place, chain: str) -> None:
        """Nothing is opened before `ready`."""
        self.engine = engine
        self.place = place
        self.chain = chain
        self.connection: Connection | None = None  # for reading
        self.head = Link()
        self.was_put_back = (
            False  # to an earlier time: what is kept there may be older than what is known here
        )
        self.news: deque[str] = deque()  # what a person should be told, in one line each
        self._batch = 0  # transactions so far
        self._certain = False
        self._doubt = Doubt(0, Link())
        self._trying: list[Insert] = []
        self._recent: deque[Done] = deque()  # the newest transactions, to write them again
        self._recent_rows = 0

    def ready(self) -> int:
        """Connect where it is needed; answers how many groups of an earlier `write` that failed arrived after all."""
        self.reach()
        return 0 if self._certain else self._settle()

    def write(self, groups: int, rows: Iterable[Entry], latest: Iterable[Entry]) -> None:
        """One transaction; `latest` replace the rows with their keys."""
        head = self.head
        inserts: dict[Shape, list[list[Cell]]] = {}
        for shape, cells, _ in rows:
            if shape.chained:
                head = shape.join(cells, head)
            inserts.setdefault(shape, []).append(cells)
        for shape, cells, _ in latest:
            inserts.setdefault(shape, []).append(cells)
        self._doubt, self._trying = Doubt(groups, head), list(inserts.items())
        self._certain = False
        known = (self.chain, self._batch, self.head.hash)
        self.transaction((head.seq, head.hash, self._batch + 1, time.time_ns(), *known), self._trying)
        self._arrived(head)

    def _arrived(self, head: Link) -> None:
        self._certain = True
        self._batch += 1
        done = Done(self._batch, self.head, self._trying, sum(len(rows) for _, rows in self._trying))
        self._recent.append(done)
        self._recent_rows += done.rows
        while self._recent_rows > RECENT_ROWS:
            self._recent_rows -= self._recent.popleft().rows
        self.head = head

    # -- after an error ---------------------------------------------------------------------------------------------

    def _settle(self) -> int:
        self.begin()
        if self._batch == 0:
            self.execute(first_head(self.mark), (self.chain, 0, self.head.hash, 0, time.time_ns()))
        row = self.execute(head_there(self.mark, self.lock), (self.chain,)).fetchone()
        there, batch = (Link(), 0) if row is None else (Link(int(row[0]), row[1]), int(row[2]))
        groups = 0
        if batch == self._batch and there == self.head:
            self.commit()
            self._certain = True
        elif batch == self._batch + 1 and there == self._doubt.head:
            self.commit()
            groups = self._doubt.groups
            self._arrived(there)
        elif batch < self._batch and there.seq <= self.head.seq:
            self._go_on(there, batch)
        else:
            self.rollback()
            raise JournalBrokenError(
                f"it is at row {there.seq} of this run, where this node wrote {self.head.seq}: another process writes "
                "it; stop one of them"
            )
        return groups

    def _go_on(self, there: Link, batch: int) -> None:
        """The database was put back to an earlier time: it gets what is in memory, and what is missing is told."""
        since = [done for done in self._recent if done.batch > batch]
        whole = bool(since) and (since[0].batch, since[0].before) == (batch + 1, there)
        if whole:
            for done in since:
                for shape, rows in done.inserts:
                    self.insert(shape, rows)
        own = (self.chain, self.head.seq, self.head.hash, self._batch, time.time_ns())
        self.execute(no_head(self.mark), (self.chain,))
        self.execute(first_head(self.mark), own)
        self.commit()
        self._certain = self.was_put_back = True
        if whole:
            rest = "what this node wrote since then was written again"
        elif there.seq < self.head.seq:
            rest = f"rows {there.seq + 1:,} to {self.head.seq:,} of this run are missing in it"
        else:
            rest = "rows of this run that have no number are missing in it"
        self.news.append(
            f"journal {self.place.shown} was put back to an earlier time and goes on from there; {rest}: "
            "python -m live audit verify looks at it"
        )

    def check_version(self) -> None:
        """Raises JournalBrokenError when what was connected to is no journal of this version."""
        row = self.execute(version(), ()).fetchone()
        if row is None or row[0] != HEAD:
            raise JournalBrokenError("what is there now is a journal of another version of Keel")

    # -- what a database does its own way ---------------------------------------------------------------------------

    @abstractmethod
    def reach(self) -> None:
        """Be connected to the right place."""

    @abstractmethod
    def transaction(self, fence: tuple[Cell, ...], inserts: Iterable[Insert]) -> None:
        """All or nothing: FENCE, which has to change one row, and the inserts. Durable when it returns."""

    @abstractmethod
    def insert(self, shape: Shape, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows of one table, in the transaction that was begun."""

    @abstractmethod
    def begin(self) -> None:
        """Begin to write."""

    @abstractmethod
    def execute(self, statement: str, values: Sequence[Cell]) -> Any:
        """Run one statement; answers a cursor."""

    @abstractmethod
    def commit(self) -> None:
        """Make it last."""

    @abstractmethod
    def rollback(self) -> None:
        """Leave it."""

    @abstractmethod
    def failed(self, error: BaseException) -> str:
        """After an error: be ready to try again; answers what happened and what to do, in one line."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the database; never raises."""

    @abstractmethod
    def cut(self) -> None:
        """Called from any thread when the database does not answer: let whoever waits for it fail."""

    @abstractmethod
    def tidy(self, *, idle: bool) -> None:
        """What can be done between two transactions. idle: nothing waits."""
