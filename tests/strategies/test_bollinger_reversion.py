"""The Bollinger reversion on thirteen years of shipped prices trades exactly where the formula turns."""

from typing import Any

import pytest
from pydantic import ValidationError

from strategies.bollinger_reversion import BollingerReversion, BollingerReversionConfig
from tests.strategies.bare import bars, given, run
from tests.strategies.textbook import bollinger_opinions, orders, shipped_closes


@pytest.mark.parametrize("direction", ["long", "short", "both"])
@pytest.mark.parametrize("rsi_period", [None, 14])
def test_it_trades_where_the_price_stretches_and_returns(direction: str, rsi_period: int | None) -> None:
    closes = shipped_closes("MSFT").round(2)
    parameters: dict[str, Any] = {"rsi_period": rsi_period, "direction": direction, "sizing": "fixed"}
    config = BollingerReversionConfig(
        **given(), **parameters, period=20, width=2.0, rsi_low=35.0, rsi_high=65.0
    )
    told = run(BollingerReversion(config), bars(closes.tolist())).told
    expected = orders(bollinger_opinions(closes, 20, 2.0, rsi_period, 35.0, 65.0), direction)
    assert [order[:3] for order in told] == expected
    assert len(expected) > 20
    assert {order[4] for order in told} == {"filled"}


def test_an_index_that_can_never_be_both_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^rsi_low=70\.0 must be below rsi_high=60\.0$"):
        BollingerReversionConfig(**given(), rsi_low=70, rsi_high=60)


@pytest.mark.parametrize(
    "parameters",
    [{"period": 1}, {"width": 0}, {"width": 11}, {"rsi_period": 1}, {"rsi_low": -1}, {"rsi_high": 101}],
)
def test_a_parameter_out_of_its_range_is_refused_by_name(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(parameters))):
        BollingerReversionConfig(**given(), **parameters)
