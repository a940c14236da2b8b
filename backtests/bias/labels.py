"""Are bars labelled with their end, or do they show their close before it has happened?

Two signs of labels that are one bar early. Bars within a day: some end exactly when the exchange opens, none when it
closes. Several instruments: one of them moves one bar before another, as if it knew.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from backtests.bias.finding import Finding, day
from backtests.bias.world import middle
from market.sessions import DAY_NANOS, exchange_sessions

if TYPE_CHECKING:
    from backtests.bias.world import World
    from configs.schema import RunConfig
    from runs.prices import FloatArray, IntArray

LABELS = "bar labels"
LEADS = 6.0
"""Standard errors by which the correlation with the next bar must exceed that with the same bar."""
_FEWEST = 50  # pairs of returns, and bars at the edge of sessions, from which anything is said


def labels(config: RunConfig, world: World) -> list[Finding]:
    """The finding about labels; none where nothing tells: one instrument without an exchange, quotes."""
    if world.kind != "bars":
        return []
    checks = [
        *(_edges(config, world, number) for number in range(len(world.symbols))),
        *(_lead(world, *pair) for pair in permutations(range(len(world.symbols)), 2)),
    ]
    told = [each for each in checks if each is not None]
    if not told:
        return []
    wrong = [each for each in told if each]
    text = (
        wrong[0] if wrong else "bars end when their labels say, as far as sessions and other instruments tell"
    )
    return [Finding(LABELS, caught=bool(wrong), tried=len(told), failed=len(wrong), evidence=text)]


def _edges(config: RunConfig, world: World, number: int) -> str | None:
    """What is wrong with the labels beside the exchange's sessions; empty: nothing, None: nothing to tell by."""
    stamps = world.tables[number]["ts"].to_numpy(np.int64)
    if not len(stamps):
        return None
    sessions = exchange_sessions(config.data.calendar, int(stamps[0]), int(stamps[-1]))
    if sessions is None:
        return None
    symbol = world.symbols[number]
    if config.bar.endswith("d"):
        return _early_days(world, symbol, stamps)
    at_open, at_close = (int(np.isin(edge, stamps).sum()) for edge in (sessions.opens, sessions.closes))
    if max(at_open, at_close) < _FEWEST:
        return None
    if at_open > at_close:
        first = int(sessions.opens[np.isin(sessions.opens, stamps)][0])
        return (
            f"{symbol}: {at_open} bars end exactly when {config.data.calendar} opens and {at_close} when it closes, "
            f"the first at {day(first, world.zone)}: they are labelled with their start, so each shows its close a bar "
            "early; set data.label=start"
        )
    return ""


def _early_days(world: World, symbol: str, stamps: IntArray) -> str | None:
    """Days stamped at midnight stand before the session that they tell of."""
    if len(stamps) < _FEWEST:
        return None
    from pandas import DatetimeIndex  # noqa: PLC0415 - one use

    local = (
        DatetimeIndex(stamps).tz_localize("UTC").tz_convert(world.zone).tz_localize(None).as_unit("ns").asi8
    )
    midnight = int((local % DAY_NANOS == 0).sum())
    if 2 * midnight <= len(stamps):
        return ""
    return (
        f"{symbol}: {midnight} days are stamped at midnight of {world.zone}, the first at "
        f"{day(int(stamps[0]), world.zone)}: labelled with their start they show their close before it has happened; "
        "set data.label=start"
    )


def _lead(world: World, first: int, second: int) -> str | None:
    """What is wrong with the labels of one instrument beside another's; empty: nothing, None: too little to tell by."""
    one, other = (world.tables[number].set_index("ts", drop=False) for number in (first, second))
    shared = one.index.intersection(other.index)
    if len(shared) < _FEWEST:
        return None
    a, b = (np.diff(np.log(middle(world, table.loc[shared]))) for table in (one, other))
    same, ahead = _correlation(a, b), _correlation(a[:-1], b[1:])
    if same is None or ahead is None:
        return None
    error = np.sqrt(2.0 / len(a))
    if ahead - same < LEADS * error:
        return ""
    return (
        f"{world.symbols[first]} moves one bar before {world.symbols[second]} (correlation {ahead:.2f} with its next "
        f"bar, {same:.2f} with the same one): one of them is labelled with its start, and shows the other's close "
        "one bar early"
    )


def _correlation(a: FloatArray, b: FloatArray) -> float | None:
    if not np.std(a) > 0 or not np.std(b) > 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])
