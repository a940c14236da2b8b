"""Where anything is not known for certain nothing new is opened, and what reduces passes all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from risk.doubts import Doubts, Unknown
from risk.intents import Intent, IntentError
from tests.driving import MODES, Scripted, bars, drive

CLOSES = [100.0] * 12


class Shelf:
    """Puts intents on record until it breaks, as a full disk would."""

    def __init__(self, breaks_at: int) -> None:
        """`breaks_at`: how many commits succeed."""
        self.left = breaks_at
        self.kept: list[tuple[str, bool]] = []

    def commit(self, _ts: int, intents: Sequence[Intent]) -> None:
        self.left -= 1
        if self.left < 0 and any(intent.adds for intent in intents):
            raise IntentError("database or disk is full")
        self.kept += [(intent.order.order_side.name, intent.adds) for intent in intents]

    def problem(self) -> str | None:
        return "database or disk is full" if self.left < 0 else None


class BuysSellsBuys(Scripted):
    """Buys, sells a part, buys again, and leaves."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n in (1, 5):
            self.buy(10)
        elif n == 3:
            self.sell(4)
        elif n == 8:
            self.close_all_positions(self.iid)


def test_every_order_is_on_record_before_it_is_handed_on() -> None:
    shelf = Shelf(breaks_at=100)
    driven = drive("live", BuysSellsBuys, bars(CLOSES), intents=shelf)
    assert shelf.kept == [("BUY", True), ("SELL", False), ("BUY", True), ("SELL", False)]
    assert len(driven.record.fills) == 4


def test_where_nothing_can_be_recorded_nothing_is_opened_and_exits_pass() -> None:
    driven = drive("live", BuysSellsBuys, bars(CLOSES), intents=Shelf(breaks_at=1))
    assert [fill["side"] for fill in driven.record.fills] == ["BUY", "SELL", "SELL"]
    (refused,) = driven.record.refusals
    assert refused["limit"] == "JOURNAL"
    assert "disk is full" in refused["reason"]
    assert driven.desk.book.is_flat()


def test_an_order_whose_intent_fails_at_the_last_moment_is_not_sent() -> None:
    driven = drive("live", BuysSellsBuys, bars(CLOSES), intents=Shelf(breaks_at=0))
    assert driven.record.fills == []
    assert {row["limit"] for row in driven.record.refusals} == {"JOURNAL"}


class MeetsADoubt(Scripted):
    """Buys, comes into doubt about its instrument, tries to buy more and to sell, then the doubt ends."""

    def at_bar(self, n: int, _bar: Any) -> None:
        gate: Any = self
        doubts, iid = gate.desk.doubts, str(self.iid)
        if n in (1, 3, 7):
            self.buy(10)
        elif n == 2:
            doubts.block(Unknown("O-1", iid, "the socket dropped", 0))
        elif n == 4:
            self.sell(3)
        elif n == 6:
            assert doubts.resolve("O-1").instrument == iid
            assert doubts.resolve("O-1") is None


@pytest.mark.parametrize("mode", MODES)
def test_an_unknown_order_blocks_new_exposure_in_its_instrument_until_it_is_known(mode: str) -> None:
    driven = drive(mode, MeetsADoubt, bars(CLOSES))
    assert [fill["side"] for fill in driven.record.fills] == ["BUY", "SELL", "BUY"]
    (refused,) = driven.record.refusals
    assert refused["limit"] == "UNKNOWN_ORDER"


def test_a_doubt_is_about_its_own_instrument_alone() -> None:
    doubts = Doubts()
    doubts.block(Unknown("O-1", "AAPL.XNAS", "timed out", 0))
    doubts.freeze("MSFT.XNAS", "the venue holds 5, the journal explains 0")
    assert str(doubts.refuses("AAPL.XNAS")).startswith("UNKNOWN_ORDER: nobody knows what became of O-1")
    assert str(doubts.refuses("MSFT.XNAS")).startswith("FROZEN: the venue holds 5")
    assert doubts.refuses("IBM.XNYS") is None
