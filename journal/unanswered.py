"""Which commands of an account did no node answer, and are still meant?

A node that hung or died leaves what it was asked undone. A `resume` that was done takes back what was asked before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, desc, select

from journal.control import Command, command_of
from journal.tables import commands, receipts, runs
from risk.scopes import BOOK

RESUME = "resume"
RUNS_BACK = 2
"""A command may be older than the row of the run that had to do it, so they count from the start of the run before."""


def unanswered(connection: Connection, scope: str, verbs: Sequence[str], up_to: int) -> list[Command]:
    """Commands of these verbs up to an id that nobody answered or took back, in the order they were written."""
    started = select(runs.c.started_at).where(runs.c.scope == scope).order_by(desc(runs.c.started_at))
    begun = list(connection.execute(started.limit(RUNS_BACK)).scalars())
    asked = (
        select(commands, receipts.c.outcome, receipts.c.answer)
        .outerjoin(receipts, receipts.c.command_id == commands.c.command_id)
        .where(commands.c.scope == scope, commands.c.id <= up_to, commands.c.verb.in_([*verbs, RESUME]))
        .where(commands.c.at >= min(begun, default=0))
        .order_by(desc(commands.c.id))
    )
    found: list[Command] = []
    lifted: set[str] = set()  # scopes that were resumed after the command at hand
    for row in connection.execute(asked).all():
        if row.verb == RESUME and row.outcome == "DONE":
            lifted |= _lifted(row.answer)
        elif row.verb != RESUME and row.outcome is None:
            command = command_of(row)
            if scope_asked(command) not in lifted:
                found.append(command)
    return found[::-1]


def scope_asked(command: Command) -> str:
    """The scope that a command is about, as the person wrote it; the book where they named none."""
    strategy, scope = command.args.get("strategy"), command.args.get("scope")
    if isinstance(strategy, str):
        return f"strategy:{strategy}"
    return scope if isinstance(scope, str) else BOOK


def _lifted(answer: str) -> set[str]:
    try:
        document: Any = json.loads(answer)
        return set(map(str, document["lifted"]))
    except (ValueError, KeyError, TypeError):
        return set()
