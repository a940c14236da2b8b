"""What did a walk-forward come to: out of sample, beside what it had promised in sample, and how steady was the choice?

Sources:
  Pardo, The Evaluation and Optimization of Trading Strategies, 2nd ed., 2008, chapter 11 (walk-forward efficiency).
  Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 7.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.windows.work import bare, compounded, figures_of
from risk import measures
from runs.benchmark import buy_and_hold
from runs.days import day_ends
from runs.luck.figures import Luck, luck_of
from runs.prices import read_prices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backtests.points import Point
    from backtests.search.space import Space
    from backtests.search.work import Trial
    from backtests.windows.legs import Legs
    from configs.load import Axis
    from market.market_data import MarketData
    from runs.luck.figures import Trials
    from runs.prices import FloatArray, IntArray


@dataclass(frozen=True)
class Window:
    """One window: its days, the trial that was best in sample (None: none had a score), and that one's test.

    moved: how far its point lies from that of the window before, from 0 (the same) to 1 (`distance`); None in the
    first and where there is none to compare.
    """

    number: int
    legs: Legs
    best: Trial | None
    tested: Trial | None
    moved: float | None

    @property
    def returns(self) -> FloatArray:
        """Out of sample: shape (test days,), zeros where nothing was chosen."""
        return np.zeros(self.legs.test.days) if self.tested is None else self.tested.outcome.returns


@dataclass(frozen=True)
class Walked:
    """A finished walk-forward.

    days, returns, benchmark: shape (days,), of the stitched tests: UTC ns of the last bar of each session day, and
    returns of the choice and of buy-and-hold, fractions. efficiency: annualised mean return out of sample over that of
    the chosen points in sample (Pardo 2008), None where the latter is not above zero.
    """

    windows: tuple[Window, ...]
    days: IntArray
    returns: FloatArray
    benchmark: FloatArray
    annual_in_sample: float | None
    annual_out_of_sample: float
    luck: Luck
    days_per_year: int
    starting: float
    grid: Mapping[str, tuple[Any, ...]]
    """Swept key -> the values it could take."""

    @property
    def efficiency(self) -> float | None:
        """Walk-forward efficiency."""
        base = self.annual_in_sample
        return self.annual_out_of_sample / base if base is not None and base > 0 else None

    @property
    def points(self) -> list[Point]:
        """The chosen points, a window each; windows without one left out."""
        return [bare(each.best.point) for each in self.windows if each.best is not None]

    @property
    def figures(self) -> dict[str, float | None]:
        """Of the stitched returns."""
        return figures_of(self.returns, self.days_per_year)

    @property
    def stability(self) -> dict[str, Any]:
        """changes: boundaries at which the best point became another; mean_move: of all boundaries (`distance`)."""
        points = self.points
        counts = Counter(name_of(point) for point in points)
        moves = [each.moved for each in self.windows if each.moved is not None]
        often = max(points, key=lambda point: counts[name_of(point)], default=None)
        return {
            "boundaries": max(len(points) - 1, 0),
            "changes": sum(one != other for one, other in pairwise(points)),
            "mean_move": float(np.mean(moves)) if moves else None,
            "distinct_points": len(counts),
            "most_often": often,
            "most_often_windows": counts[name_of(often)] if often is not None else 0,
        }


def distance(one: Point, other: Point, axes: Mapping[str, Axis]) -> float:
    """How far two points lie from each other: 0 the same, 1 at opposite ends of every swept key.

    On a key with numbers it is how many values of its list lie between them, as a share of the list; on one with words
    it is 0 or 1. The mean over the keys that have more than one value.
    """
    steps = []
    for key, axis in axes.items():
        places = list(axis.values)
        if len(places) < 2:  # noqa: PLR2004 - a single value cannot move
            continue
        numbers = not axis.group and all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in places
        )
        if numbers:
            ordered = sorted(set(places))
            apart = abs(ordered.index(one[key]) - ordered.index(other[key]))
            steps.append(apart / max(len(ordered) - 1, 1))
        else:
            steps.append(float(one[key] != other[key]))
    return float(np.mean(steps)) if steps else 0.0


def walked(  # noqa: PLR0913 - what a walk is made of
    windows: Sequence[tuple[Legs, Trial | None, Trial | None]],
    space: Space,
    market: MarketData,
    *,
    days_per_year: int,
    starting: float,
    trials: Trials | None,
) -> Walked:
    """Put windows, each with the best of its train and that one's test, together.

    market: all of the data; starting: equity at the start; trials: what the ledger has counted.
    """
    axes = dict(zip(space.keys, space.axes, strict=True))
    found: list[Window] = []
    for number, (legs, best, tested) in enumerate(windows, start=1):
        before = found[-1].best if found else None
        moved = (
            None if best is None or before is None else distance(bare(before.point), bare(best.point), axes)
        )
        found.append(Window(number, legs, best, tested, moved))
    returns = np.concatenate([each.returns for each in found])
    days, benchmark = _held(market, found, starting)
    inside = [each.best.outcome.returns for each in found if each.best is not None]
    return Walked(
        windows=tuple(found),
        days=days,
        returns=returns,
        benchmark=benchmark,
        annual_in_sample=float(np.concatenate(inside).mean()) * days_per_year if inside else None,
        annual_out_of_sample=float(returns.mean()) * days_per_year,
        luck=luck_of(returns, days_per_year, trials),
        days_per_year=days_per_year,
        starting=starting,
        grid={key: axis.values for key, axis in axes.items()},
    )


def document(result: Walked) -> dict[str, Any]:
    """The result as JSON: counts are integers, ratios fractions, undefined is null."""
    out = result.figures
    benchmark = figures_of(result.benchmark, result.days_per_year)
    return {
        "out_of_sample": {"days": len(result.returns), **out},
        "buy_and_hold": benchmark,
        "annual_return_in_sample": result.annual_in_sample,
        "annual_return_out_of_sample": result.annual_out_of_sample,
        "walk_forward_efficiency": result.efficiency,
        "stability": result.stability,
        **{name: value for name, value in asdict(result.luck).items() if name != "track_record_days"},
        "windows": [_row(each, result.days_per_year) for each in result.windows],
    }


def _row(window: Window, days_per_year: int) -> dict[str, Any]:
    train, test = window.legs.train, window.legs.test
    best = window.best
    inside = None if best is None else best.outcome
    outside = figures_of(window.returns, days_per_year)
    return {
        "window": window.number,
        "train": [{"start": leg.start, "end": leg.end, "days": leg.days} for leg in train],
        "test": {"start": test.start, "end": test.end, "days": test.days},
        "point": None if best is None else bare(best.point),
        "moved": window.moved,
        "score_in_sample": None if best is None else best.score,
        "sharpe_in_sample": None if inside is None else measures.sharpe(inside.returns, days_per_year),
        "sharpe_out_of_sample": outside["sharpe"],
        "return_out_of_sample": outside["total_return"],
        "max_drawdown_out_of_sample": outside["max_drawdown"],
        "trades_out_of_sample": 0 if window.tested is None else window.tested.outcome.figures.get("trades"),
    }


def _held(market: MarketData, windows: Sequence[Window], starting: float) -> tuple[IntArray, FloatArray]:
    """The stitched session days, and the returns of buy-and-hold on them: bought at the first close of the first."""
    tests = [each.legs.test for each in windows]
    whole = replace(market, start_ns=tests[0].start_ns, end_ns=tests[-1].end_ns)
    prices = read_prices(whole)
    ts = np.unique(np.concatenate([own.ts for own in prices.values()]))
    ends = day_ends(ts, market.zone)
    held = measures.returns(np.concatenate([[starting], buy_and_hold(starting, prices, ts)[ends]]))
    return ts[ends], np.zeros(len(ends)) if held is None else held


def name_of(point: Point) -> str:
    """`fast=5, slow=30`."""
    return ", ".join(f"{key.rpartition('.')[2]}={value}" for key, value in point.items())


def equity_of(result: Walked) -> tuple[FloatArray, FloatArray]:
    """Stitched equity and buy-and-hold, each shape (days + 1,), amounts."""
    return compounded(result.starting, result.returns), compounded(result.starting, result.benchmark)
