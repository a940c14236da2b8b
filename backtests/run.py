"""`python -m backtests run`: a strategy over past market data, behind the risk gate it would have live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtests._engine import run_backtest
from configs.load import Composed, main
from runs.finish import Finished, finish, headline, keeping_errors, write_origin
from runs.folder import open_folder
from runs.logs import backtest_log
from runs.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = 0


def run(argv: Sequence[str]) -> int:
    """The verb: compose, validate, run, report. Answers the exit code."""
    return main("backtest", argv, backtest)


def backtest(composed: Composed) -> int:
    """One backtest in its own run folder, reported on stdout."""
    config = composed.config
    ready = prepare(config)
    headline("backtest", ready)
    with open_folder("backtests", config.run.name or default_name(composed), config.run.dir) as folder:
        write_origin(folder, composed.text, ready.market.version)
        with backtest_log(config, folder.path) as log, keeping_errors(ready, folder):
            result = run_backtest(config, folder.path, ready, log)
        ended = "run.max_minutes reached" if result.timed_out else "end of data"
        finish(Finished(ready, result.record, result.until_ns, ended), folder)
    return OK


def default_name(composed: Composed) -> str:
    """What a run folder is called when the user gives no name: the first strategy's module."""
    return composed.config.strategy.strategy_path.partition(":")[0].rpartition(".")[2]
