"""Which bar comes next? Recorded bars, forwards to their end and then backwards, so that prices never jump."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any


@dataclass(frozen=True, slots=True)
class PlayedBar:
    """A bar without its stamp: it is stamped with the wall clock when it is sent."""

    instrument: str
    bar_type: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    @classmethod
    def of(cls, bar: Any) -> PlayedBar:
        """From a bar of the engine's."""
        amounts = (Decimal(str(each)) for each in (bar.open, bar.high, bar.low, bar.close, bar.volume))
        return cls(str(bar.bar_type.instrument_id), str(bar.bar_type), *amounts)

    def backwards(self) -> PlayedBar:
        """The bar as it looks when time runs the other way."""
        return PlayedBar(
            self.instrument, self.bar_type, self.close, self.high, self.low, self.open, self.volume
        )

    def row(self, ts: int) -> dict[str, object]:
        """As on the wire, stamped."""
        amounts = ("open", "high", "low", "close", "volume")
        return {
            "instrument": self.instrument,
            "bar_type": self.bar_type,
            "ts": ts,
            **{key: f"{getattr(self, key):f}" for key in amounts},
        }


class Playback:
    """Steps through bars, there and back for ever. A step is all bars of one stamp."""

    def __init__(self, bars: Iterable[Any]) -> None:
        """`bars` in time order; at least one."""
        self._steps: list[Sequence[PlayedBar]] = [
            [PlayedBar.of(bar) for bar in group] for _, group in groupby(bars, key=attrgetter("ts_event"))
        ]
        self.at = 0
        """Steps played so far."""

        self._types = {bar.instrument: bar.bar_type for step in self._steps for bar in step}

    @property
    def bar_types(self) -> list[str]:
        """The bars that are played, by their names in the engine."""
        return list(self._types.values())

    def type_of(self, instrument: str) -> str:
        """The name of an instrument's bars."""
        return self._types[instrument]

    def __len__(self) -> int:
        """How many different steps there are."""
        return len(self._steps)

    def next(self) -> Sequence[PlayedBar]:
        """The bars of the next step."""
        lap, place = divmod(self.at, len(self._steps))
        self.at += 1
        if lap % 2 == 0:
            return self._steps[place]
        return [bar.backwards() for bar in self._steps[-1 - place]]
