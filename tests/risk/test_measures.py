"""Do the measures give the numbers of a hand calculation, and never a NaN, whatever they are given?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from risk import measures

# 100 -> 110 (+10%) -> 99 (-10%) -> 118.8 (+20%): three periods.
VALUES = np.array([100.0, 110.0, 99.0, 118.8])
RETURNS = np.array([0.10, -0.10, 0.20])

anything = st.floats(allow_nan=True, allow_infinity=True, width=64)
any_array = arrays(np.float64, st.integers(0, 12), elements=anything)
amounts = arrays(np.float64, st.integers(2, 30), elements=st.floats(0.01, 1e12))


def test_returns_are_measured_from_the_value_before() -> None:
    found = measures.returns(VALUES)
    assert found is not None
    assert found == pytest.approx(RETURNS)


def test_total_return_is_growth_from_first_to_last() -> None:
    assert measures.total_return(VALUES) == pytest.approx(0.188)


def test_cagr_compounds_to_the_total_return() -> None:
    """Three quarters at 4 a year: 1.188 ** (4 / 3) - 1."""
    assert measures.cagr(VALUES, 4) == pytest.approx(1.188 ** (4 / 3) - 1)


def test_a_total_loss_is_a_growth_of_minus_one() -> None:
    assert measures.cagr(np.array([100.0, 50.0, 0.0]), 252) == -1.0


def test_equity_below_zero_has_no_growth_rate() -> None:
    assert measures.cagr(np.array([100.0, 50.0, -1.0]), 252) is None
    assert measures.total_return(np.array([100.0, 50.0, -1.0])) == pytest.approx(-1.01)


def test_volatility_is_the_sample_deviation_annualised() -> None:
    """Mean 0.2 / 3; squared deviations 1/900, 1/36, 16/900 sum to 42/900; over n - 1 = 2: 21/900."""
    assert measures.volatility(RETURNS, 4) == pytest.approx(math.sqrt(21 / 900) * 2)


def test_sharpe_is_mean_over_deviation_annualised() -> None:
    assert measures.sharpe(RETURNS, 4) == pytest.approx((0.2 / 3) / math.sqrt(21 / 900) * 2)


def test_sortino_averages_the_downside_over_all_periods() -> None:
    """One loss of 0.1 in three periods: downside sqrt(0.01 / 3)."""
    assert measures.sortino(RETURNS, 4) == pytest.approx((0.2 / 3) / math.sqrt(0.01 / 3) * 2)


def test_drawdown_is_a_positive_share_of_the_peak_before() -> None:
    found = measures.drawdowns(VALUES)
    assert found is not None
    assert found == pytest.approx([0.0, 0.0, 0.1, 0.0])
    assert measures.max_drawdown(VALUES) == pytest.approx(0.1)


def test_a_loss_from_the_start_is_a_drawdown() -> None:
    assert measures.max_drawdown(np.array([100.0, 80.0, 90.0])) == pytest.approx(0.2)


def test_exposure_is_the_average_share_of_equity() -> None:
    gross = np.array([0.0, 55.0, 198.0, 0.0])
    found = measures.exposures(gross, VALUES)
    assert found is not None
    assert found == pytest.approx([0.0, 0.5, 2.0, 0.0])
    assert measures.exposure(gross, VALUES) == pytest.approx(0.625)


def test_turnover_is_value_traded_a_year_over_average_equity() -> None:
    """Average equity 106.95; 213.9 traded in half a year is 4 times a year."""
    assert measures.turnover(213.9, VALUES, 0.5) == pytest.approx(4.0)


def test_win_rate_does_not_count_a_trade_that_came_out_even() -> None:
    assert measures.win_rate(np.array([10.0, 0.0, -5.0, 3.0])) == 0.5


def test_profit_factor_is_profits_over_losses() -> None:
    assert measures.profit_factor(np.array([10.0, 0.0, -5.0, 3.0])) == pytest.approx(2.6)
    assert measures.profit_factor(np.array([-5.0])) == 0.0


@pytest.mark.parametrize(
    "found",
    [
        measures.returns(np.array([100.0, 0.0, 100.0])),
        measures.total_return(np.array([100.0])),
        measures.total_return(np.array([0.0, 100.0])),
        measures.cagr(np.array([1.0, 1e300]), 252),
        measures.volatility(np.array([0.1]), 252),
        measures.sharpe(np.array([0.0, 0.0, 0.0]), 252),
        measures.sharpe(np.array([0.1, 0.1, 0.1]), 252),
        measures.sortino(np.array([0.1, 0.0, 0.2]), 252),
        measures.drawdowns(np.array([])),
        measures.drawdowns(np.array([-1.0, 1.0])),
        measures.exposure(np.array([1.0]), np.array([0.0])),
        measures.turnover(1.0, np.array([100.0]), 0.0),
        measures.win_rate(np.array([])),
        measures.profit_factor(np.array([])),
        measures.profit_factor(np.array([5.0])),
    ],
)
def test_what_is_undefined_is_none(found: object) -> None:
    assert found is None


@given(any_array, any_array, st.sampled_from([1, 252, 365]))
def test_no_measure_is_ever_nan_or_infinite(values: Any, others: Any, periods: int) -> None:
    gross = np.resize(others, len(values)) if len(others) else np.zeros(len(values))
    for found in (
        measures.returns(values),
        measures.total_return(values),
        measures.cagr(values, periods),
        measures.volatility(values, periods),
        measures.sharpe(values, periods),
        measures.sortino(values, periods),
        measures.drawdowns(values),
        measures.max_drawdown(values),
        measures.exposures(gross, values),
        measures.exposure(gross, values),
        measures.turnover(1e300, values, 1e-300),
        measures.win_rate(values),
        measures.profit_factor(values),
    ):
        assert found is None or np.isfinite(found).all()


@given(amounts)
def test_drawdown_of_positive_equity_lies_between_zero_and_one(values: Any) -> None:
    deepest = measures.max_drawdown(values)
    assert deepest is not None
    assert 0 <= deepest < 1
    assert (deepest == 0) == bool((np.diff(values) >= 0).all())


@given(amounts, st.floats(0.001, 1000.0))
def test_drawdown_does_not_depend_on_the_currency(values: Any, rate: float) -> None:
    assert measures.max_drawdown(values * rate) == pytest.approx(measures.max_drawdown(values), abs=1e-9)


@given(arrays(np.float64, st.integers(2, 30), elements=st.floats(1.0, 10_000.0)))
def test_returns_compound_to_the_total_return(values: Any) -> None:
    fractions = measures.returns(values)
    assert fractions is not None
    assert measures.total_return(values) == pytest.approx(
        float(np.prod(1 + fractions)) - 1, rel=1e-6, abs=1e-6
    )


@given(arrays(np.float64, st.integers(2, 30), elements=st.floats(-0.5, 0.5)))
def test_sharpe_and_sortino_have_the_sign_of_the_average_return(fractions: Any) -> None:
    for ratio in (measures.sharpe(fractions, 252), measures.sortino(fractions, 252)):
        if ratio is not None:
            assert math.copysign(1, ratio) == math.copysign(1, float(np.mean(fractions))) or ratio == 0
