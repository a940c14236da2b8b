"""Strategies and a venue that say more than they should; what they say comes from the environment, as keys do."""

from __future__ import annotations

import os
from typing import Any, Literal

from nautilus_trader.model import Bar

from adapters.credentials import EnvironmentCredentials, VariableName
from adapters.replay.factories import ReplayVenue
from adapters.venue import VenueConfig
from tests.driving import Scripted


class Credentials(EnvironmentCredentials):
    """The names of two variables."""

    key_variable: VariableName = "CHATTY_ID"
    secret_variable: VariableName = "CHATTY_WORDS"  # noqa: S105 - the name of a variable, not a secret


class ChattyConfig(VenueConfig):
    """A sandbox that has credentials."""

    mode: Literal["sandbox"] = "sandbox"
    speed: float = 0.0
    credentials: Credentials = Credentials()


class BrokenVenue(ReplayVenue):
    """Its data stops at once, with an error that tells everything."""

    begun = False

    def begin(self) -> None:
        """Data may flow."""
        self.begun = True

    def error(self) -> BaseException | None:
        """What stopped the data."""
        if not self.begun:
            return None
        return ConnectionError(f"wss://{os.environ['CHATTY_ID']}:{os.environ['CHATTY_WORDS']}@host refused")


def leak() -> str:
    """Everything that must not be told."""
    words, part = os.environ["CHATTY_WORDS"], os.environ["URL_PART"]
    return f"{words}; https://anna:{part}@host/x?api_key={part}; {os.environ['CHATTY_ID']}"


class Leaks(Scripted):
    """Buys, then raises with every secret it can find, in text, arguments, notes and cause."""

    def at_bar(self, n: int, bar: Bar) -> None:
        if n == 3:
            self.buy(10)
        elif n == 6:
            error = ValueError(leak(), {"headers": {"Authorization": f"Bearer {os.environ['CHATTY_WORDS']}"}})
            error.add_note(leak())
            try:
                self._connect(bar)
            except OSError as cause:
                raise error from cause

    def _connect(self, _bar: Any) -> None:
        raise ConnectionRefusedError(111, leak(), leak())


class Complains(Scripted):
    """Logs an error and a warning itself."""

    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 3:
            self.log.warning("this is my own affair")
            self.log.error("I do not know what to do")


class Buys(Scripted):
    """Buys one share at every bar."""

    def at_bar(self, _n: int, _bar: Bar) -> None:
        self.buy(1)
