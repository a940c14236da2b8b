"""`python -m live resume venue=NAME reason="..."`: lift a halt, as a person, for a reason that is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from configs.edge import guarded
from configs.errors import ConfigError
from live._state import StateFile
from runs.verbs import key_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from risk.breaker import RiskState

KEYS = ("venue", "reason", "run.state_dir", "output")
HELP = """python -m live resume venue=NAME reason="why it is safe to trade again" [run.state_dir=FOLDER] [output=json]

Lifts the halt of a paper or live account. Day and drawdown are measured anew from the last known equity, which is
shown and kept with your name and reason. Replay and backtests start fresh: a halt there ends with its run.

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
    before, after = StateFile.of(venue, Path(folder).expanduser() if folder else None).resume(reason)
    shown = {"venue": venue, "reason": reason, "before": before.as_row(), "after": after.as_row()}
    text = json.dumps(shown) if given.get("output") == "json" else _told(venue, before, after)
    print(text)  # noqa: T201 - what a person or a script asked for
    return 0


def _told(venue: str, before: RiskState, after: RiskState) -> str:
    was = f"was {before.state}: {before.reason}" if before.reason else f"was {before.state}"
    return (
        f"{venue} {was}\n"
        f"now {after.state}; drawdown is measured from {after.peak:,.2f} (was {before.peak:,.2f}), "
        f"the day's loss from {after.day_start:,.2f} (was {before.day_start:,.2f})"
    )
