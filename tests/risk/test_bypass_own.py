"""What Keel and the engine send by themselves goes out whatever a strategy did to its own methods, and only reduces."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.trading import Strategy

from tests.driving import MODES, PlainConfig, bars, drive
from tests.risk.attacks import BUY, SELL, Attacker

both_modes = pytest.mark.parametrize("mode", MODES)


class SwallowsEverything(Attacker):
    """Its own methods of sending and cancelling do nothing while it is in a bad mood."""

    moody = False

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 10))
            self.submit_order(self.resting(BUY, 1, 50))
        if n == 2:
            self.moody = True
            self.submit_order(self.market(BUY, 1))

    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        if not self.moody:
            super().submit_order(order, *args, **kwargs)

    def cancel_order(self, *args: Any, **kwargs: Any) -> None:
        if not self.moody:
            super().cancel_order(*args, **kwargs)

    def on_order_denied(self, _event: Any) -> None:
        raise KeyError("swallowed as well")


@both_modes
def test_a_strategy_that_swallows_orders_is_flattened_all_the_same(mode: str) -> None:
    """What Keel sends itself does not go through what a strategy made of its methods."""
    rows = bars([100.0, 100, 80, 80, 80])
    driven = drive(
        mode, SwallowsEverything, rows, risk={"max_drawdown_pct": 0.001, "on_trip": "flatten"},
        run={"on_strategy_error": "ignore"},
    )  # fmt: skip
    assert driven.desk.book.is_flat()
    assert driven.desk.book.orders == {}
    assert [row["status"] for row in driven.record.orders if row["reduce_only"]] == ["FILLED"]
    assert [row for row in driven.record.notices if row["kind"] == "FLAT"]


class StopsManaged(PlainConfig):
    """The engine cancels and closes everything of this strategy before it stops."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__new__(cls, *args, **kwargs, manage_stop=True)  # type: ignore[call-arg] # the engine's


class IsManaged(Attacker):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.submit_order(self.market(BUY, 10))
        if n == 3:
            self.submit_order(self.resting(SELL, 10, 110))

    def on_market_exit(self) -> None:
        self.submit_order(self.market(BUY, 500))

    def post_market_exit(self) -> None:
        self.submit_order(self.market(BUY, 500))


@both_modes
def test_a_managed_stop_closes_and_its_callbacks_open_nothing(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tests.driving  # noqa: PLC0415 - for its config alone

    def spec(one: type[Strategy]) -> dict[str, str]:
        return {
            "strategy_path": f"{one.__module__}:{one.__qualname__}",
            "config_path": f"{__name__}:StopsManaged",
        }

    monkeypatch.setattr(tests.driving, "_spec", spec)
    driven = drive(mode, IsManaged, bars([100.0] * 5), risk={"max_position_notional": 5_000})
    assert driven.record.trips == []
    assert set(driven.limits) == {"MAX_POSITION_NOTIONAL"}
    assert [row["quantity"] for row in driven.record.fills] == [10, 10]
