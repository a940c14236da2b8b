"""Who is told of an order or a fill, and in which order?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from adapters.account import VenueFill, VenueOrder
from adapters.tracking import Listeners, OrderBook, Tracked

ORDER = VenueOrder(
    client_order_id=None, venue_order_id="L-1", instrument="AAPL.XNAS", side="BUY", type="MARKET",
    quantity=Decimal(5), filled=Decimal(0), average_price=None, price=None, trigger_price=None, tif="GTC",
    status="ACCEPTED", reduce_only=False, ts=1,
)  # fmt: skip
FILL = VenueFill(
    trade_id="T-1", client_order_id=None, venue_order_id="L-1", instrument="AAPL.XNAS", side="BUY",
    quantity=Decimal(5), price=Decimal(100), commission=Decimal(0), currency="USD", liquidity="TAKER", ts=2,
)  # fmt: skip


class Told:
    """Keeps what was told to whom: the engine through a voice, or the gatekeeper."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.book = OrderBook(
            Listeners(
                foreign=lambda order: Tracked(
                    voice=self, own=False, client_order_id=order.client_order_id, instrument=order.instrument,
                    side=order.side, quantity=order.quantity, venue_order_id=order.venue_order_id, last=order,
                ),
                foreign_order=lambda order: self.said.append(f"gatekeeper: order {order.status}"),
                foreign_fill=lambda fill: self.said.append(f"gatekeeper: fill {fill.trade_id}"),
                own_fill=lambda fill: self.said.append(f"gatekeeper: own fill {fill.trade_id}"),
                missing=lambda _tracked: self.said.append("asked: missing"),
                stray=lambda fill: self.said.append(f"asked: {fill.trade_id}"),
                risen=lambda order: self.said.append(f"risen {order.venue_order_id}"),
            )
        )  # fmt: skip

    def live(self, _tracked: Tracked, _ts: int) -> None:
        self.said.append("engine: live")

    def filled(self, _tracked: Tracked, fill: VenueFill) -> None:
        self.said.append(f"engine: fill {fill.trade_id}")

    def changed(self, _tracked: Tracked, _news: VenueOrder) -> None:
        self.said.append("engine: changed")

    def ended(self, _tracked: Tracked, news: VenueOrder) -> None:
        self.said.append(f"engine: {news.status}")

    def rejected(self, reason: str, _ts: int) -> None:
        self.said.append(f"engine: rejected {reason}")


@pytest.fixture
def told() -> Told:
    return Told()


def test_the_gatekeeper_knows_a_stranger_s_order_before_the_engine_hears_of_it(told: Told) -> None:
    """Else the engine's first event of it looks like an order that went around the gate, and halts."""
    told.book.order(ORDER)
    assert told.said == ["gatekeeper: order ACCEPTED", "engine: live"]


def test_the_same_news_again_is_told_to_nobody(told: Told) -> None:
    told.book.order(ORDER)
    told.book.order(ORDER)
    assert told.said == ["gatekeeper: order ACCEPTED", "engine: live"]


def test_a_fill_of_an_order_nobody_has_heard_of_is_asked_for_and_counts_once(told: Told) -> None:
    told.book.fill(FILL)
    assert told.said == ["asked: T-1"]
    told.said.clear()
    filled = replace(ORDER, filled=Decimal(5), status="FILLED", ts=2)
    told.book.bundle(filled, [FILL])
    told.book.fill(FILL)
    assert told.said == [
        "gatekeeper: order FILLED",
        "gatekeeper: fill T-1",
        "engine: live",
        "engine: fill T-1",
    ]
