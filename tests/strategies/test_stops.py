"""A stop lies on a tick, on the right side of the entry, and never further away than asked."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.stops import average_entry, stop_price

AVERAGES = st.decimals(Decimal("0.01"), Decimal(1_000_000), places=7)
DISTANCES = st.decimals(Decimal("0.0001"), Decimal("0.9999"), places=4)
TICKS = st.sampled_from([Decimal(text) for text in ("0.00001", "0.01", "0.05", "0.25", "1")])


@given(AVERAGES, DISTANCES, TICKS, st.booleans())
def test_the_stop_is_on_a_tick_within_the_distance(
    average: Decimal, distance: Decimal, tick: Decimal, is_long: bool
) -> None:
    price = stop_price(average, distance, tick, is_long=is_long)
    assert price >= tick
    assert Fraction(price) % Fraction(tick) == 0
    exact = Fraction(average) * (1 - Fraction(distance) if is_long else 1 + Fraction(distance))
    if price > tick:
        gap = Fraction(price) - exact if is_long else exact - Fraction(price)
        assert 0 <= gap < Fraction(tick)


def test_an_average_needs_a_fill() -> None:
    with pytest.raises(ValueError, match="no BUY fill"):
        average_entry([], is_long=True)
