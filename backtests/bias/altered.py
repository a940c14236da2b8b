"""How is a market changed so that an honest strategy must, or must not, decide otherwise?

Every change is drawn from a NumPy generator, so a seed repeats it to the bit. Bars stay sane: they are moved and scaled
as a whole (backtests/bias/world.py rounds them to ticks and keeps high and low around open and close).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from backtests.bias.world import PRICES, SIZES, World, middle, scaled

if TYPE_CHECKING:
    from runs.prices import FloatArray, IntArray

type Change = Literal["shuffled", "flipped"]
CHANGES: tuple[Change, ...] = ("flipped", "shuffled")
"""What is done to the returns after a cut: the other sign, or another order; prices are scaled as well."""
_FACTORS = (0.7, 1.4)  # between these, all prices after a cut are scaled
_FURTHEST = 3.0  # natural logarithm of how far a changed price may go from the real one


def cut_short(world: World, cut_ns: int) -> World:
    """The market as it was known at a stamp, and one row more of each instrument in which nothing happens.

    That row keeps what a strategy does when its run ends apart from what it decides at the cut.
    """

    def change(_: int, table: pd.DataFrame) -> pd.DataFrame:
        known = _known(table, cut_ns)
        if known in (0, len(table)):
            return table.iloc[:known]
        still = table.iloc[[known - 1]].copy()
        still["ts"] = table["ts"].to_numpy()[known]
        if world.kind == "bars":
            still[list(PRICES["bars"])] = float(still["close"].iloc[0])
        return pd.concat([table.iloc[:known], still], ignore_index=True)

    short = world.with_tables(change)
    return short.within(end_ns=max(int(table["ts"].iloc[-1]) for table in short.tables if len(table)))


def changed_after(world: World, cut_ns: int, change: Change, rng: np.random.Generator) -> World:
    """The market that is the real one up to a stamp, and after it has its returns shuffled or turned round."""

    def changed(_: int, table: pd.DataFrame) -> pd.DataFrame:
        known = _known(table, cut_ns)
        jump = float(np.log(rng.uniform(*_FACTORS)))
        if change == "shuffled":
            order = np.arange(len(table))
            order[max(known, 1) :] = rng.permutation(order[max(known, 1) :])
            table = _in_order(world, table, order)
            shift = np.zeros(len(table))
        else:
            path = np.log(middle(world, table))
            shift = np.clip(-2.0 * (path - path[max(known - 1, 0)]), -_FURTHEST, _FURTHEST)
            if 0 < known < len(table):  # what rose in the next bar falls, whatever the scale
                jump = -abs(jump) if path[known] > path[known - 1] else abs(jump)
        shift[known:] += jump
        shift[:known] = 0.0
        return scaled(world, table, np.exp(shift))

    return world.with_tables(changed)


def dealt_anew(world: World, block: int, rng: np.random.Generator) -> World:
    """A market of the same returns in another order, history included: blocks of rows, none left in its place.

    Within a block returns follow each other as they did; what a strategy could know of them is gone. Each instrument is
    dealt by itself. Source, for blocks of returns: Politis & Romano, The Stationary Bootstrap, JASA 89, 1994.
    """

    def dealt(_: int, table: pd.DataFrame) -> pd.DataFrame:
        return _in_order(world, table, _dealt(len(table), block, rng))

    return world.with_tables(dealt)


def with_gaps(world: World, share: float, rng: np.random.Generator) -> World:
    """The market without a share of the rows of its window, the first and the last of each instrument kept."""

    def thinned(_: int, table: pd.DataFrame) -> pd.DataFrame:
        inside = table["ts"].between(world.start_ns, world.end_ns).to_numpy(copy=True)
        inside[np.flatnonzero(inside)[[0, -1]]] = False
        return table[~(inside & (rng.random(len(table)) < share))]

    return world.with_tables(thinned)


def labelled_late(world: World) -> World:
    """The market whose every row carries the stamp of the row after it: labels off by one bar."""

    def late(_: int, table: pd.DataFrame) -> pd.DataFrame:
        moved = table.iloc[:-1].copy()
        moved["ts"] = table["ts"].to_numpy()[1:]
        return moved

    moved = world.with_tables(late)
    first = min(int(ts[ts >= world.start_ns][0]) for ts in (each["ts"].to_numpy() for each in moved.tables))
    return moved.within(start_ns=first)


def _known(table: pd.DataFrame, cut_ns: int) -> int:
    """Rows up to a stamp."""
    return int(np.searchsorted(table["ts"].to_numpy(np.int64), cut_ns, side="right"))


def _in_order(world: World, table: pd.DataFrame, order: IntArray) -> pd.DataFrame:
    """Row i moves as row order[i] did, from the price before it; stamps stay, sizes travel along. order[0] is 0."""
    if len(table) <= 1:
        return table
    names = list(PRICES[world.kind])
    prices, close = table[names].to_numpy(np.float64), middle(world, table)
    before = np.concatenate([close[:1], close[:-1]])
    relative = prices / before[:, None]
    moves: FloatArray = np.log(close / before)[order]
    moves[0] = 0.0
    started = close[0] * np.exp(np.concatenate([[0.0], np.cumsum(moves)[:-1]]))
    started[0] = before[0]
    dealt = table.copy()
    dealt[names] = relative[order] * started[:, None]
    sizes = list(SIZES[world.kind])
    dealt[sizes] = table[sizes].to_numpy()[order]
    return dealt


def _dealt(rows: int, block: int, rng: np.random.Generator) -> IntArray:
    """An order of rows 1 to rows - 1 in blocks, no block in its own place where there are two or more."""
    order = np.arange(rows)
    offset = int(rng.integers(1, block + 1))
    blocks = np.split(order[1:], np.arange(offset, max(rows - 1, 1), block))
    blocks = [each for each in blocks if len(each)]
    if len(blocks) > 1:
        places = rng.permutation(len(blocks))  # a cycle through all blocks leaves none where it was
        following = np.empty(len(blocks), np.int64)
        following[places] = np.roll(places, 1)
        blocks = [blocks[each] for each in following]
    return np.concatenate([order[:1], *blocks]).astype(np.int64)
