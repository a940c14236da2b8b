"""CSCV beside a brute-force one written another way, on noise, on skill, and at its edges."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from runs.luck import overfitting
from runs.luck.overfitting import pbo


def noise(seed: int, days: int, trials: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((days, trials)) * 0.01


def brute_force(matrix: np.ndarray, blocks: int) -> tuple[float, list[float]]:
    """The recipe of the paper with pandas, a step at a time."""
    table = pd.DataFrame(matrix)
    parts = [table.iloc[rows] for rows in np.array_split(np.arange(len(table)), blocks)]
    logits = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = pd.concat([parts[number] for number in chosen])
        outside = pd.concat([parts[number] for number in range(blocks) if number not in chosen])
        best = int((inside.mean() / inside.std()).fillna(0.0).to_numpy().argmax())
        ranks = (outside.mean() / outside.std()).fillna(0.0).rank(method="average")
        share = ranks[best] / (len(ranks) + 1)
        logits.append(math.log(share / (1 - share)))
    return float(np.mean(np.array(logits) <= 0)), logits


@pytest.mark.parametrize(
    ("seed", "days", "trials", "blocks"), [(1, 120, 7, 6), (2, 101, 12, 8), (3, 64, 2, 4), (4, 333, 25, 10)]
)
def test_it_is_what_brute_force_finds(seed: int, days: int, trials: int, blocks: int) -> None:
    matrix = noise(seed, days, trials)
    found = pbo(matrix, blocks)
    assert found is not None
    probability, logits = brute_force(matrix, blocks)
    assert found.probability == pytest.approx(probability, abs=1e-12)
    np.testing.assert_allclose(found.logits, logits, rtol=1e-9, atol=1e-12)


def test_ties_take_their_average_rank() -> None:
    """Equal columns: each is as good as the others, in sample and out of it."""
    column = noise(5, 80, 1)
    matrix = np.hstack([column, column, column, noise(6, 80, 2)])
    found = pbo(matrix, 8)
    assert found is not None
    assert found.probability == pytest.approx(brute_force(matrix, 8)[0], abs=1e-12)
    same = pbo(np.hstack([column] * 4), 8)
    assert same is not None
    assert same.probability == 1.0  # never above the median
    np.testing.assert_allclose(same.logits, 0.0, atol=1e-15)


def test_trials_that_never_traded_have_a_sharpe_of_zero() -> None:
    matrix = np.hstack([noise(7, 160, 3), np.zeros((160, 2))])
    found = pbo(matrix, 8)
    assert found is not None
    assert found.probability == pytest.approx(brute_force(matrix, 8)[0], abs=1e-12)


def test_the_best_of_noise_is_above_the_median_half_the_time() -> None:
    found = [pbo(noise(seed, 400, 20), 10) for seed in range(60)]
    mean = np.mean([each.probability for each in found if each is not None])
    assert mean == pytest.approx(0.5, abs=0.06)


def test_real_skill_is_no_overfitting() -> None:
    matrix = noise(8, 1_000, 20)
    matrix[:, 3] += 0.004
    found = pbo(matrix)
    assert found is not None
    assert found.probability < 0.01
    assert found.loss_probability < 0.01
    assert (found.chosen == 3).mean() > 0.99
    assert len(found.logits) == math.comb(16, 8)


def test_luck_that_turns_is_overfitting() -> None:
    """Each trial earns in one block and loses as much in the next."""
    days, blocks = 160, 8
    matrix = noise(9, days, blocks) * 0.1
    for trial in range(blocks):
        matrix[trial * 20 : trial * 20 + 20, trial] += 0.02
        matrix[:, trial] -= 0.02 / blocks
    found = pbo(matrix, blocks)
    assert found is not None
    assert found.probability > 0.95
    assert found.loss_probability > 0.95


def test_sharpe_ratios_on_both_halves_are_those_of_the_days() -> None:
    matrix = noise(10, 100, 5) + 3.0  # a mean far from zero costs no digits
    found = pbo(matrix, 4)
    assert found is not None
    first = np.concatenate([matrix[:25], matrix[25:50]])[:, found.chosen[0]]
    assert found.in_sample[0] == pytest.approx(first.mean() / first.std(ddof=1), rel=1e-9)
    second = matrix[50:, found.chosen[0]]
    assert found.out_of_sample[0] == pytest.approx(second.mean() / second.std(ddof=1), rel=1e-9)


def test_in_parts_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = noise(11, 200, 30)
    whole = pbo(matrix, 8)
    monkeypatch.setattr(overfitting, "_AT_ONCE", 100)
    parts = pbo(matrix, 8)
    assert whole is not None
    assert parts is not None
    np.testing.assert_array_equal(whole.logits, parts.logits)


@pytest.mark.parametrize("shape", [(500, 1), (500, 0), (31, 5), (0, 3)])
def test_without_a_choice_or_without_days_it_is_undefined(shape: tuple[int, int]) -> None:
    assert pbo(np.zeros(shape)) is None


@pytest.mark.parametrize("blocks", [0, 1, 7, 22, -2])
def test_an_odd_number_of_blocks_is_refused(blocks: int) -> None:
    with pytest.raises(ValueError, match=f"blocks={blocks}: must be an even number"):
        pbo(noise(1, 100, 3), blocks)


def test_what_is_no_number_is_named() -> None:
    matrix = noise(1, 100, 3)
    matrix[40, 2] = math.nan
    with pytest.raises(ValueError, match=r"matrix\[40, 2\]=nan"):
        pbo(matrix)
    with pytest.raises(ValueError, match=r"must be \(days, trials\)"):
        pbo(matrix[:, 0])
