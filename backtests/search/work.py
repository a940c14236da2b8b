"""What does a worker do with one point of a sweep, and what does it answer?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from backtests.search.settings import SweepSettings, score
from backtests.search.space import Space
from backtests.trial import Outcome, failed, market_of, run_trial

if TYPE_CHECKING:
    from backtests.points import Point

DONE, PRUNED, REFUSED, FAILED = "done", "pruned", "refused", "failed"
"""How a trial ends: with figures, early, because its config is none, or with an error."""
STAGES = (0.25, 0.5, 0.75)
"""Shares of the data after which a trial that may be pruned is looked at."""
_BAD_INPUT = 2


@dataclass(frozen=True)
class Job:
    """One point to run. floors: for each stage what the score must reach to go on; None: nothing yet."""

    number: int
    point: Point
    floors: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Trial:
    """What came of one point. score: what it is ranked by, when done; reports: the score at each stage it reached."""

    number: int
    point: Point
    status: str
    outcome: Outcome
    score: float | None = None
    reports: tuple[float | None, ...] = field(default=())


@dataclass(frozen=True)
class Work:
    """The work of a sweep's workers: picklable; a worker opens its data once (backtests/trial.py)."""

    space: Space
    settings: SweepSettings

    def __call__(self, job: Job) -> Trial:
        """Run one point; whatever goes wrong is told in the answer."""
        reports: list[float | None] = []
        outcome = self._outcome(job, reports)
        status = _status(outcome)
        if (
            status == DONE
            and len(reports) > 0
            and _below(reports[-1], job.floors[len(reports) - 1], self.settings)
        ):
            status = PRUNED
        return Trial(
            number=job.number,
            point=job.point,
            status=status,
            outcome=replace(outcome, decisions=()),
            score=score(outcome.figures, self.settings.metric) if status == DONE else None,
            reports=tuple(reports),
        )

    def _outcome(self, job: Job, reports: list[float | None]) -> Outcome:
        try:
            config = self.space.config(job.point)
            market = market_of(config)
        except Exception as error:  # noqa: BLE001 - the edge of a trial: its row tells what was wrong
            return failed(error)
        if not job.floors:
            return run_trial(config, market)

        def goes_on(so_far: dict[str, Any]) -> bool:
            reports.append(score(so_far, self.settings.metric))
            return not _below(reports[-1], job.floors[len(reports) - 1], self.settings)

        return run_trial(config, market, STAGES, goes_on)


def _status(outcome: Outcome) -> str:
    if outcome.error is None:
        return DONE
    return REFUSED if outcome.exit_code == _BAD_INPUT else FAILED


def _below(reached: float | None, floor: float | None, settings: SweepSettings) -> bool:
    """Whether a trial is to end early: it has no score where others have one, or a worse one."""
    if floor is None:
        return False
    return reached is None or (reached < floor if settings.maximize else reached > floor)
