"""Is it right when each limit refused and each breaker halted, and about how much?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model import Currency

from runs.explain import BreakerTrip, LimitRefusals, refusals_explained, trips_explained
from runs.record import Row, RunRecord
from runs.summary import summarise
from tests.runs.records import (
    FixedMarket,
    analysis_of,
    bars,
    market_of,
    notice,
    pair,
    record_of,
    refusal,
    share,
    stamp,
    trip,
)

FLAT = market_of(AAPL=[10.0] * 6)


def refused(market: FixedMarket, *rows: Row) -> list[LimitRefusals]:
    return refusals_explained(analysis_of(record_of(market, refusals=rows)))


def tripped(trips: Sequence[Row], notices: Sequence[Row] = (), *, halted: bool = True) -> list[BreakerTrip]:
    record: RunRecord = record_of(FLAT, trips=trips, notices=notices, halted=halted)
    return trips_explained(analysis_of(record))


def test_a_limit_tells_how_many_from_when_to_when_and_the_largest() -> None:
    """500 at 10, 100 at 20 and 500 at 30."""
    rows = [refusal(0), refusal(1, quantity="100"), refusal(2)]
    [found] = refused(market_of(AAPL=[10.0, 20.0, 30.0]), *rows)
    assert found == LimitRefusals(
        limit="MAX_LEVERAGE",
        count=3,
        first="2024-01-02T16:00:00-05:00",
        last="2024-01-04T16:00:00-05:00",
        notional=Decimal("22000.00"),
        unpriced=0,
        largest_notional=Decimal("15000.00"),
        largest_at="2024-01-04T16:00:00-05:00",
        largest_reason=rows[2]["reason"],
    )


def test_the_most_frequent_limit_comes_first_and_ties_go_by_name() -> None:
    rows = [refusal(0, "B"), refusal(1, "A"), refusal(2, "C"), refusal(2, "C")]
    assert [(each.limit, each.count) for each in refused(FLAT, *rows)] == [("C", 2), ("A", 1), ("B", 1)]


def test_an_order_is_worth_the_last_close_before_it() -> None:
    [found] = refused(market_of(AAPL=[10.0, 20.0]), refusal(0.99))
    assert found.notional == Decimal(5000)


def test_on_quotes_a_buy_is_worth_the_ask_and_a_sale_the_bid() -> None:
    frame = pd.DataFrame({"ts": [stamp(0)], "bid": [10.0], "ask": [10.5]})
    market = FixedMarket({"AAPL": frame}, (share("AAPL"),), kind="quotes")
    one, other = refused(market, refusal(0, "A"), refusal(0, "B", side="SELL"))
    assert (one.notional, other.notional) == (Decimal(5250), Decimal(5000))


def test_a_contract_is_worth_its_multiplier() -> None:
    market = FixedMarket({"EURUSD": bars([1.25])}, (pair("EURUSD", multiplier=100),))
    [found] = refused(market, refusal(0, symbol="EURUSD", quantity="2"))
    assert found.notional == Decimal(250)


@pytest.mark.parametrize(
    ("market", "row"),
    [
        (market_of(AAPL=[10.0]), refusal(-1)),
        (market_of(AAPL=[10.0]), refusal(0, symbol="GONE")),
        (
            FixedMarket({"SAP": bars([10.0])}, (share("SAP", Currency.from_str("EUR")),)),
            refusal(0, symbol="SAP"),
        ),
    ],
    ids=["before the first price", "without prices", "in another currency"],
)
def test_what_has_no_price_in_the_accounts_currency_is_counted_and_not_guessed(
    market: FixedMarket, row: Row
) -> None:
    [found] = refused(market, row)
    assert (found.count, found.unpriced, found.notional, found.largest_notional) == (1, 1, None, None)
    assert found.largest_reason == row["reason"]


def test_refusals_with_and_without_a_price_add_up_what_is_known() -> None:
    [found] = refused(market_of(AAPL=[10.0]), refusal(-1, quantity="9999"), refusal(1))
    assert (found.notional, found.unpriced, found.largest_notional) == (Decimal(5000), 1, Decimal(5000))


def test_a_fat_finger_of_any_size_is_told() -> None:
    [found] = refused(FLAT, refusal(0, quantity="9" * 40))
    assert found.notional == Decimal("9" * 40 + "0.00")


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(1, 10**9)), min_size=1, max_size=30))
def test_the_parts_add_up(orders: list[tuple[int, int]]) -> None:
    rows = [refusal(bar, quantity=str(quantity)) for bar, quantity in sorted(orders)]
    [found] = refused(FLAT, *rows)
    worths = [10 * quantity for bar, quantity in orders if bar >= 0]
    assert found.count == len(worths) + found.unpriced
    assert (found.notional, found.largest_notional) == (
        (sum(worths), max(worths)) if worths else (None, None)
    )


def test_a_trip_tells_how_much_was_lost() -> None:
    [found] = tripped([trip(1)])
    assert (found.at, found.breaker, found.scope) == ("2024-01-03T16:00:00-05:00", "DRAWDOWN", "book")
    assert (found.equity, found.reference, found.lost) == (Decimal(700), Decimal(1000), Decimal(300))
    assert found.lost_pct == pytest.approx(0.3)


def test_a_strategys_loss_is_an_amount_and_no_share_of_its_profit() -> None:
    [found] = tripped([trip(1, scope="strategy:EMA-001")])
    assert (found.lost, found.lost_pct) == (Decimal(300), None)


def test_a_breaker_that_compares_no_equity_tells_no_loss() -> None:
    [found] = tripped([{**trip(1, "CONSECUTIVE_LOSSES"), "reference": None}])
    assert (found.lost, found.lost_pct, found.reference) == (None, None, None)


def test_a_halt_lasts_until_a_notice_of_its_own_scope_after_it() -> None:
    """The day that ended at the very stamp of the trip was the one before."""
    notices = [
        notice(1, "HALT_ENDED"),
        notice(2, "HALT_ENDED", "venue:XNAS"),
        notice(3, "WARNING"),
        notice(4, "HALT_ENDED"),
        notice(5, "RESUMED"),
    ]
    found = tripped([trip(1, "DAILY_LOSS"), trip(1, scope="venue:XNAS"), trip(4)], notices)
    assert [(each.halt_ended, each.halted_until) for each in found] == [
        ("SESSION_DAY", "2024-01-06T16:00:00-05:00"),
        ("SESSION_DAY", "2024-01-04T16:00:00-05:00"),
        ("RESUMED", "2024-01-07T16:00:00-05:00"),
    ]


@pytest.mark.parametrize(
    ("trips", "halted", "ended"),
    [
        ([trip(1)], True, ["END_OF_RUN"]),
        ([trip(1, "DAILY_LOSS")], True, ["END_OF_RUN"]),
        ([trip(1, "DAILY_LOSS")], False, ["SESSION_DAY"]),
        ([trip(1, "DAILY_LOSS"), trip(2, "DAILY_LOSS")], True, ["SESSION_DAY", "END_OF_RUN"]),
        ([trip(1, "DAILY_LOSS"), trip(2)], True, [None, "END_OF_RUN"]),
        ([trip(1, "DAILY_LOSS", "strategy:EMA-001")], False, [None]),
        ([trip(1, scope="strategy:EMA-001")], False, ["END_OF_RUN"]),
    ],
    ids=[
        "a drawdown",
        "not lifted",
        "lifted",
        "tripped again",
        "a drawdown later",
        "of a strategy",
        "its drawdown",
    ],
)
def test_without_a_notice_a_daily_loss_ended_where_it_must_have(
    trips: list[Row], halted: bool, ended: list[str | None]
) -> None:
    found = tripped(trips, halted=halted)
    assert [each.halt_ended for each in found] == ended
    assert {each.halted_until for each in found} == {None}


def test_the_json_holds_it_all_with_amounts_as_strings() -> None:
    record = record_of(FLAT, refusals=[refusal(0)], trips=[trip(1)], notices=[notice(1), notice(2)])
    found = json.loads(summarise(analysis_of(record), "x").to_json())
    [refusals], [trips] = found["refusals_detail"], found["trips_detail"]
    assert (refusals["count"], refusals["notional"]) == (1, "5000.00")
    assert (trips["lost"], trips["lost_pct"], trips["halted_until"]) == ("300.00", 0.3, None)
    assert found["notices_by_kind"] == {"WARNING": 2}
