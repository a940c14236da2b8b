"""Stops, turns and warm-up of the shipped strategies are the same in a backtest and in the live sandbox."""

import pytest

from tests.parity.test_parity import assert_same, both

PERIOD = ["run.start=2004-06-01", "run.end=2007-06-01"]
OPEN = [
    "strategy.direction=both",
    "risk.allow_short=true",
    "risk.max_position_pct=0.5",
    "risk.max_leverage=2",
]


@pytest.mark.parametrize("strategy", ["ema_cross", "bollinger_reversion"])
@pytest.mark.parametrize("sizing", ["fixed", "percent_of_equity", "volatility_target", "risk_to_stop"])
def test_stops_and_turns_agree_with_every_sizing(strategy: str, sizing: str) -> None:
    own = [f"strategy={strategy}", f"strategy.sizing={sizing}", "strategy.stop_loss_pct=0.04"]
    backtest, live = both([*own, *OPEN, *PERIOD, "instruments=[AAPL,IBM]"])
    assert_same(backtest, live)
    stopped = [order for order in backtest.orders if order["type"] == "STOP_MARKET"]
    assert {"FILLED", "CANCELED"} <= {order["status"] for order in stopped}
    assert {fill["side"] for fill in backtest.fills} == {"BUY", "SELL"}
