"""`python -m backtests run`: a strategy over past market data, behind the risk gate it would have live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtests._engine import run_backtest
from configs.edge import say
from configs.load import Composed, main
from runs.costs import of_another_class
from runs.finish import Finished, finish, headline, keeping_errors, write_origin
from runs.folder import open_folder
from runs.logs import backtest_log
from runs.prepare import prepare
from runs.trials.holdouts import refuse_held_out
from runs.trials.judging import failures_kept
from runs.workers import in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from configs.schema import RunConfig
    from market.market_data import MarketData
    from runs.prepare import Prepared
    from runs.summary import Summary

OK = 0
TRIAL = "run"
"""What the ledger of trials calls it."""


def run(argv: Sequence[str]) -> int:
    """The verb: compose, validate, run, report. Answers the exit code."""
    return main("backtest", argv, backtest, hand_out=in_order)


def backtest(composed: Composed) -> int:
    """One backtest in its own run folder, reported on stdout. Raises HoldoutError for days that are held out."""
    ready = prepare(composed.config)
    refuse_held_out(ready.config, ready.market)
    whole_run(composed, ready)
    return OK


def whole_run(composed: Composed, ready: Prepared, trial: str = TRIAL) -> Summary:
    """The run itself, whichever days it trades on. trial: what the ledger is to call it."""
    config = composed.config
    headline("backtest", ready)
    say_costs_doubt(config, ready.market)
    with open_folder("backtests", config.run.name or default_name(composed), config.run.dir) as folder:
        write_origin(folder, composed, ready.market.version)
        with (
            backtest_log(config, folder.path) as log,
            keeping_errors(ready, folder),
            failures_kept(config, ready.market, trial),
        ):
            result = run_backtest(config, folder.path, ready, log)
        ended = "run.max_minutes reached" if result.timed_out else "end of data"
        summary = finish(Finished(ready, result.record, result.until_ns, ended, trial=trial), folder)
        _say_all_refused(summary)
        return summary


def say_costs_doubt(config: RunConfig, market: MarketData) -> None:
    """Say on stderr that the costs were gathered for another kind of instrument, where they were."""
    doubt = of_another_class(config.venue, market.instruments)
    if doubt is not None:
        say(f"doubt: {doubt}; docs/costs.md says which preset is for what")


def _say_all_refused(summary: Summary) -> None:
    """Say on stderr that nothing was traded because no order passed, where that is so."""
    if summary.orders or not summary.refusals:
        return
    by_limit = ", ".join(f"{limit} ({count:,})" for limit, count in summary.refusals_by_limit.items())
    say(
        f"no order passed: all {summary.refusals:,} were refused, by {by_limit}; "
        "python -m backtests risk shows the limits"
    )


def default_name(composed: Composed) -> str:
    """What a run folder is called when the user gives no name: the first strategy's module."""
    return composed.config.strategy.strategy_path.partition(":")[0].rpartition(".")[2]
