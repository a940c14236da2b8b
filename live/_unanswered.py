"""What becomes of a halt or flatten that no node answered, because it hung or died?

Nobody knows what a person would say now, so nothing is opened: the next start halts, before any order, with the
command's reason, and answers it. What a later `resume` took back stays undone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from configs.edge import say
from configs.errors import ConfigError
from journal import tables
from journal.database import told
from journal.reader import Reader
from journal.unanswered import scope_asked, unanswered
from live._about import About
from live._control import HALTING, NO_REASON, Done, answer, risk_event
from live._latch import fresh_state, halted, keep
from live._said import said
from live._scope import named_scope
from risk.breaker import BOOK
from risk.halts import FLATTEN, OPERATOR

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from journal.config import JournalConfig
    from journal.control import Command
    from risk.breaker import RiskState


def halt_unanswered(
    config: JournalConfig, engine: Engine, scope: str, up_to: int, state: RiskState | None
) -> RiskState | None:
    """Latch what was asked up to a command's id and not answered; answers the state after that.

    What halts a part of the account is told here, what halts all of it by who refuses to start. Raises JournalError.
    """
    with told(config), engine.connect() as connection:
        commands = unanswered(connection, scope, HALTING, up_to)
    if not commands:
        return state
    reader = Reader(config)
    try:
        found = About(reader, reader.runs(tables.runs.c.scope == scope, limit=1)[0])
        for command in commands:
            state, done = carry_out(found, state or fresh_state(found), command)
            if done.answer["scope"] != BOOK:
                say(done.text.splitlines()[0])
    finally:
        reader.engine.dispose()
    return state


def carry_out(found: About, state: RiskState, command: Command) -> tuple[RiskState, Done]:
    """Halt for a command that nobody answered, and answer it. Raises JournalError."""
    breaker = FLATTEN if command.verb == "flatten" else OPERATOR
    scope = _scope(found, state, command)
    why = said(found, command.why) or NO_REASON
    what = why if command.verb in ("halt", "flatten") else f"{command.verb} was asked: {why}"
    text = f"{breaker}: {what} ({command.who}), which no node answered"
    after = halted(state, scope, breaker, text)
    if breaker == FLATTEN and (scope == BOOK or after.of(scope).breaker == FLATTEN):
        # A part that something else halted before is not closed: the desk would take it for all of the account.
        after = replace(after, flattening=True)
    changed = after.as_row() != state.as_row()
    if changed:
        keep(found, after)
    done = _told(command, after, scope)
    event = risk_event(found, "TRIP", text, breaker=breaker, scope=scope)
    answer(found, command.command_id, done, [(tables.risk_events, event)] if changed else [])
    return after, done


def _scope(found: About, state: RiskState, command: Command) -> str:
    """What is to be halted; everything, where nobody knows the part that was named, and for a close or a cancel."""
    if command.verb not in ("halt", "flatten"):
        return BOOK
    try:
        return named_scope(found, state, scope_asked(command))
    except ConfigError:
        return BOOK


def _told(command: Command, after: RiskState, scope: str) -> Done:
    kept = after.of(scope)
    named = "trading" if scope == BOOK else scope
    lines = [
        f"no node answered {command.verb}: {named} is halted, and stays so until a person resumes: {kept.reason}"
    ]
    if command.verb != "halt":
        lines.append(
            "nothing was cancelled or closed: say python -m live flatten again, which shows what is there and closes it"
        )
    shown = {"scope": scope, "state": str(kept.state), "breaker": kept.breaker, "reason": kept.reason}
    outcome = "DONE" if command.verb == "halt" else "FAILED"
    return Done(command.verb, outcome, "\n".join(lines), shown, by="verb")
