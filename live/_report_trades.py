"""How did the round trips that ended in a period go, in all and by instrument and strategy?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from live._report_found import Row
from risk import measures

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Trades:
    """Round trips from flat until flat again, by when they ended. Amounts: account's currency, after commission.

    even: trades that came out at exactly zero, neither won nor lost. Averages and extremes are None without such a
    trade; profit_factor is None without a loss (measures.profit_factor).
    """

    count: int
    won: int
    lost: int
    even: int
    pnl: Decimal
    commission: Decimal
    win_rate: float | None
    average_win: Decimal | None
    average_loss: Decimal | None
    largest_win: Decimal | None
    largest_loss: Decimal | None
    profit_factor: float | None
    average_holding_secs: float | None
    longest_losing_streak: int

    @classmethod
    def of(cls, rows: Sequence[Row], precision: int) -> Trades:
        """Sum up round trips in the order they ended; precision: digits of the account's currency."""
        pnls = [row["pnl"] for row in rows]
        wins, losses = [pnl for pnl in pnls if pnl > 0], [pnl for pnl in pnls if pnl < 0]
        floats = np.array([float(pnl) for pnl in pnls])
        holding = [row["holding_ns"] for row in rows]
        return cls(
            count=len(rows),
            won=len(wins),
            lost=len(losses),
            even=len(pnls) - len(wins) - len(losses),
            pnl=sum(pnls, ZERO),
            commission=sum((row["commission"] for row in rows), ZERO),
            win_rate=measures.win_rate(floats),
            average_win=_average(wins, precision),
            average_loss=_average(losses, precision),
            largest_win=max(wins, default=None),
            largest_loss=min(losses, default=None),
            profit_factor=measures.profit_factor(floats),
            average_holding_secs=sum(holding) / len(holding) / 1e9 if holding else None,
            longest_losing_streak=longest_streak(pnls),
        )


def by_column(rows: Iterable[Row], column: str, precision: int) -> dict[str, Trades]:
    """Value of a column -> its round trips summed up, the best first."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    found = {name: Trades.of(group, precision) for name, group in groups.items()}
    return dict(sorted(found.items(), key=lambda each: (-each[1].pnl, each[0])))


def longest_streak(pnls: Iterable[Decimal]) -> int:
    """The most losses in a row; one that came out even ends a streak."""
    longest = running = 0
    for pnl in pnls:
        running = running + 1 if pnl < 0 else 0
        longest = max(longest, running)
    return longest


def _average(amounts: Sequence[Decimal], precision: int) -> Decimal | None:
    """Rounded once, to the smallest unit of the currency."""
    return (sum(amounts, ZERO) / len(amounts)).quantize(Decimal(1).scaleb(-precision)) if amounts else None
