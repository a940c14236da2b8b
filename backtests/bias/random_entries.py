"""Would the same trades at random moments have done as well?

The null hypothesis is that the moments do not matter. A random strategy has the run's own trades: as many, each as
long, on the same side and with the same share of equity from bar to bar, at the run's costs; only when each begins is
drawn.
Run and random strategies are valued alike, by share held times return of the next bar, so that nothing but the moments
differs between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtests.bias.seen import quantities
from risk import measures

if TYPE_CHECKING:
    from backtests.bias.seen import Seen
    from runs.analysis import Analysis
    from runs.prices import FloatArray, IntArray, Prices


@dataclass(frozen=True)
class Null:
    """Sharpe ratios of the random strategies, shape (n,), and the run's own, valued alike.

    p_value: (1 + as good or better) / (1 + n). Source: Phipson & Smyth, Permutation P-values Should Never Be Zero,
    Statistical Applications in Genetics and Molecular Biology 9(1), 2010. None where the run held nothing.
    """

    own: float | None
    sharpes: FloatArray
    p_value: float | None
    trades: int

    @property
    def median(self) -> float | None:
        """Of the random strategies."""
        return float(np.median(self.sharpes)) if len(self.sharpes) else None

    @property
    def percentile(self) -> float | None:
        """Share of the random strategies that did worse."""
        return None if self.own is None or not len(self.sharpes) else float(np.mean(self.sharpes < self.own))


@dataclass(frozen=True)
class _Line:
    """One instrument: the share of equity held after each bar it has, and the return to its next, both shape (bars,).

    at: where these bars stand among all bars of the run.
    """

    shares: FloatArray
    following: FloatArray
    at: IntArray


def random_entries(seen: Seen, analysis: Analysis, draws: int, seed: int) -> Null:
    """The run among so many random strategies with its trades."""
    lines = _lines(seen, analysis)
    cost = float(analysis.fees) / analysis.traded if analysis.traded else 0.0
    spells = [_spells(line.shares) for line in lines]
    trades = sum(map(len, spells))
    own = _sharpe([line.shares for line in lines], lines, analysis, cost)
    if own is None or not trades:
        return Null(own, np.empty(0), None, trades)
    rng = np.random.default_rng([seed, 3])
    found = []
    for _ in range(draws):
        drawn = [_placed(each, len(line.shares), rng) for each, line in zip(spells, lines, strict=True)]
        found.append(_sharpe(drawn, lines, analysis, cost))
    sharpes = np.array([0.0 if each is None else each for each in found])
    better = int((sharpes >= own - 1e-12).sum())
    return Null(own, sharpes, (1 + better) / (1 + draws), trades)


def _lines(seen: Seen, analysis: Analysis) -> list[_Line]:
    found = []
    equity = analysis.equity
    for name, prices in analysis.prices.items():
        if len(prices.ts) < 2:  # noqa: PLR2004 - one return takes two prices
            continue
        at = np.searchsorted(equity.ts, prices.ts)
        worth, amounts = _worth(prices), equity.amounts[at]
        held = quantities(seen, prices.ts, name)
        shares = np.where(amounts > 0, held * worth / np.where(amounts > 0, amounts, 1.0), 0.0)
        following = np.append(worth[1:] / worth[:-1] - 1.0, 0.0)
        found.append(_Line(shares, following, at))
    return found


def _worth(prices: Prices) -> FloatArray:
    """What one unit held is worth in the account's currency at each price; below zero for an inverse contract."""
    multiplier = float(prices.multiplier)
    closes, in_base = prices.close, prices.close_in_base
    worth: FloatArray = -multiplier * in_base / closes**2 if prices.inverse else multiplier * in_base
    return worth


def _spells(shares: FloatArray) -> list[FloatArray]:
    """The stretches without a break on one side, as the share held on each of their bars."""
    sides = np.sign(shares)
    edges = np.flatnonzero(np.diff(sides)) + 1
    return [each for each in np.split(shares, edges) if len(each) and each[0] != 0]


def _placed(spells: list[FloatArray], bars: int, rng: np.random.Generator) -> FloatArray:
    """The spells in any order at any places where they do not overlap, every arrangement as likely as any other."""
    shares = np.zeros(bars)
    if not spells:
        return shares
    free = bars - sum(map(len, spells))
    gaps = np.sort(rng.choice(free + len(spells), len(spells), replace=False)) - np.arange(len(spells))
    start = 0
    for before, number in zip(gaps, rng.permutation(len(spells)), strict=True):
        spell = spells[number]
        shares[start + before : start + before + len(spell)] = spell
        start += len(spell)
    return shares


def _sharpe(shares: list[FloatArray], lines: list[_Line], analysis: Analysis, cost: float) -> float | None:
    """Sharpe ratio a year of the session days' returns: sums of share * following return, less costs at both ends."""
    bars = np.zeros(len(analysis.equity.ts))
    for held, line in zip(shares, lines, strict=True):
        entered = np.where(np.sign(held) != np.sign(np.append(0.0, held[:-1])), 1.0, 0.0)
        left = np.append(0.0, entered[1:] * np.abs(held[:-1]))
        np.add.at(bars, line.at[1:], (held * line.following)[:-1])
        np.add.at(bars, line.at, -cost * (entered * np.abs(held) + left))
    starts = np.append(0, analysis.days[:-1] + 1)
    found = measures.sharpe(np.add.reduceat(bars, starts), analysis.days_per_year)
    return None if found is None or not math.isfinite(found) else found
