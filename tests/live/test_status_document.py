"""The status document says what the desk knows, what is missing is null, and looking changes nothing."""

from __future__ import annotations

import random
import time
from decimal import Decimal
from typing import Any

from nautilus_trader.model import Bar, OrderSide

from journal.writer import Lag
from risk.breaker import Trip
from risk.doubts import Unknown
from tests.driving import T0, bars
from tests.live.standing import AT, Watched, row_of, told

BREAKERS = {"max_drawdown_pct": "0.2", "max_daily_loss_pct": "0.02", "max_daily_loss": 5_000}


def nothing(_strategy: Watched, _n: int) -> None:
    pass


def buys_at_two(strategy: Watched, n: int) -> None:
    if n == 2:
        strategy.buy(100)


def test_a_position_is_told_with_its_price_its_worth_and_its_gain() -> None:
    last = told(buys_at_two, bars([100, 100, 100, 107.5])).last
    assert last["positions"] == [
        {
            "strategy": "Watched-001",
            "instrument": "AAPL.XNAS",
            "quantity": "100",
            "average_price": "100",
            "mark": "107.5",
            "value": "10750",
            "unrealised_pnl": "750",
            "unrealised_pnl_pct": 0.075,
            "price_age_secs": 0.0,
            "opened": "2024-01-03T14:30:00.000+00:00",
        }
    ]
    assert (last["equity"], last["cash"], last["exposure"]) == ("100750", "90000", "10750")
    assert (last["day_start"], last["day_pnl"]) == ("100000", "750")
    assert last["leverage"] == round(10_750 / 100_750, 6)


def test_a_loss_is_told_as_drawdown_from_the_highest_equity() -> None:
    last = told(buys_at_two, bars([100, 100, 100, 110, 99])).last
    assert last["peak"] == "101000"
    assert last["equity"] == "99900"
    assert last["drawdown"] == round(1_100 / 101_000, 6)
    assert last["day_pnl"] == "-1100"


def test_limits_are_told_with_what_is_used_and_what_is_left() -> None:
    risk = {
        "max_leverage": 2,
        "max_position_pct": "0.4",
        "max_orders_per_day": 10,
        "max_gross_notional": 40_000,
    }
    last = told(buys_at_two, bars([100, 100, 100]), risk=risk).last
    leverage, share = row_of(last, "max_leverage"), row_of(last, "max_position_pct")
    assert (leverage["now"], leverage["limit"], leverage["left"], leverage["used"]) == (0.1, 2.0, 1.9, 0.05)
    assert (share["of"], share["now"], share["used"], share["left"]) == ("AAPL.XNAS", 0.1, 0.25, 0.3)
    money = row_of(last, "max_gross_notional")
    assert (money["now"], money["limit"], money["left"], money["unit"]) == ("10000", "40000", "30000", "USD")
    orders = row_of(last, "max_orders_per_day")
    assert (orders["now"], orders["limit"], orders["left"]) == (0, 10, 10)  # the order was sent a day before


def test_orders_of_today_and_positions_of_today_are_counted() -> None:
    risk = {"max_orders_per_day": 10, "max_new_positions_per_day": 2, "max_open_positions": 4}
    story = told(buys_at_two, bars([100, 100, 100]), risk=risk)
    at_two = story.documents[3]  # after the order of the second bar
    assert row_of(at_two, "max_orders_per_day")["now"] == 1
    assert row_of(at_two, "max_new_positions_per_day")["used"] == 0.5
    assert row_of(at_two, "max_open_positions")["left"] == 3


def test_working_orders_count_in_what_is_used_before_they_fill() -> None:
    def rests(strategy: Watched, n: int) -> None:
        if n == 2:
            strategy.limit(OrderSide.BUY, 100, 90.0)

    last = told(rests, bars([100, 100, 100]), risk={"max_leverage": 1}).last
    assert (last["exposure"], last["gross"]) == ("0", "10000")  # counted at the price it would be worth now
    (order,) = last["working"]
    assert (order["side"], order["type"], order["price"]) == ("BUY", "LIMIT", "90")
    assert (order["status"], order["left"], order["quantity"]) == ("ACCEPTED", "100", "100")
    assert order["age_secs"] == 86_400.0


def test_breakers_are_told_at_the_very_floor_where_they_trip() -> None:
    story = told(buys_at_two, bars([100, 100, 100, 120, 115]), risk=BREAKERS)
    floors = {(breaker, f"{floor.normalize():f}") for breaker, floor, _ in story.desk.breakers.floors()}
    shown = {(row["key"], row["at"]) for row in story.last["limits"] if row["at"] is not None}
    assert {at for _, at in shown} == {floor for _, floor in floors}
    assert row_of(story.last, "max_daily_loss")["now"] == "500"
    assert row_of(story.last, "max_drawdown_pct")["used"] == round(500 / 102_000 / 0.2, 4)


def test_a_strategys_own_breaker_is_told_in_its_own_scope() -> None:
    risk = {"overrides": [{"strategy": "Watched", "max_drawdown": 1_000}]}
    last = told(buys_at_two, bars([100, 100, 100, 98]), risk=risk).last
    own = row_of(last, "max_drawdown", "strategy:Watched-001")
    assert (own["now"], own["left"], own["used"], own["at"]) == ("200", "800", 0.2, "-1000")
    assert last["strategies"][0]["result"] == "-200"


def test_closed_trades_are_told_against_their_breakers() -> None:
    def loses_twice(strategy: Watched, n: int) -> None:
        if n in (2, 4):
            strategy.buy(10)
        if n in (3, 5):
            strategy.sell(10)

    risk = {"max_consecutive_losses": 5, "min_win_rate": "0.4", "performance_trades": 2}
    last = told(loses_twice, bars([100, 100, 99, 98, 97, 96]), risk=risk).last
    assert (
        row_of(last, "max_consecutive_losses")["now"],
        row_of(last, "max_consecutive_losses")["used"],
    ) == (2, 0.4)
    rate = row_of(last, "min_win_rate")
    assert (rate["now"], rate["at_least"], rate["left"]) == (0.0, True, -0.4)


def test_equity_without_a_price_is_null_and_says_why() -> None:
    def adopts(strategy: Watched) -> None:
        strategy.desk.book.adopt("EXTERNAL", "MSFT.XNAS", Decimal(5), None)

    rows = sorted([*bars([100, 100]), *bars([50, 50], "MSFT")[1:]], key=lambda bar: bar.ts_event)
    risk = {
        **BREAKERS,
        "max_leverage": 2,
        "max_position_pct": "0.5",
        "max_strategy_pct": "0.5",
        "min_cash_pct": "0.1",
    }
    story = told(nothing, rows, risk=risk, begin=adopts, symbols=("AAPL", "MSFT"))
    first = story.documents[0]
    assert [first[key] for key in ("equity", "exposure", "gross", "leverage", "day_pnl", "drawdown")] == [
        None
    ] * 6
    assert first["doubts"] == ["MSFT.XNAS has no trusted price, so equity is not known"]
    assert {row["key"]: row["now"] for row in first["limits"] if row["now"] is not None} == {}
    (position,) = first["positions"]
    assert (position["mark"], position["value"], position["unrealised_pnl"]) == (None, None, None)


def test_a_halt_is_told_with_its_reason_and_its_scope() -> None:
    def halts(strategy: Watched, n: int) -> None:
        if n == 2:
            strategy.desk.halt(Trip("OPERATOR", "OPERATOR: looks odd", T0, scope="strategy:Watched-001"))
        if n == 3:
            strategy.desk.halt(Trip("OPERATOR", "OPERATOR: all of it", T0))

    story = told(halts, bars([100, 100, 100, 100]))
    one = story.documents[3]
    assert one["state"] == "ACTIVE"
    assert one["halted_scopes"] == [{"scope": "strategy:Watched-001", "reason": "OPERATOR: looks odd"}]
    assert one["strategies"][0]["halted"] == "OPERATOR: looks odd"
    assert (story.last["state"], story.last["reason"]) == ("HALTED", "OPERATOR: all of it")


def test_a_price_that_is_not_believed_is_a_reason_for_reducing() -> None:
    story = told(buys_at_two, bars([100, 100, 100, 40]), risk={"untrusted_jump_pct": "0.25"})
    assert story.last["state"] == "REDUCING"
    assert "AAPL.XNAS jumped" in story.last["reason"]
    assert story.last["equity"] == "100000"  # as it was believed last


def test_an_order_that_waits_for_a_person_is_told_with_its_deadline_and_its_band() -> None:
    def asks(strategy: Watched) -> None:
        strategy.desk.approvals.assumed = False
        strategy.desk.decisions.asks_people = True

    risk = {"require_approval": True, "approval_timeout_mins": 3_000, "approval_band_pct": "0.02"}
    last = told(buys_at_two, bars([100, 100, 101]), risk=risk, begin=asks).last
    (held,) = last["held"]
    assert (held["side"], held["quantity"], held["price_when_held"], held["price_now"]) == (
        "BUY",
        "100",
        "100",
        "101",
    )
    assert (held["band_low"], held["band_high"]) == ("98", "102")
    assert held["left_secs"] == 3_000 * 60 - 86_400
    assert held["until"] == "2024-01-05T16:30:00.000+00:00"
    assert last["working"] == []


def test_an_order_nobody_knows_the_outcome_of_is_told() -> None:
    def loses_sight(strategy: Watched, n: int) -> None:
        if n == 2:
            order = strategy.limit(OrderSide.BUY, 7, 90.0)
            name = str(order.client_order_id)
            strategy.desk.doubts.block(Unknown(name, "AAPL.XNAS", "no answer within 5 s", T0))
            strategy.desk.doubts.freeze("MSFT.XNAS", "20 shares that no order explains")

    last = told(loses_sight, bars([100, 100, 100])).last
    (order,) = last["unknown"]
    assert (order["side"], order["quantity"], order["why"]) == ("BUY", "7", "no answer within 5 s")
    assert order["age_secs"] == 2 * 86_400.0
    assert last["frozen"] == [{"instrument": "MSFT.XNAS", "why": "20 shares that no order explains"}]


def test_the_age_of_data_counts_in_market_time_and_is_null_before_the_first() -> None:
    rows = [*bars([100, 101]), *bars([50, 51], "MSFT")[1:]]
    rows.sort(key=lambda bar: (bar.ts_event, str(bar.bar_type)))
    story = told(nothing, rows, symbols=("AAPL", "MSFT"))
    ages = [{row["instrument"]: row["age_secs"] for row in document["data"]} for document in story.documents]
    assert ages[0] == {"AAPL.XNAS": 0.0, "MSFT.XNAS": None}
    assert ages[-1] == {"AAPL.XNAS": 0.0, "MSFT.XNAS": 0.0}


def test_what_the_journal_says_of_itself_is_passed_on() -> None:
    documents: list[dict[str, Any]] = []

    def looks(strategy: Watched, _n: int) -> None:
        assert strategy.status is not None
        documents.append(strategy.status.document(AT, Lag(7, 1.25), "journal j: disk is full"))

    told(looks, bars([100]))
    assert documents[0]["journal"] == {"rows": 7, "secs": 1.25, "problem": "journal j: disk is full"}


def wild(seed: int, *, spread: float, step: int) -> list[Bar]:
    """Bars that rise and fall enough to leave their bands, raise the peak and trip, or just stay within them."""
    source, price, closes = random.Random(seed), 100.0, []  # noqa: S311 - a test's path, no secret
    for _ in range(250):
        price = max(5.0, price * (1 + source.gauss(spread / 10, spread)))
        closes.append(round(price, 2))
    return bars(closes, step=step)


MINUTE, DAY = 60_000_000_000, 86_400_000_000_000
PATHS = [
    (seed, spread, step)
    for seed in range(4)
    for spread, step in ((0.02, DAY), (0.02, MINUTE), (0.002, MINUTE))
]


def trades_now_and_then(strategy: Watched, n: int) -> None:
    if n % 40 == 2:
        strategy.buy(300)
    if n % 40 == 35:
        strategy.sell(300)


def test_looking_changes_nothing() -> None:
    for seed, spread, step in PATHS:
        risk = {**BREAKERS, "max_drawdown_pct": "0.12", "latch_daily_loss": False}
        rows = wild(seed, spread=spread, step=step)
        seen, unseen = (
            told(trades_now_and_then, rows, risk=risk, looked_at=looked) for looked in (True, False)
        )
        assert len(seen.documents) == 500
        assert unseen.documents == []
        assert seen.driven is not None
        assert unseen.driven is not None
        assert seen.driven.record.final_equity == unseen.driven.record.final_equity
        assert seen.driven.record.trips == unseen.driven.record.trips
        assert [fill["price"] for fill in seen.driven.record.fills] == [
            fill["price"] for fill in unseen.driven.record.fills
        ]
        for desk in (seen.desk, unseen.desk):
            desk.note_equity()
        assert seen.desk.breakers.state.as_row() == unseen.desk.breakers.state.as_row()


def test_the_peak_that_is_told_is_the_highest_equity_of_all_bars() -> None:
    def holds(strategy: Watched, n: int) -> None:
        if n == 2:
            strategy.buy(300)

    for seed, spread, step in PATHS:
        story = told(holds, wild(seed, spread=spread, step=step), risk={"max_drawdown_pct": "0.5"})
        highest = Decimal(100_000)
        for document in story.documents:
            highest = max(highest, Decimal(document["equity"]))
            assert Decimal(document["peak"]) == highest


def test_a_document_costs_far_less_than_it_may() -> None:
    spent: list[float] = []

    def looks(strategy: Watched, _n: int) -> None:
        assert strategy.status is not None
        before = time.perf_counter()
        strategy.status.document(AT, Lag(0, 0.0), None)
        spent.append(time.perf_counter() - before)

    told(looks, bars([100.0] * 50), risk=BREAKERS)
    assert sorted(spent)[len(spent) // 2] < 0.05  # it takes a hundredth of that; machines are busy
