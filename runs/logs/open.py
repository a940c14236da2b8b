"""How does a run get its log: into which files, in which form, and how does it end?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from configs.errors import ConfigError
from runs.logs.clean import clean
from runs.logs.events import LEVELS
from runs.logs.files import FileOutlet
from runs.logs.logger import Style, line_maker
from runs.logs.outlets import Outlet, Outlets
from runs.logs.run_log import RunLog
from runs.logs.secrets import scrubber_for
from runs.logs.stderr import LEAST, StderrOutlet, screen_console
from runs.logs.writer import Writer

if TYPE_CHECKING:
    from configs.schema import RunConfig
    from runs.logs.scrub import Scrubber

NAMES = {"text": "log.txt", "json": "log.jsonl"}
"""log.format -> the file in the run folder."""


@contextmanager
def live_log(config: RunConfig, folder: Path, run_id: str | None = None) -> Iterator[RunLog]:
    """The log of a live run: in its folder, in `log.file` too, and on stderr what a person has to see.

    It tells when the run began and how it ended. An error that ends the run is cleaned of secrets on its way out.
    Raises ConfigError where `log.file` cannot be written.
    """
    console, screen = screen_console()
    least, as_json = LEVELS[LEAST[config.log.level]], config.log.format == "json"
    outlet = StderrOutlet(console, least, screen=screen, shows_all=as_json)
    writer, scrubber = _parts(config, folder, config.log.level, run_id, config.venue.mode, outlet)
    log = RunLog(writer, scrubber, console=console)
    with _closing(log):
        classes = [spec.strategy_path.rpartition(":")[2] for spec in config.all_strategies.values()]
        log.started(strategies=classes, instruments=list(config.symbols), bar=config.bar, folder=str(folder))
        yield log


@contextmanager
def backtest_log(config: RunConfig, folder: Path, run_id: str | None = None) -> Iterator[RunLog]:
    """The log of a backtest: warnings and errors only, and no order by order; without any there is no file.

    Raises ConfigError where `log.file` cannot be written.
    """
    level = max("warning", config.log.level, key=lambda name: LEVELS[name])
    writer, scrubber = _parts(config, folder, level, run_id, "backtest")
    log = RunLog(writer, scrubber, tells_orders=False)
    with _closing(log):
        yield log


def _parts(
    config: RunConfig, folder: Path, level: str, run_id: str | None, mode: str, *screens: Outlet
) -> tuple[Writer, Scrubber]:
    as_json = config.log.format == "json"
    scrubber = scrubber_for(config)
    outlets: list[Outlet] = [FileOutlet(folder / NAMES[config.log.format], LEVELS[level])]
    if config.log.file is not None:
        _refuse_unwritable(config.log.file)
        outlets.append(FileOutlet(config.log.file, LEVELS[level], tells_run=not as_json))
    gathered = Outlets([*outlets, *screens])
    style = Style(run_id or folder.name, mode, config.venue.name, config.data.zone, gathered.least, as_json)
    return Writer(gathered, lambda: line_maker(style, scrubber)), scrubber


def _refuse_unwritable(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab"):
            pass
    except OSError as error:
        raise ConfigError(
            f"log.file={file}: cannot be written ({error.strerror}); name another file, or leave log.file out"
        ) from error


@contextmanager
def _closing(log: RunLog) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        clean(error, log.scrubber)
        log.ended("error", error)
        raise
    else:
        log.ended("done")
    finally:
        log.close()
