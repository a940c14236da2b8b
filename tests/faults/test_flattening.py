"""What a halt was to close is closed in the end, or a person is called; and it is never closed twice."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    AccountId,
    ClientOrderId,
    InstrumentStatus,
    LiquiditySide,
    MarketStatusAction,
    OrderFilled,
    OrderSide,
    OrderType,
    Price,
    Quantity,
    TradeId,
    TraderId,
    VenueOrderId,
)

from tests.driving import USD, Driven, Scripted, drive, equity
from tests.faults.scenes import (
    HELD,
    HOLDS,
    HOUR,
    KINDS,
    MINUTE,
    MODES,
    SECOND,
    STEP,
    T0,
    Holds,
    OnQuotes,
    kinds_of,
    market,
    quote,
    told,
)

everywhere = pytest.mark.parametrize("mode", MODES)
on_both = pytest.mark.parametrize("kind", KINDS)
FLATTENS = {"max_drawdown_pct": 0.1, "on_trip": "flatten"}


def statuses(driven: Driven, order_type: str = "MARKET", side: str = "SELL") -> list[str]:
    return [o["status"] for o in driven.record.orders if (o["type"], o["side"]) == (order_type, side)]


def market_says(action: MarketStatusAction, ts: int) -> InstrumentStatus:
    """The exchange halts or goes on with trading."""
    return InstrumentStatus(equity().id, action, ts, ts)


def never_short(driven: Driven) -> bool:
    """Whether no fill ever made the position short."""
    held = Decimal(0)
    for fill in driven.record.fills:
        held += fill["quantity"] if fill["side"] == "BUY" else -fill["quantity"]
        if held < 0:
            return False
    return True


# -- fills after the halt ----------------------------------------------------------------------------------------------


class RestsOnQuotes(OnQuotes, Scripted):
    """Holds, and has a limit order of 300 below the market."""

    def at_bar(self, n: int, _update: Any) -> None:
        if n == 2:
            self.buy(HELD)
        if n == 8:
            self.limit(OrderSide.BUY, 300, 84)


@everywhere
@pytest.mark.parametrize("on_trip", ["cancel", "flatten"])
def test_an_order_whose_cancel_loses_the_race_is_in_the_book_and_flattened_with_the_rest(
    mode: str, on_trip: str
) -> None:
    """The venue takes 450 ms for every command.

    The trip cancels the limit order, which fills before the cancel is there. The book holds 1,300, nothing trips
    twice; `flatten` had not sent its close yet (it waits for the answers to its cancels), and closes 1,300 in one
    order. With `cancel` the position stays, larger than before.
    """
    prices = [100] * 12 + [85, 84.9, 84.8, *[83.9] * 3, *[83.8, 83.7] * 6]
    driven = drive(
        mode, RestsOnQuotes, market("quotes", prices, step=SECOND * 180 // 1000), kind="quotes",
        risk={**FLATTENS, "on_trip": on_trip}, venue={"latency_ms": 450, "speed": 1},
    )  # fmt: skip
    (trip,) = driven.record.trips
    late = [fill for fill in driven.record.fills if fill["quantity"] == 300]
    assert [fill["ts"] >= trip["ts"] for fill in late] == [True]
    seen = driven.strategies[0].events
    assert "OrderFilled" in seen[seen.index("OrderPendingCancel") :]
    assert [order["status"] for order in driven.record.orders if order["type"] == "LIMIT"] == ["FILLED"]
    closes = [fill["quantity"] for fill in driven.record.fills if fill["side"] == "SELL"]
    assert closes == ([Decimal(1_300)] if on_trip == "flatten" else [])
    assert driven.desk.book.is_flat() is (on_trip == "flatten")
    assert kinds_of(driven)[-1] == ("FLAT" if on_trip == "flatten" else "WARNING")


class FilledTooLate(Holds):
    """The venue says, after it confirmed the cancel and everything was flat, that the order was filled before."""

    def at_bar(self, n: int, update: Any) -> None:
        if n == 3:
            self.late = self.limit(OrderSide.BUY, 300, 50)
        if n == 2:
            self.buy(HELD)
        if n == 9:
            self.on_order_filled(self._fill(int(update.ts_event)))

    def _fill(self, ts: int) -> OrderFilled:
        return OrderFilled(
            TraderId("KEEL-001"), self.strategy_id, self.iid, ClientOrderId(str(self.late.client_order_id)),
            VenueOrderId("V-1"), AccountId("XNAS-001"), TradeId("T-1"), OrderSide.BUY, OrderType.LIMIT,
            Quantity(300, 0), Price(50, 2), USD, LiquiditySide.MAKER, UUID4(), ts, ts, False,  # noqa: FBT003
        )  # fmt: skip


class FilledTooLateOnQuotes(OnQuotes, FilledTooLate):
    pass


@everywhere
@on_both
def test_a_fill_told_after_all_was_flat_calls_a_person_and_is_closed_too(mode: str, kind: str) -> None:
    """Flattening is over, then a fill is told that nobody expected.

    The book takes it; flattening begins again and an ALARM says so. Here the engine has no such position: it refuses
    the close, which is said, and FLAT never is.
    """
    strategy = {"bars": FilledTooLate, "quotes": FilledTooLateOnQuotes}[kind]
    driven = drive(mode, strategy, market(kind, [100] * 3 + [85] * 12), kind=kind, risk=FLATTENS)
    seen = kinds_of(driven)
    assert seen[: seen.index("FLAT") + 1].count("ALARM") == 0
    after = seen[seen.index("FLAT") + 1 :]
    assert after[:2] == ["ALARM", "FLATTEN"]
    assert "was filled after the halt: look at the positions" in told(driven, "ALARM")[0]
    assert "FLAT" not in after
    assert any("close refused" in each for each in told(driven, "FLATTEN"))
    assert driven.desk.breakers.state.flattening


# -- a close that does not go through ----------------------------------------------------------------------------------


@everywhere
@on_both
@pytest.mark.parametrize("action", [MarketStatusAction.HALT, MarketStatusAction.PAUSE])
def test_a_close_that_is_rejected_is_tried_again_until_it_goes_through(
    mode: str, kind: str, action: MarketStatusAction
) -> None:
    """The exchange halts trading in the share while it falls, and rejects every order.

    Each rejection is said with the time of the next try, which comes later each time; when trading goes on it is
    closed, once, and flat is said.
    """
    rows: list[Any] = market(kind, [100] * 3 + [85 - 0.01 * n for n in range(14)], step=SECOND)
    until = T0 + (9 if kind == "bars" else 11) * SECOND
    rows += [market_says(action, T0 + 2 * SECOND + 1), market_says(MarketStatusAction.TRADING, until + 1)]
    rows.sort(key=lambda row: int(row.ts_event))
    driven = drive(mode, HOLDS[kind], rows, kind=kind, risk=FLATTENS)
    (trip,) = driven.record.trips
    again = [text.rpartition("; ")[2] for text in told(driven, "FLATTEN")[1:]]
    assert again == ["again in 1 s", "again in 2 s", "again in 4 s"]
    assert statuses(driven) == ["REJECTED", "REJECTED", "REJECTED", "FILLED"]
    assert kinds_of(driven)[-1] == "FLAT"
    assert driven.desk.book.is_flat()
    assert never_short(driven)
    assert driven.record.fills[-1]["ts"] == trip["ts"] + 7 * SECOND


@everywhere
def test_a_market_that_never_takes_the_close_ends_in_an_alarm(mode: str) -> None:
    """Rejected to the end of the data: after a minute a person is called, with what is held and why; again each minute.

    The state says that flattening is not done, so the next run knows.
    """
    rows: list[Any] = market("quotes", [100] * 3 + [85 - 0.01 * (n % 7) for n in range(150)], step=SECOND)
    rows.insert(4, market_says(MarketStatusAction.HALT, T0 + 3 * SECOND + 1))
    driven = drive(mode, HOLDS["quotes"], rows, kind="quotes", risk=FLATTENS)
    alarms = [n for n in driven.record.notices if n["kind"] == "ALARM"]
    trip = driven.record.trips[0]["ts"]
    assert [(n["ts"] - trip) // MINUTE for n in alarms] == [1, 2]
    assert all("not flat: +1000 AAPL.XNAS" in n["reason"] and "closes refused" in n["reason"] for n in alarms)
    assert "FLAT" not in kinds_of(driven)
    assert driven.desk.breakers.state.flattening


@everywhere
def test_a_close_that_fills_in_parts_is_one_close(mode: str) -> None:
    """The best price takes 100 of 1,000, the rest fills a cent lower: between the two fills no second close is sent."""
    prices = [100] * 3 + [85 - 0.01 * n for n in range(8)]
    rows = [
        quote(price, T0 + n * SECOND, size=100 if price < 100 else 10_000) for n, price in enumerate(prices)
    ]
    driven = drive(mode, HOLDS["quotes"], rows, kind="quotes", risk=FLATTENS)
    sold = [(fill["quantity"], fill["price"]) for fill in driven.record.fills if fill["side"] == "SELL"]
    assert sold == [(100, Decimal("84.97")), (900, Decimal("84.96"))]
    assert statuses(driven) == ["FILLED"]
    assert kinds_of(driven)[-1] == "FLAT"


@everywhere
def test_a_close_larger_than_the_engine_takes_goes_in_pieces(mode: str) -> None:
    """An order may be worth 1,010, so the engine denies whatever is worth ten times that, reductions too.

    A position of 25,500 is closed in three pieces; flat is said after the last, and none is sent twice.
    """
    rows = market("quotes", [100] * 31 + [85] * 8)
    limits = {"max_drawdown_pct": 0.04, "on_trip": "flatten", "max_order_notional": 1_010}
    driven = drive(mode, GrowsOnQuotes, rows, kind="quotes", risk=limits)
    sold = [fill["quantity"] for fill in driven.record.fills if fill["side"] == "SELL"]
    assert (len(sold), sum(sold)) == (3, 300)
    assert kinds_of(driven)[-1] == "FLAT"
    assert never_short(driven)


class GrowsOnQuotes(OnQuotes, Scripted):
    """Buys ten shares on each of 30 updates."""

    def at_bar(self, n: int, _update: Any) -> None:
        if 2 <= n <= 31:
            self.buy(10)


# -- a closed market ---------------------------------------------------------------------------------------------------


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


@everywhere
@on_both
def test_a_trip_while_the_market_is_closed_waits_for_it_to_open(mode: str, kind: str) -> None:
    """Bought at 15:58 in New York on 2024-01-02; prices of the evening fall by 15% and trip.

    The exchange is closed: that is said once, with the time it opens (and once more in the morning), and no order is
    sent. The first price after the open closes it.
    """
    evening = market(kind, [100, 100], start=at("2024-01-02T15:57:00-05:00"), step=MINUTE)
    evening += market(
        kind, [85 - 0.01 * n for n in range(12)], start=at("2024-01-02T18:00:00-05:00"), step=10 * MINUTE
    )
    early = market(kind, [84, 84], start=at("2024-01-03T09:00:00-05:00"), step=MINUTE)
    morning = market(kind, [83, 83.01, 83.02], start=at("2024-01-03T09:30:00-05:00"), step=MINUTE)
    driven = drive(
        mode, HOLDS[kind], evening + early + morning, kind=kind, risk={**FLATTENS, "trading_hours": "XNYS"}
    )
    (trip,) = driven.record.trips
    assert trip["ts"] < at("2024-01-02T19:00:00-05:00")
    evenings, mornings = told(driven, "FLATTEN")[1:]
    assert evenings.endswith("XNYS is closed (since 16:00); opens 2024-01-03 09:30 EST")
    assert mornings.endswith("XNYS is closed (before the open); opens 2024-01-03 09:30 EST")
    (sold,) = [fill for fill in driven.record.fills if fill["side"] == "SELL"]
    assert sold["ts"] == at("2024-01-03T09:30:00-05:00")
    assert statuses(driven) == ["FILLED"]
    assert kinds_of(driven)[-1] == "FLAT"


def test_hours_are_hours() -> None:
    assert at("2024-01-03T09:30:00-05:00") - at("2024-01-02T15:30:00-05:00") == 18 * HOUR
    assert STEP["quotes"] == SECOND
