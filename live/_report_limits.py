"""How close did each breaker, and the limits on the whole book, come to being reached?

Measured on the snapshots of the account, at trips and on closed trades, with the limits that were in force at each.
What happened between two snapshots and tripped nothing is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

from pydantic import ValidationError

from configs.units import UNITS
from live._report_found import Found, Row
from risk.levels import DAILY_LOSS, DRAWDOWN
from risk.limits import RiskConfig
from risk.performance import sharpe_of
from risk.scopes import BOOK

ZERO, ONE = Decimal(0), Decimal(1)
VERSION = re.compile(r"\b[0-9a-f]{12}\b")
KEPT_TRADES = 200
"""Closed trades from before the period that are looked at, for breakers that judge the last ones."""
BREAKERS = (
    "max_daily_loss_pct", "max_daily_loss", "max_drawdown_pct", "max_drawdown", "max_consecutive_losses",
    "min_win_rate", "min_sharpe",
)  # fmt: skip
OF_TRADES = ("max_consecutive_losses", "min_win_rate", "min_sharpe")
OTHERS = ("max_leverage", "max_open_positions")


@dataclass(frozen=True, slots=True)
class Distance:
    """The worst value of what a limit of the book looks at. used: a share of the limit, 1 and more is reached.

    worst is None where nothing could be compared; `at` is market time (UTC ns), None for closed trades in between.
    """

    key: str
    unit: str
    limit: Decimal
    worst: Decimal | None
    used: float | None
    at: int | None
    is_breaker: bool
    at_least: bool

    @property
    def breaker(self) -> str:
        """What the breaker of a limit calls itself when it trips: max_daily_loss_pct is DAILY_LOSS."""
        return self.key.removeprefix("max_").removeprefix("min_").removesuffix("_pct").upper()


class LimitsInForce:
    """Which limits of the book applied when: those of the run, and what a person set while it ran."""

    def __init__(self, found: Found) -> None:
        """Limits that this version of Keel cannot read are left out."""
        self._of_run = {run["run_id"]: run["limits_version"] for run in found.runs}
        self._changes = list(_changes(found))
        self.doubts = [
            f"Limits were changed at a moment ({row['reason']}) to some that the journal does not hold: how close they "
            "came is told by the ones before."
            for row in found.risk_events
            if row["kind"] == "LIMITS" and row["risk_scope"] == BOOK and not _named(row, found)
        ]
        self._read: dict[str, RiskConfig | None] = {
            version: _limits(text) for version, text in found.limit_sets.items()
        }

    @property
    def versions(self) -> list[str]:
        """The versions of the period, in their order."""
        return list(dict.fromkeys([*self._of_run.values(), *(version for _, _, version in self._changes)]))

    def at(self, row: Row) -> RiskConfig | None:
        """The limits in force when a row of a run was written."""
        version = self._of_run.get(row["run_id"])
        for run_id, ts, changed in self._changes:
            if run_id == row["run_id"] and ts <= row["ts"]:
                version = changed
        return None if version is None else self._read.get(version)

    @property
    def newest(self) -> RiskConfig | None:
        """The limits at the end of the period."""
        return self._read.get(self.versions[-1]) if self.versions else None


def distances(found: Found, limits: LimitsInForce) -> list[Distance]:
    """One line a limit that is on at the end of the period, breakers first."""
    newest = limits.newest
    if newest is None:
        return []
    worst = _worst(found, limits)
    lines = []
    for key in (*BREAKERS, *OTHERS):
        limit = getattr(newest, key)
        if limit is not None and key in OF_TRADES:
            lines.append(_of_trades(key, Decimal(limit), found, newest.performance_trades))
        elif limit is not None:
            lines.append(_line(key, Decimal(limit), worst.get(key)))
    return lines


@dataclass(frozen=True, slots=True)
class _Worst:
    used: float
    value: Decimal
    limit: Decimal
    at: int


def _line(key: str, limit: Decimal, worst: _Worst | None) -> Distance:
    is_breaker = key in BREAKERS
    if worst is None:
        return Distance(key, UNITS[key], limit, None, None, None, is_breaker, at_least=False)
    return Distance(
        key, UNITS[key], worst.limit, worst.value, worst.used, worst.at, is_breaker, at_least=False
    )


def _worst(found: Found, limits: LimitsInForce) -> dict[str, _Worst]:
    """Key -> the snapshot that used up most of the limit that was in force then."""
    worst: dict[str, _Worst] = {}
    seen = [(row, _values(row)) for row in found.snapshots]
    seen += [(row, _at_trip(row)) for row in found.risk_events if row["kind"] == "TRIP"]
    for row, values in seen:
        own = limits.at(row)
        for key, value in () if own is None else values:
            limit = getattr(own, key)
            if limit is not None:
                used = float(value / limit)
                if key not in worst or used > worst[key].used:
                    worst[key] = _Worst(used, value, Decimal(limit), row["ts"])
    return worst


def _values(row: Row) -> Iterator[tuple[str, Decimal]]:
    """What the limits look at, as a snapshot has it; what was not known then is left out."""
    lost, start = row["day_pnl"], row["day_start"]
    if lost is not None and start is not None:
        yield "max_daily_loss", max(ZERO, -lost)
        if start > 0:
            yield "max_daily_loss_pct", max(ZERO, -lost) / start
    if row["peak"] is not None and row["equity"] is not None:
        yield "max_drawdown", max(ZERO, row["peak"] - row["equity"])
    if row["drawdown"] is not None:
        yield "max_drawdown_pct", row["drawdown"]
    if row["leverage"] is not None:
        yield "max_leverage", row["leverage"]
    yield "max_open_positions", Decimal(row["open_positions"])


def _at_trip(row: Row) -> Iterator[tuple[str, Decimal]]:
    """What a breaker of the book compared when it went off."""
    key = {DAILY_LOSS: "max_daily_loss", DRAWDOWN: "max_drawdown"}.get(row["breaker"])
    equity, reference = row["equity"], row["reference"]
    if key is None or row["risk_scope"] != BOOK or equity is None or reference is None:
        return
    yield key, max(ZERO, reference - equity)
    if reference > 0:
        yield f"{key}_pct", max(ZERO, reference - equity) / reference


def _of_trades(key: str, limit: Decimal, found: Found, count: int) -> Distance:
    earlier, trips = list(found.earlier_trips), list(found.trips)
    if key == "max_consecutive_losses":
        streak = worst = _streak(earlier)
        for trip in trips:
            streak = streak + 1 if trip["pnl"] < 0 else 0
            worst = max(worst, streak)
        return Distance(
            key,
            UNITS[key],
            limit,
            Decimal(worst),
            float(worst / limit),
            None,
            is_breaker=True,
            at_least=False,
        )
    windows = list(_windows(earlier, trips, count))
    if key == "min_win_rate":
        rates = [Decimal(sum(trip["pnl"] > 0 for trip in window)) / count for window in windows]
        lowest = min(rates, default=None)
        used = None if lowest is None or limit >= ONE else float((ONE - lowest) / (ONE - limit))
        return Distance(key, UNITS[key], limit, lowest, used, None, is_breaker=True, at_least=True)
    ratios = [sharpe_of([(trip["pnl_pct"], ONE) for trip in window]) for window in windows]
    known = [ratio for ratio in ratios if ratio is not None and isfinite(ratio)]
    low = Decimal(str(round(min(known), 4))) if known else None
    return Distance(key, UNITS[key], limit, low, None, None, is_breaker=True, at_least=True)


def _windows(earlier: Sequence[Row], trips: Sequence[Row], count: int) -> Iterator[Sequence[Row]]:
    """The last `count` closed trades after each trade of the period, where there are so many."""
    every = [*earlier[-(count - 1) :], *trips]
    for end in range(count, len(every) + 1):
        yield every[end - count : end]


def _streak(trips: Sequence[Row]) -> int:
    """Losses in a row that were running at the end."""
    running = 0
    for trip in reversed(trips):
        if trip["pnl"] >= 0:
            break
        running += 1
    return running


def _changes(found: Found) -> Iterator[tuple[str, int, str]]:
    """(run, market time, version) of limits that were set while a run went on; their event names the version."""
    for row in found.risk_events:
        if row["kind"] == "LIMITS":
            for version in _named(row, found)[-1:]:
                yield row["run_id"], row["ts"], version


def _named(row: Row, found: Found) -> list[str]:
    return [word for word in VERSION.findall(row["reason"]) if word in found.limit_sets]


def _limits(text: str) -> RiskConfig | None:
    try:
        return RiskConfig.model_validate_json(text)
    except ValidationError:
        return None


def plain_limits(limits: RiskConfig | None) -> Mapping[str, Any]:
    """Key -> value of the limits that are on."""
    if limits is None:
        return {}
    return {
        key: value for key, value in limits.model_dump(mode="json").items() if value not in (None, [], ())
    }
