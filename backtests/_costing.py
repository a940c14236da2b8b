"""Which parts does a backtest's venue need for the costs that its config asks for?

Where it asks for nothing that the engine does not do by itself, there are none: they are called for every bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters import simulated
from adapters.financing import Financing
from adapters.slipping import Slipping
from adapters.tape import Tape

if TYPE_CHECKING:
    from adapters.venue import VenueConfig
    from market.catalog import MarketData
    from risk.desk import RiskDesk
    from runs.record import Recorder


@dataclass(frozen=True, slots=True)
class Costing:
    """The fill model of a backtest's venue, and the modules beside it."""

    fill_model: Any | None
    modules: list[Financing]

    @classmethod
    def of(cls, venue: VenueConfig, desk: RiskDesk, market: MarketData, recorder: Recorder) -> Costing:
        """The parts for one run; slippage and charges are told the recorder."""
        fills: Any | None = simulated.fill_model(venue)
        if not (venue.fills_differently or venue.financed):
            return cls(fills, [])
        tape, slipping = Tape(market.zone), None
        if venue.fills_differently:
            expected = recorder.expected
            fills = slipping = Slipping(venue, tape, expected.__setitem__, quoted=market.kind == "quotes")
        financing = Financing(
            venue,
            desk,
            recorder.charged,
            tape=tape,
            fills=slipping,
            currency=venue.currency,
            zone=market.zone,
        )
        return cls(fills, [financing])
