"""The published examples of both papers, the formulas done anew with scipy, and what they say of made-up luck."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runs.luck.sharpe import (
    Track,
    deflated_sharpe,
    expected_max_sharpe,
    min_track_record,
    probabilistic_sharpe,
)


def made(seed: int = 1, days: int = 500, mean: float = 0.0005) -> np.ndarray:
    """Returns with fat tails and a skew."""
    random = np.random.default_rng(seed)
    noise = random.standard_t(5, days) * 0.008 - (random.random(days) < 0.02) * 0.02
    return np.asarray(noise + mean)


# -- published numbers ----------------------------------------------------------------------------------------------


def test_the_example_of_the_deflated_sharpe_ratio() -> None:
    """Bailey & Lopez de Prado 2014: SR 2.5 a year of 250 days, 5 years, skew -3, kurtosis 10, V 1/2 a year."""
    track = Track(days=1250, sharpe=2.5 / math.sqrt(250), skewness=-3, kurtosis=10)
    variance = 0.5 / 250
    assert expected_max_sharpe(100, variance) == pytest.approx(0.1132, abs=5e-5)
    assert track.deflated(100, variance) == pytest.approx(0.9004, abs=5e-5)
    assert track.deflated(46, variance) == pytest.approx(0.9505, abs=5e-5)


def test_of_normal_returns_88_trials_would_have_been_as_good() -> None:
    """The same paper: with skew 0 and kurtosis 3 the threshold of 0.95 is passed after 88 trials, not 46."""
    normal = Track(days=1250, sharpe=2.5 / math.sqrt(250))
    assert normal.deflated(88, 0.5 / 250) == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_years_to_tell_a_sharpe_of_two_from_one(periods: int, years: float) -> None:
    """Bailey & Lopez de Prado 2012: daily, weekly and monthly returns that are normal, 95% confidence."""
    needed = Track(days=1, sharpe=2 / math.sqrt(periods)).days_needed(1 / math.sqrt(periods))
    assert needed is not None
    assert needed / periods == pytest.approx(years, abs=0.005)


def test_years_that_tails_like_those_of_hedge_funds_take() -> None:
    """The same paper: monthly, skew -0.72, kurtosis 5.78: 4.99 years."""
    needed = Track(1, 2 / math.sqrt(12), -0.72, 5.78).days_needed(1 / math.sqrt(12))
    assert needed is not None
    assert needed / 12 == pytest.approx(4.99, abs=0.005)


def test_the_example_of_the_probabilistic_sharpe_ratio() -> None:
    """The same paper: 24 months with a Sharpe of 0.458 a month: 0.982 were they normal, 0.913 as they are."""
    assert Track(24, 0.458).probability() == pytest.approx(0.982, abs=5e-4)
    assert Track(24, 0.458, -2.448, 10.164).probability() == pytest.approx(0.913, abs=5e-4)


# -- the formulas, done anew -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("benchmark", [0.0, 0.03, -0.02])
def test_probability_and_length_are_those_of_the_formulas_with_scipy(benchmark: float) -> None:
    returns = made()
    sharpe = returns.mean() / returns.std(ddof=1)
    skew, kurtosis = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    psr = stats.norm.cdf((sharpe - benchmark) * np.sqrt(len(returns) - 1) / np.sqrt(spread))
    assert probabilistic_sharpe(returns, benchmark) == pytest.approx(psr, rel=1e-12)
    needed = min_track_record(returns, benchmark, 0.9)
    if sharpe > benchmark:
        assert needed == pytest.approx(
            1 + spread * (stats.norm.ppf(0.9) / (sharpe - benchmark)) ** 2, rel=1e-12
        )
    else:
        assert needed is None


@pytest.mark.parametrize("trials", [2, 3, 10, 1_000, 10_000_000])
def test_the_expected_maximum_is_that_of_the_formula_with_scipy(trials: int) -> None:
    euler = float(np.euler_gamma)
    wanted = (1 - euler) * stats.norm.ppf(1 - 1 / trials) + euler * stats.norm.ppf(1 - 1 / (trials * math.e))
    assert expected_max_sharpe(trials, 4.0) == pytest.approx(2 * wanted, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("trials", [10, 100, 1_000])
def test_the_expected_maximum_is_about_that_of_normal_draws(trials: int) -> None:
    """The formula is the limit for many trials: of ten it is 2% high, of a hundred 1%."""
    draws = np.random.default_rng(7).standard_normal((4_000, trials)).max(axis=1)
    assert expected_max_sharpe(trials, 1.0) == pytest.approx(draws.mean(), rel=0.04)


def test_of_one_trial_the_deflated_ratio_is_the_probabilistic_one() -> None:
    returns = made()
    assert (
        deflated_sharpe(returns, 1, 0.3) == deflated_sharpe(returns, 1, None) == probabilistic_sharpe(returns)
    )


def test_an_unknown_variance_is_that_of_trials_without_skill() -> None:
    returns = made()
    assert deflated_sharpe(returns, 9, None) == deflated_sharpe(returns, 9, 1 / 499)


@given(st.integers(1, 500), st.integers(1, 500), st.floats(0, 0.01), st.floats(0, 0.01))
def test_more_trials_and_more_spread_never_make_it_surer(n: int, more: int, low: float, extra: float) -> None:
    track = Track(800, 0.06, -0.5, 6.0)
    first, second = track.deflated(n, low), track.deflated(n + more, low + extra)
    assert first is not None
    assert second is not None
    assert second <= first + 1e-12


def test_the_length_it_takes_is_the_length_at_which_it_is_sure() -> None:
    track = Track(300, 0.05, -0.4, 5.0)
    needed = track.days_needed(0.01, 0.95)
    assert needed is not None
    long = Track(round(needed), 0.05, -0.4, 5.0).probability(0.01)
    assert long == pytest.approx(0.95, abs=1e-4)


# -- made-up luck ----------------------------------------------------------------------------------------------------


def test_the_best_of_many_without_skill_passes_no_oftener_than_it_says() -> None:
    """100 trials with a true Sharpe of zero, 400 times: the best is 95% sure in about 5% of them, undeflated in all."""
    random = np.random.default_rng(11)
    passed = naive = 0
    for _ in range(400):
        returns = random.standard_normal((250, 100)) * 0.01
        sharpes = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
        best = returns[:, sharpes.argmax()]
        sure, undeflated = deflated_sharpe(best, 100, float(sharpes.var(ddof=1))), probabilistic_sharpe(best)
        assert sure is not None
        assert undeflated is not None
        passed += sure > 0.95
        naive += undeflated > 0.95
    assert passed / 400 <= 0.08
    assert naive / 400 > 0.95


def test_a_probability_of_a_true_zero_is_anything_alike() -> None:
    """Of single trials without skill the probabilistic Sharpe ratio is uniform."""
    random = np.random.default_rng(5)
    found = [probabilistic_sharpe(random.standard_t(6, 400) * 0.01) for _ in range(1_000)]
    assert stats.kstest([each for each in found if each is not None], "uniform").pvalue > 0.01


# -- edges -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "returns", [[], [0.01], [0.01, 0.02, 0.03], [0.01] * 50, [0.0] * 50, [0.1 + 1e-17] * 9]
)
def test_too_few_days_or_equal_ones_say_nothing(returns: list[float]) -> None:
    row = np.array(returns)
    assert probabilistic_sharpe(row) is None
    assert deflated_sharpe(row, 5, 0.1) is None
    assert min_track_record(row) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_return_that_is_no_number_is_named(bad: float) -> None:
    with pytest.raises(ValueError, match=r"returns\[2\]="):
        probabilistic_sharpe(np.array([0.01, 0.02, bad, 0.0, 0.01]))


def test_a_table_is_no_row() -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        probabilistic_sharpe(np.zeros((3, 2)))


@pytest.mark.parametrize("trials", [0, -3])
def test_less_than_one_trial_is_refused(trials: int) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        deflated_sharpe(made(), trials, 0.1)
    with pytest.raises(ValueError, match="must be 1 or more"):
        deflated_sharpe(np.zeros(3), trials, 0.1)


@pytest.mark.parametrize("variance", [-0.1, math.nan, math.inf])
def test_a_variance_that_is_none_is_refused(variance: float) -> None:
    with pytest.raises(ValueError, match="variance="):
        expected_max_sharpe(5, variance)


@pytest.mark.parametrize("confidence", [0.4, 1.0, 95])
def test_a_confidence_out_of_range_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence="):
        min_track_record(made(), 0.0, confidence)


def test_a_losing_record_is_never_long_enough() -> None:
    assert min_track_record(made(mean=-0.01)) is None


@given(st.floats(1e-6, 1e6), st.integers(0, 50))
def test_the_size_of_the_bets_changes_nothing(scale: float, seed: int) -> None:
    returns = made(seed, 60)
    one, other = probabilistic_sharpe(returns), probabilistic_sharpe(returns * scale)
    assert one == pytest.approx(other, rel=1e-9)


def test_tiny_and_huge_returns_are_still_told_apart() -> None:
    returns = made()
    for scale in (1e-150, 1e150):
        assert probabilistic_sharpe(returns * scale) == pytest.approx(probabilistic_sharpe(returns), rel=1e-9)
