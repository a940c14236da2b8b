"""Money that moves without an order: the owner's own changes no result, a dividend or a fee does, a split freezes."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.account import VenueFlow
from live._gatekeeper import OrderKeeper
from tests.driving import Scripted, bars, drive


class Holds(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.buy(100)


class Told:
    """A witness that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.alerts: list[str] = []
        self.orders: dict[str, Any] = {}

    def risk_event(self, _ts: int, kind: str, reason: str, _scope: str = "book") -> None:
        self.events.append(f"{kind}: {reason}")

    def alert(self, _ts: int, _level: str, _kind: str, text: str) -> None:
        self.alerts.append(text)


def flow(
    kind: str, amount: str, *, ts: int = 2**62, currency: str = "USD", shares: str | None = None
) -> VenueFlow:
    quantity = None if shares is None else Decimal(shares)
    return VenueFlow("1", kind, Decimal(amount), currency, "AAPL.XNAS", quantity, "executed", "told", ts)


def kept(since: int = 0) -> tuple[Any, Told, OrderKeeper]:
    desk = drive("live", Holds, bars([10.0] * 6)).desk
    told: Any = Told()
    past: Any = SimpleNamespace(owner_of=lambda _name: None)
    return desk, told, OrderKeeper(desk, told, past, since)


@pytest.mark.parametrize("kind", ["dividend", "fee", "interest"])
def test_what_the_account_earns_or_pays_is_profit_or_loss(kind: str) -> None:
    desk, told, keeper = kept()
    equity, start = desk.book.equity(), desk.breakers.state.day_start
    keeper.flow(flow(kind, "-12.5"))
    assert desk.book.equity() == equity - Decimal("12.5")
    assert desk.breakers.state.day_start == start
    assert told.events == [f"ACCOUNT_FLOW: {kind} of AAPL.XNAS: -12.50 USD (told, executed)"]


def test_money_of_the_owners_moves_the_references_along() -> None:
    desk, _, keeper = kept()
    equity, start = desk.book.equity(), desk.breakers.state.day_start
    keeper.flow(flow("transfer", "5000"))
    assert desk.book.equity() == equity + 5000
    assert desk.breakers.state.day_start > start
    assert not desk.breakers.halted


def test_what_the_run_began_with_is_not_counted_again() -> None:
    desk, told, keeper = kept(since=100)
    equity = desk.book.equity()
    keeper.flow(flow("dividend", "7", ts=99))
    assert (desk.book.equity(), told.events) == (equity, [])


def test_a_split_freezes_its_instrument_until_the_next_start() -> None:
    desk, told, keeper = kept()
    keeper.flow(flow("split", "0", shares="100"))
    assert "AAPL.XNAS" in desk.doubts.frozen
    assert "start again" in told.alerts[0]


def test_a_currency_without_a_rate_is_told_and_not_guessed() -> None:
    desk, told, keeper = kept()
    equity = desk.book.equity()
    keeper.flow(flow("dividend", "7", currency="CHF"))
    assert desk.book.equity() == equity
    assert "there is no rate of CHF" in told.events[0]
