"""Which points does a sweep have, and which config does each make?"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from backtests.points import configured
from configs.errors import ConfigError
from configs.load import Axis, draft, settled, swept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backtests.points import Document, Point
    from configs.schema import RunConfig

_TRIED = 5  # values of an axis that are looked at before a sweep begins
_UNSETTLED = ("${", "???")  # what a value that is still to be worked out or given holds


@dataclass(frozen=True)
class Space:
    """The swept keys, and the document of each combination of swept groups: options, as JSON -> document, as JSON."""

    axes: tuple[Axis, ...]
    bases: Mapping[str, str]

    @property
    def size(self) -> int:
        """Points of the whole grid. An interval has no number of them, see `interval`."""
        return prod(len(axis.values) for axis in self.axes)

    @property
    def keys(self) -> tuple[str, ...]:
        """The swept keys as they stand in a point, in the order they were given."""
        return tuple(_bare(axis) for axis in self.axes)

    @property
    def interval(self) -> str | None:
        """The first key that takes any value of an interval; None when every key takes one of a list."""
        return next((_bare(axis) for axis in self.axes if axis.high is not None), None)

    def grid(self, number: int) -> Point:
        """The point of this number, from 0; the last key changes first, as with -m."""
        point: dict[str, Any] = {}
        for axis, key in reversed(list(zip(self.axes, self.keys, strict=True))):
            number, place = divmod(number, len(axis.values))
            point[key] = axis.values[place]
        return {key: point[key] for key in self.keys}

    def config(self, point: Point) -> RunConfig:
        """The validated config of a point. Raises ConfigError for one that is no run."""
        base, own = self._parts(point)
        document = _base(base)
        if not any(mark in base for mark in _UNSETTLED):
            return configured(document, own)
        from backtests.points import placed  # noqa: PLC0415 - one use

        return configured(settled(placed(document, own)), {})

    def document(self, point: Point) -> Document:
        """The document of a point, resolved, as a run folder keeps it. Raises ConfigError."""
        from backtests.points import placed  # noqa: PLC0415 - one use

        base, own = self._parts(point)
        return settled(placed(_base(base), own))

    def _parts(self, point: Point) -> tuple[str, Point]:
        groups = {key for axis, key in zip(self.axes, self.keys, strict=True) if axis.group}
        chosen = json.dumps([point[key] for key in self.keys if key in groups])
        return self.bases[chosen], {key: value for key, value in point.items() if key not in groups}

    def to_json(self) -> str:
        """The space as a sweep's folder keeps it."""
        return json.dumps({"axes": [asdict(axis) for axis in self.axes], "bases": dict(self.bases)})

    @classmethod
    def from_json(cls, text: str) -> Space:
        """The space that `to_json` wrote."""
        kept = json.loads(text)
        axes = tuple(
            Axis(**{**each, "values": tuple(each["values"]), "tags": tuple(each["tags"])})
            for each in kept["axes"]
        )
        return cls(axes, kept["bases"])


def space_of(words: Sequence[str]) -> Space:
    """The space of a command line (without the keys `sweep.*`).

    Raises ConfigError where nothing is swept, a key is swept twice, or no point that was looked at is a run.
    """
    single, axes = swept(words)
    if not axes:
        raise ConfigError("nothing to sweep: give a key several values, such as strategy.fast=5,10,20")
    for axis in axes:
        if axis.high is None and not axis.values:
            raise ConfigError(f"{_bare(axis)}: this range has no values; write range(FIRST,END,STEP)")
    twice = [key for key, count in _counts(map(_bare, axes)).items() if count > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is swept twice; give all its values at once")
    groups = [axis for axis in axes if axis.group]
    bases = {
        json.dumps(chosen): json.dumps(
            draft(
                "backtest",
                [*single, *(f"{axis.key}={name}" for axis, name in zip(groups, chosen, strict=True))],
            ),
            default=str,
        )
        for chosen in product(*(axis.values for axis in groups))
    }
    return Space(tuple(axes), bases)


def first_run(space: Space) -> RunConfig:
    """The config of the first point, of some on every axis, that is a run; a sweep without any is a mistake.

    Raises the ConfigError of the very first.
    """
    refusal: ConfigError | None = None
    for point in _some(space):
        try:
            return space.config(point)
        except ConfigError as error:
            refusal = refusal or error
    raise refusal or ConfigError("nothing to sweep")


def values_tried(axis: Axis) -> tuple[Any, ...]:
    """The values of an axis that are looked at before a sweep begins: the first few, or both ends of an interval."""
    return tuple(axis.values)[:_TRIED] if axis.high is None else (axis.low, axis.high)


def _some(space: Space) -> Iterator[Point]:
    choices = {key: values_tried(axis) for axis, key in zip(space.axes, space.keys, strict=True)}
    first = {key: values[0] for key, values in choices.items()}
    yield first
    yield {key: values[-1] for key, values in choices.items()}
    for key, values in choices.items():
        for value in values[1:]:
            yield {**first, key: value}


def _bare(axis: Axis) -> str:
    """The key as it stands in a point: `strategies.second` of `+strategy@strategies.second`."""
    return axis.key.lstrip("+").rpartition("@")[2]


def _counts(keys: Iterator[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key in keys:
        found[key] = found.get(key, 0) + 1
    return found


@lru_cache(maxsize=64)
def _base(text: str) -> Document:
    """A base document; whoever puts values into it makes a new one, so that this stays as it is."""
    document: Document = json.loads(text)
    return document
