"""How does a person's command reach the node, and the answer the person?

A verb writes a command, the node (its writer's thread) reads it, acts on its own loop and writes a receipt. Where no
node runs the verb acts itself and writes both. All of it is in one chain, `control`, since any process may add to it;
a node's receipts are in the chain of its run.
"""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Engine, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from journal.chain import GENESIS, Link
from journal.database import writing
from journal.heads import HeadFile
from journal.shapes import shape
from journal.sqlite_file import be_patient
from journal.statements import insert_of
from journal.tables import CONTROL, commands, heads, receipts

POLL_SECS = 0.05
PATIENCE_MS = 10_000
"""How long a command waits for a node that writes without a pause."""
OVERLAP_NS = 10_000_000_000
MARKS = {"sqlite": "?", "postgresql": "%s"}
NEWEST = select(func.max(commands.c.id))
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """What a command is about: the scope, mode and venue of its rows."""

    scope: str
    mode: str
    venue: str


@dataclass(frozen=True, slots=True)
class Command:
    """What a person asks a node for; plain values, which may cross threads."""

    command_id: str
    verb: str
    args: dict[str, Any]
    who: str
    why: str
    at: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a command: DONE, REFUSED or FAILED, in one line and as plain values."""

    command_id: str
    outcome: str
    text: str
    answer: dict[str, Any]


def write(
    engine: Engine,
    head_file: HeadFile,
    rows: list[tuple[Table, Values]],
    clean: Callable[[str], str] | None = None,
) -> None:
    """Add rows to the control chain, all or none. Raises RowError, and what the database raises.

    clean: takes secrets out of what people and brokers say (the columns in `shapes.SAID`), before it is hashed.
    """
    checked = [
        (shape(table), shape(table).cells(_own(table, values), time.time_ns())) for table, values in rows
    ]
    if clean is not None:
        for each, cells in checked:
            each.clean(cells, clean)
    with writing(engine).connect() as connection:
        be_patient(connection, PATIENCE_MS)
        with connection.begin():
            head = _head(connection)
            for each, cells in checked:
                if each.chained:
                    head = each.join(cells, head)
                statement = insert_of(each, MARKS[engine.dialect.name])
                connection.exec_driver_sql(statement, tuple(cells))
            kept = {"seq": head.seq, "hash": head.hash, "batch": heads.c.batch + 1, "at": time.time_ns()}
            connection.execute(heads.update().where(heads.c.chain == CONTROL).values(kept))
    with suppress(
        OSError
    ):  # the rows are there; a head's file that is behind is what `audit verify` expects of a crash
        head_file.raise_to(head)


def _own(table: Table, values: Values) -> Values:
    return {**values, "run_id": CONTROL} if "run_id" in table.columns else values


def _head(connection: Connection) -> Link:
    """The newest link of the chain, which nobody else can add to now: rows come to light in the order of their ids."""
    first = {"chain": CONTROL, "seq": 0, "hash": GENESIS, "batch": 0, "at": time.time_ns()}
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(heads).values(first).on_conflict_do_nothing())
    else:
        connection.execute(sqlite.insert(heads).values(first).on_conflict_do_nothing())
    found = connection.execute(select(heads).where(heads.c.chain == CONTROL).with_for_update()).one()
    return Link(found.seq, found.hash)


def command_row(account: Account, verb: str, args: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The row of a new command of this person's."""
    return {
        "command_id": uuid4().hex,
        "scope": account.scope,
        "mode": account.mode,
        "venue": account.venue,
        "verb": verb,
        "args": json.dumps(args, sort_keys=True),
        "who": getpass.getuser(),
        "why": why,
    }


def receipt_row(account: Account, receipt: Receipt, *, by: str, ts: int | None = None) -> dict[str, Any]:
    """The row of a receipt; `by` is node or verb."""
    return {
        "scope": account.scope,
        "mode": account.mode,
        "venue": account.venue,
        "ts": time.time_ns() if ts is None else ts,
        "command_id": receipt.command_id,
        "outcome": receipt.outcome,
        "text": receipt.text,
        "answer": json.dumps(receipt.answer, sort_keys=True),
        "by": by,
    }


def awaited(engine: Engine, command_id: str, timeout_secs: float) -> Receipt | None:
    """The receipt of a command, waited for; None when none came in time."""
    deadline = time.monotonic() + timeout_secs
    while True:
        with engine.connect() as connection:
            row = connection.execute(select(receipts).where(receipts.c.command_id == command_id)).first()
        if row is not None:
            return Receipt(row.command_id, row.outcome, row.text, json.loads(row.answer))
        if time.monotonic() >= deadline:
            return None
        time.sleep(POLL_SECS)


class Mailbox:
    """The node's side: commands of one account that are newer than the node, each once, in the order they were written.

    `read` runs on the writer's thread with its connection; `take` on the node's loop.
    """

    def __init__(self, scope: str) -> None:
        """Commands from before the first `read` never come here: `journal.unanswered` has those that still count."""
        self._scope = scope
        self._seen: int | None = None  # the highest id there was
        self._read_at = 0  # wall clock of the newest `read`, UTC nanoseconds
        self._ids: set[str] = set()  # of the commands that were read
        self._queue: SimpleQueue[Command] = SimpleQueue()

    def read(self, connection: Connection) -> None:
        """Look for new commands."""
        now = time.time_ns()
        newest = int(connection.execute(NEWEST).scalar() or 0)
        if self._seen is None:
            self._seen = newest
        elif newest > self._seen:
            self._collect(connection, commands.c.id > self._seen)
        elif newest < self._seen:  # an older journal was put in its place: its ids were used before
            self._collect(connection, commands.c.at > self._read_at - OVERLAP_NS)
        self._seen, self._read_at = newest, now

    @property
    def seen(self) -> int:
        """The highest id that the newest `read` saw, of a command of any account."""
        return self._seen or 0

    def take(self) -> list[Command]:
        """The commands that came since the last call."""
        found = []
        while not self._queue.empty():
            found.append(self._queue.get())
        return found

    def _collect(self, connection: Connection, new: ColumnElement[bool]) -> None:
        wanted = select(commands).where(commands.c.scope == self._scope, new).order_by(commands.c.id)
        for row in connection.execute(wanted).all():
            if row.command_id not in self._ids:
                self._ids.add(row.command_id)
                self._queue.put(command_of(row))


def command_of(row: Any) -> Command:
    """The command that a row of `commands` holds."""
    return Command(row.command_id, row.verb, _args(row.args), row.who, row.why, row.at)


def _args(text: str) -> dict[str, Any]:
    """What a command was given; a row that somebody spoilt still halts the node if that is its verb."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": text}
