"""Does a strategy decide by what it is fed, or by a file that it reads itself?

It is fed markets dealt anew from blocks of the real one, in which nothing real can be known. What it then holds must be
unrelated to what the real market did next. A strategy that follows the real market all the same has its prices from
elsewhere, and nobody can tell which of them it knew in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtests.bias.altered import dealt_anew
from backtests.bias.finding import Finding, day, moment, order_dict, order_text, passed
from backtests.bias.seen import quantities, watch
from backtests.bias.world import middle

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtests.bias.seen import Seen
    from backtests.bias.settings import LookaheadSettings
    from backtests.bias.world import World
    from backtests.trial import Decision
    from configs.schema import RunConfig
    from runs.prices import FloatArray

FOREIGN = "foreign history"
KNOWS = 4.0
"""Standard errors from which what it holds in foreign markets is related to the real one: 1 in 16,000 by chance."""
KNOWS_UNMOVED = 3.0
"""The same for a strategy that decides alike whatever it is fed."""
_NEAR = 5  # bars around no shift at all that are no part of the comparison


def foreign(
    free: RunConfig, world: World, real: Seen, settings: LookaheadSettings, step: Callable[[str], None]
) -> tuple[Finding, list[str], dict[str, float | None]]:
    """The finding, notes, and figures: `foreign_z` and the share of decisions that stayed, `foreign_same`.

    free: without limits, which a foreign market may reach early, as `real`, its run over the world.
    """
    rng = np.random.default_rng([settings.seed, 2])
    runs = []
    for _ in range(settings.histories):
        runs.append(watch(free, dealt_anew(world, settings.block, rng)))
        step(FOREIGN)
    same = _same(real, runs)
    z = knowledge(world, runs)
    unmoved = same == 1.0
    caught = z is not None and abs(z) >= (KNOWS_UNMOVED if unmoved else KNOWS)
    notes = []
    if unmoved and not caught:
        notes.append(
            f"it decides the same in {len(runs)} markets that share no day with the real one: by the calendar, or by "
            "something it reads itself, of which too little is decided to tell"
        )
    known = "it never changed what it held" if z is None else f"{z:+.1f} standard errors"
    found = passed(
        FOREIGN,
        len(runs),
        f"what it held in {len(runs)} foreign markets knew nothing of the real one ({known})",
    )
    if caught:
        found = _read(world, real, runs, known, same or 0.0)
    return found, notes, {"foreign_z": z, "foreign_same": same}


def knowledge(world: World, runs: list[Seen], back_ns: int = 0) -> float | None:
    """How much the sides held in foreign markets knew of the real market's next returns, in standard errors.

    The sum over bars of side * real log return of the bar after it, of all runs and instruments, against the same sum
    with the real returns shifted round by every other number of bars: its distance from their mean, in their standard
    deviations. A shift keeps how long sides last and how wild returns are, and breaks only what they know of each
    other. None where nothing was held or nothing moved. back_ns: how much earlier the runs had every stamp.
    """
    total: list[FloatArray] = []
    for number, instrument in enumerate(world.instruments):
        table = world.tables[number]
        inside = table["ts"].between(world.start_ns, world.end_ns).to_numpy()
        stamps = table["ts"].to_numpy(np.int64)[inside]
        if len(stamps) <= 4 * _NEAR:
            continue
        following = np.append(np.diff(np.log(middle(world, table)[inside])), 0.0)
        sides = sum(np.sign(quantities(each, stamps - back_ns, str(instrument.id))) for each in runs)
        total.append(_by_shift(np.asarray(sides, np.float64), following))
    if not total:
        return None
    fewest = min(map(len, total))
    sums = np.sum(
        [np.concatenate([each[: fewest // 2], each[-(fewest - fewest // 2) :]]) for each in total], axis=0
    )
    others = sums[_NEAR:-_NEAR]
    spread = float(np.std(others))
    if not spread > 1e-12 * max(float(np.abs(sums).max()), 1.0):
        return None
    return float((sums[0] - others.mean()) / spread)


def _by_shift(sides: FloatArray, returns: FloatArray) -> FloatArray:
    """Sum of sides[i] * returns[i + k], round the end, for each shift k: shape (n,)."""
    spectrum = np.conj(np.fft.rfft(sides - sides.mean())) * np.fft.rfft(returns - returns.mean())
    found: FloatArray = np.fft.irfft(spectrum, len(sides))
    return found


def _same(real: Seen, runs: list[Seen]) -> float | None:
    """Share of the real run's decisions, by time, instrument and side, that the foreign runs made too."""
    own = [(ts, instrument, side) for ts, _, instrument, side, *_ in real.decisions]
    if not own or not runs:
        return None
    shares = []
    for run in runs:
        theirs = {(ts, instrument, side) for ts, _, instrument, side, *_ in run.decisions}
        shares.append(sum(each in theirs for each in own) / max(len(own), len(run.decisions)))
    return float(np.mean(shares))


def _read(world: World, real: Seen, runs: list[Seen], known: str, same: float) -> Finding:
    """The finding that a strategy has its prices from elsewhere."""
    text = (
        f"fed {len(runs)} foreign markets, it still knew what the real one did next ({known}); {same:.0%} of its "
        "decisions stayed: it reads prices that it was not given"
    )
    first, shared = None, _shared(real, runs)
    if shared is not None:
        text += f". {day(shared[0], world.zone)}: {order_text(shared)} in the full run, and in foreign markets too"
        told = order_dict(shared, world.zone)
        first = {"time": moment(shared[0], world.zone), "cut": None, "full": told, "other": told}
    return Finding(FOREIGN, caught=True, tried=len(runs), failed=len(runs), evidence=text, first=first)


def _shared(real: Seen, runs: list[Seen]) -> Decision | None:
    """The first decision of the real run that most foreign runs made at the same time on the same side."""
    made = [{(ts, instrument, side) for ts, _, instrument, side, *_ in run.decisions} for run in runs]
    for each in real.decisions:
        if 2 * sum((each[0], each[2], each[3]) in theirs for theirs in made) > len(made):
            return each
    return None
