"""What was an account worth while a run lasted, and what would holding its instruments have been worth?

Its snapshots tell, since prices of a venue are not kept: one each `journal.snapshot_secs` of market time, one a day.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from nautilus_trader.model import InstrumentId

from risk import measures
from risk.watch import middle
from runs.days import day_ends
from runs.summary import measured
from runs.times import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from risk.desk import RiskDesk
    from runs.prices import FloatArray
    from runs.record import Row


class Seen:
    """The snapshots of one run, in the order of their stamps."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._ts: list[int] = []
        self._rows: list[tuple[float, float, float]] = []  # equity, exposure, growth of buy-and-hold
        self._first: dict[str, float] = {}  # instrument -> what one unit was worth at its first price
        self._newest: dict[str, float] = {}

    def add(self, ts: int, equity: Decimal, exposure: Decimal, desk: RiskDesk) -> None:
        """Keep a snapshot (UTC ns, amounts in the account's currency)."""
        self._ts.append(ts)
        self._rows.append((float(equity), float(exposure), self._held(desk)))

    def __len__(self) -> int:
        """How many snapshots."""
        return len(self._ts)

    def figures(
        self,
        starting: Decimal,
        fills: Sequence[Row],
        multipliers: Mapping[str, float],
        zone: str,
        days_per_year: int,
    ) -> dict[str, Any]:
        """What Summary tells of risk and return; without a snapshot nothing is defined.

        starting: the account's equity as the run began; multipliers: instrument id -> what one unit at a price of 1 is
        worth.
        """
        if not self._ts:
            return {}
        ts, rows = np.array(self._ts), np.array(self._rows)
        days = day_ends(ts, zone)
        amounts, gross, hold = rows[:, 0], rows[:, 1], rows[:, 2]
        own = measured(
            _after(float(starting), amounts[days]), _after(float(starting), amounts), days_per_year
        )
        beside = measured(_after(1.0, hold[days]), _after(1.0, hold), days_per_year)
        exposures = measures.exposures(gross, amounts)
        traded = sum(
            float(fill["quantity"]) * float(fill["price"]) * multipliers.get(fill["instrument"], 1.0)
            for fill in fills
        )
        return {
            "cagr": own.cagr,
            "volatility": own.volatility,
            "sharpe": own.sharpe,
            "sortino": own.sortino,
            "max_drawdown": own.max_drawdown,
            "turnover": measures.turnover(traded, amounts, len(days) / days_per_year),
            "exposure": measures.exposure(gross, amounts),
            "max_exposure": None if exposures is None else float(exposures.max()),
            "time_in_market": float(np.mean(gross > 0)),
            **{f"buy_and_hold_{name}": getattr(beside, name) for name in BESIDE},
            "buy_and_hold_return": beside.total_return,
            "first_bar": iso(int(ts[0]), zone),
            "last_bar": iso(int(ts[-1]), zone),
        }

    def _held(self, desk: RiskDesk) -> float:
        """Growth of one unit of money split equally over the instruments, each bought at its first price."""
        grown = []
        for name, one in desk.book.instruments.items():
            with suppress(LookupError, RuntimeError):  # no rate yet; in some handlers the cache is borrowed
                update = desk.gates[0].latest(InstrumentId.from_str(name))
                if update is not None:
                    worth = desk.book.in_base(one.value_at(middle(update)), one.currency)
                    self._newest[name] = abs(float(worth))
            first = self._first.setdefault(name, self._newest[name]) if name in self._newest else 0.0
            grown.append(self._newest[name] / first if first else 1.0)
        return sum(grown) / len(grown) if grown else 1.0


BESIDE = ("cagr", "volatility", "sharpe", "sortino", "max_drawdown")


def _after(starting: float, amounts: FloatArray) -> FloatArray:
    return np.concatenate([[starting], amounts])
