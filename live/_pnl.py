"""What did closed trades earn, by day, week, month, instrument or strategy?

All sums are exact. P&L is after commission, in the account's currency, and counts when a trade closes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from live._amounts import EXACT_DIGITS
from live._periods import Days, bucket

ZERO = Decimal(0)
FINEST = Decimal("1e-8")  # of averages, which have no end
TIMES = ("day", "week", "month")
COLUMNS = {"instrument": "instrument", "strategy": "strategy"}
BY = (*TIMES, *COLUMNS)
Key = date | str
Trade = Mapping[str, Any]


@dataclass(slots=True)
class Result:
    """What some trades earned together. A trade that came out even is neither won nor lost."""

    trades: int = 0
    wins: int = 0
    losses: int = 0
    pnl: Decimal = ZERO
    commission: Decimal = ZERO
    won: Decimal = ZERO
    lost: Decimal = ZERO

    def add(self, trade: Trade) -> None:
        """Count one more trade."""
        pnl: Decimal = trade["pnl"]
        with localcontext(prec=EXACT_DIGITS):
            self.trades += 1
            self.wins += pnl > 0
            self.losses += pnl < 0
            self.pnl += pnl
            self.commission += trade["commission"]
            self.won += max(pnl, ZERO)
            self.lost += min(pnl, ZERO)

    @property
    def win_rate(self) -> float | None:
        """Share of trades that earned money; None without a trade."""
        return self.wins / self.trades if self.trades else None

    @property
    def average_win(self) -> Decimal | None:
        """What a won trade earned on average; None without one."""
        return _average(self.won, self.wins)

    @property
    def average_loss(self) -> Decimal | None:
        """What a lost trade cost on average, below zero; None without one."""
        return _average(self.lost, self.losses)

    @property
    def profit_factor(self) -> float | None:
        """All profits over all losses, as in the summary of a run; None without a loss."""
        return float(self.won / -self.lost) if self.lost else None


@dataclass(slots=True)
class Line:
    """One day, week, month, instrument or strategy.

    cumulative: P&L up to here, and equity_change: both of time only; None where nobody knows.
    """

    key: Key
    result: Result = field(default_factory=Result)
    cumulative: Decimal | None = None
    equity_change: Decimal | None = None


def lines_of(trades: Iterable[Trade], by: str, days: Days, changes: Mapping[date, Decimal]) -> list[Line]:
    """A line for everything that traded, or on which equity changed; in order of time, or the best first.

    changes: session day -> change of equity.
    """
    key_of, lines = _key_of(by, days), dict[Key, Line]()
    for trade in trades:
        key = key_of(trade)
        lines.setdefault(key, Line(key)).result.add(trade)
    with localcontext(prec=EXACT_DIGITS):
        for day, change in changes.items() if by in TIMES else ():
            key = bucket(day, by)
            if change or key in lines:
                line = lines.setdefault(key, Line(key))
                line.equity_change = (line.equity_change or ZERO) + change
        if by in COLUMNS:
            return sorted(lines.values(), key=lambda line: (-line.result.pnl, str(line.key)))
        ordered, total = [lines[key] for key in sorted(lines, key=str)], ZERO
        for line in ordered:
            total += line.result.pnl
            line.cumulative = total
    return ordered


def total_of(lines: Iterable[Line]) -> Result:
    """All lines together."""
    total = Result()
    with localcontext(prec=EXACT_DIGITS):
        for line in lines:
            for name in Result.__dataclass_fields__:
                setattr(total, name, getattr(total, name) + getattr(line.result, name))
    return total


def _key_of(by: str, days: Days) -> Callable[[Trade], Key]:
    if by in COLUMNS:
        return lambda trade: str(trade[COLUMNS[by]])
    return lambda trade: bucket(days.day_of(trade["closed_ns"]), by)


def _average(total: Decimal, count: int) -> Decimal | None:
    if not count:
        return None
    with localcontext(prec=EXACT_DIGITS):
        return (total / count).quantize(FINEST)
