"""How do many trials run, whoever asks for them: on how many processes, and kept how, so that a kill loses none?"""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any

from backtests.search.log import TABLE, TrialLog
from configs.launcher import Launcher
from runs.workers import Source, drive, pool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backtests.search.work import Trial
    from runs.folder import RunFolder

_EVERY_SECS = 5.0  # the table and the ledger are brought up to date so often
_WORTH_WORKERS_SECS = 6.0  # of work left: workers take about three to start


class Keeper:
    """Keeps every trial at once, and now and then brings the table and the ledger up to date.

    tell: tells the ledger of trials that ended, all or none, and answers whether it knows them now; those that it does
    not know are told again.
    """

    def __init__(self, log: TrialLog, folder: RunFolder, tell: Callable[[Sequence[Trial]], bool]) -> None:
        self.log = log
        self._folder = folder
        self._tell = tell
        self._untold = list(log.trials.values())  # a kill may have come before the ledger heard of them
        self._last = time.monotonic()
        self._every_secs = _EVERY_SECS

    def keep(self, trial: Trial) -> None:
        """One trial that ended."""
        self.log.append(trial)
        self._untold.append(trial)
        if time.monotonic() - self._last > self._every_secs:
            self.catch_up()

    def catch_up(self) -> bool:
        """Write the table, tell the ledger. Answers whether the ledger knows of all trials."""
        told = self._tell(self._untold)
        if told:
            self._untold.clear()
            self._every_secs = _EVERY_SECS
        else:
            self._every_secs *= 2  # there is more to tell each time, and a line on stderr
        if self.log.trials:
            self._folder.write(TABLE, self.log.table())
        self._last = time.monotonic()
        return told


def run_all(
    work: Callable[[Any], Any], source: Source, left: int, workers: int | str, launcher: Launcher
) -> None:
    """Do `work` for all that a source has, about `left` items, where the launcher and `workers` say.

    workers: processes on this machine, or auto: the first items, done here, decide whether more than one is worth it.
    """
    if launcher.name == "basic":
        count: Any = _worth(work, source, left) if workers == "auto" else workers
        launcher = Launcher(name="joblib" if count == "auto" or count > 1 else "basic", workers=count)
    elif launcher.name == "joblib" and workers != "auto":
        launcher = Launcher.model_validate({**launcher.model_dump(), "workers": workers})
    with pool(work, launcher) as hands:
        drive(source, hands)


def _worth(work: Callable[[Any], Any], source: Source, left: int) -> int | str:
    """Do two items here (the first also opens the data): how many workers is the rest worth?"""
    secs = inf
    for _ in range(2):
        began = time.perf_counter()
        with pool(work, Launcher()) as here:
            drive(source, here, limit=1)
        secs = min(secs, time.perf_counter() - began)
    return "auto" if secs * (left - 2) > _WORTH_WORKERS_SECS else 1
