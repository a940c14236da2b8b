"""Do the pictures of a report tell what the numbers say?"""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live._report_scale import MOST_POINTS, Scale, held, thinned, ticks, time_ticks
from tests.live.reported import NEW_YORK, new_york

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)


@given(NUMBERS, NUMBERS, st.integers(2, 10))
def test_ticks_are_few_lie_inside_and_go_up(low: float, high: float, most: int) -> None:
    if high - low < 1e-3:
        return
    found = ticks(low, high, most)
    margin = (high - low) * 1e-9 + 1e-9
    assert 1 <= len(found) <= most + 1
    assert all(low - margin <= each <= high + margin for each in found)
    assert all(after > before for before, after in pairwise(found))


def test_ticks_are_round() -> None:
    assert ticks(95_345, 113_046, 5) == [100_000, 105_000, 110_000]
    assert ticks(-0.03, 0.0, 3) == [-0.03, -0.02, -0.01, 0.0]


def test_a_scale_of_one_value_puts_it_in_the_middle() -> None:
    assert Scale(5.0, 5.0, 0.0, 100.0).at(5.0) == 50.0


@pytest.mark.parametrize(
    ("start", "end", "first"),
    [
        ("2010-05-06 09:30", "2010-05-06 16:00", "10:00"),
        ("2010-05-03 09:30", "2010-05-07 16:00", "May 4"),
        ("2010-05-03 09:30", "2010-05-28 16:00", "May 6"),
        ("2000-03-01 16:00", "2013-03-01 16:00", "Jan 2002"),
    ],
)
def test_moments_on_the_axis_are_round_and_few(start: str, end: str, first: str) -> None:
    found = time_ticks(new_york(start), new_york(end), NEW_YORK, 10)
    assert 2 <= len(found) <= 11
    assert found[0][1] == first
    assert all(new_york(start) <= ts <= new_york(end) for ts, _ in found)


@given(st.integers(0, 4_000_000_000), st.integers(1, 1_000_000_000))
def test_every_span_has_an_axis(start: int, secs: int) -> None:
    nanos = 1_000_000_000
    found = time_ticks(start * nanos, (start + secs) * nanos, "UTC", 10)
    assert len(found) <= 12
    assert all(datetime.fromtimestamp(ts // nanos, UTC).year >= 1970 for ts, _ in found)


def test_a_thinned_line_keeps_its_ends_and_its_extremes() -> None:
    line = [(ts, float(ts % 97)) for ts in range(50_000)]
    line[31_234] = (31_234, -5.0)
    line[40_001] = (40_001, 500.0)
    found = thinned(line)
    assert len(found) <= MOST_POINTS + 2
    assert (found[0], found[-1]) == (line[0], line[-1])
    assert {line[31_234], line[40_001]} <= set(found)


def test_over_a_long_pause_the_value_is_kept() -> None:
    line = [(0, 1.0), (10, 2.0), (20, 3.0), (500, 9.0), (510, 8.0)]
    assert held(line) == [(0, 1.0), (10, 2.0), (20, 3.0), (499, 3.0), (500, 9.0), (510, 8.0)]
