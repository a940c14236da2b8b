"""Which halts does a person mean to lift?"""

from __future__ import annotations

from configs.closest import closest
from configs.errors import ConfigError
from risk.breaker import BOOK, RiskState

ALL = "all"


def to_lift(state: RiskState, scope: str | None) -> list[str]:
    """The scopes to lift, all of them halted; no scope means the only one that is.

    Raises ConfigError when nothing is halted, when it is not said which of several is meant, or for another one.
    """
    halted = [name for name in (BOOK, *state.scopes) if state.of(name).halted]
    if not halted:
        raise ConfigError(f"this account is not halted, it is {state.state}: there is nothing to lift")
    if scope == ALL:
        return halted
    if scope is None and len(halted) > 1:
        raise ConfigError(
            f"scope: {len(halted)} scopes are halted ({', '.join(halted)}): say which, as in scope={halted[0]}, "
            "or scope=all"
        )
    if scope is not None and scope not in halted:
        near = closest(scope, halted)
        raise ConfigError(
            f"scope={scope} is not halted; halted is {', '.join(halted)}"
            + (f": did you mean {near}?" if near else "")
        )
    return [scope or halted[0]]
