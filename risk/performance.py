"""Did the last closed trades go so badly that somebody has to look?

A `TradeWindow` keeps what the three performance breakers need: the losing streak that is running and the newest closed
trades. Profit and loss are exact, after costs, and so are all comparisons; the Sharpe ratio is told as a float. Running
sums answer for most closed trades that no floor is near, in a time that does not grow with the window; all trades are
gone through only where the sums leave a doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import copysign, inf, isclose, sqrt
from statistics import mean, variance

import numpy as np

from risk import measures
from risk.limits import RiskConfig
from risk.numbers import ZERO

type Trade = tuple[Decimal, Decimal]
"""Profit (positive) or loss (negative) of a closed trade, and the amount it is measured against; account currency."""

GRAIN = Decimal(10) ** 18
"""Running sums are whole numbers, in this part of a return: whole numbers do not drift, whatever comes and goes."""
MARGIN = 1e-9
"""Sums clear a window only if its ratio is so far above the floor: many times what rounding can have done to it."""


@dataclass(slots=True)
class TradeWindow:
    """The closed trades of a scope since a person last resumed it, newest last; only as many as are judged."""

    streak: int = 0  # losses in a row
    lost: Decimal = ZERO  # what they lost together, a positive amount
    trades: list[Trade] = field(default_factory=list)
    won: int = field(init=False, compare=False, default=0)  # trades that made money
    _returns: list[int] = field(
        init=False, compare=False, repr=False, default_factory=list
    )  # cut off to grains
    _sum: int = field(init=False, compare=False, repr=False, default=0)
    _squares: int = field(init=False, compare=False, repr=False, default=0)

    def __post_init__(self) -> None:
        for trade in self.trades:
            self._count(trade)

    def add(self, pnl: Decimal, base: Decimal, keep: int) -> None:
        """Count a closed trade and forget all but the newest `keep`. Raises ValueError unless `base` is above zero."""
        if not (pnl.is_finite() and base.is_finite() and base > ZERO):
            raise ValueError(f"a closed trade has a result and a base above zero, not {pnl} on {base}")
        if pnl < ZERO:
            self.streak += 1
            self.lost -= pnl
        else:
            self.streak, self.lost = 0, ZERO
        trade = pnl, base
        self._count(trade)
        self.trades.append(trade)
        while len(self.trades) > keep:
            self._forget_oldest()

    def _count(self, trade: Trade) -> None:
        pnl, base = trade
        part = int(pnl / base * GRAIN)
        self.won += pnl > ZERO
        self._returns.append(part)
        self._sum += part
        self._squares += part * part

    def _forget_oldest(self) -> None:
        part = self._returns.pop(0)
        self.won -= self.trades.pop(0)[0] > ZERO
        self._sum -= part
        self._squares -= part * part

    def clears(self, floor: float) -> bool:
        """Whether the Sharpe ratio of all trades is surely not below `floor`; False says nothing.

        Cut off to grains a return is off by less than one, so their mean is, and their deviation by less than 1.5.
        """
        count = len(self._returns)
        if count < 2:  # noqa: PLR2004 - a spread needs two
            return False
        try:
            average = self._sum / count
            deviation = sqrt((count * self._squares - self._sum * self._sum) / (count * (count - 1)))
        except OverflowError:  # too large for a float
            return False
        size = abs(floor)
        doubt = MARGIN * (abs(average) + (1 + size) * deviation) + 10 * (1 + size)
        return average - floor * deviation > doubt

    def as_row(self) -> dict[str, object]:
        """Plain values for a store: amounts as exact text."""
        trades = [[str(pnl), str(base)] for pnl, base in self.trades]
        return {"streak": self.streak, "lost": str(self.lost), "trades": trades}

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> TradeWindow:
        """The window a store kept. Raises TypeError, ValueError or ArithmeticError when the row is not one."""
        window = cls()
        kept = row.get("trades", [])
        if not isinstance(kept, list):
            raise TypeError(f"{kept!r} is no list of trades")
        for pnl, base in kept:
            window.add(Decimal(str(pnl)), Decimal(str(base)), len(kept))
        window.streak, window.lost = int(str(row.get("streak", 0))), Decimal(str(row.get("lost", "0")))
        return window


def is_judged(limits: RiskConfig) -> bool:
    """Whether any performance breaker is on: only then are closed trades kept."""
    return not (
        limits.max_consecutive_losses is None and limits.min_win_rate is None and limits.min_sharpe is None
    )


def first_broken(window: TradeWindow, limits: RiskConfig) -> tuple[str, str] | None:
    """The first performance breaker that the window breaks, and its arithmetic; None when it breaks none.

    Win rate and Sharpe ratio judge exactly the last `performance_trades` trades, and nothing while there are fewer.
    """
    found, count = _losing_streak(window, limits.max_consecutive_losses), limits.performance_trades
    if found is not None or len(window.trades) < count:
        return found
    if len(window.trades) > count:
        window = TradeWindow(trades=window.trades[-count:])
    return _low_win_rate(window, limits.min_win_rate) or _low_sharpe(window, limits.min_sharpe)


def _losing_streak(window: TradeWindow, most: int | None) -> tuple[str, str] | None:
    """Trips at `most` losses in a row; a trade that came out even ends the streak.

    Bad luck has streaks too: among n independent trades of which a share q loses, the longest to expect is about
    log(n * (1 - q)) / log(1 / q), 5 or 6 losses in 100 trades that lose half the time.
    Source: Schilling, The Longest Run of Heads, College Mathematics Journal 21(3), 1990.
    """
    if most is None or window.streak < most:
        return None
    told = f"{window.streak} closed trades in a row lost {window.lost:,.2f} together; limit {most}"
    return "CONSECUTIVE_LOSSES", told


def _low_win_rate(window: TradeWindow, floor: Decimal | None) -> tuple[str, str] | None:
    """Trips below a share of winners, compared exactly; a trade that came out even is no win.

    Source: Kaufman, Trading Systems and Methods, 5th ed., 2013.
    """
    won, count = window.won, len(window.trades)
    if floor is None or won >= floor * count:
        return None
    return "WIN_RATE", f"{won} of the last {count} closed trades won, {won / count:.1%}; limit {floor:.1%}"


def _low_sharpe(window: TradeWindow, floor: Decimal | None) -> tuple[str, str] | None:
    """Trips below a Sharpe ratio of single trades; so near the limit that floats cannot tell, fractions do."""
    if floor is None or window.clears(float(floor)):
        return None
    last = window.trades
    ratio = sharpe_of(last)
    if ratio is None:
        return None
    near = isclose(ratio, floor, rel_tol=1e-9, abs_tol=1e-9)
    if not (_is_below(last, Fraction(floor)) if near else ratio < floor):
        return None
    told = f"mean over standard deviation of the last {len(last)} closed trades' returns is {ratio:.2f}"
    return "SHARPE", f"{told}; limit {floor:.2f}"


def _is_below(trades: Sequence[Trade], floor: Fraction) -> bool:
    """Whether mean / deviation < floor, without a root: signed squares on both sides."""
    returns = [Fraction(pnl) / Fraction(base) for pnl, base in trades]
    average, spread = mean(returns), variance(returns)
    return average * abs(average) < floor * abs(floor) * spread


def sharpe_of(trades: Sequence[Trade]) -> float | None:
    """Sharpe ratio a trade: mean(r) / std(r, ddof=1) of r = profit / base, not annualised, risk-free rate zero.

    Returns that do not differ have no spread: infinite with the sign of their mean, None when all are zero; None for
    fewer than two trades.
    Source: Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21(1), 1994.
    """
    returns = np.array([float(pnl / base) for pnl, base in trades])
    if len(returns) < 2 or not returns.any():  # noqa: PLR2004 - a spread needs two
        return None
    ratio = measures.sharpe(returns, 1.0)
    return ratio if ratio is not None else copysign(inf, float(returns.mean()))
