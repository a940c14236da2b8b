"""In what do two finished runs differ: figures, config, versions, period?"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from runs.page.config_text import Kept
from runs.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runs.page.reading import Finished

_SHOWING = ("run.dir", "run.name", "run.plots", "run.tearsheet", "output")
"""Keys that only say where a run lies and how it was shown."""
_ABSENT = object()
_NOTHING = Kept({}, {})


@dataclass(frozen=True)
class Figure:
    """One figure of both runs. difference: b - a of numbers, Decimals exactly; None where one has none."""

    name: str
    a: Any
    b: Any

    @property
    def difference(self) -> Decimal | float | None:
        """What B has more than A."""
        if any(
            isinstance(value, bool) or not isinstance(value, int | float | Decimal)
            for value in (self.a, self.b)
        ):
            return None
        found: Decimal | float = self.b - self.a
        return found


@dataclass(frozen=True)
class Changed:
    """One key with different values; `is_in` tells whether each run has it at all."""

    key: str
    a: Any
    b: Any
    is_in: tuple[bool, bool] = (True, True)


@dataclass(frozen=True)
class Difference:
    """What two runs differ in. notes: what makes their figures hard to compare, and what is the same, in sentences."""

    a: Finished
    b: Finished
    figures: tuple[Figure, ...]
    config: tuple[Changed, ...]
    versions: tuple[Changed, ...]
    notes: tuple[str, ...]


def difference(a: Finished, b: Finished) -> Difference:
    """Compare two runs, of whichever verb."""
    one, other = a.seen.kept or _NOTHING, b.seen.kept or _NOTHING
    config = changed(one.shown, other.shown, leave_out=_SHOWING)
    versions = changed(one.versions, other.versions)
    return Difference(
        a, b, tuple(_figures(a.seen.summary, b.seen.summary)), config, versions, tuple(_notes(a, b, versions))
    )


def changed(
    a: Mapping[str, Any], b: Mapping[str, Any], leave_out: tuple[str, ...] = ()
) -> tuple[Changed, ...]:
    """The dotted keys in which two documents differ, in the order of the first, then those only the second has."""
    left, right = dict(leaves("", a)), dict(leaves("", b))
    found = []
    for key in {**left, **right}:
        own, other = left.get(key, _ABSENT), right.get(key, _ABSENT)
        if key not in leave_out and not _same(own, other):
            is_in = (own is not _ABSENT, other is not _ABSENT)
            found.append(Changed(key, own if is_in[0] else None, other if is_in[1] else None, is_in))
    return tuple(found)


def leaves(prefix: str, node: Any) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything in a document; a list and an empty section are values."""
    if isinstance(node, dict) and node:
        for key, child in node.items():
            yield from leaves(f"{prefix}.{key}" if prefix else str(key), child)
    elif prefix:
        yield prefix, node


def _same(own: Any, other: Any) -> bool:
    """Whether two values are the same setting: 1 and 1.0 are, 1 and True are not."""
    return own == other and isinstance(own, bool) == isinstance(other, bool)


def _figures(a: Summary, b: Summary) -> Iterator[Figure]:
    for field in fields(Summary):
        own, other = getattr(a, field.name), getattr(b, field.name)
        if (
            field.name != "run_dir"
            and not isinstance(own, list | dict)
            and not isinstance(other, list | dict)
        ):
            if field.name == "costs":
                yield Figure("costs_total", *(None if each is None else each.total for each in (own, other)))
            elif field.name != "capacity":
                yield Figure(field.name, own, other)


def _notes(a: Finished, b: Finished, versions: tuple[Changed, ...]) -> Iterator[str]:
    yield _data(a.seen.summary, b.seen.summary)
    yield from _code(a, b, versions)
    one, other = a.seen.summary, b.seen.summary
    if (one.first_bar, one.last_bar, one.bars) != (other.first_bar, other.last_bar, other.bars):
        yield (
            f"Period: A saw {one.bars:,} bars, {one.first_bar:.10} to {one.last_bar:.10}; "
            f"B {other.bars:,}, {other.first_bar:.10} to {other.last_bar:.10}."
        )
    if one.currency != other.currency:
        yield f"Currency: A is kept in {one.currency}, B in {other.currency}; amounts are not to be subtracted."
    yield _curves(a, b)


def _data(one: Summary, other: Summary) -> str:
    if one.data_version == other.data_version:
        return f"Data: both saw version {one.data_version}."
    return f"Data: A saw version {one.data_version}, B {other.data_version}: some of the difference may be the data's."


def _code(a: Finished, b: Finished, versions: tuple[Changed, ...]) -> Iterator[str]:
    own, other = ((run.seen.kept or _NOTHING).versions for run in (a, b))
    commits = [str(each.get("git_commit") or "unknown")[:12] for each in (own, other)]
    dirty = [name for name, each in (("A", own), ("B", other)) if each.get("git_changed")]
    since = f"; {' and '.join(dirty)} ran with changes that no commit has" if dirty else ""
    if commits[0] != commits[1]:
        yield f"Code: A ran at commit {commits[0]}, B at {commits[1]}{since}: some of the difference may be the code's."
    else:
        yield f"Code: both ran at commit {commits[0]}{since}."
    rest = [each for each in versions if each.key not in ("git_commit", "git_changed", "data")]
    if rest:
        yield "Versions: " + "; ".join(f"{each.key} {each.a} and {each.b}" for each in rest) + "."


def _curves(a: Finished, b: Finished) -> str:
    if np.array_equal(a.seen.ts, b.seen.ts) and np.array_equal(a.seen.equity, b.seen.equity):
        return "Equity: the same at every bar, to the cent."
    return "Equity: the curves differ."
