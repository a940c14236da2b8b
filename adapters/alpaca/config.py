"""Which Alpaca account, which data feed, and where are its credentials?"""

from __future__ import annotations

from typing import Literal

from adapters.credentials import EnvironmentCredentials, VariableName
from adapters.venue import VenueConfig


class AlpacaCredentials(EnvironmentCredentials):
    """The names of the two environment variables that hold Alpaca's key pair."""

    key_variable: VariableName = "ALPACA_API_KEY"
    secret_variable: VariableName = "ALPACA_API_SECRET"  # noqa: S105 - the name of a variable, not a secret


class AlpacaVenueConfig(VenueConfig):
    """An account at Alpaca. `feed` is where its prices come from: iex (free), sip (all US exchanges), otc."""

    mode: Literal["rehearsal", "sandbox", "paper", "live"]
    feed: Literal["iex", "sip", "otc"] = "iex"
    credentials: AlpacaCredentials = AlpacaCredentials()

    @property
    def absent(self) -> str | None:
        """The adapter itself is still to come."""
        return (
            f"venue={self.name}: the Alpaca adapter is not in this version of Keel yet; "
            "use venue=replay, which needs no keys and no network"
        )
