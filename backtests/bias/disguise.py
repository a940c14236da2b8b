"""Does a strategy know what comes next because it knows where it is: on which date, at which price, how far in?

It is fed the real bars in disguise: with the stamps of earlier years, weekdays and times of day kept, all prices times
a factor, and begun some bars later. What decides by how prices move decides the same. A strategy that looks up what the
real market did on a date, at a price or on its thousandth bar finds another place: what it knew is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtests.bias.finding import Finding, passed
from backtests.bias.foreign import knowledge
from backtests.bias.seen import Seen, watch
from backtests.bias.world import scaled
from market.sessions import DAY_NANOS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from backtests.bias.world import World
    from configs.schema import RunConfig

DISGUISED = "disguised"
FACTORS = (1.17, 1.31, 1.47)
"""Of the prices in each disguise: upwards, so that no move falls below a tick."""
LOST = 6.0
"""Standard errors of knowledge that most disguises must take; runs that know nothing differ by 1.4, seldom by 4."""
FORESEES = 6.0
"""Standard errors from which knowledge that a disguise leaves is a note."""
_WEEKS = 52  # by which stamps go back, once more in each disguise
_LATER = 0.01  # share of the bars by which it begins later, likewise


def disguised(world: World, number: int) -> World:
    """The real bars in one of the disguises, 0 to len(FACTORS) - 1."""
    back, stamps = back_ns(number), world.stamps
    begin = stamps[min(int(len(stamps) * _LATER * (number + 1)), len(stamps) - 1)]

    def disguise(_: int, table: pd.DataFrame) -> pd.DataFrame:
        moved = table.assign(ts=table["ts"] - back)
        return scaled(world, moved, np.full(len(table), FACTORS[number]))

    return world.with_tables(disguise).within(start_ns=int(begin) - back, end_ns=world.end_ns - back)


def back_ns(number: int) -> int:
    """How much earlier a disguise has every stamp: whole weeks, in ns."""
    return (number + 1) * _WEEKS * 7 * DAY_NANOS


def unmasked(
    free: RunConfig, world: World, real: Seen, step: Callable[[str], None]
) -> tuple[Finding, list[str], dict[str, float | None]]:
    """The finding, notes, and figures: `real_z` and, the furthest from 0 of the disguised runs, `disguised_z`.

    free: without limits, as `real`, its run over the world.
    """
    known = knowledge(world, [real])
    left: list[float] = []
    notes = []
    for number in range(len(FACTORS)):
        run = watch(free, disguised(world, number))
        step(DISGUISED)
        if run.error is None:
            left.append(knowledge(world, [run], back_ns(number)) or 0.0)
        else:
            notes.append(f"fed the real bars in disguise the run ended, and is not compared: {run.error}")
    most = max(left, key=abs, default=None)
    figures = {"real_z": known, "disguised_z": most}
    if known is None or most is None:
        return passed(DISGUISED, len(left), "it held nothing that could be compared"), notes, figures
    taken = sum(abs(known - each) >= LOST and abs(each) < abs(known) for each in left)
    if 2 * taken > len(left):
        text = (
            f"it knew the next bar by {known:+.1f} standard errors, and by {most:+.1f} when the same bars had other "
            "dates and prices: it looks up what the real market did"
        )
        return Finding(DISGUISED, caught=True, tried=len(left), failed=taken, evidence=text), notes, figures
    if abs(known) >= FORESEES:
        notes.append(
            f"what it held knew the next bar by {known:+.1f} standard errors: honest strategies hardly do, but where "
            "prices bounce between bid and ask. Look at what it decides by"
        )
    text = f"it knew the next bar as well under other dates and prices ({most:+.1f} standard errors, {known:+.1f})"
    return passed(DISGUISED, len(left), text), notes, figures
