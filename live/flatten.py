"""`python -m live flatten`: halt, cancel everything and close every position, with a node or without one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from configs.edge import guarded
from configs.errors import ConfigError
from live._about import ABOUT_HELP
from live._control import (
    NO_REASON,
    Done,
    NoAnswerError,
    alone,
    arguments,
    ask,
    concluded,
    is_kept,
    one_meant,
    seconds,
    taken,
)
from live._following import Left, until_flat
from live._latch import fresh_state, kept_state
from live._unanswered import carry_out

if TYPE_CHECKING:
    from journal.control import Command
    from live._about import About

KEYS = ("strategy", "reason", "confirm", "timeout_secs")
FLAT_SECS = 30.0
CONFIRM = "yes"
HELP = f"""python -m live flatten [strategy=ID] [reason="why"] [venue=NAME] ...

Halts, cancels every order and closes every position with reduce-only market orders, then waits and says what is left.
A running node does it, and goes on until all is flat. Without one this connects to the venue itself, with the config
of the account's last run as the journal kept it, shows what it will do, and does it once you confirm. Nothing is
opened again before a person resumes (python -m live resume).

  strategy=ID       what this strategy holds and works, alone; only that strategy is halted
  timeout_secs=30   how long to wait until it is flat
  confirm={CONFIRM}       without a node: do what was shown, where nobody is at a terminal to be asked
{ABOUT_HELP}
Example: python -m live flatten reason="out before the announcement"
"""


def flatten(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code: 1 when something is left; it composes no config."""
    return guarded(lambda: _flatten(argv))


def _flatten(argv: Sequence[str]) -> int:
    given = arguments("flatten", argv, KEYS, HELP)
    if given is None:
        return 0
    reason = given.get("reason", "").strip() or NO_REASON
    timeout_secs = seconds(given, "timeout_secs", FLAT_SECS)
    found = one_meant(given)
    args = {} if given.get("strategy") is None else {"strategy": given["strategy"]}
    with taken(found) as hold:
        if hold is not None:
            return concluded(given, _by_itself(found, given, reason, timeout_secs))
    started = time.time_ns()
    try:
        done = ask(found, "flatten", args, reason)
    except NoAnswerError as error:
        done = alone(found, error, lambda command: _unanswered(found, given, command, timeout_secs))
        return concluded(given, done)
    if done.outcome == "DONE" and timeout_secs:
        done = _followed(found, done, started, timeout_secs)
    return concluded(given, done)


def _followed(found: About, done: Done, since_ns: int, timeout_secs: float) -> Done:
    scope = done.answer["scope"]

    def wanted(row: Mapping[str, Any]) -> bool:
        return scope in ("book", f"strategy:{row['strategy']}")

    return told_flat(done, until_flat(found, wanted, since_ns, timeout_secs), timeout_secs)


def told_flat(done: Done, left: Left, timeout_secs: float) -> Done:
    """What became of a close, once it was waited for; FAILED when something is still held, or can still fill."""
    answer = {**done.answer, "flat": not left.text, "left": left.held, "working": left.working}
    if not left.text:
        return replace(
            done, text=f"{done.text}\nflat: nothing is held any more, nothing works", answer=answer
        )
    lines = [
        done.text,
        f"after {timeout_secs:g} s {left.text}",
        *left.said,
        "the node goes on trying: python -m live status, python -m live positions",
    ]
    return replace(done, outcome="FAILED", text="\n".join(lines), answer=answer)


def _unanswered(found: About, given: Mapping[str, str], command: Command, timeout_secs: float) -> Done:
    """The node is gone without a word: nothing may be opened again; what was confirmed beforehand is closed."""
    if not is_kept(found):
        return _by_itself(found, given, command.why, timeout_secs)
    _, done = carry_out(found, kept_state(found) or fresh_state(found), command)
    if given.get("confirm") == CONFIRM:
        return _by_itself(found, given, command.why, timeout_secs)
    return done


def _by_itself(found: About, given: Mapping[str, str], reason: str, timeout_secs: float) -> Done:
    if not is_kept(found):
        text = (
            f"no node runs, and {found.run['run_id']} on {found.run['venue']} was a {found.run['mode']} run: its "
            "orders and positions ended with the node, so there is nothing to flatten"
        )
        return Done("flatten", "DONE", text, {"flat": True, "left": []}, by="verb")
    if given.get("confirm") not in (None, CONFIRM):
        raise ConfigError(f"confirm={given['confirm']}: write confirm={CONFIRM}")
    from live._flatten_verb import flatten_alone  # noqa: PLC0415 - a node's flatten needs no venue

    return flatten_alone(found, given.get("strategy"), given.get("confirm"), reason, timeout_secs)
