"""What comes out of one backtest among many: run in memory, without a run folder, over data that is read once?"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from backtests._engine import Backtest, Stages, run_backtest
from configs.edge import FAILED, one_line
from market.catalog import MarketData
from market.held import HeldMarket, held
from risk import measures
from runs.analysis import Analysis, analyse
from runs.places import place_of
from runs.prepare import Prepared, prepare
from runs.record import Recorder
from runs.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nautilus_trader.model import OrderInitialized

    from configs.schema import RunConfig
    from runs.prices import FloatArray, IntArray

__all__ = ["PASSED", "Decision", "Figures", "MarketData", "Outcome", "failed", "market_of", "run_trial"]

PASSED = "PASSED"
"""Verdict of an order that the gate let pass; of any other it is the code of the limit that refused it."""
_MARKETS_KEPT = 16
_OPENED: dict[
    tuple[object, ...], HeldMarket
] = {}  # what decides the data of a config -> that data, oldest first

type Figures = dict[str, float | int | str | None]
"""The scalars of runs.summary.Summary by name, money as float."""
type Decision = tuple[int, str, str, str, str, str | None, str]
"""(market time UTC ns, strategy, instrument, side, quantity, price or None, verdict) of one order asked for."""


@dataclass(frozen=True)
class Outcome:
    """What one backtest without a folder came to; picklable.

    returns: shape (days,), return of each session day, fractions (empty when equity fell to nothing); days: shape
    (days,), UTC ns of the last bar of each session day; equity: shape (days + 1,), amounts, starts with the starting
    equity. figures: the scalars of runs.summary.Summary by name, money as float. decisions: every order asked for, in
    order. error: why there is nothing else, in one line; None: the backtest came to its end. exit_code: that of
    `backtests run`, 2 where the config itself is refused.
    """

    returns: FloatArray = field(default_factory=lambda: np.empty(0))
    days: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    equity: FloatArray = field(default_factory=lambda: np.empty(0))
    figures: Figures = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    error: str | None = None
    exit_code: int = 0


def run_trial(
    config: RunConfig,
    market: MarketData,
    shares: Sequence[float] = (),
    goes_on: Callable[[Figures], bool] | None = None,
) -> Outcome:
    """Run one backtest in memory over `market` (of `market_of`); what goes wrong is the outcome's `error`.

    shares: after which shares of the data `goes_on` is asked, with the figures so far, whether to go on (the run is the
    same as without). A run that does not go on has the outcome of the data it saw. Never raises for an error of the
    strategy, of its config or of the data; KeyboardInterrupt passes.
    """
    recorder = _Decisions()

    def asked(done: Backtest) -> bool:
        return goes_on is None or goes_on(_figures(_analysis(config, done)))

    try:
        stages = Stages(tuple(shares), asked) if shares else None
        done = run_backtest(config, None, Prepared(config, market, recorder), stages=stages)
        return _outcome(_analysis(config, done), tuple(recorder.decisions))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - the edge of a trial: another's code ran, and Rust's panics are no Exception
        return failed(error)


def market_of(config: RunConfig) -> HeldMarket:
    """The market data of a config, opened once a process for all configs that ask for the same.

    Raises market.errors.DataError as `runs.prepare.prepare` does.
    """
    run = config.run
    key = (
        repr(config.data.model_dump()),
        config.symbols,
        config.bar,
        str(run.start),
        str(run.end),
        config.venue.currency,
    )
    if key not in _OPENED:
        while len(_OPENED) >= _MARKETS_KEPT:
            del _OPENED[next(iter(_OPENED))]
        _OPENED[key] = held(prepare(config).market)
    return _OPENED[key]


def failed(error: BaseException) -> Outcome:
    """The outcome of a trial that an error ended: told in one line, with its kind where it is not one of Keel's."""
    code = getattr(error, "exit_code", None)
    if isinstance(code, int):
        return Outcome(error=one_line(error), exit_code=code)
    said = f"{type(error).__name__}: {one_line(error)}{place_of(error)}"
    return Outcome(error=said, exit_code=FAILED)


class _Decisions(Recorder):
    """A recorder that also keeps what the gate was asked and what it said, in order."""

    def __init__(self) -> None:
        """An empty record."""
        super().__init__()
        self.decisions: list[Decision] = []

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """An order passed the gate."""
        self.decisions.append(_decision(ts, order, PASSED))
        super().approved(ts, order)

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """An order or a change of one was refused."""
        self.decisions.append(_decision(ts, order, reason.partition(":")[0]))
        super().refused(ts, order, reason)


def _decision(ts: int, order: OrderInitialized, verdict: str) -> Decision:
    price = order.trigger_price if order.price is None else order.price
    return (
        ts,
        str(order.strategy_id),
        str(order.instrument_id),
        order.order_side.name,
        str(order.quantity),
        None if price is None else str(price),
        verdict,
    )


def _analysis(config: RunConfig, done: Backtest) -> Analysis:
    data = config.data
    return analyse(done.record, zone=data.zone, days_per_year=data.days_per_year, until_ns=done.until_ns)


def _figures(analysis: Analysis) -> Figures:
    """The scalars of the summary that a run without a folder has."""
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in vars(summarise(analysis, "")).items()
        if name != "run_dir" and (value is None or isinstance(value, Decimal | float | int | str))
    }


def _outcome(analysis: Analysis, decisions: tuple[Decision, ...]) -> Outcome:
    by_day = analysis.by_day
    returns = measures.returns(by_day)
    return Outcome(
        returns=np.empty(0) if returns is None else returns,
        days=analysis.equity.ts[analysis.days],
        equity=by_day,
        figures=_figures(analysis),
        decisions=decisions,
    )
