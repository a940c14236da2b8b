"""The EMA cross on thirteen years of shipped prices trades exactly where the formula turns."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from strategies.ema_cross import EmaCross, EmaCrossConfig
from tests.strategies.bare import bars, given, run
from tests.strategies.textbook import ema_opinions, orders, shipped_closes


@pytest.mark.parametrize("direction", ["long", "short", "both"])
@pytest.mark.parametrize(("fast", "slow"), [(20, 50), (3, 10)])
def test_it_trades_where_the_averages_cross(direction: str, fast: int, slow: int) -> None:
    closes = shipped_closes("AAPL").round(2)
    parameters: dict[str, Any] = {"fast": fast, "slow": slow, "direction": direction, "sizing": "fixed"}
    config = EmaCrossConfig(**given(), **parameters, quantity=Decimal(1))
    told = run(EmaCross(config), bars(closes.tolist())).told
    expected = orders(ema_opinions(closes, fast, slow), direction)
    assert [order[:3] for order in told] == expected
    assert len(expected) > 20
    assert {order[4] for order in told} == {"filled"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fast": 50, "slow": 50}, r"^fast=50 must be below slow=50$"),
        ({"sizing": "risk_to_stop"}, r"^sizing=risk_to_stop needs stop_loss_pct, .*$"),
        ({"bar_types": []}, r"^1 instrument_ids but 0 bar_types: give one for each$"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused_in_one_line(
    parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        EmaCrossConfig(**{**given(), **parameters})


@pytest.mark.parametrize(
    "parameters",
    [
        {"fast": 0}, {"slow": 1}, {"fast": "two"}, {"direction": "up"}, {"sizing": "all_in"}, {"quantity": 0},
        {"size_pct": 5}, {"size_pct": -1}, {"stop_loss_pct": 1}, {"risk_pct": 0}, {"volatility_bars": 1},
        {"bars_per_year": 0}, {"max_size_pct": 21}, {"size_pct": float("nan")},
    ],
)  # fmt: skip
def test_a_parameter_out_of_its_range_is_refused_by_name(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(parameters))):
        EmaCrossConfig(**given(), **parameters)


def test_a_fraction_given_as_a_float_is_what_was_written() -> None:
    parameters: dict[str, Any] = {"size_pct": 0.1}
    assert EmaCrossConfig(**given(), **parameters).sizing.size_pct == Decimal("0.1")
