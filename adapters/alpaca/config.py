"""Which Alpaca account, which data feed, where are its credentials, and how are sandbox and rehearsal played?"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from adapters.credentials import EnvironmentCredentials, VariableName
from adapters.venue import VenueConfig


def _on_this_machine(url: str) -> str:
    if not re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]{0,4}", url):
        raise ValueError(
            "must be a local Alpaca such as http://127.0.0.1:8771; leave it out for Alpaca itself"
        )
    return url


LocalUrl = Annotated[str, AfterValidator(_on_this_machine)]
Secs = Annotated[float, Field(strict=True, gt=0, le=60)]


class AlpacaCredentials(EnvironmentCredentials):
    """The names of the variables that hold Alpaca's key pair, or an OAuth token instead of it."""

    key_variable: VariableName = "ALPACA_API_KEY"
    secret_variable: VariableName = "ALPACA_API_SECRET"  # noqa: S105 - the name of a variable, not a secret
    token_variable: VariableName = "ALPACA_OAUTH_TOKEN"  # noqa: S105 - as above


class AlpacaVenueConfig(VenueConfig):
    """An account at Alpaca. It names its own instruments, such as AAPL.ALPACA and BTC/USD.ALPACA."""

    brings_market: ClassVar[bool] = True
    may_be_local: ClassVar[frozenset[str]] = frozenset({"rehearsal", "sandbox", "paper"})
    """Modes that may go to an Alpaca on this machine; real money never does."""

    mode: Literal["rehearsal", "sandbox", "paper", "live"]
    feed: Literal["iex", "sip", "otc"] = "iex"
    """Where prices of shares come from: iex (free), sip (all US exchanges), otc."""
    adjustment: Literal["raw", "split", "dividend", "all"] = "split"
    """What past bars are adjusted for."""
    credentials: AlpacaCredentials = AlpacaCredentials()
    extended_hours: Annotated[bool, Field(strict=True)] = False
    """Whether limit orders (DAY or GTC) may also fill before and after the session."""
    fractional: Annotated[bool, Field(strict=True)] = False
    """Whether shares trade in fractions, where Alpaca divides them; else in whole ones."""
    calls_per_min: Annotated[int, Field(strict=True, ge=10, le=10_000)] = 200
    """Requests a minute that the account may make; all of Keel's calls share them, orders first."""
    answer_secs: Secs = 10.0
    """How long to wait for an answer before the outcome counts as unknown."""
    silent_secs: Annotated[float, Field(strict=True, gt=0, le=3600)] = 90.0
    """After so long without a word from a stream in the session it counts as dead, and is opened anew."""
    trading_url: LocalUrl | None = None
    """A local Alpaca for trading, such as http://127.0.0.1:8771; none: Alpaca itself."""
    data_url: LocalUrl | None = None
    """The same for market data; none: where `trading_url` is."""

    @property
    def tells_time(self) -> bool:
        """Whether market time is Alpaca's own, because it is a local one that plays the past, and not the wall's."""
        return self.mode == "rehearsal" or self.trading_url is not None

    @model_validator(mode="after")
    def _local_where_allowed(self) -> Self:
        local = self.trading_url or self.data_url
        if local and self.mode not in self.may_be_local:
            raise ValueError(
                f"{self.mode} trades at Alpaca itself: leave trading_url and data_url out, or choose "
                "venue=alpaca_paper for a local one"
            )
        if self.data_url and not self.trading_url:
            raise ValueError("data_url: give trading_url too, or neither")
        return self


class AlpacaSandboxConfig(AlpacaVenueConfig):
    """Alpaca's prices, fills inside the node. Its account outlives the node in the journal, which re-opens it."""

    mode: Literal["sandbox"] = "sandbox"
    reopen: Annotated[bool, Field(strict=True)] = True
    """Whether a run carries on with cash, positions and risk state of the run before; false: a new account."""

    @property
    def keeps_account(self) -> bool:
        """The journal keeps it."""
        return True

    @property
    def kept_by_journal(self) -> bool:
        """The engine's simulated account ends with the node."""
        return True

    @property
    def starts_afresh(self) -> bool:
        """Where the user does not want the old one."""
        return not self.reopen


class AlpacaRehearsalConfig(AlpacaVenueConfig):
    """A local Alpaca that the run starts, of its own market time and its own account; it ends with its data."""

    mode: Literal["rehearsal"] = "rehearsal"
    speed: Annotated[float, Field(strict=True, ge=0)] = 0.0
    """Market seconds played in a second: 1 is real time, 0 as fast as the node takes it."""
    days: Annotated[int, Field(strict=True, gt=0, le=5000)] = 250
    """Trading days that are played: the first ones from `run.start` on, or else the last ones of the data."""
    bars_per_day: Annotated[int, Field(strict=True, ge=1, le=390)] = 39
    """Bars of one minute in a session, spread evenly."""
    seed: Annotated[int, Field(strict=True, ge=0)] = 1
    """Of the path between the recorded bars: the same seed plays the same prices."""
    port: Annotated[int, Field(strict=True, ge=0, le=65_535)] = 0
    """Where the local Alpaca is reached; 0 takes a free port."""
