"""Which scope of an account that no node trades does a person mean?"""

from __future__ import annotations

import json

from configs.closest import closest, listed
from configs.errors import ConfigError
from live._about import About
from risk.breaker import BOOK, RiskState


def named_scope(about: About, state: RiskState, word: str | None) -> str:
    """The scope, by what its last run had and its breakers remember. Raises ConfigError with the close match."""
    if word is None or word == BOOK:
        return BOOK
    known = list(dict.fromkeys([BOOK, *state.scopes, *map("strategy:{}".format, strategies(about))]))
    if word in known:
        return word
    near = closest(word, known)
    raise ConfigError(f"scope={word}: " + (f"did you mean {near}?" if near else f"there is {listed(known)}"))


def strategies(about: About) -> list[str]:
    """The ids of the strategies of the account's last run."""
    found = json.loads(about.run["strategies"])
    return [str(name) for name in found]
