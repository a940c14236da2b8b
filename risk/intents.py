"""What must be on record before an order is handed on?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nautilus_trader.model import OrderInitialized

    from risk.checks import Proposal
    from risk.limits import RiskConfig


@dataclass(frozen=True, slots=True)
class Intent:
    """An order that passed and is about to be handed on.

    adds: whether it could add exposure. price: the newest one when it was decided on. proposal: what the limits were
    compared with; None for what only reduces. limits: those that applied.
    """

    order: OrderInitialized
    adds: bool
    price: Decimal | None
    proposal: Proposal | None
    limits: RiskConfig


class Intents(Protocol):
    """Who puts intents on record."""

    def commit(self, ts: int, intents: Sequence[Intent]) -> None:
        """Put them on record for good, before this returns.

        Raises IntentError when that fails and one of them adds exposure: nothing must be sent then.
        What only reduces is never held up: it is recorded as soon as that is possible.
        """

    def problem(self) -> str | None:
        """Why nothing can be put on record now; None while it can."""


class IntentError(RuntimeError):
    """The intent to send an order cannot be put on record, so the order is not sent."""
