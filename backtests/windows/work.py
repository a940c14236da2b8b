"""What does a worker do with one point in one window, and how is it told to the ledger?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.search.settings import score
from backtests.search.space import Space
from backtests.search.work import DONE, FAILED, REFUSED, Job, Trial
from backtests.trial import Outcome, failed, market_of, run_trial
from backtests.windows.legs import Leg, LegMarket, Legs, config_over, market_over
from configs.load import Axis
from risk import measures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backtests.points import Point
    from market.market_data import MarketData
    from runs.trials import Ran

WINDOW = "walk.window"
"""The column that says in which window, from 1, a trial ran."""
KIND = "walk_forward"
"""What the ledger of trials calls it."""
_BAD_INPUT = 2
_KEPT = 4  # markets of legs that a worker holds: it goes through the windows in order
_OPENED: dict[tuple[str, Leg], LegMarket] = {}  # (data version, leg) -> its data, oldest first


@dataclass(frozen=True)
class WalkWork:
    """Runs points in windows; picklable. space: of the swept keys alone; tested: the test instead of the train."""

    space: Space
    windows: tuple[Legs, ...]
    metric: str
    tested: bool = False

    def __call__(self, job: Job) -> Trial:
        """Run one point in its window; whatever goes wrong is told in the answer."""
        legs = self.windows[job.point[WINDOW] - 1]
        outcome = self._outcome(bare(job.point), (legs.test,) if self.tested else legs.train)
        status = DONE
        if outcome.error is not None:
            status = REFUSED if outcome.exit_code == _BAD_INPUT else FAILED
        found = score(outcome.figures, self.metric) if status == DONE else None
        return Trial(job.number, job.point, status, replace(outcome, decisions=()), found)

    def _outcome(self, point: Point, legs: Sequence[Leg]) -> Outcome:
        try:
            config = self.space.config(point)
            market = market_of(config)
        except Exception as error:  # noqa: BLE001 - the edge of a trial: its row tells what was wrong
            return failed(error)
        outcomes = []
        for leg in legs:
            outcome = run_trial(config_over(config, (leg,)), _opened(market, leg))
            if outcome.error is None and len(outcome.returns) != leg.days:
                outcome = Outcome(
                    error=f"equity fell to nothing between {leg.start} and {leg.end}", exit_code=1
                )
            if outcome.error is not None:
                return outcome
            outcomes.append(outcome)
        return outcomes[0] if len(outcomes) == 1 else pooled(outcomes, config.data.days_per_year)


def with_windows(space: Space, windows: int) -> Space:
    """The space of every point in every window; the windows come first, so each is done before the next."""
    return Space((Axis(WINDOW, tuple(range(1, windows + 1))), *space.axes), space.bases)


def bare(point: Point) -> Point:
    """A point without its window."""
    return {key: value for key, value in point.items() if key != WINDOW}


def pooled(outcomes: Sequence[Outcome], days_per_year: int) -> Outcome:
    """Several backtests, each from flat to flat, as one: their returns one after the other, compounded."""
    returns = np.concatenate([each.returns for each in outcomes])
    equity = compounded(float(outcomes[0].equity[0]), returns)
    counts = {
        name: sum(int(each.figures.get(name) or 0) for each in outcomes)
        for name in ("orders", "trades", "refusals")
    }
    figures: dict[str, Any] = {
        **counts,
        **figures_of(returns, days_per_year),
        "final_equity": float(equity[-1]),
    }
    return Outcome(returns, np.concatenate([each.days for each in outcomes]), equity, figures)


def compounded(start: float, returns: np.ndarray) -> np.ndarray:
    """What an amount becomes: shape (days,) to (days + 1,)."""
    return start * np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def figures_of(returns: np.ndarray, days_per_year: int) -> dict[str, float | None]:
    """The figures of a summary that follow from returns by day (so the drawdown is that of ends of days)."""
    equity = compounded(1.0, returns)
    return {
        "total_return": measures.total_return(equity),
        "cagr": measures.cagr(equity, days_per_year),
        "volatility": measures.volatility(returns, days_per_year),
        "sharpe": measures.sharpe(returns, days_per_year),
        "sortino": measures.sortino(returns, days_per_year),
        "max_drawdown": measures.max_drawdown(equity),
    }


def told(trials: Sequence[Trial], work: WalkWork) -> Iterator[Ran]:
    """These trials as the ledger is told of them, but not points that are no run.

    One that saw two pieces of the data saw another version of it: that without the days between.
    """
    from runs.trials import Ran  # noqa: PLC0415 - a worker tells nobody

    for trial in trials:
        if trial.status == REFUSED:
            continue
        config = work.space.config(bare(trial.point))
        market = market_of(config)
        window = work.windows[trial.point[WINDOW] - 1]
        legs = (window.test,) if work.tested else window.train
        version = market.version
        if not work.tested and window.without:
            version += f" without {window.without}"
        outcome = trial.outcome
        yield Ran(
            config_over(config, legs),
            market.symbols,
            version,
            KIND,
            outcome.returns,
            outcome.figures,
            outcome.error,
        )


def _opened(market: MarketData, leg: Leg) -> LegMarket:
    key = (f"{market.version} {market.symbols} {market.bar_types}", leg)
    if key not in _OPENED:
        while len(_OPENED) >= _KEPT:
            del _OPENED[next(iter(_OPENED))]
        _OPENED[key] = market_over(market, leg)
    return _OPENED[key]
