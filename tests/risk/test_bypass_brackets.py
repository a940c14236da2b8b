"""Entries with children, and what is taken for a stop: a halt leaves protection in place, and nothing outlives it."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import Price, Quantity

from tests.driving import MODES, bars, drive
from tests.risk.attacks import BUY, SELL, Attacker

both_modes = pytest.mark.parametrize("mode", MODES)


class BracketByHand(Attacker):
    """What docs tell users of the sandbox to send instead of the engine's bracket."""

    closes = False

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            entry, stop, target = (
                self.market(BUY, 10),
                self.stop_at(SELL, 10, 80),
                self.resting(SELL, 10, 120),
            )
            self.submit_order_list(self.family(entry, stop, target))
        if n == 4 and self.closes:
            self.close_all_positions(self.iid)


class BracketClosed(BracketByHand):
    closes = True


@both_modes
def test_a_halt_leaves_stop_and_target_of_a_bracket_in_place(mode: str) -> None:
    """Only one of the two can fill, so together they close no more than is held."""
    driven = drive(mode, BracketByHand, bars([100.0, 100, 100, 95, 95]), risk={"max_drawdown_pct": 0.0001})
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]
    assert [row["status"] for row in driven.record.orders] == ["FILLED", "ACCEPTED", "ACCEPTED"]


@both_modes
def test_a_brackets_children_do_not_outlive_its_position(mode: str) -> None:
    rows = bars([100.0, 100, 100, 100, 130, 130])
    driven = drive(mode, BracketClosed, rows, risk={"allow_short": False})
    assert [row["status"] for row in driven.record.orders] == ["FILLED", "CANCELED", "CANCELED", "FILLED"]
    assert driven.desk.book.is_flat()


@both_modes
def test_a_bracket_that_fills_is_left_to_the_venue(mode: str) -> None:
    driven = drive(mode, BracketByHand, bars([100.0, 100, 100, 130, 130]), risk={"allow_short": False})
    assert [row["status"] for row in driven.record.orders] == ["FILLED", "CANCELED", "FILLED"]
    assert driven.record.notices == []
    assert driven.desk.book.is_flat()


class TakesProfitIfTouched(Attacker):
    """An order that sells at a better price has a trigger like a stop, and protects nothing."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 10))

    def on_order_filled(self, event: Any) -> None:
        if event.order_side == BUY:
            touched = self.order_factory.market_if_touched(self.iid, SELL, Quantity(10, 0), Price(110, 2))
            self.submit_order(touched)


@both_modes
def test_an_order_that_waits_for_a_better_price_is_no_stop(mode: str) -> None:
    rows = bars([100.0, 100, 100, 90, 90])
    driven = drive(
        mode, TakesProfitIfTouched, rows, risk={"default_stop_loss_pct": 0.05, "allow_short": False}
    )
    assert [(row["type"], row["status"]) for row in driven.record.orders] == [
        ("MARKET", "FILLED"), ("MARKET_IF_TOUCHED", "CANCELED"), ("STOP_MARKET", "FILLED"),
    ]  # fmt: skip
    assert driven.desk.book.is_flat()


class BringsNoStop(Attacker):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            touched = self.order_factory.market_if_touched(self.iid, SELL, Quantity(10, 0), Price(110, 2))
            self.submit_order_list([self.market(BUY, 10), touched])


@both_modes
def test_an_entry_that_brings_no_stop_is_refused(mode: str) -> None:
    driven = drive(mode, BringsNoStop, bars([100.0] * 4), risk={"require_stop_loss": True})
    assert driven.limits == ["NO_STOP_LOSS"] * 2
