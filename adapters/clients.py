"""What does a live node ask of a venue, whichever it is, and what of one that brings its own market?

The class that a venue YAML names under `factory` is built as `factory(config, market, max_updates)` and has these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from nautilus_trader.live import LiveNodeBuilder

    from adapters.account import AccountFacts, Operator, VenueSnapshot
    from adapters.gatekeeper import Gatekeeper
    from adapters.inspection import Inspector
    from market.market_data import MarketData
    from market.source import DataSource
    from risk.gate import RiskGate


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run wants of a venue that brings its own market."""

    symbols: tuple[str, ...]
    bar: str
    start: date | None = None
    end: date | None = None
    data: DataSource | None = None
    """The data set of the run, which a rehearsal is played from."""


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

    @property
    def count(self) -> int:
        """Bars, or quotes, that were handed to the node so far."""

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


class ReopeningVenue(VenueClients, Protocol):
    """A venue whose config says `kept_by_journal`: what it simulates ends with the node, and begins from this."""

    def reopen(self, account: VenueSnapshot) -> None:
        """Begin with this cash and these positions; before `add_to`."""


class MarketVenue(VenueClients, Protocol):
    """A venue whose config says `brings_market`: it is built with no market, and `open` is called before all else."""

    def open(self, wanted: Wanted) -> MarketData:
        """Start what has to run, look at the account, and name the instruments. Raises AdapterError, one line."""

    def inspector(self, wanted: Wanted) -> Inspector:
        """Who looks at the venue for a person, instead of `open`. Raises AdapterError."""

    def facts(self) -> AccountFacts | None:
        """The account as `open` found it; None where the venue keeps none."""

    def close(self) -> None:
        """End what `open` started; never raises."""
