"""How does a verb get something done: by the node that trades the account, or by itself where none does?

Whoever holds the account acts. A verb that can take the hold acts itself and puts command and receipt on record; one
that cannot writes the command, and the node answers with the receipt.
"""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from configs.edge import say
from configs.errors import ConfigError
from journal import tables
from journal.control import Command, Receipt, awaited, receipt_row, write
from journal.database import told
from journal.errors import JournalError, JournalInUseError
from journal.heads import HeadFile
from journal.hold import Hold, is_held
from live._about import ABOUT_KEYS, About, about
from live._said import asked_row, scrubber_of
from runs.verbs import key_values

ANSWER_SECS = 3.0
"""How long a node has for its answer; it needs less than one."""
MOST_SECS = 3_600.0
NO_REASON = "no reason given"
HALTING = ("halt", "flatten", "close", "cancel")
"""Verbs that want less exposure: where no node answers one of them, the account's next start halts."""
OK, FAILED, BAD_INPUT = 0, 1, 2
EXIT = {"DONE": OK, "REFUSED": BAD_INPUT, "FAILED": FAILED}
Rows = Sequence[tuple[Table, Mapping[str, Any]]]


class NoAnswerError(JournalError):
    """A node holds the account and does not answer; `command` is on record all the same."""

    def __init__(self, told: str, command: Command) -> None:
        super().__init__(told)
        self.command = command


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command, for a person and for a script. `by` is who did it: node, verb or signal."""

    verb: str
    outcome: str
    text: str
    answer: dict[str, Any] = field(default_factory=dict)
    by: str = "node"


def arguments(verb: str, argv: Sequence[str], keys: Sequence[str], help_text: str) -> dict[str, str] | None:
    """The key=value arguments; None when help was asked for, which is printed then. Raises ConfigError."""
    if any(word in ("--help", "-h", "help") for word in argv):
        print(help_text, end="")  # noqa: T201 - what a person asked to read
        return None
    given = key_values(verb, argv, (*keys, *ABOUT_KEYS))
    if given.get("output", "text") not in ("text", "json"):
        raise ConfigError(f"output={given['output']}: text or json")
    return given


def meant(given: Mapping[str, str]) -> list[About]:
    """The accounts that a command is about: the one named, else those that a node trades now, else the newest run's.

    A sandbox run that has ended stands back for an account that is kept. Raises ConfigError, JournalError.
    """
    newest = about(given)
    if "venue" in given or "run" in given:
        return [newest]
    runs = tables.runs
    seen: dict[str, About] = {}
    for run in newest.reader.runs(runs.c.ended_at.is_(None)):
        seen.setdefault(run["scope"], About(newest.reader, run))
    trading = [each for each in seen.values() if is_held(newest.reader.config, each.scope)]
    if trading or is_kept(newest):
        return trading or [newest]
    kept = newest.reader.runs(runs.c.scope != runs.c.run_id, limit=1)
    return [About(newest.reader, kept[0])] if kept else [newest]


def one_meant(given: Mapping[str, str]) -> About:
    """The one account that a command is about. Raises ConfigError when several nodes trade and none is named."""
    found = meant(given)
    if len(found) > 1:
        names = ", ".join(each.account.venue for each in found)
        raise ConfigError(f"venue: nodes trade on {names}: say which, as in venue={found[0].account.venue}")
    return found[0]


@contextmanager
def taken(account: About) -> Iterator[Hold | None]:
    """The hold on the account for a block; None while a node has it. Raises JournalDownError when nobody can tell."""
    hold = None
    if not is_held(account.reader.config, account.scope):  # told at once, where a hold is waited for
        with suppress(JournalInUseError):
            hold = Hold(account.reader.config, account.scope)
    try:
        yield hold
    finally:
        if hold is not None:
            hold.release()


def ask(account: About, verb: str, args: Mapping[str, Any], why: str) -> Done:
    """Ask the node and wait for its answer. Raises JournalDownError, and NoAnswerError when none comes in time."""
    row = asked_row(account, verb, args, why)
    put(account, [(tables.commands, row)])
    with told(account.reader.config):
        receipt = awaited(account.reader.engine, row["command_id"], ANSWER_SECS)
    if receipt is None:
        ended = " (where it is ended before that, its next start halts)" if verb in HALTING else ""
        raise NoAnswerError(
            f"the node of {account.scope} does not answer within {ANSWER_SECS:g} s; it does {verb} as soon as it goes "
            f"on{ended}: look at it (python -m live status), and at the broker's own page",
            Command(row["command_id"], verb, dict(args), row["who"], row["why"], time.time_ns()),
        )
    return Done(verb, receipt.outcome, receipt.text, receipt.answer)


def alone(account: About, error: NoAnswerError, act: Callable[[Command], Done]) -> Done:
    """What `act` makes of a command that nobody answered. Raises `error` where somebody holds the account still."""
    with taken(account) as hold:
        if hold is None:
            raise error
        with told(account.reader.config):
            late = awaited(account.reader.engine, error.command.command_id, 0)
        if late is None:
            return act(error.command)
        return Done(error.command.verb, late.outcome, late.text, late.answer)


def ask_node(account: About, verb: str, args: Mapping[str, Any], why: str) -> Done:
    """Ask the node that trades the account. Raises ConfigError when none does, else as `ask`."""
    nobody = (
        f"{verb}: no node trades {account.account.venue} now; python -m live flatten shows what is at the venue "
        "before it does anything"
    )
    with taken(account) as hold:
        if hold is not None:
            raise ConfigError(nobody)
    try:
        return ask(account, verb, args, why)
    except NoAnswerError as error:
        return alone(account, error, lambda command: _refused(account, command, nobody))


def _refused(account: About, command: Command, text: str) -> Done:
    """The node is gone: whoever asked is told that nothing was done, and so is the next start."""
    done = Done(command.verb, "REFUSED", text, by="verb")
    answer(account, command.command_id, done)
    return done


def record(account: About, done: Done, args: Mapping[str, Any], why: str, rows: Rows = ()) -> None:
    """Put what this verb did by itself on record: command, what came of it, receipt. Raises JournalDownError."""
    command = asked_row(account, done.verb, args, why)
    answer(account, command["command_id"], done, [(tables.commands, command), *rows])


def answer(account: About, command_id: str, done: Done, rows: Rows = ()) -> None:
    """Put on record what became of a command, behind `rows`. Raises JournalDownError."""
    receipt = Receipt(command_id, done.outcome, done.text, done.answer)
    put(account, [*rows, (tables.receipts, receipt_row(account.account, receipt, by=done.by))])


def put(account: About, rows: Rows) -> None:
    """Add rows about an account to the chain of commands, without secrets. Raises JournalDownError."""
    with told(account.reader.config):
        write(account.reader.engine, head_of(account), list(rows), scrubber_of(account).text)


def risk_event(found: About, kind: str, reason: str, *, breaker: str | None, scope: str) -> dict[str, Any]:
    """A row of risk_events for what a person did to an account that no node trades."""
    account = found.account
    return {
        "scope": account.scope, "mode": account.mode, "venue": account.venue, "ts": time.time_ns(), "kind": kind,
        "breaker": breaker, "risk_scope": scope, "reason": reason, "equity": None, "reference": None,
    }  # fmt: skip


def head_of(account: About) -> HeadFile:
    """Where the head of the chain of commands is kept a second time."""
    return HeadFile.of(account.reader.config.heads_folder, tables.CONTROL)


def concluded(given: Mapping[str, str], done: Done) -> int:
    """Print what became of a command; answers the exit code."""
    if given.get("output") == "json":
        shown = {"verb": done.verb, "outcome": done.outcome, "by": done.by, "text": done.text, **done.answer}
        print(json.dumps(shown))  # noqa: T201 - what a script asked for
    elif done.outcome == "DONE":
        print(done.text)  # noqa: T201 - what a person asked for
    else:
        say(f"error: {done.text}")
    return EXIT.get(done.outcome, FAILED)


def together(several: Sequence[Done]) -> Done:
    """What became of the same command on several accounts, as one; the worst outcome counts."""
    if len(several) == 1:
        return several[0]
    worst = max(several, key=lambda done: done.outcome != "DONE")
    answers = [{"outcome": each.outcome, "by": each.by, **each.answer} for each in several]
    text = "\n".join(each.text for each in several)
    return Done(worst.verb, worst.outcome, text, {"accounts": answers}, worst.by)


def who() -> str:
    """The person, as the machine knows them."""
    return getpass.getuser()


def confirmed(question: str, given: str | None, wanted: str) -> bool:
    """Whether a person confirmed, by confirm=... or at a terminal. Raises ConfigError where nobody can be asked."""
    if given is not None:
        return given == wanted
    if not sys.stdin.isatty():
        raise ConfigError(f'confirm: nobody is at a terminal to be asked; if it is meant: confirm="{wanted}"')
    sys.stderr.write(f"{question}\nType {wanted} to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == wanted


def switch(given: Mapping[str, str], key: str) -> bool:
    """A switch, off when it is absent. Raises ConfigError for anything but true and false."""
    written = given.get(key, "false").lower()
    if written not in ("true", "false"):
        raise ConfigError(f"{key}={given[key]}: true or false")
    return written == "true"


def seconds(given: Mapping[str, str], key: str, default: float) -> float:
    """A number of seconds from 0 to an hour. Raises ConfigError."""
    written = given.get(key)
    if written is None:
        return default
    try:
        value = float(written)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST_SECS:
        raise ConfigError(f"{key}={written}: must be a number of seconds from 0 to {MOST_SECS:g}")
    return value


def is_kept(account: About) -> bool:
    """Whether the account outlives its node: that of a replay ends with it."""
    return bool(account.scope != account.run["run_id"])
