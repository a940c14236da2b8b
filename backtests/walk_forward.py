"""`python -m backtests walk_forward`: choose on some days, judge on the days after, again and again."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.run import say_costs_doubt
from backtests.search.keeping import Keeper, run_all
from backtests.search.kept import output_of, reading_kept, refuse_other_origin
from backtests.search.log import LOG, TABLE, TrialLog
from backtests.search.result import distinct, ranked, to_json
from backtests.search.show import progress
from backtests.search.sources import Grid
from backtests.search.space import Space, first_run, space_of
from backtests.search.work import DONE, Job, Trial
from backtests.windows.guard import Guarded
from backtests.windows.plan import Plan, planned
from backtests.windows.result import Walked, document, walked
from backtests.windows.settings import WalkSettings, walk_settings
from backtests.windows.show import note, show
from backtests.windows.table import equity_table
from backtests.windows.work import WINDOW, WalkWork, bare, told, with_windows
from configs.edge import FAILED, INTERRUPTED, OK, guarded, say
from configs.errors import ConfigError
from configs.launcher import Launcher, launcher_of
from runs.finish import write_versions
from runs.folder import RunFolder, open_folder, reopened_folder
from runs.trials import counted, family_of, record_many
from runs.trials.holdouts import HoldoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


WALK, EQUITY, PICTURE, SUMMARY = "walk_forward.json", "equity.parquet", "walk_forward.png", "summary.json"
HELP = """python -m backtests walk_forward KEY=VALUE,VALUE,... [GROUP=OPTION] [KEY=VALUE] ... [FLAG]

Chooses the best of all combinations on some session days, runs that one on the days after, moves on and does it again,
and stitches those tests: a result whose parameters never saw the days they are judged on. Takes what
`python -m backtests sweep` takes for a grid (its --help lists it), and:

    walk.kind=rolling          rolling | anchored (the train begins with the data) | purged_kfold (all other days)
    walk.train=756             session days to choose on, or 3y, 36m
    walk.test=252              session days the choice is judged on, or 1y, 12m
    walk.embargo=0             session days left out between train and test (purged_kfold: after a test)
    walk.folds=5               tests of purged_kfold
    walk.purge=0               purged_kfold: session days a label or a position reaches beyond its own
    walk.metric=sharpe         what is best in sample: sharpe, sortino, calmar, total_return, max_drawdown ...
    walk.direction=maximize    maximize | minimize; without it the metric's own
    walk.workers=auto          processes on this machine; hydra/launcher=ray takes a Ray cluster instead
    run.plots=false            no picture
    run.dir=FOLDER             its folder; none makes a new one under outputs/walk_forward/
    resume=FOLDER              go on with one that was interrupted

Example: python -m backtests walk_forward strategy.fast=5,10,20 strategy.slow=30,60 walk.train=756 walk.test=252
Example: python -m backtests walk_forward strategy.fast=5,20 walk.kind=purged_kfold walk.folds=4 walk.embargo=10

Exit codes: 0 ok, 1 a window's test failed or no trial has a score, 2 bad input, 130 interrupted.
"""
_RESUME = "resume="


def walk_forward(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person asked to read
        return OK
    return guarded(lambda: _walk_forward(list(argv)))


def _walk_forward(argv: list[str]) -> int:
    if any(word.startswith(_RESUME) for word in argv):
        return _resume(argv)
    settings, words = walk_settings(argv)
    words, launcher = launcher_of(words)
    if launcher.name == "ray" and settings.workers != "auto":
        raise ConfigError(
            "walk.workers is for this machine; with hydra/launcher=ray give hydra.launcher.workers"
        )
    space = space_of(words)
    plan = planned(space, settings, launcher, first_run(space).output)
    name = plan.config.run.name or plan.config.strategy.strategy_path.partition(":")[0].rpartition(".")[2]
    with open_folder("walk_forward", name, plan.config.run.dir) as folder:
        write_versions(folder, plan.config, plan.market.version)
        folder.write(WALK, plan.kept)
        return _walk(plan, folder)


def _resume(words: list[str]) -> int:
    others = [word for word in words if not word.startswith((_RESUME, "output="))]
    path = Path(next(word for word in words if word.startswith(_RESUME)).removeprefix(_RESUME)).expanduser()
    if others:
        raise ConfigError(
            f"{others[0].partition('=')[0]}: a walk-forward goes on as it began; with resume= only output may change"
        )
    with reading_kept(path, WALK, "walk-forward") as kept:
        output = output_of(words, kept["output"])
        space = Space.from_json(json.dumps(kept["space"]))
        settings, launcher = WalkSettings.model_validate(kept["settings"]), Launcher(**kept["launcher"])
        first_run(space)
    plan = planned(space, settings, launcher, output)
    refuse_other_origin(path, "walk-forward", plan.config, plan.market)
    with reopened_folder(path) as folder:
        return _walk(plan, folder)


def _walk(plan: Plan, folder: RunFolder) -> int:
    """Run what is still to be run, then the tests, and tell."""
    full = with_windows(plan.space, len(plan.windows))
    work = WalkWork(plan.space, plan.windows, plan.settings.metric)
    with TrialLog(folder, full) as log:
        done = f", {len(log.trials):,} of them done" if log.trials else ""
        say_costs_doubt(plan.config, plan.market)
        say(
            f"walk_forward: {plan.settings.kind}, {len(plan.windows)} windows, {full.size:,} trials over "
            f"{', '.join(plan.space.keys)}{done}; {', '.join(plan.market.symbols)}"
        )
        families: set[str] = set()
        keeper = Keeper(log, folder, lambda trials: _tell_ledger(plan, trials, work, families))
        try:
            with progress(full.size, len(log.trials), plan.settings.ranking) as ended:
                grid = Grid(full, log.trials, _both(keeper.keep, ended))
                safe = Guarded(grid, plan.space, lambda job: bare(job.point))
                _run(plan, work, safe, full.size - len(log.trials))
        except HoldoutError:
            keeper.catch_up()  # those before it were tried
            raise
        except KeyboardInterrupt:
            keeper.catch_up()
            again = shlex.join(["python", "-m", "backtests", "walk_forward", f"resume={folder.path}"])
            say(f"interrupted after {len(log.trials):,} of {full.size:,} trials; go on with: {again}")
            return INTERRUPTED
        known = keeper.catch_up()
        trials = [log.trials[number] for number in sorted(log.trials)]
    return _judge(plan, folder, trials, families if known else None)


def _judge(plan: Plan, folder: RunFolder, trials: Sequence[Trial], families: set[str] | None) -> int:
    """Run the best point of each window on its test, and tell what they come to.

    families: of the trials; None: the ledger could not be told of them all.
    """
    numbers = range(1, len(plan.windows) + 1)
    best = {
        number: next(
            iter(ranked([each for each in trials if each.point[WINDOW] == number], plan.settings.ranking)),
            None,
        )
        for number in numbers
    }
    if not any(best.values()):
        error = next((trial.outcome.error for trial in trials if trial.outcome.error), None)
        say(f"no trial has a {plan.settings.metric}{'' if error is None else f'; the first error: {error}'}")
        return FAILED
    work = WalkWork(plan.space, plan.windows, plan.settings.metric, tested=True)
    tests = _Tests([Job(number, each.point) for number, each in best.items() if each is not None])
    _run(plan, work, tests, len(tests.found))
    found = tests.found
    tried = set() if families is None else families
    known = _tell_ledger(plan, [found[number] for number in sorted(found)], work, tried)
    bad = next((found[number] for number in sorted(found) if found[number].status != DONE), None)
    if bad is not None:
        say(f"window {bad.point[WINDOW]} failed out of sample: {bad.outcome.error}")
        return FAILED
    config = plan.config
    days = sum(legs.test.days for legs in plan.windows)
    among = None
    if known and families is not None:
        among = counted(tried, config.trials.path, days=days, least=distinct(trials))
    result = walked(
        [(plan.windows[number - 1], best[number], found.get(number)) for number in numbers],
        plan.space,
        plan.market,
        days_per_year=config.data.days_per_year,
        starting=float(config.venue.starting_cash),
        trials=among,
    )
    return _tell(plan, folder, result, len(trials))


def _tell(plan: Plan, folder: RunFolder, result: Walked, trials: int) -> int:
    """Write the files, print the result, answer the exit code."""
    folder.write(EQUITY, equity_table(result))
    if plan.config.run.plots:
        from backtests.windows.picture import draw  # noqa: PLC0415 - matplotlib takes 0.4 s that only a picture is worth

        names = ", ".join(
            spec.strategy_path.rpartition(":")[2] for spec in plan.config.all_strategies.values()
        )
        title = f"{names} {', '.join(plan.market.symbols[:3])}"
        folder.write(PICTURE, draw(result, plan.settings, title, plan.config.venue.currency))
    files = [name for name in folder.files() if name not in (LOG, SUMMARY)]
    found = {
        "kind": plan.settings.kind,
        "metric": plan.settings.metric,
        "trials": trials,
        **document(result),
        "note": note(plan.settings),
        "table": str(folder.path / TABLE),
        "walk_dir": str(folder.path),
        "files": files,
    }
    text = to_json(found) + "\n"
    folder.write(SUMMARY, text)
    if plan.output == "json":
        sys.stdout.write(text)
    else:
        show(result, plan.settings, trials, str(folder.path), [*files, SUMMARY])
    return OK


class _Tests:
    """The tests still to be run, and those that were: window -> trial."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.found: dict[int, Trial] = {}
        self._jobs = list(jobs)[::-1]

    def next(self) -> Job | None:
        """The next one."""
        return self._jobs.pop() if self._jobs else None

    def told(self, trial: Trial) -> None:
        """One that was run."""
        self.found[trial.number] = trial


def _run(plan: Plan, work: WalkWork, source: Any, left: int) -> None:
    run_all(work, source, left, plan.settings.workers, plan.launcher)


def _tell_ledger(plan: Plan, trials: Sequence[Trial], work: WalkWork, families: set[str]) -> bool:
    """Count these, and add their families. Answers whether they are counted."""
    several = list(told(trials, work))
    families.update(family_of(each.config, each.symbols) for each in several)
    return record_many(several, plan.config.trials.path)


def _both(one: Callable[[Trial], None], other: Callable[[Trial], None]) -> Callable[[Trial], None]:
    def each(trial: Trial) -> None:
        one(trial)
        other(trial)

    return each
