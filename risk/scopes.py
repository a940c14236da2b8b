"""What does a breaker watch: everything, one strategy, or one venue account?

`book` is everything, `strategy:EmaCross-001` one strategy's result, `venue:XNAS` one venue account's equity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from risk.limits import RiskConfig
from risk.lines import BREAKERS

BOOK = "book"


def is_result(scope: str) -> bool:
    """Whether a scope's value is a result (a strategy's profit or loss, from zero) and not an equity."""
    return scope.startswith("strategy:")


@dataclass(frozen=True, slots=True)
class ScopeLimits:
    """The breaker settings of one strategy (`strategy:ID`) or venue account (`venue:NAME`)."""

    scope: str
    limits: RiskConfig

    def __post_init__(self) -> None:
        """Raises ValueError for a scope that is neither."""
        kind, _, name = self.scope.partition(":")
        if kind not in ("strategy", "venue") or not name:
            raise ValueError(f"{self.scope!r} is no scope; say strategy:ID or venue:NAME")

    @classmethod
    def only(cls, scope: str, base: RiskConfig, **keys: object) -> Self:
        """These settings for a scope, taken as they are; breakers not named are off, the rest is as in `base`."""
        return cls(scope, base.model_copy(update={**dict.fromkeys(BREAKERS), **keys}))
