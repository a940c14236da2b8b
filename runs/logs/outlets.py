"""Where do lines go, and what happens where one of these places refuses them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from runs.logs.rendering import Line


class Outlet(Protocol):
    """One place that lines are written to; `least` is the level of those it takes."""

    @property
    def name(self) -> str:
        """What a message calls it."""

    @property
    def least(self) -> int:
        """The level of the lines it takes."""

    def write(self, lines: Sequence[Line]) -> None:
        """Write lines. Raises OSError or ValueError."""

    def close(self) -> None:
        """Nothing more comes. Raises OSError or ValueError."""


@dataclass(slots=True)
class _Place:
    outlet: Outlet
    failing: bool = False
    lost: int = 0  # lines since it last took one


@dataclass(frozen=True, slots=True)
class Loss:
    """An outlet stopped taking lines, or takes them again after so many were lost."""

    where: str
    reason: str
    lines: int


class Outlets:
    """Writes every line to each outlet; one that refuses keeps no line from the others."""

    def __init__(self, outlets: Sequence[Outlet]) -> None:
        """In the order in which they are written."""
        self._places = [_Place(outlet) for outlet in outlets]
        self.lost = 0
        """Lines that some outlet did not take."""

    @property
    def least(self) -> int:
        """The level below which nobody takes a line."""
        return min((place.outlet.least for place in self._places), default=0)

    def write(self, lines: Sequence[Line]) -> list[Loss]:
        """Write lines; answers what there is to tell about outlets, once an outage and once its end."""
        found = [
            self._write(place, [line for line in lines if line.level >= place.outlet.least])
            for place in self._places
        ]
        return [loss for loss in found if loss is not None]

    def close(self) -> None:
        """Nothing more comes."""
        for place in self._places:
            try:
                place.outlet.close()
            except Exception:  # noqa: BLE001 - as in _write; there is nothing left to be lost but this one
                self.lost += 1

    def _write(self, place: _Place, lines: list[Line]) -> Loss | None:
        if place.failing:  # it has to take a line again before it can be told anything about itself
            lines = [line for line in lines if line.like[0] != "log.lost"]
        if not lines:
            return None
        try:
            place.outlet.write(lines)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one place, the others go on
            self.lost += len(lines)
            place.lost += len(lines)
            if place.failing:
                return None
            place.failing = True
            return Loss(place.outlet.name, f"cannot be written: {_why(error)}", place.lost)
        if not place.failing:
            return None
        lost, place.failing, place.lost = place.lost, False, 0
        return Loss(place.outlet.name, f"can be written again; {lost} lines are missing", lost)


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
