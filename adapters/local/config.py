"""Where is the local broker?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from adapters.venue import VenueConfig


class LocalVenueConfig(VenueConfig):
    """A paper account at a broker on this machine: no keys, nothing leaves the machine."""

    mode: Literal["paper"] = "paper"
    host: Literal["127.0.0.1"] = "127.0.0.1"
    """This machine: the broker serves nobody else."""
    port: Annotated[int, Field(strict=True, ge=1, le=65_535)] = 8770
    """The port the broker says when it starts."""
    answer_secs: Annotated[float, Field(strict=True, gt=0, le=60)] = 5.0
    """How long to wait for an answer before the outcome counts as unknown."""
