"""What has to be known about a venue before a run on it can be built?

The base of every venue's own config (`adapters/<venue>/config.py`). A venue YAML names that class under
`config`, and under `factory` the class that builds the venue's clients.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from adapters.costs import Costs
from risk.numbers import Number

Cash = Annotated[Number, Field(gt=0)]
Leverage = Annotated[Number, Field(ge=1)]


def _code(currency: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9]{2,9}", currency):
        raise ValueError("must be a currency's code in capitals, such as USD")
    return currency


CurrencyCode = Annotated[str, AfterValidator(_code)]


class VenueConfig(Costs):
    """Account, costs and delays of one venue; each venue derives its own from it and adds what only it has.

    In a backtest and in the sandbox these are the account and the costs; on paper and live the broker decides
    them. Raises pydantic.ValidationError for unknown keys and values out of range.
    """

    brings_market: ClassVar[bool] = False
    """Whether the venue itself says what is traded; else the data set of the run does."""

    name: str
    """The venue as the user chose it: `venue=NAME`."""
    mode: Literal["sandbox", "rehearsal", "paper", "live"]
    """sandbox: fills by the engine; rehearsal: a local simulator of the broker; paper, live: the broker."""
    config: str
    """The path of the venue's own config class (package.module:Name)."""
    factory: str
    """The path of the class that builds the venue's clients (package.module:Name)."""
    account_type: Literal["cash", "margin"] = "margin"
    """A cash account cannot borrow or sell short."""
    starting_cash: Cash = Decimal(100_000)
    """What the account holds at the start of a backtest or a sandbox run, in `currency`."""
    currency: CurrencyCode = "USD"
    """The account's currency, by its code."""
    leverage: Leverage = Decimal(2)
    """How many times its equity a margin account may hold; a cash account ignores it."""

    @property
    def keeps_account(self) -> bool:
        """Whether the account outlives a run, so that halts, limits and positions are carried over."""
        return self.mode in ("paper", "live")

    @property
    def kept_by_journal(self) -> bool:
        """Whether the journal alone keeps that account, because the fills are simulated and end with the node."""
        return False

    @property
    def starts_afresh(self) -> bool:
        """Whether what the journal kept of such an account is closed, and a new one begun."""
        return False

    @property
    def absent(self) -> str | None:
        """What to tell the user while the module of `factory` is not part of Keel; None when it is."""
        return None
