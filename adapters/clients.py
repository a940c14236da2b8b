"""What does a live node ask of a venue, whichever it is?

The class that a venue YAML names under `factory` is built as `factory(config, market)` and has these methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.live import LiveNodeBuilder

    from risk.gate import RiskGate


class VenueClients(Protocol):
    """A venue's data and execution clients, and what its time and its data are like."""

    @property
    def event_time(self) -> Callable[[RiskGate, Any, int], int] | None:
        """(gate, event, last) -> market time of an event, where the engine's own stamps are not market time."""

    @property
    def replays(self) -> bool:
        """Whether market time and wall time run at different speeds, so that timers cannot be kept."""

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
