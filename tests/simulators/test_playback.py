"""The market of the local broker: to the end of the data and back, without a jump where it turns."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulators.broker.playback import Playback
from tests.driving import bars


@given(st.lists(st.integers(10, 99), min_size=1, max_size=12), st.integers(1, 60))
def test_prices_never_jump(closes: list[int], steps: int) -> None:
    playback = Playback(bars([float(close) for close in closes]))
    played = [playback.next()[0] for _ in range(steps)]
    assert all(before.close == after.open for before, after in pairwise(played))


@given(st.integers(0, 40))
def test_it_goes_on_where_it_was(at: int) -> None:
    rows = bars([1.0, 2.0, 3.0])
    one, again = Playback(rows), Playback(rows)
    for _ in range(at):
        one.next()
    again.at = one.at
    assert [one.next() for _ in range(7)] == [again.next() for _ in range(7)]
