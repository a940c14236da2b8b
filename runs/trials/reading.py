"""What does the ledger hold: how many trials, in which families, and how good is the best after all of them?"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text

from runs.luck.figures import Trials
from runs.luck.sharpe import Track
from runs.trials.file import LedgerError, reading
from runs.trials.tables import RUNS, TRIALS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement

_NEAR = 2  # records that are at most this many times longer or shorter are compared with each other


@dataclass(frozen=True)
class Counted:
    """One trial of the ledger. Ratios are fractions; `sharpe` is a year's; repeats: runs of it beyond the first."""

    key: str
    family: str
    config: str
    code: str
    data_version: str
    days: int
    sharpe: float | None
    total_return: float | None
    max_drawdown: float | None
    orders: int | None
    error: str | None
    kinds: tuple[str, ...]
    first_at: str
    last_at: str
    repeats: int
    folder: str | None
    track: Track | None


@dataclass(frozen=True)
class Family:
    """The trials of one family.

    trials: those that ended; failed: those that did not; repeats: runs of a trial that was there already; best: the
    highest Sharpe ratio of those at least half as long as the longest; deflated_sharpe: of that one, after all trials.
    """

    name: str
    trials: int
    failed: int
    repeats: int
    best: Counted | None
    deflated_sharpe: float | None
    last_at: str


def counted(
    family: str | Collection[str], path: Path | None = None, days: int | None = None, *, least: int = 0
) -> Trials | None:
    """How many trials of a family are in the ledger, and the variance of their Sharpe ratios PER DAY.

    family: `family_of` a run, or those of all that a choice was made among, which count together; days: length of the
    record they are compared with: only those between half and twice as long go into the variance (a try over a few bars
    is counted, but its Sharpe ratio is mostly noise), which is not known where they are fewer than half of all; None:
    all lengths; least: how many were tried for sure, the count where the ledger knows of fewer. None where the ledger
    cannot be read.
    """
    names = [family] if isinstance(family, str) else sorted(family)
    try:
        with reading(path) as connection:
            if connection is None:
                return Trials(least)
            among = [TRIALS.c.family.in_(names), TRIALS.c.error.is_(None)]
            ended = select(func.count()).where(*among)
            count = max(connection.execute(ended.select_from(TRIALS)).scalar_one(), least)
            sharpe = TRIALS.c.sharpe_daily
            near: list[ColumnElement[bool]] = [*among, sharpe.is_not(None)]
            if days is not None:
                near += [TRIALS.c.days * _NEAR >= days, TRIALS.c.days <= days * _NEAR]
            known, mean = connection.execute(select(func.count(), func.avg(sharpe)).where(*near)).one()
            if _too_few(known, count):
                return Trials(count)
            away = sharpe - float(mean)
            squares = connection.execute(select(func.sum(away * away)).where(*near)).scalar_one()
    except LedgerError:
        return None
    return Trials(count, float(squares) / (known - 1))


def families(path: Path | None = None) -> list[Family]:
    """All families, the one tried last first. Raises LedgerError."""
    by_name: dict[str, list[Counted]] = defaultdict(list)
    for each in trials_of(None, path):
        by_name[each.family].append(each)
    found = [_family(name, trials) for name, trials in by_name.items()]
    return sorted(found, key=lambda family: (family.last_at, family.name), reverse=True)


def trials_of(family: str | None, path: Path | None = None) -> list[Counted]:
    """The trials of a family (None: of all), the oldest first. Raises LedgerError."""
    with reading(path) as connection:
        if connection is None:
            return []
        wanted = select(TRIALS).order_by(text("rowid"))  # as they came: those of a sweep have the same time
        wanted = wanted if family is None else wanted.where(TRIALS.c.family == family)
        rows = [dict(row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001 - SQLAlchemy's public way
        runs = select(
            RUNS.c.trial,
            func.count().label("count"),
            func.min(RUNS.c.at).label("first_at"),
            func.max(RUNS.c.at).label("last_at"),
            func.group_concat(RUNS.c.kind.distinct()).label("kinds"),
            func.max(RUNS.c.folder).label("folder"),
        ).group_by(RUNS.c.trial)
        seen = {row.trial: dict(row._mapping) for row in connection.execute(runs)}  # noqa: SLF001 - as above
    found = [_counted(row, seen[row["key"]]) for row in rows if row["key"] in seen]
    return sorted(found, key=lambda trial: trial.first_at)


def deflated(trial: Counted, among: Sequence[Counted]) -> float | None:
    """Deflated Sharpe ratio of a trial after all that ended `among` its family."""
    ended = [each for each in among if each.error is None]
    if trial.track is None or not ended:
        return None
    pairs = [(each.days, None if each.track is None else each.track.sharpe) for each in ended]
    return trial.track.deflated(len(ended), _variance(pairs, trial.days))


def best_of(among: Sequence[Counted]) -> Counted | None:
    """The trial with the highest Sharpe ratio of those at least half as long as the longest."""
    known = [each for each in among if each.error is None and each.sharpe is not None]
    longest = max((each.days for each in known), default=0)
    known = [each for each in known if each.days * _NEAR >= longest]
    return max(known, key=lambda each: each.sharpe or 0.0, default=None)


def _family(name: str, trials: Sequence[Counted]) -> Family:
    best = best_of(trials)
    return Family(
        name=name,
        trials=sum(each.error is None for each in trials),
        failed=sum(each.error is not None for each in trials),
        repeats=sum(each.repeats for each in trials),
        best=best,
        deflated_sharpe=None if best is None else deflated(best, trials),
        last_at=max(each.last_at for each in trials),
    )


def _counted(row: dict[str, Any], runs: dict[str, Any]) -> Counted:
    known = row["sharpe_daily"] is not None
    return Counted(
        **{name: row[name] for name in ("key", "family", "config", "code", "data_version", "days", "orders")},
        sharpe=row["sharpe_annual"],
        total_return=row["total_return"],
        max_drawdown=row["max_drawdown"],
        error=row["error"],
        kinds=tuple(sorted(runs["kinds"].split(","))),
        first_at=runs["first_at"],
        last_at=runs["last_at"],
        repeats=runs["count"] - 1,
        folder=runs["folder"],
        track=Track(row["days"], row["sharpe_daily"], row["skewness"], row["kurtosis"]) if known else None,
    )


def _variance(pairs: Sequence[tuple[int, float | None]], days: int | None) -> float | None:
    """Variance (ddof=1) of the Sharpe ratios of (days, Sharpe) whose days are near enough; None for fewer than 2."""
    near = [
        sharpe
        for length, sharpe in pairs
        if sharpe is not None and (days is None or (days <= length * _NEAR and length <= days * _NEAR))
    ]
    return None if _too_few(len(near), len(pairs)) else statistics.variance(near)


def _too_few(known: int, count: int) -> bool:
    """Whether so many known Sharpe ratios say nothing about the spread of `count` of them."""
    return known < 2 or known * 2 < count  # noqa: PLR2004 - one has no spread
