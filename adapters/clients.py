"""What does a live node ask of a venue, whichever it is?

The class that a venue YAML names under `factory` is built as `factory(config, market, max_updates)` and has these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.live import LiveNodeBuilder

    from adapters.account import Operator
    from adapters.gatekeeper import Gatekeeper
    from risk.gate import RiskGate


class VenueClients(Protocol):
    """A venue's data and execution clients, and what its time and its data are like."""

    gatekeeper: Gatekeeper
    """Who has the last word on every order; set before `add_to`. Simulated venues inside the engine ask nobody."""

    @property
    def event_time(self) -> Callable[[RiskGate, Any, int], int] | None:
        """(gate, event, last) -> market time of an event, where the engine's own stamps are not market time."""

    @property
    def replays(self) -> bool:
        """Whether market time and wall time run at different speeds, so that timers cannot be kept."""

    def operator(self) -> Operator | None:
        """The account without a node; None where nothing outlives the node."""

    def add_to(self, builder: LiveNodeBuilder) -> LiveNodeBuilder:
        """Add the venue's clients to a node."""

    def begin(self) -> None:
        """Every strategy runs: data may flow."""

    def cease(self) -> None:
        """Send no more data."""

    def ended(self, cache: Any) -> bool:
        """Whether the data came to its end and the engine has seen all of it; never on a venue that trades on."""

    def error(self) -> BaseException | None:
        """What stopped the data, if anything did."""
