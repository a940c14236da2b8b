"""Which point comes next: the next of the grid, or the one that Optuna asks for in view of those before it?

A trial of Optuna is asked for exactly when the one `sweep.ahead` before it has been told, and results are told in the
order of numbers. So the same seed makes the same trials whatever the number of workers, and however often a sweep was
resumed.
"""

from __future__ import annotations

import json
import warnings
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from backtests.search.work import DONE, PRUNED, STAGES, Job, Trial
from configs.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

    from backtests.search.settings import SweepSettings
    from backtests.search.space import Space
    from configs.load import Axis

JOURNAL = "optuna.log"
_FIRST = 5  # trials that have come to their end before any is pruned
_NAME = "sweep"

type Keep = Callable[[Trial], None]


class Grid:
    """Every combination, in the order of -m; those that are kept are not run again."""

    def __init__(self, space: Space, kept: Mapping[int, Trial], keep: Keep) -> None:
        """Raises ConfigError for a space without a grid."""
        if space.interval is not None:
            raise ConfigError(
                f"{space.interval}=interval(...) has no grid: add sweep.search=optuna, or write range(FIRST,END,STEP)"
            )
        self._space = space
        self._numbers = (number for number in range(space.size) if number not in kept)
        self.told = keep

    def next(self) -> Job | None:
        """The next point that has not been run."""
        number = next(self._numbers, None)
        return None if number is None else Job(number, self._space.grid(number))


class Search:
    """Optuna's choices; its study lies in the sweep's folder and outlives a crash.

    Optuna writes a trial it is asked for value by value, so it is asked of a copy in memory, and the whole trial is
    added to the study at once: a kill leaves all of it or nothing.
    """

    def __init__(
        self, space: Space, settings: SweepSettings, kept: Mapping[int, Trial], keep: Keep, folder: Path
    ) -> None:
        self._space = space
        self._settings = settings
        self._keep = keep
        self._axes = {key: _Choice(axis) for key, axis in zip(space.keys, space.axes, strict=True)}
        self._study = _study(folder / JOURNAL, settings)
        self._copy = _copy(self._study)
        self._asked = self._study.get_trials(deepcopy=False)
        self._answers = dict(kept)
        self._ready: deque[Job] = deque()
        self._told = 0
        while self._told < len(self._asked) and self._asked[self._told].state.is_finished():
            self._told += 1
        for number in range(self._told, len(self._asked)):
            self._offer(number)
        self._ask()
        self._tell()

    def next(self) -> Job | None:
        """The next point, where one has been asked for."""
        return self._ready.popleft() if self._ready else None

    def told(self, trial: Trial) -> None:
        """Keep a trial at once; Optuna hears of it when its turn has come."""
        self._keep(trial)
        self._answers[trial.number] = trial
        self._tell()

    def _tell(self) -> None:
        while (trial := self._answers.get(self._told)) is not None and self._told < len(self._asked):
            for study in (self._study, self._copy):
                _report(study, trial)
            self._told += 1
            self._ask()

    def _ask(self) -> None:
        while len(self._asked) < min(self._told + self._settings.ahead, self._settings.trials):
            number = len(self._asked)
            self._copy.sampler = _sampler(self._settings, number)
            self._copy.ask({key: choice.distribution for key, choice in self._axes.items()})
            self._study.add_trial(self._copy.get_trials(deepcopy=False)[number])
            self._asked = self._study.get_trials(deepcopy=False)
            self._offer(number)

    def _offer(self, number: int) -> None:
        if number not in self._answers:
            params = self._asked[number].params
            point = {key: choice.value(params[key]) for key, choice in self._axes.items()}
            self._ready.append(Job(number, point, self._floors_of(number)))

    def _floors_of(self, number: int) -> tuple[float | None, ...]:
        """What a trial must reach at each stage: the median of all that had been told when it was asked for."""
        if self._settings.prune == "off":
            return ()
        known = [self._answers[before] for before in range(number - self._settings.ahead + 1)]
        ended = [trial for trial in known if trial.status == DONE]
        if len(ended) < _FIRST:
            return (None,) * len(STAGES)
        reached = [[trial.reports[stage] for trial in ended] for stage in range(len(STAGES))]
        numbers = [[value for value in values if value is not None] for values in reached]
        return tuple(median(values) if values else None for values in numbers)


def _report(study: Study, trial: Trial) -> None:
    """Tell a study how a trial ended, with its score at each stage that it has not been told of."""
    from optuna.trial import Trial as Asked  # noqa: PLC0415 - Optuna is loaded only for a search
    from optuna.trial import TrialState  # noqa: PLC0415 - as above

    asked = study.get_trials(deepcopy=False)[trial.number]
    known = set(asked.intermediate_values)
    for step, value in enumerate(trial.reports):
        if (
            value is not None and step not in known
        ):  # Optuna gives no other way to a trial that was asked for before
            Asked(study, asked._trial_id).report(value, step)  # noqa: SLF001 - see above
    if trial.status == PRUNED:
        study.tell(trial.number, state=TrialState.PRUNED)
    elif trial.status == DONE and trial.score is not None:
        study.tell(trial.number, trial.score)
    else:
        study.tell(trial.number, state=TrialState.FAIL)


class _Choice:
    """One swept key as Optuna knows it: an axis' numbers as they are, anything else by its place in the list."""

    def __init__(self, axis: Axis) -> None:
        self._axis = axis
        self.distribution = self._distribution()

    def value(self, param: Any) -> Any:
        """The value of the key that a parameter of Optuna stands for."""
        if self._axis.high is not None or self._axis.step is not None:
            return param
        return next(value for value in self._axis.values if _label(value) == param)

    def _distribution(self) -> BaseDistribution:
        from optuna.distributions import (  # noqa: PLC0415 - as above
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        axis = self._axis
        if axis.high is None and axis.step is None:
            return CategoricalDistribution([_label(value) for value in axis.values])
        low, high = (axis.low, axis.high) if axis.high is not None else (min(axis.values), max(axis.values))
        assert low is not None  # noqa: S101 - for the type checker: an interval has both ends
        assert high is not None  # noqa: S101 - as above
        log = "log" in axis.tags
        step = None if axis.step is None else abs(axis.step)
        try:
            if isinstance(low, int) and isinstance(high, int):
                return IntDistribution(low, high, log=log, step=int(step or 1))
            return FloatDistribution(low, high, log=log, step=step)
        except ValueError as error:
            raise ConfigError(f"{axis.key}: {error}") from None


def _label(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else json.dumps(value)


def _sampler(settings: SweepSettings, number: int) -> BaseSampler:
    """A fresh one a trial, so that a resumed sweep goes on as it would have gone on."""
    from optuna.samplers import RandomSampler, TPESampler  # noqa: PLC0415 - as above

    seed = (settings.seed * 1_000_003 + number) % 2**32
    if settings.sampler == "random":
        return RandomSampler(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant_liar is said to be experimental
        return TPESampler(seed=seed, constant_liar=True)


def _study(path: Path, settings: SweepSettings) -> Study:
    """The study in a sweep's folder, begun or taken up again."""
    import optuna  # noqa: PLC0415 - as above
    from optuna.storages import JournalStorage  # noqa: PLC0415 - as above
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock  # noqa: PLC0415 - as above

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _drop_torn_line(path)
    path.with_name(f"{path.name}.lock").unlink(
        missing_ok=True
    )  # left by a kill; the folder's own lock is ours
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        storage = JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path))))
    direction: Literal["maximize", "minimize"] = "maximize" if settings.maximize else "minimize"
    return optuna.create_study(storage=storage, study_name=_NAME, direction=direction, load_if_exists=True)


def _copy(study: Study) -> Study:
    """The same study in memory."""
    import optuna  # noqa: PLC0415 - as above

    copy = optuna.create_study(direction=study.direction)
    copy.add_trials(study.get_trials(deepcopy=False))
    return copy


def _drop_torn_line(path: Path) -> None:
    """Cut off what a kill left of a line: whatever followed it could not be read."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)
