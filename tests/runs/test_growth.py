"""Does a deposit count as no gain, and does a step that nothing explains?"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.growth import Flow, Point, growth


def _points(*amounts: str) -> list[Point]:
    return [Point(place * 10, Decimal(amount)) for place, amount in enumerate(amounts)]


def test_without_flows_growth_is_equity_over_what_it_began_with() -> None:
    grown = growth(_points("100", "110", "99"), [])
    assert grown is not None
    assert grown == pytest.approx([1.0, 1.1, 0.99])


def test_a_deposit_is_no_gain_and_a_withdrawal_no_loss() -> None:
    points = _points("100", "150", "132", "82")
    flows = [Flow(10, Decimal(50)), Flow(25, Decimal(-50))]
    assert growth(points, flows) == pytest.approx([1.0, 1.0, 0.88, 0.88])


def test_a_flow_belongs_to_the_step_it_came_in_and_one_at_the_first_point_to_none() -> None:
    assert growth(_points("100", "100"), [Flow(0, Decimal(30))]) == pytest.approx([1.0, 1.0])
    assert growth(_points("100", "130"), [Flow(10, Decimal(30))]) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("points", [[], _points("0", "10"), _points("100", "-5", "10")])
def test_growth_from_nothing_is_not_known(points: list[Point]) -> None:
    assert growth(points, []) is None


RATES = st.decimals("-0.4", "0.6", places=3)
PAID = st.decimals(0, 1_000, places=2)


@given(st.lists(st.tuples(RATES, PAID), min_size=1, max_size=20))
def test_whatever_is_paid_in_growth_is_what_the_money_earned(steps: list[tuple[Decimal, Decimal]]) -> None:
    points, flows, earned = [Point(0, Decimal(100))], [], [1.0]
    for place, (rate, paid) in enumerate(steps, start=1):
        flows.append(Flow(place * 10 - 3, paid))
        points.append(Point(place * 10, points[-1].equity * (1 + rate) + paid))
        earned.append(earned[-1] * float(1 + rate))
    assert growth(points, flows) == pytest.approx(earned)
