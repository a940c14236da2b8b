"""How is a venue looked at by a person, with no node and no strategy: is all well, what is traded, what happens?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from adapters.account import AccountFacts

Outcome = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `fix` says what to do where it is not well."""

    name: str
    outcome: Outcome
    found: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Something that can be traded."""

    symbol: str
    name: str
    kind: str
    exchange: str
    tradable: bool
    traits: tuple[str, ...] = ()
    """Such as shortable or fractionable."""
    least: Decimal | None = None
    """The smallest order, in units."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of an account, `ts` in UTC nanoseconds."""

    ts: int
    kind: str
    """order, account or stream."""
    text: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Sized:
    """What is known of an instrument when its orders are to be sized; filled in by the checks of a venue."""

    symbol: str
    price: Decimal | None
    step: Decimal
    """The smallest change of a quantity."""
    least: Decimal
    """The smallest quantity."""


class Inspector(Protocol):
    """Looks at one venue over connections of its own. Nothing but the test order of `check` changes anything there."""

    facts: AccountFacts | None
    """The account, once `check` has come by it."""
    sized: list[Sized]
    """The instruments, likewise."""

    def check(self, *, order: bool | None) -> AsyncIterator[Finding]:
        """Every check, a finding each; never raises. order: send and cancel one (None: if no money is at risk)."""

    async def assets(self, kind: str | None) -> list[Listed]:
        """Everything that can be traded, of one class or of all. Raises AdapterError."""

    def watch(self) -> AsyncGenerator[Seen]:
        """Events, for as long as they are read. Raises AdapterError when it cannot begin."""
