"""What came of a sweep: which trial was best, and how much of that is luck?"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.search.log import TABLE
from backtests.search.work import DONE, FAILED, PRUNED, REFUSED, Trial
from runs.luck.overfitting import pbo
from runs.luck.sharpe import deflated_sharpe
from runs.trials import Ran, counted, family_of, record_many
from runs.trials.trial import code_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from backtests.search.settings import SweepSettings
    from backtests.search.space import Space
    from market.catalog import MarketData

KIND = "sweep"
SHOWN = ("sharpe", "total_return", "cagr", "max_drawdown", "trades", "refusals")
"""Figures of a trial that are shown beside its score."""


@dataclass(frozen=True)
class Result:
    """A sweep's trials and what is to be thought of the best.

    ranked: those that are done and have a score, best first (of equals the first that was asked for); trials_ledger:
    all trials the ledger has counted of the families that were tried, None: it could not be told of them or read;
    deflated_sharpe: probability
    that the best one's true Sharpe ratio is above zero after choosing among those (runs/luck/sharpe.py); pbo:
    probability of backtest overfitting among the `pbo_trials` that are done and saw the days of the best
    (runs/luck/overfitting.py), of a choice by the highest Sharpe ratio only (`pbo_note`). Undefined is None.
    """

    trials: tuple[Trial, ...]
    ranked: tuple[Trial, ...]
    trials_ledger: int | None
    deflated_sharpe: float | None
    pbo: float | None
    pbo_trials: int

    @property
    def best(self) -> Trial | None:
        """The best trial; None when none has a score."""
        return self.ranked[0] if self.ranked else None

    @property
    def counts(self) -> dict[str, int]:
        """How a trial ended -> how many did."""
        found = Counter(trial.status for trial in self.trials)
        return {status: found[status] for status in (DONE, PRUNED, REFUSED, FAILED)}

    @property
    def first_error(self) -> str | None:
        """What the first trial that was refused or failed says."""
        return next((trial.outcome.error for trial in self.trials if trial.outcome.error), None)


def ranked(trials: Sequence[Trial], settings: SweepSettings) -> tuple[Trial, ...]:
    """Those that are done and have a score, best first, of equals the one with the lowest number."""
    sign = -1.0 if settings.maximize else 1.0
    scored = [(sign * trial.score, trial.number, trial) for trial in trials if trial.score is not None]
    return tuple(trial for _, _, trial in sorted(scored, key=lambda each: each[:2]))


def result_of(
    trials: Sequence[Trial], space: Space, settings: SweepSettings, families: AbstractSet[str] | None
) -> Result:
    """Judge a sweep's trials.

    families: those of the trials, which the ledger has been told of (`Counting`); None: it could not be told.
    """
    order = ranked(trials, settings)
    best = order[0] if order else None
    if best is None or families is None:
        ledger, deflated = None, None
    else:
        ledger, deflated = _luck(best, space, families, distinct(trials))
    matrix = None if pbo_note(settings) else _matrix(order, best)
    found = None if matrix is None else pbo(matrix)
    return Result(
        trials=tuple(trials),
        ranked=order,
        trials_ledger=ledger,
        deflated_sharpe=deflated,
        pbo=None if found is None else found.probability,
        pbo_trials=0 if matrix is None or found is None else matrix.shape[1],
    )


def pbo_note(settings: SweepSettings) -> str | None:
    """Why there is no probability of overfitting, whatever the trials; None where the choice is one that it is of."""
    if settings.metric == "sharpe" and settings.maximize:
        return None
    way = "highest" if settings.maximize else "lowest"
    return (
        f"not measured: it is of a choice by the highest sharpe, this one is by the {way} {settings.metric}"
    )


class Counting:
    """Tells the ledger of a sweep's trials; `families` has those of all it was given."""

    def __init__(self, space: Space) -> None:
        self.families: set[str] = set()
        self._space = space

    def __call__(self, trials: Sequence[Trial]) -> bool:
        """Count these, however they ended, but not points that are no run. Answers whether they are counted."""
        from backtests.trial import market_of  # noqa: PLC0415 - one use

        several, path = [], None
        for trial in trials:
            if trial.status == REFUSED:
                continue
            config = self._space.config(trial.point)
            market: MarketData = market_of(config)
            path = config.trials.path
            self.families.add(family_of(config, market.symbols))
            own = trial.outcome
            several.append(
                Ran(config, market.symbols, market.version, KIND, own.returns, own.figures, own.error)
            )
        return record_many(several, path)


def distinct(trials: Sequence[Trial]) -> int:
    """How many different points came to their end, whole or pruned: so many were tried at least."""
    ended = (trial.point for trial in trials if trial.status in (DONE, PRUNED))
    return len({json.dumps(dict(point), sort_keys=True, default=str) for point in ended})


def document(
    result: Result, space: Space, settings: SweepSettings, *, folder: str, files: Sequence[str]
) -> dict[str, Any]:
    """What `output=json` prints: counts are integers, ratios fractions, undefined is null."""
    best = result.best
    return {
        "trials": len(result.trials),
        **result.counts,
        "trials_ledger": result.trials_ledger,
        "metric": settings.metric,
        "direction": "maximize" if settings.maximize else "minimize",
        "best": None
        if best is None
        else {
            "number": best.number,
            "point": dict(best.point),
            "score": best.score,
            **{name: best.outcome.figures.get(name) for name in SHOWN},
        },
        "deflated_sharpe": result.deflated_sharpe,
        "pbo": result.pbo,
        "pbo_trials": result.pbo_trials,
        "pbo_note": pbo_note(settings),
        "code": None if best is None else code_of(space.config(best.point)),
        "first_error": result.first_error,
        "table": str(Path(folder) / TABLE),
        "sweep_dir": folder,
        "files": list(files),
    }


def to_json(found: dict[str, Any]) -> str:
    """One JSON document."""
    return json.dumps(found, indent=2, allow_nan=False, default=str)


def _luck(
    best: Trial, space: Space, families: AbstractSet[str], least: int
) -> tuple[int | None, float | None]:
    """Trials counted, at least so many as this sweep has itself, and the deflated Sharpe ratio of the best."""
    returns = best.outcome.returns
    known = counted(families, space.config(best.point).trials.path, days=len(returns), least=least)
    if known is None or known.count < 1:
        return None, None
    return known.count, deflated_sharpe(returns, known.count, known.variance)


def _matrix(order: Sequence[Trial], best: Trial | None) -> np.ndarray | None:
    """Returns of all trials that saw the days of the best, shape (days, trials), in the order of their numbers."""
    if best is None or not len(best.outcome.returns):
        return None
    days = best.outcome.days
    alike = [
        trial
        for trial in sorted(order, key=lambda trial: trial.number)
        if len(trial.outcome.returns) == len(days) and np.array_equal(trial.outcome.days, days)
    ]
    return np.column_stack([trial.outcome.returns for trial in alike])
