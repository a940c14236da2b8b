"""How fast does the replay venue play recorded data?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from adapters.venue import VenueConfig


class ReplayVenueConfig(VenueConfig):
    """Recorded data as if it were live: no keys, no network, fills by the engine's sandbox."""

    mode: Literal["sandbox"] = "sandbox"
    speed: Annotated[float, Field(strict=True)] = 0.0
    """Market seconds played in a second: 1 is real time, 60 a minute a second, 0 as fast as it can."""

    @field_validator("speed")
    @classmethod
    def _not_backwards(cls, speed: float) -> float:
        if speed < 0:
            raise ValueError(
                "must be 0 or more: 0 plays as fast as it can, 1 is real time, 60 a minute a second"
            )
        return speed
