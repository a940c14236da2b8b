"""`python -m live halt`: stop trading now; what could add exposure is cancelled, positions and stops stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from configs.edge import guarded
from journal import tables
from journal.errors import JournalError
from live import _signal
from live._about import ABOUT_HELP, About, journal_config
from live._control import (
    NO_REASON,
    Done,
    NoAnswerError,
    alone,
    answer,
    arguments,
    ask,
    concluded,
    is_kept,
    meant,
    record,
    risk_event,
    taken,
    together,
    who,
)
from live._latch import fresh_state, halted, keep, kept_state
from live._said import said
from live._scope import named_scope
from risk.breaker import BOOK
from risk.halts import OPERATOR

KEYS = ("reason", "scope")
HELP = f"""python -m live halt [reason="why"] [scope=SCOPE] [venue=NAME] ...

Halts at once: new exposure is refused and what could add some is cancelled; positions, stops and take-profits stay.
Nothing but a person lifts it (python -m live resume). A running node does it and answers; without one the halt is kept,
and the next start is refused. It composes no config, so a broken one cannot stand in the way. Where the journal cannot
be written, the node is signalled instead.

  scope=SCOPE     strategy:EmaCross-001 or venue:XNAS alone; else everything
{ABOUT_HELP}
Example: python -m live halt reason="the exchange reports bad prints"
"""


def halt(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code; it needs the journal's place and nothing else."""
    return guarded(lambda: _halt(argv))


def _halt(argv: Sequence[str]) -> int:
    given = arguments("halt", argv, KEYS, HELP)
    if given is None:
        return 0
    reason = given.get("reason", "").strip() or NO_REASON
    args = {} if given.get("scope") is None else {"scope": given["scope"]}
    try:
        done = together([_through_the_journal(each, args, reason) for each in meant(given)])
    except JournalError as error:
        done = _by_signal(given, error)
    return concluded(given, done)


def _through_the_journal(found: About, args: Mapping[str, str], reason: str) -> Done:
    reason = said(found, reason)
    with taken(found) as hold:
        if hold is not None:
            return _by_itself(found, args, reason)
    try:
        return ask(found, "halt", args, reason)
    except NoAnswerError as error:
        # Who had the account, a verb or a node that was ending, may be gone by now.
        return alone(found, error, lambda command: _by_itself(found, args, reason, command.command_id))


def _by_itself(found: About, args: Mapping[str, str], reason: str, command_id: str | None = None) -> Done:
    """No node trades: latch the halt, so that none starts before a person has lifted it.

    command_id: the command that this answers, where it is on record already.
    """
    if not is_kept(found):
        return Done("halt", "DONE", f"no node runs: {_ended(found)}, so there is nothing to halt", by="verb")
    state = kept_state(found) or fresh_state(found)
    scope = named_scope(found, state, args.get("scope"))
    text = f"{OPERATOR}: {reason} ({who()})"
    after = halted(state, scope, OPERATOR, text)
    keep(found, after)
    kept = after.of(scope)
    named = "trading" if scope == BOOK else scope
    lines = [f"no node runs; {named} is halted, and stays so until a person resumes: {kept.reason}"]
    lines.append(
        "orders and positions at the venue were not touched: python -m live flatten shows and closes them"
    )
    shown = {"scope": scope, "state": str(kept.state), "breaker": kept.breaker, "reason": kept.reason}
    done = Done("halt", "DONE", "\n".join(lines), {**shown, "canceled": []}, by="verb")
    rows = [(tables.risk_events, risk_event(found, "TRIP", text, breaker=OPERATOR, scope=scope))]
    if command_id is None:
        record(found, done, args, reason, rows)
    else:
        answer(found, command_id, done, rows)
    return done


def _ended(found: About) -> str:
    return f"{found.run['run_id']} on {found.run['venue']} is a {found.run['mode']} run, which ends with its node"


def _by_signal(given: Mapping[str, str], error: JournalError) -> Done:
    """The journal cannot be used: signal every node that may be meant. Raises ConfigError when none can be reached."""
    nodes = _signal.holders(journal_config(given), given.get("venue"), given.get("run"))
    if not nodes:
        if isinstance(
            error, NoAnswerError
        ):  # it starts: what was asked is in the journal, and comes before any trade
            raise error
        raise type(error)(
            f"{error}. No process on this machine trades with it now: there is nobody to signal, and no halt is kept; "
            "start none before this is put right; if one trades elsewhere, stop it there (Ctrl-C), and look at the "
            "broker's own page"
        )
    obeyed = [node for node in nodes if _signal.halt(node)]
    deaf = [node for node in nodes if node not in obeyed]
    lines = [f"{node.scope} is halted: process {node.pid} was signalled, and obeyed" for node in obeyed]
    if given.get("scope") is not None and obeyed:
        lines.append(f"all of it, not only {given['scope']}: a signal cannot say more")
    lines.append(f"by signal, because {error}")
    if obeyed:
        lines.append("the halt is on record as soon as the node can write again")
    lines += [
        f"{node.scope}: process {node.pid} was signalled and shows no sign that it obeyed; stop it (kill {node.pid}), "
        "then cancel and close at the broker's own page"
        for node in deaf
    ]
    answer = {"halted": [node.scope for node in obeyed], "deaf": [node.scope for node in deaf]}
    return Done("halt", "FAILED" if deaf else "DONE", "\n".join(lines), answer, by="signal")
