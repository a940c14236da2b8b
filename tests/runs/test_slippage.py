"""What does a fill cost against the price it was decided at?"""

from decimal import Decimal

import pytest

from runs.slippage import Slippage, slippage, together


@pytest.mark.parametrize(
    ("side", "decided", "filled", "cost"),
    [
        ("BUY", "100", "100.5", "5.0"),
        ("BUY", "100", "99.5", "-5.0"),
        ("SELL", "100", "99.5", "5.0"),
        ("SELL", "100", "100.5", "-5.0"),
    ],
)
def test_paying_more_and_getting_less_cost_something(side: str, decided: str, filled: str, cost: str) -> None:
    found = slippage(side, Decimal(10), Decimal(decided), Decimal(filled))
    assert (found.cost, found.decided) == (Decimal(cost), Decimal(1000))
    assert found.bps == pytest.approx(float(cost) * 10)


def test_an_inverse_contract_that_is_bought_dearer_costs_something_too() -> None:
    at_50_000, at_51_000 = Decimal(-1) / 50_000, Decimal(-1) / 51_000
    assert slippage("BUY", Decimal(1000), at_50_000, at_51_000).cost > 0
    assert slippage("SELL", Decimal(1000), at_50_000, at_51_000).cost < 0


def test_fills_together_are_weighted_by_their_value() -> None:
    small, large = Slippage(Decimal(1), Decimal(100)), Slippage(Decimal(1), Decimal(900))
    assert together([small, large]).bps == pytest.approx(20.0)


def test_nothing_decided_on_has_no_basis_points() -> None:
    assert together([]).bps is None
