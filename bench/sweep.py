"""How fast are a sweep's trials on one core and on two, and how long does a sweep of a thousand take?"""

from __future__ import annotations

import contextlib
import io
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil
from rich.box import SIMPLE
from rich.table import Table

from backtests.search.settings import settings_of
from backtests.search.space import space_of
from backtests.search.work import Job, Trial, Work
from backtests.sweep import sweep
from bench.pairs import kept
from bench.sizes import TARGET_SWEEP_RATIO, TARGET_SWEEP_SECS
from configs.launcher import Launcher
from runs.workers import drive, pool

if TYPE_CHECKING:
    from bench.process import Measured

BARS = 3_000
_SLOW = 40  # values of strategy.slow
_PER_SLOW = 25  # values of strategy.fast: together a thousand points


def measure(trials: int, workers: int) -> Measured:
    """Milliseconds of wall and of processor time a trial, on so many processes that are already warm."""
    space = space_of(_words(trials))
    work = Work(space, settings_of({}))
    with pool(work, Launcher(name="joblib", workers=workers)) as processes:
        drive(_Jobs(work, 4 * workers), processes)
        cpu, began = _cpu_secs(), time.perf_counter()
        jobs = _Jobs(work, trials)
        drive(jobs, processes)
        wall, cpu = time.perf_counter() - began, _cpu_secs() - cpu
    return {"wall_ms": wall / trials * 1e3, "cpu_ms": cpu / trials * 1e3, "done": jobs.done}


def whole(trials: int, workers: int) -> Measured:
    """Seconds of the verb from its first line to its last, everything but the pictures, and of all its processes."""
    with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        began = time.perf_counter()
        quiet = [
            "run.plots=false",
            "run.tearsheet=false",
            "output=json",
            f"trials.path={Path(folder) / 'trials.db'}",
        ]
        code = sweep(
            [*_words(trials), *quiet, f"run.dir={Path(folder) / 'sweep'}", f"sweep.workers={workers}"]
        )
        return {"secs": time.perf_counter() - began, "cpu_secs": _cpu_secs(), "code": code}


def shown(rounds: list[tuple[Measured, Measured]], all_of_it: Measured, trials: int) -> Table:
    """One process beside two, round for round, and the whole verb on two."""
    ratios = [one["wall_ms"] / two["wall_ms"] for one, two in rounds]
    whole_secs = all_of_it["secs"]
    table = Table(
        box=SIMPLE,
        title=f"Trials of a sweep: a daily backtest of {BARS:,} bars each",
        caption=f"by processor time two are worth {_worth(rounds):.2f} of one, were both cores free\n"
        f"the whole verb, {trials:,} trials on two: {whole_secs:.0f} s, {all_of_it['cpu_secs']:.0f} s of "
        f"processor time; target {TARGET_SWEEP_SECS} s {kept(met=whole_secs < TARGET_SWEEP_SECS)}",
    )
    for column in (
        "processes",
        "ms a trial",
        "processor ms a trial",
        "times one",
        f"target {TARGET_SWEEP_RATIO}",
    ):
        table.add_column(column, justify="right")
    for number, place in ((1, 0), (2, 1)):
        walls, cpus = ([each[place][key] for each in rounds] for key in ("wall_ms", "cpu_ms"))
        times = (
            ("", "")
            if number == 1
            else (f"{median(ratios):.2f}", kept(met=median(ratios) >= TARGET_SWEEP_RATIO))
        )
        table.add_row(str(number), f"{median(walls):.1f}", f"{median(cpus):.1f}", *times)
    return table


def _worth(rounds: list[tuple[Measured, Measured]]) -> float:
    """What a machine that others use as well hides: twice the processor time of a trial on one over that on two."""
    return float(2 * median([one["cpu_ms"] / two["cpu_ms"] for one, two in rounds]))


class _Jobs:
    """So many points of the grid, one after the other."""

    def __init__(self, work: Work, number: int) -> None:
        self._jobs = iter([Job(place, work.space.grid(place)) for place in range(number)])
        self.done = 0

    def next(self) -> Job | None:
        return next(self._jobs, None)

    def told(self, answer: Trial) -> None:
        self.done += answer.status == "done"


def _words(trials: int) -> list[str]:
    fast = max(2, min(_PER_SLOW, trials // _SLOW))
    slow = -(-trials // fast)
    keys: Any = (f"strategy.fast=range(3,{3 + fast})", f"strategy.slow=range(30,{30 + slow})")
    return [*keys, "instruments=[AAPL]", f"run.max_bars={BARS}"]


def _cpu_secs() -> float:
    """Processor time of this process and of those it started, also of those that have ended."""
    own = psutil.Process()
    ended = own.cpu_times()
    running = [child.cpu_times() for child in own.children(recursive=True)]
    return float(
        ended.user + ended.system + ended.children_user + ended.children_system
        + sum(times.user + times.system for times in running)
    )  # fmt: skip
