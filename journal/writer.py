"""How do rows get to disk: intents before the order leaves, everything else soon after, in order, none lost?

Rows wait in one queue, and one thread writes them in the order they came. `commit` waits until its rows, and all before
them, are on disk. While the database refuses or does not answer, rows wait in memory and `problem` says why.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import SQLAlchemyError

from journal.chain import Link
from journal.errors import JournalDownError
from journal.heads import HeadFile
from journal.place import Place
from journal.shapes import RowError, Shape, Values, shape
from journal.store import Entry, Store
from journal.stores import store_of

EVERY_SECS = 0.05
RETRY_SECS = 0.5
AT_ONCE_SECS = 0.3  # an error that comes faster than this may be gone at the second try
SILENT_SECS = 1.9
"""A database that takes longer over one transaction counts as down: the engine's thread waits no longer."""
BATCH = 2_000  # rows a transaction, at most
LEAST = 20  # so many where a slow database refuses more
FAR_BEHIND = 10_000  # rows that wait before `add` waits for the thread: a commit waits for all of them
NANOS = 1_000_000_000
Turn = Callable[[Connection], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lag:
    """What is not on disk yet: how many rows, and for how many seconds the oldest has waited."""

    rows: int
    secs: float


class Writer:
    """The only one that writes the rows of one run. Its rule: a row is dropped only once it is on disk.

    `add`, `together`, `keep`, `commit`, `problem`, `lag` and `take_news` may be called from any thread, with plain
    values. A row that is none of its table raises RowError and is not taken.
    """

    def __init__(
        self, engine: Engine, place: Place, chain: str, head_file: HeadFile, *, max_waiting: int = 100_000
    ) -> None:
        """For one chain of the journal in `place`; `start` starts the thread, before it every caller writes."""
        self._place = place
        self._chain = chain
        self._head_file = head_file
        self._max_waiting = max_waiting
        self._store: Store = store_of(engine, place, chain)
        self._waiting: deque[tuple[Entry, ...]] = deque()  # groups: the rows of one call
        self._latest: dict[tuple[str, str], Entry] = {}  # that `keep` handed in and that wait
        self._kept: dict[tuple[str, str], Entry] = {}  # the newest of them all, on disk or not
        self._entering = threading.Lock()  # so that groups are counted in the order they wait
        self._most = BATCH  # rows of the next transaction
        self._far_behind = min(max_waiting // 2, FAR_BEHIND)
        self._rows = 0  # that wait
        self._entered = 0  # groups, from the first on
        self._left = 0  # groups that are on disk
        self._writing = threading.Lock()  # held by whoever writes
        self._moved = threading.Condition()  # told when rows are on disk, or cannot be
        self._problem: str | None = None
        self._since: float | None = None  # when what is going on at the database began
        self._filed: Link | None = None  # the head that is in the head's file
        self._wake = threading.Event()
        self._deadline: float | None = None  # until when `close` wants what waits written
        self._thread = threading.Thread(target=self._write_on, name="journal", daemon=True)
        self._turns: list[Turn] = []
        self._next_turn = 0.0
        self.clean: Callable[[str], str] | None = None
        """Takes secrets out of what people and brokers say (the columns in `shapes.SAID`), before it is hashed."""
        self.written = 0  # rows on disk
        self.held_up_secs = 0.0  # how long callers of `add` had to wait for the thread

    # -- writing ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread that writes what waits."""
        self._thread.start()

    def add(self, table: Table, values: Values) -> None:
        """Let a row wait for the thread. It is never dropped; where the thread falls far behind, the caller waits."""
        self.together((table, values))

    def together(self, *rows: tuple[Table, Values]) -> None:
        """Let rows wait that tell one thing: after a crash all of them are on disk, or none is."""
        self._enter(tuple(self._entry(shape(table), values) for table, values in rows))
        if self._rows > self._far_behind and self._problem is None:
            self._hold_up()

    def keep(self, table: Table, key: str, values: Values) -> None:
        """Let a row that replaces the one before it (`key` is its primary key) wait; only the newest is written."""
        entry = self._entry(shape(table), values)
        with self._entering:
            self._latest[table.name, key] = self._kept[table.name, key] = entry

    def commit(self, *rows: tuple[Table, Values]) -> None:
        """Have these rows, and all that waits before them, on disk; those given are there all or none.

        Raises JournalDownError, after about two seconds at most; they go on waiting then, and may be on disk already.
        """
        ticket = self._enter(tuple(self._entry(shape(table), values) for table, values in rows))
        if not self._thread.is_alive():
            self._write_here(ticket)
            return
        said = self._problem or self._silence()
        if said is None:
            self._wake.set()
        while said is None:
            with self._moved:
                self._moved.wait_for(lambda: self._left >= ticket or self._problem is not None, EVERY_SECS)
            if self._left >= ticket:
                return
            said = self._problem or self._silence()
            if not self._thread.is_alive():
                said = said or self._told("it is closed")
        raise JournalDownError(said)

    def each_turn(self, turn: Turn) -> None:
        """Call `turn` on the writer's thread, with its connection, about 20 times a second; for reading commands."""
        self._turns.append(turn)

    def close(self, timeout_secs: float = 5.0) -> int:
        """Write what waits and stop; answers how many rows could not be written."""
        self._deadline = time.monotonic() + timeout_secs
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_secs)
            if self._thread.is_alive():
                self._store.cut()
                self._thread.join(1.0)
        else:
            self._flush()
        return self._rows + len(self._latest)

    # -- how it goes ------------------------------------------------------------------------------------------------

    @property
    def problem(self) -> str | None:
        """Why nothing can be written now, in one line; None while it can."""
        said = self._problem or self._silence()
        if said is None and self._rows > self._max_waiting:
            said = f"journal: {self._rows} rows wait to be written (journal.max_waiting={self._max_waiting})"
        return said

    @property
    def head(self) -> Link:
        """The newest link on disk."""
        return self._store.head

    def lag(self) -> Lag:
        """What waits to be written."""
        try:
            oldest = self._waiting[0][0].at
        except IndexError:
            return Lag(0, 0.0)
        return Lag(self._rows, max(0.0, (time.time_ns() - oldest) / NANOS))

    def take_news(self) -> list[str]:
        """What happened to the journal since the last call and a person should be told, in one line each."""
        found = []
        while self._store.news:
            found.append(self._store.news.popleft())
        return found

    # -- waiting ----------------------------------------------------------------------------------------------------

    def _entry(self, of: Shape, values: Mapping[str, Any]) -> Entry:
        at = time.time_ns()
        cells = of.cells(values, at)
        if self.clean is not None:
            of.clean(cells, self.clean)
        if of.chained and values.get("run_id") != self._chain:
            raise RowError(f"{of.name}.run_id={values.get('run_id')!r} is not the run {self._chain}")
        return Entry(of, cells, at)

    def _enter(self, group: tuple[Entry, ...]) -> int:
        """Let rows wait; answers the number of their group."""
        with self._entering:
            if group:
                self._waiting.append(group)
                self._rows += len(group)
                self._entered += 1
            return self._entered

    def _hold_up(self) -> None:
        """The caller is faster than the disk: it waits for the disk."""
        if not self._thread.is_alive():
            self._write_here(self._entered)
            return
        began = time.monotonic()
        self._wake.set()
        while self._rows > self._far_behind and self.problem is None and self._thread.is_alive():
            with self._moved:
                self._moved.wait(EVERY_SECS)
        self.held_up_secs += time.monotonic() - began

    def _write_here(self, ticket: int) -> None:
        """As the thread would, before it is started. Raises JournalDownError."""
        while self._left < ticket or self._latest:
            self._write()
            if self._problem is not None:
                raise JournalDownError(self._problem)

    def _silence(self) -> str | None:
        """Whether the database has not answered for too long; it is cut off then, so that the thread is free again."""
        since = self._since
        if since is None or time.monotonic() - since < SILENT_SECS:
            return None
        self._store.cut()
        return self._told("it does not answer")

    def _told(self, said: str) -> str:
        return f"journal {self._place.shown}: {said}"

    # -- the thread -------------------------------------------------------------------------------------------------

    def _write_on(self) -> None:
        while self._deadline is None:
            quiet = False
            if self._rows < BATCH or self._problem is not None:
                quiet = not self._wake.wait(RETRY_SECS if self._problem else EVERY_SECS)
                self._wake.clear()
            self._write()
            self._attend(idle=quiet and self._rows == 0)
        self._flush()

    def _flush(self) -> None:
        """The last of it, for as long as `close` wants to wait."""
        while self._rows or self._latest:
            self._write()
            if self._deadline is not None and time.monotonic() >= self._deadline:
                break
            if self._problem is not None:
                time.sleep(EVERY_SECS)
        with self._writing:
            self._store.close()
            self._head_file.close()

    def _write(self) -> None:
        """One transaction with what waits; an error is kept as `problem`, and what waits goes on waiting."""
        with self._writing:
            self._since = began = time.monotonic()
            try:
                try:
                    self._transact()
                except self._store.expected as error:
                    if self._problem is not None or time.monotonic() - began > AT_ONCE_SECS:
                        raise
                    self._store.failed(
                        error
                    )  # a server that was started anew, a file that came back: nobody need know
                    self._transact()
                self._problem, self._most = None, min(BATCH, self._most * 2)
            except Exception as error:  # noqa: BLE001 - a thread's edge: whatever it is, rows wait and it is told
                self._fail(error)
            self._since = None
        with self._moved:
            self._moved.notify_all()

    def _transact(self) -> None:
        self._went(self._store.ready(), {})
        if self._store.was_put_back:
            self._store.was_put_back = False
            with self._entering:
                self._latest = {**self._kept, **self._latest}
        groups, latest = self._next()
        if groups or latest or self._problem is not None:  # nothing shows that it works again but a write
            self._store.write(len(groups), [entry for group in groups for entry in group], latest.values())
            self._went(len(groups), latest)
        if self._filed != self._store.head:
            self._head_file.write(self._store.head)
            self._filed = self._store.head

    def _next(self) -> tuple[list[tuple[Entry, ...]], dict[tuple[str, str], Entry]]:
        """What the next transaction takes: whole groups, in order."""
        groups: list[tuple[Entry, ...]] = []
        with self._entering:
            rows = 0
            for group in self._waiting:
                if rows >= self._most:
                    break
                groups.append(group)
                rows += len(group)
            return groups, dict(self._latest)

    def _went(self, count: int, latest: Mapping[tuple[str, str], Entry]) -> None:
        """The oldest groups that wait, and these of the latest, are on disk."""
        with self._entering:
            for _ in range(count):
                rows = len(self._waiting.popleft())
                self._rows -= rows
                self.written += rows
            for key, entry in latest.items():
                if self._latest.get(key) is entry:
                    del self._latest[key]
            self._left += count

    def _fail(self, error: Exception) -> None:
        said = self._store.failed(error)
        if isinstance(error, OSError) and error.strerror:
            said = error.strerror if error.filename is None else f"{error.strerror}: {error.filename}"
        self._most = max(LEAST, self._most // 4)
        problem = self._told(said)
        if problem != self._problem and not isinstance(error, self._store.expected):
            log.error(problem, exc_info=error)
        self._problem = problem

    def _attend(self, *, idle: bool) -> None:
        """What is done between two transactions: commands are read, the database is kept tidy."""
        now = time.monotonic()
        due = now >= self._next_turn
        with self._writing:
            self._since = now
            try:
                connection = self._store.connection
                if due and connection is not None:
                    self._next_turn = now + EVERY_SECS
                    for turn in self._turns:
                        self._give_turn(turn, connection)
                self._store.tidy(idle=idle)
            except Exception as error:  # noqa: BLE001 - a thread's edge, as above
                self._fail(error)
            self._since = None

    def _give_turn(self, turn: Turn, connection: Connection) -> None:
        try:
            turn(connection)
        except (SQLAlchemyError, OSError):
            raise
        except Exception:  # not the journal's fault; it must not stop it
            log.exception("a turn of the journal's thread failed")
        if connection.in_transaction():
            connection.rollback()
