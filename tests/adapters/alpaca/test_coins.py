"""What Alpaca takes of the coins that were bought is told once, with its fill, however that was learned."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.account import VenueFill, VenuePosition
from adapters.alpaca._coins import Coins

PAIR = "BTC/USD.ALPACA"


def fill(trade_id: str, quantity: str, side: str = "BUY") -> VenueFill:
    size = Decimal(quantity)
    return VenueFill(trade_id, "O", "1", PAIR, side, size, Decimal(50_000), Decimal(0), "USD", "UNKNOWN", 1)


def held(quantity: str) -> list[VenuePosition]:
    return [VenuePosition(PAIR, Decimal(quantity), Decimal(50_000))]


def begun(quantity: str = "0") -> Coins:
    coins = Coins()
    coins.learned((), held(quantity))
    return coins


def test_a_buy_that_was_asked_for_costs_what_the_position_lacks_and_is_charged_once() -> None:
    coins, bought = begun("1"), fill("a", "1")
    assert coins.unseen([bought])
    for _ in range(2):  # told again, it has the same fee
        (told,) = coins.learned((bought,), held("1.9975"), all_told=True)
        assert (told.commission, told.currency) == (Decimal("0.0025"), "BTC")
    assert not coins.unseen([bought])
    heard = coins.charged(fill("b", "2"), {"position_qty": "3.9925"})
    assert heard.commission == Decimal("0.005")


def test_two_buys_share_what_is_missing() -> None:
    told = begun().learned((fill("a", "1"), fill("b", "3"), fill("c", "2", "SELL")), held("1.99"))
    assert [each.commission for each in told] == [Decimal("0.0025"), Decimal("0.0075"), 0]


def test_many_small_fees_add_up_to_what_was_taken_but_for_one_step() -> None:
    coins, there, told = begun(), Decimal(0), Decimal(0)
    for number in range(40):
        there += Decimal("0.0000015") * Decimal("0.9975")
        heard = coins.charged(fill(str(number), "0.0000015"), {"position_qty": str(there)})
        told += heard.commission
        assert 0 <= told - (Decimal("0.0000015") * (number + 1) - there) < Decimal("1E-8")


@pytest.mark.parametrize("now", ["1", "1.5", "0.98", "0"])
def test_what_is_no_fee_is_not_charged(now: str) -> None:
    (told,) = begun().learned((fill("a", "1"),), held(now))
    assert (told.commission, told.currency) == (Decimal(0), "USD")


def test_fills_from_before_the_first_look_have_no_fee_here() -> None:
    coins, old = Coins(), fill("a", "1")
    assert not coins.unseen([old])
    (told,) = coins.learned((old,), held("0.9975"))
    assert told.commission == 0
    (new,) = coins.learned((fill("b", "1"),), held("1.995"))
    assert new.commission == Decimal("0.0025")


def test_a_fill_that_was_heard_is_not_charged_again_when_it_is_asked_for() -> None:
    coins = begun()
    assert coins.charged(fill("a", "1"), {"position_qty": "0.9975"}).commission == Decimal("0.0025")
    assert not coins.unseen([fill("a", "1")])
    (told,) = coins.learned((fill("a", "1"),), held("0.9975"), all_told=True)
    assert told.commission == Decimal("0.0025")


def test_a_position_that_holds_a_later_fill_already_does_not_make_the_fees_wrong() -> None:
    coins = begun()
    (first,) = coins.learned((fill("a", "1"),), held("1.995"))  # with that of the second, not told yet
    assert first.commission == 0
    second = coins.charged(fill("b", "1"), {"position_qty": "1.995"})
    assert second.commission == Decimal("0.005")
