"""After how many bars does a strategy decide as if it had always been there?

It is started at many later dates, with the history before each at hand for what it asks for, and compared bar by bar
with the run over all of the data: which side it holds in each instrument, and with which share of equity it enters.
Sizes may follow equity, which differs between the runs, so shares are compared, not quantities; limits and breakers
are off, because a halt is history of the account and not of the prices. A side that was taken before the later start
counts from the first bar on which both are on the same side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.bias.finding import Finding, day, moment
from backtests.bias.seen import first_run, quantities, watch, without_limits
from runs.analysis import analyse

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtests.bias.seen import Seen
    from backtests.bias.settings import WarmupSettings
    from backtests.bias.world import World
    from configs.schema import RunConfig
    from runs.prices import FloatArray

WARMUP = "warm-up"
_FIRST, _LAST = 0.25, 0.75  # shares of the data between which starts are drawn
_SIDES = {1: "long", 0: "flat", -1: "short"}


@dataclass(frozen=True)
class Held:
    """One run: sides after each bar, shape (instruments, bars); entries, (instrument, ts) -> (quantity, equity)."""

    sides: FloatArray
    entries: dict[tuple[str, int], tuple[float, float]]


@dataclass(frozen=True)
class Start:
    """One later start: its stamp, the bars before it, and by how many bars after it the last difference was over.

    last: of that difference, what it was in one sentence and its stamp; None where there was none. held: whether it or
    the whole run held anything from there on.
    """

    ts: int
    before: int
    bars: int
    left: int
    last: tuple[str, int] | None = None
    held: bool = True

    @property
    def ended(self) -> bool:
        """Whether the rest of the run, without any difference, is long enough to say that they are over."""
        return self.last is None or self.left > self.bars


def later_starts(world: World, settings: WarmupSettings) -> list[int]:
    """Indexes of bars to start at, ascending: one drawn from each of equal parts of the middle half of the data."""
    rng = np.random.default_rng(settings.seed)
    count = len(world.stamps)
    edges = np.linspace(count * _FIRST, count * _LAST, settings.starts + 1)
    drawn = rng.uniform(edges[:-1], edges[1:]).astype(np.int64)
    return [int(each) for each in np.unique(drawn.clip(1, max(count - 2, 1)))]


def compare(
    config: RunConfig, world: World, settings: WarmupSettings, step: Callable[[str], None]
) -> list[Start]:
    """Every later start beside the run over all of the data. Raises what that run raises."""
    free = without_limits(config)
    stamps = world.stamps
    reference = _held(free, world, first_run(free, world))
    step("all of the data")
    found = []
    for index in later_starts(world, settings):
        later = world.within(start_ns=int(stamps[index]))
        seen = watch(free, later)
        own = _held(free, later, seen)
        last = (
            (f"the run from {day(int(stamps[index]), world.zone)} ended: {seen.error}", int(stamps[-1]))
            if seen.error is not None
            else _last_difference(world, index, reference, own, settings.tolerance)
        )
        bars = 0 if last is None else int(np.searchsorted(stamps, last[1])) - index + 1
        held = bool(reference.sides[:, index:].any() or own.sides.any())
        found.append(Start(int(stamps[index]), index, bars, len(stamps) - index - bars, last, held))
        step(day(int(stamps[index]), world.zone)[:10])
    return found


def finding(world: World, starts: list[Start], settings: WarmupSettings) -> tuple[Finding, dict[str, Any]]:
    """The finding, and figures: `warmup_bars`, after which all starts agree (null: they never do), and each start."""
    worst = max(starts, key=lambda each: each.bars)
    late = [each for each in starts if each.bars > settings.bars]
    never = [each for each in starts if not each.ended]
    measured = None if never else worst.bars
    if not late:
        text = f"{len(starts)} later starts decide like the whole run from bar {worst.bars} on; stated: {settings.bars}"
    elif never:
        text = (
            f"{len(never)} of {len(starts)} later starts do not come to decide like the whole run before the "
            f"data ends (stated: {settings.bars} bars). "
            f"{_told(world, max(never, key=lambda each: each.bars))}"
        )
    else:
        text = (
            f"later starts decide like the whole run only from bar {worst.bars} on, stated are {settings.bars}. "
            f"{_told(world, worst)}"
        )
    first = None
    if late and worst.last is not None:
        first = {
            "start": moment(worst.ts, world.zone),
            "time": moment(worst.last[1], world.zone),
            "what": worst.last[0],
        }
    figures = {
        "warmup_bars": measured,
        "stated_bars": settings.bars,
        "starts": [
            {"start": moment(each.ts, world.zone), "bars_before": each.before, "agrees_from_bar": each.bars}
            for each in starts
        ],
    }
    return Finding(WARMUP, bool(late), len(starts), len(late), text, first), figures


def _told(world: World, start: Start) -> str:
    what, ts = start.last or ("", 0)
    return f"Started on {day(start.ts, world.zone)[:10]} it differed last on {day(ts, world.zone)}: {what}"


def _held(config: RunConfig, world: World, seen: Seen) -> Held:
    """What a run held; equity is that after the bar of each order."""
    stamps = world.stamps
    sides = np.array([np.sign(quantities(seen, stamps, str(one.id))) for one in world.instruments])
    entries: dict[tuple[str, int], tuple[float, float]] = {}
    record = seen.record
    if record is not None and record.fills:
        equity = analyse(
            record, zone=config.data.zone, days_per_year=config.data.days_per_year, until_ns=seen.until_ns
        ).equity
        held = {str(one.id): 0.0 for one in world.instruments}
        for fill in record.fills:
            name, quantity = (
                fill["instrument"],
                float(fill["quantity"]) * (1 if fill["side"] == "BUY" else -1),
            )
            if held[name] == 0.0:
                worth = equity.amounts[max(int(np.searchsorted(equity.ts, fill["ts"], side="right")) - 1, 0)]
                entries[name, fill["ts"]] = (quantity, float(worth))
            held[name] = round(held[name] + quantity, 9)
    return Held(sides, entries)


def _last_difference(
    world: World, index: int, whole: Held, later: Held, tolerance: float
) -> tuple[str, int] | None:
    """The last bar on which a later start held another side, or entered with another share of equity."""
    stamps = world.stamps
    found: list[tuple[str, int]] = []
    for number, instrument in enumerate(world.instruments):
        full, own = whole.sides[number, index:], later.sides[number]
        alike = np.flatnonzero(full == own)
        from_bar = int(alike[0]) if len(alike) else 0
        differ = np.flatnonzero(full[from_bar:] != own[from_bar:])
        if len(differ):
            at = from_bar + int(differ[-1])
            what = f"{_SIDES[int(own[at])]} in {instrument.id} and not {_SIDES[int(full[at])]}"
            found.append((what, int(stamps[index + at])))
        since = int(stamps[index + from_bar])
        found += _sizes(
            str(instrument.id), float(instrument.size_increment.as_double()), since, whole, later, tolerance
        )
    return max(found, key=lambda each: each[1]) if found else None


def _sizes(  # noqa: PLR0913 - two runs of one instrument, and what may differ
    name: str, lot: float, since: int, whole: Held, later: Held, tolerance: float
) -> list[tuple[str, int]]:
    """Entries at the same bar of both runs whose quantity is neither the same nor the same share of equity."""
    found = []
    for (instrument, ts), (quantity, equity) in later.entries.items():
        full = whole.entries.get((instrument, ts))
        if instrument != name or ts <= since or full is None or full[0] == quantity or full[1] <= 0:
            continue
        expected = full[0] * equity / full[1]
        if abs(expected - quantity) > lot + tolerance * abs(expected):
            found.append(
                (f"it entered {name} with {quantity:g} and not {expected:,.0f}, the same share of equity", ts)
            )
    return found
