"""What a stop leaves at the venue: entries are cancelled, protection stays, and what is left is said."""

from __future__ import annotations

import time
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from tests.driving import Scripted, bars, drive

pytestmark = pytest.mark.slow


class KeepsOrders(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(100)
        if n == 2:
            self.limit(OrderSide.BUY, 10, 50.0)
            self.submit_order(
                self.order_factory.stop_market(
                    self.iid, OrderSide.SELL, Quantity(100, 0), Price(60, 2), reduce_only=True
                )
            )
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("on_stop", "statuses", "left"),
    [
        ("leave", ["FILLED", "ACCEPTED", "ACCEPTED"], 3),
        ("cancel", ["FILLED", "CANCELED", "ACCEPTED"], 2),
        ("flatten", ["FILLED", "CANCELED", "CANCELED", "FILLED"], 0),
    ],
)
def test_a_stop_leaves_what_it_was_asked_to(on_stop: str, statuses: list[str], left: int) -> None:
    driven = drive("live", KeepsOrders, bars([100.0] * 2_000), run={"max_minutes": 0.1, "on_stop": on_stop})
    assert [order["status"] for order in driven.record.orders] == statuses
    assert len(driven.left) == left


def test_the_end_of_the_data_changes_nothing_at_the_venue() -> None:
    driven = drive("live", KeepsOrders, bars([100.0] * 5))
    assert [order["status"] for order in driven.record.orders] == ["FILLED", "ACCEPTED", "ACCEPTED"]
    assert len(driven.left) == 3
