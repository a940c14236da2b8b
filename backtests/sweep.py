"""`python -m backtests sweep`: a backtest for each combination of values, or for those a search asks for."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.run import say_costs_doubt
from backtests.search.keeping import Keeper, run_all
from backtests.search.kept import output_of, reading_kept, refuse_other_origin
from backtests.search.log import LOG, TrialLog
from backtests.search.result import Counting, Result, document, result_of, to_json
from backtests.search.settings import SweepSettings, settings_of, taken
from backtests.search.show import progress, show
from backtests.search.sources import Grid, Search
from backtests.search.space import Space, first_run, space_of
from backtests.search.work import Trial, Work
from backtests.trial import market_of
from backtests.windows.guard import Guarded, refuse_any_held_out
from configs.edge import FAILED, INTERRUPTED, OK, guarded, say
from configs.errors import ConfigError
from configs.launcher import Launcher, launcher_of
from runs.finish import write_versions
from runs.folder import CONFIG, RunFolder, open_folder, reopened_folder
from runs.trials.holdouts import HoldoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from market.catalog import MarketData

SWEEP = "sweep.json"
BEST = "best"
HELP = """python -m backtests sweep KEY=VALUE,VALUE,... [GROUP=OPTION] [KEY=VALUE] ... [FLAG]

Runs a backtest for each combination of values, or with sweep.search=optuna for those a search asks for, and ranks them.
Takes what `python -m backtests run` takes (its --help lists it); every key and group may have several values:
    strategy.fast=5,10,20             a list; also instruments=[AAPL],[MSFT] and risk=default,aggressive
    strategy.fast=range(5,50,5)       5, 10 ... 45
    strategy.fast=int(interval(5,50)) any number between, for Optuna; also tag(log,interval(0.01,1))

Its own keys:
    sweep.metric=sharpe               what is best: sharpe, sortino, calmar, total_return, max_drawdown ...
    sweep.direction=maximize          maximize | minimize; without it the metric's own
    sweep.search=grid                 grid | optuna
    sweep.trials=100                  how many trials Optuna makes
    sweep.sampler=tpe                 tpe | random
    sweep.seed=1                      of Optuna's choices
    sweep.ahead=8                     how many trials Optuna has out at once
    sweep.prune=off                   off | median: end a trial early that is worse than most were by then
    sweep.workers=auto                processes on this machine; hydra/launcher=ray takes a Ray cluster instead
    sweep.heat=[KEY,KEY]              the two keys of the heat map
    run.plots=false                   no picture; run.tearsheet=false: no HTML page
    run.dir=FOLDER                    the sweep's folder; none makes a new one under outputs/sweeps/
    resume=FOLDER                     go on with a sweep that was interrupted; sweep.trials and sweep.workers may change

Example: python -m backtests sweep strategy=ema_cross strategy.fast=5,10,20 strategy.slow=30,60
Example: python -m backtests sweep 'strategy.fast=int(interval(5,50))' sweep.search=optuna sweep.trials=20

Exit codes: 0 ok, 1 no trial came to its end, 2 bad input, 130 interrupted (the last line says how to go on).
"""
_RESUME = "resume="
_MAY_CHANGE = ("trials", "workers", "heat")


@dataclass(frozen=True)
class Plan:
    """A sweep that is to run: its points, how it looks for the best, where it runs, and how it shows its result.

    pictures: whether to draw the PNG (`run.plots`) and the HTML page (`run.tearsheet`).
    """

    space: Space
    settings: SweepSettings
    launcher: Launcher
    output: str
    pictures: tuple[bool, bool]


def sweep(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person asked to read
        return OK
    return guarded(lambda: _sweep(list(argv)))


def _sweep(argv: list[str]) -> int:
    given, words = taken(argv)
    if any(word.startswith(_RESUME) for word in words):
        return _resume(given, words)
    words, launcher = launcher_of(words)
    settings = settings_of(given)
    space = space_of(words)
    _check(space, settings, launcher)
    config = first_run(space)
    pictures = (config.run.plots, config.run.tearsheet)
    plan = Plan(space, settings, launcher, config.output, pictures)
    market = market_of(config)
    refuse_any_held_out(space)
    say_costs_doubt(config, market)
    name = config.run.name or config.strategy.strategy_path.partition(":")[0].rpartition(".")[2]
    with open_folder("sweeps", name, config.run.dir) as folder:
        write_versions(folder, config, market.version)
        folder.write(SWEEP, _kept(plan))
        return _explore(plan, folder, market)


def _resume(given: dict[str, Any], words: list[str]) -> int:
    given_words = len(words)
    words, launcher = launcher_of(words)
    others = [word for word in words if not word.startswith((_RESUME, "output="))]
    path = Path(next(word for word in words if word.startswith(_RESUME)).removeprefix(_RESUME)).expanduser()
    fixed = [f"sweep.{key}" for key in given if key not in _MAY_CHANGE]
    if others or fixed:
        raise ConfigError(
            f"{(others + fixed)[0].partition('=')[0]}: a sweep goes on as it began; with resume= only "
            f"{', '.join(f'sweep.{key}' for key in _MAY_CHANGE)}, hydra/launcher and output may change"
        )
    with reading_kept(path, SWEEP, "sweep") as kept:
        settings = settings_of({**kept["settings"], **given})
        space = Space.from_json(json.dumps(kept["space"]))
        output = output_of(words, kept["output"])
        if len(words) == given_words:
            launcher = Launcher(**kept["launcher"])
        config = first_run(space)
    _check(space, settings, launcher)
    plan = Plan(space, settings, launcher, output, (config.run.plots, config.run.tearsheet))
    market = market_of(config)
    refuse_any_held_out(space)
    refuse_other_origin(path, "sweep", config, market)
    with reopened_folder(path) as folder:
        folder.write(SWEEP, _kept(plan))
        return _explore(plan, folder, market)


def _kept(plan: Plan) -> str:
    """What a sweep's folder says of it, enough to go on."""
    return json.dumps(
        {
            "settings": plan.settings.model_dump(mode="json"),
            "launcher": plan.launcher.model_dump(mode="json"),
            "output": plan.output,
            "space": json.loads(plan.space.to_json()),
        },
        indent=2,
    )


def _check(space: Space, settings: SweepSettings, launcher: Launcher) -> None:
    if settings.prune != "off" and settings.search == "grid":
        raise ConfigError("sweep.prune=median: a grid is run whole; add sweep.search=optuna")
    if settings.search == "grid":
        Grid(space, {}, lambda _trial: None)
    if settings.heat is not None:
        for key in settings.heat:
            if key not in space.keys:
                raise ConfigError(f"sweep.heat: {key} is not swept; swept are {', '.join(space.keys)}")
    if launcher.name == "ray" and settings.workers != "auto":
        raise ConfigError(
            "sweep.workers is for this machine; with hydra/launcher=ray give hydra.launcher.workers"
        )


def _explore(plan: Plan, folder: RunFolder, market: MarketData) -> int:
    """Run what is still to be run, keep it, tell the result."""
    total = plan.space.size if plan.settings.search == "grid" else plan.settings.trials
    with TrialLog(folder, plan.space) as log:
        said = f", {len(log.trials):,} of them done" if log.trials else ""
        say(f"sweep: {total:,} trials over {', '.join(plan.space.keys)}{said}; {', '.join(market.symbols)}")
        counting = Counting(plan.space)
        keeper = Keeper(log, folder, counting)
        try:
            with progress(total, len(log.trials), plan.settings) as ended:
                _drive(plan, folder, keeper, ended)
        except HoldoutError:
            keeper.catch_up()  # those before it were tried
            raise
        except KeyboardInterrupt:
            keeper.catch_up()
            done = len(log.trials)
            again = shlex.join(["python", "-m", "backtests", "sweep", f"resume={folder.path}"])
            say(f"interrupted after {done:,} of {total:,} trials; go on with: {again}")
            return INTERRUPTED
        families = counting.families if keeper.catch_up() else None
        trials = [log.trials[number] for number in sorted(log.trials)]
    return _tell(plan, folder, trials, families)


def _drive(plan: Plan, folder: RunFolder, keeper: Keeper, ended: Callable[[Trial], None]) -> None:
    """Run the trials that are missing; the first one here when that decides whether workers are worth it."""

    def keep(trial: Trial) -> None:
        keeper.keep(trial)
        ended(trial)

    work = Work(plan.space, plan.settings)
    known, total = keeper.log.trials, plan.space.size
    source: Grid | Search
    if plan.settings.search == "grid":
        source = Grid(plan.space, known, keep)
    else:
        total = plan.settings.trials
        source = Search(plan.space, plan.settings, dict(known), keep, folder.path)
    safe = Guarded(source, plan.space, lambda job: job.point)
    run_all(work, safe, total - len(known), plan.settings.workers, plan.launcher)


def _tell(plan: Plan, folder: RunFolder, trials: list[Trial], families: AbstractSet[str] | None) -> int:
    """Write what the sweep adds up to, print it, answer the exit code.

    families: of the trials; None: the ledger could not be told of them all.
    """
    result = result_of(trials, plan.space, plan.settings, families)
    if result.best is not None:
        _write_best(folder, plan.space, result.best)
        _draw(plan, folder, result)
    files = [name for name in folder.files() if name != LOG]
    found = document(result, plan.space, plan.settings, folder=str(folder.path), files=files)
    folder.write("summary.json", to_json(found) + "\n")
    if plan.output == "json":
        sys.stdout.write(to_json(found) + "\n")
    else:
        show(result, plan.settings, str(folder.path), [*files, "summary.json"])
    if result.best is not None:
        return OK
    why = "" if result.first_error is None else f"; the first error: {result.first_error}"
    say(f"no trial has a {plan.settings.metric}{why}")
    return FAILED


def _draw(plan: Plan, folder: RunFolder, result: Result) -> None:
    picture, page = plan.pictures
    if picture:
        from backtests.search.pictures import draw  # noqa: PLC0415 - matplotlib takes 0.4 s that only a picture is worth

        folder.write("sweep.png", draw(result, plan.space, plan.settings))
    if page:
        from backtests.search.page import page_of  # noqa: PLC0415 - as for matplotlib: plotly

        folder.write("sweep.html", page_of(result, plan.space, plan.settings, folder.path))


def _write_best(folder: RunFolder, space: Space, best: Trial) -> None:
    """The best trial's config as a run folder has it, so that `rerun` repeats it."""
    import yaml  # noqa: PLC0415 - one use

    own = RunFolder(folder.path / BEST)
    own.path.mkdir(exist_ok=True)
    settled = space.document(best.point)
    settled["run"] = {**settled.get("run", {}), "dir": None}
    own.write(CONFIG, yaml.safe_dump(settled, sort_keys=False))
