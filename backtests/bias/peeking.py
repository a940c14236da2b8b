"""Does a strategy decide with what it cannot know yet?

The same run again with the future taken away, and with another future: up to that moment all it asked for must be the
same, order by order. Half of the moments are those of its own decisions, because what looks one bar ahead shows there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.bias.altered import CHANGES, changed_after, cut_short
from backtests.bias.finding import Finding, day, moment, order_dict, order_text, passed
from backtests.bias.seen import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backtests.bias.seen import Seen
    from backtests.bias.settings import LookaheadSettings
    from backtests.bias.world import World
    from backtests.trial import Decision
    from configs.schema import RunConfig

REPEATED, TRUNCATED, CHANGED = "repeated", "future removed", "future changed"
_AFTER = 250  # bars after a cut that a run goes on for: what looks further ahead finds nothing there, and shows too
_MARGIN = 0.05  # share of the bars at both ends in which no cut is drawn at random


@dataclass(frozen=True)
class Difference:
    """The first decision up to a cut in which two runs differ; None: that run decided nothing more there."""

    cut_ns: int
    full: Decision | None
    other: Decision | None

    @property
    def ts(self) -> int:
        """When: the earlier of the two."""
        return min(each[0] for each in (self.full, self.other) if each is not None)

    def told(self, how: str, zone: str) -> str:
        """One sentence."""
        when = day(self.ts, zone)
        return (
            f"{when}: {order_text(_at(self.full, self.ts))} in the full run, "
            f"{order_text(_at(self.other, self.ts))} {how}"
        )

    def as_dict(self, zone: str) -> dict[str, Any]:
        """As JSON."""
        return {
            "time": moment(self.ts, zone),
            "cut": moment(self.cut_ns, zone),
            "full": order_dict(self.full, zone),
            "other": order_dict(self.other, zone),
        }


def cuts(world: World, full: Seen, settings: LookaheadSettings, rng: np.random.Generator) -> list[int]:
    """Stamps at which the future is taken away, ascending: half where the strategy decided, half drawn evenly."""
    stamps = world.stamps
    decided = np.unique([each[0] for each in full.decisions if each[0] < stamps[-1]]).astype(np.int64)
    chosen = rng.permutation(decided)[: settings.cuts // 2]
    at = np.maximum(np.searchsorted(stamps, chosen, side="right") - 1, 0)
    low, high = int(len(stamps) * _MARGIN), max(int(len(stamps) * (1 - _MARGIN)), 2)
    edges = np.linspace(low, high, settings.cuts - len(at) + 1)
    drawn = rng.uniform(edges[:-1], edges[1:]).astype(np.int64)
    both = np.unique(np.concatenate([at, drawn]).clip(0, max(len(stamps) - 2, 0)))
    return [int(stamps[index]) for index in both]


def first_difference(full: Sequence[Decision], other: Sequence[Decision], cut_ns: int) -> Difference | None:
    """Where two runs part; None where they agree."""
    for mine, theirs in zip_longest(full, other):
        if mine != theirs:
            return Difference(cut_ns, mine, theirs)
    return None


def repeated(config: RunConfig, world: World, full: Seen, step: Callable[[str], None]) -> Finding:
    """Whether the same data gives the same decisions; without that nothing else can be compared."""
    again = watch(config, world)
    step(REPEATED)
    found = first_difference(full.decisions, again.decisions, int(world.end_ns))
    text = "the same data gives the same decisions"
    if found is not None:
        text = f"the same run again decides otherwise. {found.told('in the second', world.zone)}"
    return Finding(
        REPEATED,
        found is not None,
        1,
        int(found is not None),
        text,
        None if found is None else found.as_dict(world.zone),
    )


def peeks(
    config: RunConfig, world: World, full: Seen, settings: LookaheadSettings, step: Callable[[str], None]
) -> list[Finding]:
    """Findings of a future that is taken away, and of one that is another."""
    rng = np.random.default_rng(settings.seed)
    moments = cuts(world, full, settings, rng)
    stamps = world.stamps
    removed: list[tuple[str, Difference | None, int]] = []
    changed: list[tuple[str, Difference | None, int]] = []
    for cut in moments:
        known = full.until(cut)
        short = watch(config, cut_short(world, cut))
        removed.append(("without the future", first_difference(known, short.until(cut), cut), len(known)))
        step(TRUNCATED)
        for number in range(settings.changes):
            change = CHANGES[number % len(CHANGES)]
            end = int(stamps[min(int(np.searchsorted(stamps, cut)) + _AFTER, len(stamps) - 1)])
            other = watch(config, changed_after(world, cut, change, rng).within(end_ns=end))
            how = "with returns shuffled after" if change == "shuffled" else "with returns turned round after"
            changed.append(
                (f"{how} {day(cut, world.zone)}", first_difference(known, other.until(cut), cut), len(known))
            )
            step(CHANGED)
    return [
        _finding(name, each, len(moments), world)
        for name, each in ((TRUNCATED, removed), (CHANGED, changed))
        if each
    ]


def _finding(
    check: str, runs: list[tuple[str, Difference | None, int]], moments: int, world: World
) -> Finding:
    wrong = [(how, found) for how, found, _ in runs if found is not None]
    if not wrong:
        compared = sum(count for _, _, count in runs)
        return passed(check, len(runs), f"{compared:,} decisions up to {moments} cuts, all the same")
    how, found = min(wrong, key=lambda each: each[1].ts)
    text, first = found.told(how, world.zone), found.as_dict(world.zone)
    return Finding(check, caught=True, tried=len(runs), failed=len(wrong), evidence=text, first=first)


def _at(decision: Decision | None, ts: int) -> Decision | None:
    return decision if decision is not None and decision[0] == ts else None
