"""The stationary bootstrap beside `arch`'s, its block length, and whether its intervals hold what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap, optimal_block_length
from hypothesis import given
from hypothesis import strategies as st

from risk import measures
from runs.luck.bootstrap import (
    Interval,
    block_length,
    interval,
    intervals,
    max_drawdowns,
    resampled,
    sharpes,
)


def series(seed: int, days: int, memory: float = 0.0) -> np.ndarray:
    """An autoregressive series of first order."""
    noise = np.random.default_rng(seed).standard_normal(days)
    made = np.empty(days)
    made[0] = noise[0]
    for day in range(1, days):
        made[day] = memory * made[day - 1] + noise[day]
    return made * 0.01


@pytest.mark.parametrize("memory", [-0.3, 0.0, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("days", [500, 1_000, 3_270])
def test_the_block_length_is_that_of_arch(days: int, memory: float) -> None:
    """`arch` divides autocovariances by variances of overlapping parts, which moves a borderline one of few days."""
    made = series(days, days, memory)
    theirs = max(float(optimal_block_length(made)["stationary"].iloc[0]), 1.0)
    assert block_length(made) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(("block", "memory"), [(1, 0.0), (8, 0.6)])
def test_the_intervals_are_those_of_arch(block: int, memory: float) -> None:
    made = series(3, 600, memory) + 0.0005
    ours = intervals(made, (sharpes, max_drawdowns), block=block, resamples=8_000)
    theirs = StationaryBootstrap(block, made, seed=np.random.default_rng(8)).apply(
        lambda row: np.array([sharpes(row[None, :])[0], max_drawdowns(row[None, :])[0]]), 8_000
    )
    for own, column in zip(ours, theirs.T, strict=True):
        assert own is not None
        low, high = np.quantile(column, [0.05, 0.95])
        width = high - low
        assert own.low == pytest.approx(low, abs=0.04 * width)
        assert own.high == pytest.approx(high, abs=0.04 * width)


def test_blocks_are_as_long_as_asked_and_go_round_the_end() -> None:
    index = np.concatenate(list(resampled(50, 5.0, 4_000, 1)))
    assert index.shape == (4_000, 50)
    assert index.min() == 0
    assert index.max() == 49
    follows = (index[:, 1:] - index[:, :-1]) % 50 == 1
    # A new block begins with probability 1/5, and one in fifty of those by chance with the next day.
    assert follows.mean() == pytest.approx(0.8 + 0.2 / 50, abs=0.005)
    assert np.bincount(index.ravel(), minlength=50).std() / 4_000 < 0.05  # every day as often as any other
    assert (np.diff(index, axis=1) == -49).any()


@given(st.integers(10, 60), st.integers(1, 5), st.integers(0, 5))
def test_every_draw_is_a_day(days: int, block: int, seed: int) -> None:
    index = np.concatenate(list(resampled(days, block, 7, seed)))
    assert index.shape == (7, days)
    assert ((index >= 0) & (index < days)).all()


def test_the_same_returns_have_the_same_interval_to_the_bit() -> None:
    made = series(4, 400)
    assert interval(made, sharpes) == interval(made, sharpes)
    assert interval(made, sharpes) != interval(made, sharpes, seed=2)
    assert intervals(made, (sharpes, max_drawdowns))[1] == interval(made, max_drawdowns)


def test_a_90_percent_interval_of_the_sharpe_ratio_holds_the_truth_about_90_percent_of_the_time() -> None:
    true, held = 0.08, 0
    for seed in range(300):
        made = series(1_000 + seed, 250) + true * 0.01
        found = interval(made, sharpes, resamples=300)
        assert found is not None
        held += found.low <= true <= found.high
    assert held / 300 == pytest.approx(0.90, abs=0.05)


def test_with_memory_blocks_hold_what_single_days_would_not() -> None:
    """Of returns that trend, single days make too narrow an interval, blocks of the chosen length a right one."""
    single = blocks = 0
    for seed in range(150):
        made = series(5_000 + seed, 400, 0.4)
        alone, whole = (interval(made, sharpes, resamples=200, block=each) for each in (1.0, None))
        assert alone is not None
        assert whole is not None
        single += alone.low <= 0 <= alone.high
        blocks += whole.low <= 0 <= whole.high
    assert single / 150 < 0.80
    assert blocks / 150 > 0.82


@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=30))
def test_statistics_are_those_of_risk_measures(returns: list[float]) -> None:
    row = np.array(returns)
    values = np.concatenate([[1.0], np.cumprod(1 + row)])
    drawdown = measures.max_drawdown(values)
    assert drawdown is not None
    assert max_drawdowns(row[None, :])[0] == pytest.approx(drawdown, abs=1e-12)
    sharpe = measures.sharpe(row, 1)
    own = sharpes(row[None, :])[0]
    assert math.isnan(own) if sharpe is None else own == pytest.approx(sharpe, rel=1e-9)


def test_everything_lost_is_a_drawdown_of_one() -> None:
    assert max_drawdowns(np.array([[0.1, -1.5, 0.5]]))[0] == 1.0


def test_a_run_that_never_traded_has_no_drawdown_and_no_sharpe() -> None:
    assert interval(np.zeros(100), sharpes) is None
    assert interval(np.zeros(100), max_drawdowns) == Interval(0.0, 0.0)
    assert block_length(np.zeros(100)) == 1.0
    assert block_length(np.full(100, 0.1)) == 1.0


def test_too_few_days_have_no_interval() -> None:
    assert intervals(series(1, 9), (sharpes, max_drawdowns)) == [None, None]
    assert interval(series(1, 10), max_drawdowns) is not None
    assert interval(np.array([]), sharpes) is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"level": 0.0}, "level=0.0"),
        ({"level": 90}, "level=90"),
        ({"resamples": 0}, "resamples=0"),
        ({"block": 0.5}, "block=0.5"),
    ],
)
def test_what_is_out_of_range_is_refused(arguments: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        interval(series(1, 50), sharpes, **arguments)  # type: ignore[arg-type]


def test_a_return_that_is_no_number_is_refused() -> None:
    made = series(1, 50)
    made[7] = math.nan
    with pytest.raises(ValueError, match=r"returns\[7\]=nan"):
        interval(made, sharpes)
