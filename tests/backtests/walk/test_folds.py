"""Windows over days, written out by hand, and purged splits by property."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.windows.folds import Fold, Span, folds_of
from backtests.windows.purged import purged_splits
from backtests.windows.settings import (
    WalkSettings,
    holdout_settings,
    session_days,
    walk_settings,
)
from configs.errors import ConfigError

type Written = list[tuple[list[tuple[int, int]], tuple[int, int]]]


def written(folds: tuple[Fold, ...]) -> Written:
    """[([(first, end) of each piece of train], (first, end) of test)]."""
    return [
        ([(one.first, one.end) for one in fold.train], (fold.test.first, fold.test.end)) for fold in folds
    ]


def folds(days: int, **keys: object) -> Written:
    return written(folds_of(days, WalkSettings.model_validate(keys), 252))


def test_rolling_windows() -> None:
    assert folds(10, train=4, test=2) == [([(0, 4)], (4, 6)), ([(2, 6)], (6, 8)), ([(4, 8)], (8, 10))]


def test_anchored_windows() -> None:
    assert folds(10, kind="anchored", train=4, test=2) == [
        ([(0, 4)], (4, 6)),
        ([(0, 6)], (6, 8)),
        ([(0, 8)], (8, 10)),
    ]


def test_an_embargo_lies_between_train_and_test_and_tests_leave_no_gap() -> None:
    assert folds(10, train=3, test=3, embargo=1) == [([(0, 3)], (4, 7)), ([(3, 6)], (7, 10))]
    assert folds(10, kind="anchored", train=3, test=3, embargo=1) == [([(0, 3)], (4, 7)), ([(0, 6)], (7, 10))]


def test_what_is_left_makes_a_window_from_half_a_test_on() -> None:
    assert [test for _, test in folds(12, train=4, test=4)] == [(4, 8), (8, 12)]
    assert [test for _, test in folds(14, train=4, test=4)] == [(4, 8), (8, 12), (12, 14)]
    assert [test for _, test in folds(13, train=4, test=4)] == [(4, 8), (8, 12)]


def test_purged_folds() -> None:
    assert folds(9, kind="purged_kfold", folds=3) == [
        ([(3, 9)], (0, 3)),
        ([(0, 3), (6, 9)], (3, 6)),
        ([(0, 6)], (6, 9)),
    ]
    # A label that reaches one day beyond its own: day 2 knows day 3, and day 5 of the test knows day 6.
    assert folds(9, kind="purged_kfold", folds=3, purge=1, embargo=1) == [
        ([(5, 9)], (0, 3)),
        ([(0, 2), (8, 9)], (3, 6)),
        ([(0, 5)], (6, 9)),
    ]


@given(
    st.integers(2, 300),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(0, 20),
    st.sampled_from(["rolling", "anchored"]),
)
def test_no_window_is_chosen_on_days_of_its_test_or_later(
    days: int, train: int, test: int, embargo: int, kind: str
) -> None:
    settings = WalkSettings.model_validate({"train": train, "test": test, "embargo": embargo, "kind": kind})
    try:
        found = folds_of(days, settings, 252)
    except ConfigError:
        assert days < train + embargo + max(1, test * 0.5)
        return
    for fold in found:
        (only,) = fold.train
        assert only.end + embargo == fold.test.first
        assert only.days >= train
        assert fold.test.end <= days
    ends = [(fold.test.first, fold.test.end) for fold in found]
    assert all(one[1] == other[0] for one, other in pairwise(ends))


@st.composite
def spans(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, int]:
    steps = draw(st.lists(st.integers(0, 5), min_size=2, max_size=60))
    starts = np.cumsum(steps)
    lengths = draw(st.lists(st.integers(0, 12), min_size=len(steps), max_size=len(steps)))
    return starts, starts + lengths, draw(st.integers(2, min(8, len(steps)))), draw(st.integers(0, 10))


@given(spans())
def test_no_label_of_a_train_overlaps_one_of_its_test(made: tuple[np.ndarray, np.ndarray, int, int]) -> None:
    starts, ends, folds, embargo = made
    tested: list[int] = []
    for train, test in purged_splits(starts, ends, folds, embargo):
        tested += test.tolist()
        first, last = starts[test].min(), ends[test].max()
        for each in train:
            assert ends[each] < first or starts[each] > last + embargo
            for other in test:
                assert ends[each] < starts[other] or ends[other] < starts[each]
        for each in set(range(len(starts))) - set(train.tolist()) - set(test.tolist()):
            assert ends[each] >= first, "left out without need"
            assert starts[each] <= last + embargo, "left out without need"
    assert tested == list(range(len(starts)))


def test_without_spans_and_embargo_purged_splits_are_plain_k_fold() -> None:
    days = np.arange(10)
    for train, test in purged_splits(days, days, 5):
        assert sorted([*train, *test]) == days.tolist()
        assert len(test) == 2


@pytest.mark.parametrize(
    ("starts", "ends", "folds", "embargo", "said"),
    [
        ([0, 1, 2], [0, 1], 2, 0, "one shape"),
        ([0, 1], [0, 1], 1, 0, "folds=1"),
        ([0, 1], [0, 1], 3, 0, "only 2 samples"),
        ([0, 1], [0, 1], 2, -1, "embargo=-1"),
        ([0, 1], [0, 0], 2, 0, "sample 1"),
        ([1, 0], [1, 1], 2, 0, "ascend"),
    ],
)
def test_spans_that_make_no_sense_are_refused(
    starts: list[int], ends: list[int], folds: int, embargo: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        list(purged_splits(np.array(starts), np.array(ends), folds, embargo))


@pytest.mark.parametrize(
    ("length", "days"), [(10, 10), ("10", 10), ("10d", 10), ("3y", 756), ("6m", 126), ("1m", 21)]
)
def test_lengths(length: int | str, days: int) -> None:
    assert session_days(length, 252) == days


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("walk.trian=3", "did you mean walk.train?"),
        ("walk.train=0", "walk.train=0: must be a number of session days"),
        ("walk.test=two", "walk.test=two: must be"),
        ("walk.kind=rollin", "walk.kind=rollin: must be rolling, anchored or purged_kfold"),
        ("walk.metric=sharp", "walk.metric=sharp"),
        ("walk.folds=3", "walk.folds has no meaning with walk.kind=rolling"),
        ("walk.embargo=-1", "walk.embargo=-1: must be"),
        ("walk.workers=0", "walk.workers=0: must be"),
        ("walk.direction=up", "must be maximize or minimize"),
    ],
)
def test_a_wrong_key_costs_one_line(word: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        walk_settings([word])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_keys_of_another_kind_are_refused() -> None:
    for word in ("walk.train=10", "walk.metric=win_rate"):
        with pytest.raises(ConfigError):
            walk_settings(["walk.kind=purged_kfold", word])


def test_too_few_days_are_told() -> None:
    with pytest.raises(ConfigError, match="100 session days, a first window takes 1,008"):
        folds(100)
    with pytest.raises(ConfigError, match="leave nothing to choose on in fold 1"):
        folds(20, kind="purged_kfold", folds=2, purge=20)


def test_keys_of_a_hold_out_may_be_short() -> None:
    settings, rest = holdout_settings(
        ["start=2010-01-01", "reason=all: good", "strategy=ema_cross", "holdout.again=true"]
    )
    assert (str(settings.start), settings.reason, settings.again) == ("2010-01-01", "all: good", True)
    assert rest == ["strategy=ema_cross"]


def test_spans_count_their_days() -> None:
    assert Span(3, 7).days == 4
