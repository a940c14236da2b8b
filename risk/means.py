"""With what are positions closed and protected?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from risk.foreign import EXTERNAL

if TYPE_CHECKING:
    from risk.holding import Holding, WorkingOrder

SECOND = 1_000_000_000


class Gate(Protocol):
    """What closing and protecting ask of the gate of one strategy."""

    @property
    def strategy_id(self) -> Any:
        """The strategy's id."""

    def is_running(self) -> bool:
        """Whether its orders reach the engine and their events reach the book."""

    def cancel_working(self, client_order_ids: Sequence[str]) -> None:
        """Cancel these orders; those that are closed or being cancelled already are left alone."""

    def close_out(self, instrument: str, position: Decimal, quantity: Decimal | None = None) -> str:
        """Send the reduce-only market order that closes a signed position, or `quantity` of it; answers its id."""

    def send_protection(
        self,
        instrument: str,
        *,
        is_buy: bool,
        quantity: Decimal,
        trigger: Decimal | None,
        limit: Decimal | None,
    ) -> str:
        """Send a reduce-only stop (`trigger`) or limit; both as a pair of which one fills. Answers the stop's id."""

    def instrument_of(self, instrument: str) -> Any:
        """The engine's instrument. Raises LookupError when it does not know it."""


class Hours(Protocol):
    """What closing asks of a market's trading hours."""

    def closed_why(self, ts: int) -> str | None:
        """Why the market is closed and when it opens; None while it is open."""


class Holdings(Protocol):
    """What closing and protecting read of the book."""

    @property
    def holdings(self) -> Mapping[tuple[str, str], Holding]:
        """(strategy id, instrument id) -> holding."""

    @property
    def orders(self) -> Mapping[str, WorkingOrder]:
        """Client order id -> order that may still fill."""


class OnBehalf:
    """A gate that closes what is not its strategy's."""

    def __init__(self, gate: Any, owner: str) -> None:
        """`gate` is a risk gate; `owner` whose position it closes."""
        self._gate = gate
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        """Everything but closing is the gate's own."""
        return getattr(self._gate, name)

    def close_out(self, instrument: str, position: Decimal, quantity: Decimal | None = None) -> str:
        """Send the reduce-only order that closes it."""
        return str(self._gate.close_out_of(self._owner, instrument, position, quantity))


@dataclass(frozen=True, slots=True)
class Means:
    """What a holding is closed with. `most_of` answers a notional above which the engine denies any order."""

    book: Holdings
    gates: Sequence[Gate]
    hours_of: Callable[[str], Hours | None]
    most_of: Callable[[str], Decimal | None]
    answers: dict[str, str] = field(default_factory=dict)  # client order id -> how it ended, and why

    def gate_of(self, strategy: str) -> Gate | None:
        """The running gate of a strategy; for a position that is nobody's, any that can close it."""
        if strategy == EXTERNAL:
            found = next((g for g in self.gates if g.is_running() and hasattr(g, "close_out_of")), None)
            return None if found is None else OnBehalf(found, strategy)
        return next((g for g in self.gates if str(g.strategy_id) == strategy and g.is_running()), None)

    def any_gate(self) -> Gate | None:
        """Any running gate: a cancel may go through each of them."""
        return next((gate for gate in self.gates if gate.is_running()), None)
