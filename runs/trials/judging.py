"""How does a finished run get into the ledger, and its summary the figures about luck?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from risk import measures
from runs.errors import StrategyError
from runs.luck.figures import luck_of
from runs.trials.reading import counted
from runs.trials.trial import Ran, family_of
from runs.trials.writing import record

if TYPE_CHECKING:
    from configs.schema import RunConfig
    from market.catalog import MarketData
    from runs.analysis import Analysis
    from runs.summary import Summary


def judged(config: RunConfig, analysis: Analysis, summary: Summary, kind: str | None) -> Summary:
    """The summary with what may be luck, after the run was counted as a trial.

    kind: how it was run, as the ledger says it; None: it is no trial, and nothing is known of others.
    """
    returns = measures.returns(analysis.by_day)
    market = analysis.record.market
    trials = None
    if kind is not None:
        ran = Ran(
            config,
            market.symbols,
            market.version,
            kind,
            returns,
            {name: getattr(summary, name) for name in ("total_return", "max_drawdown", "orders")},
            folder=str(Path(summary.run_dir).absolute()) if summary.run_dir else None,
        )
        if record(ran, config.trials.path):
            days = 0 if returns is None else len(returns)
            trials = counted(family_of(config, market.symbols), config.trials.path, days)
    return replace(summary, **asdict(luck_of(returns, analysis.days_per_year, trials)))


@contextmanager
def failures_kept(config: RunConfig, market: MarketData, kind: str) -> Iterator[None]:
    """Keep a run whose strategy raised in the ledger too; it counts no more than one that was never run."""
    try:
        yield
    except StrategyError as error:
        record(Ran(config, market.symbols, market.version, kind, error=str(error)), config.trials.path)
        raise
