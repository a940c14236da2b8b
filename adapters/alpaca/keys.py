"""What opens an Alpaca account, where is it found, and how is it kept out of every text?

Looked for in the environment first, then in `.env` of the current folder; a pair is never put together from both.
A key tells by its first letters which account it is for, so one of the wrong environment is refused before anything is
sent: PK for paper, AK for real money.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.dotenv import read_dotenv
from adapters.errors import AdapterError

if TYPE_CHECKING:
    from adapters.alpaca.config import AlpacaCredentials, AlpacaVenueConfig

DOTENV = ".env"
PAPER, LIVE = "PK", "AK"
ALIASES = (
    ("ALPACA_API_KEY", "ALPACA_API_SECRET"),
    ("ALPACA_API_KEY", "ALPACA_SECRET_KEY"),
    ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"),
)
"""Names that Alpaca's own tools use for a pair; they count where the config names no others."""


@dataclass(frozen=True, slots=True)
class Keys:
    """A key pair, or an OAuth token instead; never shown."""

    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """What a person may read of it: where it belongs, never what it is."""
        if self.token is not None:
            return "an OAuth token"
        return {PAPER: "a paper key (PK...)", LIVE: "a live key (AK...)"}.get(
            self.prefix, "a key of another kind"
        )

    @property
    def prefix(self) -> str:
        """The first two letters of the key; empty for a token."""
        return (self.key or "")[:2]


REHEARSAL = Keys("PKREHEARSAL0000000000", "rehearsal")
"""What the local Alpaca of a rehearsal takes; it opens nothing else."""


def read_keys(
    config: AlpacaVenueConfig,
    environment: Mapping[str, str] | None = None,
    dotenv: Path = Path(DOTENV),
) -> Keys:
    """The credentials of a venue; a rehearsal has its own. Raises AdapterError, which never holds any of them."""
    if config.mode == "rehearsal":
        return REHEARSAL
    variables = os.environ if environment is None else environment
    found = _found(config.credentials, variables, "the environment")
    if found is None:
        found = _found(config.credentials, read_dotenv(dotenv), str(dotenv))
    if found is None:
        raise AdapterError(_missing(config))
    _refuse_other_environment(config, found)
    return found


def _found(credentials: AlpacaCredentials, variables: Mapping[str, str], where: str) -> Keys | None:
    """A pair or a token of one place. Raises AdapterError for half a pair and for one of each."""
    values = {name: value.strip() for name, value in variables.items() if value.strip()}
    token = values.get(credentials.token_variable)
    pairs = _pairs(credentials)
    pair = next(
        ((values[key], values[secret]) for key, secret in pairs if key in values and secret in values), None
    )
    if token is not None and pair is not None:
        raise AdapterError(
            f"{where} holds a key pair and {credentials.token_variable}: nobody knows which account is meant; "
            "keep one of them"
        )
    if token is not None:
        return Keys(token=token)
    if pair is not None:
        return Keys(*pair)
    for key, secret in pairs:
        for there, lacking in ((key, secret), (secret, key)):
            if there in values:
                raise AdapterError(f"{where} has {there} but not {lacking}: set both, of the same account")
    return None


def _pairs(credentials: AlpacaCredentials) -> tuple[tuple[str, str], ...]:
    own = (credentials.key_variable, credentials.secret_variable)
    return (own, *(pair for pair in ALIASES if pair != own)) if own == ALIASES[0] else (own,)


def _missing(config: AlpacaVenueConfig) -> str:
    names = config.credentials
    return (
        f"venue={config.name}: no keys; set {names.key_variable} and {names.secret_variable} in the environment or in "
        f"{DOTENV} (cp .env.example .env && chmod 600 .env); venue=alpaca_rehearsal needs none"
    )


def _refuse_other_environment(config: AlpacaVenueConfig, keys: Keys) -> None:
    """Raise AdapterError for paper keys on a live venue and the other way round."""
    if (
        keys.token is not None
    ):  # a token does not tell; the account itself does, before anything else is asked
        return
    wanted = {"paper": PAPER, "live": LIVE}.get(config.mode)
    if wanted is None and keys.prefix not in (PAPER, LIVE):
        wanted = f"{PAPER} or {LIVE}"
    if wanted is not None and keys.prefix != wanted:
        other = {"paper": "venue=alpaca for real money", "live": "venue=alpaca_paper for paper"}.get(
            config.mode
        )
        hint = f"; {other}" if other and keys.prefix in (PAPER, LIVE) else ""
        raise AdapterError(
            f"venue={config.name} is {config.mode} and takes keys that begin with {wanted}; "
            f"{config.credentials.key_variable} holds {keys.kind}{hint}"
        )
