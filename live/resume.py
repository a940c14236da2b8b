"""`python -m live resume reason="..."`: lift a halt, as a person, for a reason that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from configs.edge import guarded
from configs.errors import ConfigError
from journal import tables
from journal.errors import JournalAbsentError
from live._about import ABOUT_HELP, About
from live._control import (
    Done,
    arguments,
    ask,
    concluded,
    is_kept,
    one_meant,
    record,
    risk_event,
    taken,
    who,
)
from live._latch import keep, kept_state
from live._lifting import ALL, to_lift
from live._resumed import told_of_resume
from risk.breaker import resumed
from risk.by_hand import lifted_text

if TYPE_CHECKING:
    from risk.breaker import RiskState

KEYS = ("reason", "scope")
HELP = f"""python -m live resume reason="why it is safe to trade again" [scope=SCOPE] [venue=NAME] ...

Lifts a halt. SCOPE is book, one strategy (strategy:EmaCross-001), one venue account (venue:XNAS), or all; it need only
be said where several are halted. Day, drawdown and closed trades of what is lifted are measured anew from its last
known value, which is shown and kept with your name and reason; the rest keeps its own. What was being flattened stays
open, and is shown. A node that runs does it at once; without one it counts from the next start.
Replay and backtests start fresh: a halt there ends with its run.

{ABOUT_HELP}
Example: python -m live resume venue=alpaca_paper reason="bad tick in AAPL, checked with the broker"
"""


def resume(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code; it needs no config, so a broken one cannot stand in the way."""
    return guarded(lambda: _resume(argv))


def _resume(argv: Sequence[str]) -> int:
    given = arguments("resume", argv, KEYS, HELP)
    if given is None:
        return 0
    reason = given.get("reason", "").strip()
    if not reason:
        raise ConfigError(
            'reason: say why it is safe to trade again, as in reason="bad tick, checked with the broker"'
        )
    found = _account(given)
    args = {} if given.get("scope") is None else {"scope": given["scope"]}
    with taken(found) as hold:
        if hold is not None:
            return concluded(given, _by_itself(found, args, reason))
    return concluded(given, ask(found, "resume", args, reason))


def _account(given: Mapping[str, str]) -> About:
    try:
        return one_meant(given)
    except (ConfigError, JournalAbsentError):
        if given.get("venue") == "replay":
            raise _nothing_to_resume("replay") from None
        raise


def _nothing_to_resume(venue: str) -> ConfigError:
    return ConfigError(
        f"venue={venue}: a replay starts fresh and its halt ends with the run, so there is nothing to resume"
    )


def _by_itself(found: About, args: Mapping[str, str], reason: str) -> Done:
    if not is_kept(found):
        raise _nothing_to_resume(found.account.venue)
    before = kept_state(found)
    if before is None:
        raise ConfigError(
            f"nothing is kept of {found.scope} in journal {found.reader.config.shown}: it was never traded"
        )
    scope = args.get("scope")
    lifted = to_lift(before, scope)
    after = resumed(before, None if scope == ALL else lifted[0])
    answer = {"lifted": lifted, "before": before.as_row(), "after": after.as_row(), "left_open": []}
    done = Done(
        "resume", "DONE", "\n".join(told_of_resume(found.account.venue, before, after)), answer, by="verb"
    )
    keep(found, after)
    record(found, done, args, reason, _events(found, before, after, lifted, reason))
    return done


def _events(
    found: About, before: RiskState, after: RiskState, lifted: Sequence[str], reason: str
) -> list[tuple[Any, Mapping[str, Any]]]:
    rows: list[tuple[Any, Mapping[str, Any]]] = []
    for scope in lifted:
        old = before.of(scope)
        text = lifted_text(scope, old, after.of(scope), f"{reason} ({who()})")
        rows.append(
            (tables.risk_events, risk_event(found, "RESUMED", text, breaker=old.breaker, scope=scope))
        )
    return rows
