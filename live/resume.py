"""`python -m live resume venue=NAME reason="..."`: lift a halt, as a person, for a reason that is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from configs.edge import guarded
from configs.errors import ConfigError
from live._state import StateFile
from risk.breaker import BOOK
from runs.verbs import key_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from risk.breaker import RiskState, ScopeState

KEYS = ("venue", "reason", "scope", "run.state_dir", "output")
HELP = """python -m live resume venue=NAME reason="why it is safe to trade again" [scope=SCOPE]
                      [run.state_dir=FOLDER] [output=json]

Lifts a halt of a paper or live account. SCOPE is book, one strategy (strategy:EmaCross-001), one venue account
(venue:XNAS), or all; it need only be said where several are halted. Day, drawdown and closed trades of what is lifted
are measured anew from its last known value, which is shown and kept with your name and reason; the rest keeps its own.
Replay and backtests start fresh: a halt there ends with its run.

Example: python -m live resume venue=alpaca_paper reason="bad tick in AAPL, checked with the broker"
"""


def resume(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code; it needs no config, so a broken one cannot stand in the way."""
    return guarded(lambda: _resume(argv))


def _resume(argv: Sequence[str]) -> int:
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return 0
    given = key_values("resume", argv, KEYS)
    venue, reason = given.get("venue"), given.get("reason", "").strip()
    if not venue:
        raise ConfigError("venue: which account? name its venue, as in venue=alpaca_paper")
    if not reason:
        raise ConfigError(
            'reason: say why it is safe to trade again, as in reason="bad tick, checked with the broker"'
        )
    if venue == "replay":
        raise ConfigError(
            "venue=replay: a replay starts fresh and its halt ends with the run, so there is nothing to resume"
        )
    folder = given.get("run.state_dir")
    store = StateFile.of(venue, Path(folder).expanduser() if folder else None)
    before, after = store.resume(reason, given.get("scope"))
    lifted = [name for name in (BOOK, *before.scopes) if before.of(name).halted and not after.of(name).halted]
    shown = {
        "venue": venue,
        "reason": reason,
        "lifted": lifted,
        "before": before.as_row(),
        "after": after.as_row(),
    }
    text = json.dumps(shown) if given.get("output") == "json" else _told(venue, before, after)
    print(text)  # noqa: T201 - what a person or a script asked for
    return 0


def _told(venue: str, before: RiskState, after: RiskState) -> str:
    lines = _told_of(venue, before, after)
    if before.flattening and not after.flattening:
        lines.append(
            "flattening was not finished when the run ended: look at the positions before you trade on"
        )
    for name in before.scopes:
        lines += _told_of(name, before.scopes[name], after.scopes[name])
    return "\n".join(lines)


def _told_of(name: str, before: ScopeState, after: ScopeState) -> list[str]:
    """What a scope's references were and are, whether it was lifted or not."""
    was = f"was {before.state}: {before.reason}" if before.reason else f"was {before.state}"
    references = (
        f"drawdown is measured from {_moved(before.peak, after.peak)}, "
        f"the day's loss from {_moved(before.day_start, after.day_start)}"
    )
    if before.peak_base is not None or before.day_base is not None:
        references += (
            f"; fractions are of {_moved(before.drawdown_base, after.drawdown_base)} and of "
            f"{_moved(before.daily_base, after.daily_base)}"
        )
    if before.halted == after.halted:
        return [f"{name} {was}, and stays so; {references}"]
    forgotten = len(before.trades.trades)
    counted = f"; {forgotten} closed trades no longer count" if forgotten else ""
    return [f"{name} {was}", f"now {after.state}; {references}{counted}"]


def _moved(before: Decimal, after: Decimal) -> str:
    return f"{after:,.2f} (was {before:,.2f})" if before != after else f"{after:,.2f}"
