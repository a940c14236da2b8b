"""What can a signal say, and what does a strategy ask of it?"""

from enum import IntEnum
from typing import Protocol


class Opinion(IntEnum):
    """Which side of the market to be on."""

    SHORT = -1
    FLAT = 0
    LONG = 1


class Signal(Protocol):
    """Learns one close after another and forms an opinion of them."""

    @property
    def history_bars(self) -> int:
        """How many closes from before its start it asks for, to say what it would say had it begun long ago."""

    def learn(self, close: float) -> Opinion | None:
        """Take the next close; answers the opinion, or None while there were too few."""
