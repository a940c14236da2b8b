"""A paper account made of the replay venue: what an adapter for a broker will be, without the broker."""

from __future__ import annotations

from typing import Literal

from adapters.venue import VenueConfig


class PaperReplayConfig(VenueConfig):
    """Keeps its halt like any paper account."""

    mode: Literal["paper"] = "paper"
    speed: float = 0.0


class LiveReplayConfig(VenueConfig):
    """An account that says it holds real money."""

    mode: Literal["live"] = "live"
    speed: float = 0.0
