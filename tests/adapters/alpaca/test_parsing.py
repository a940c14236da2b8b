"""What Alpaca's rows say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.alpaca._ledger import MOST_ROWS, Ledger
from adapters.alpaca._names import WireName
from adapters.alpaca._parsing import Execution, instrument_of, iso, nanos, position_of, status_of
from adapters.alpaca.activities import flow_of


def row(order_id: str = "1", name: str = "A", **more: Any) -> dict[str, Any]:
    """An order as Alpaca tells it."""
    return {
        "id": order_id, "client_order_id": name, "symbol": "AAPL", "asset_class": "us_equity", "side": "buy",
        "type": "limit", "time_in_force": "day", "qty": "10", "notional": None, "filled_qty": "0",
        "filled_avg_price": None, "limit_price": "90", "stop_price": None, "status": "new", "order_class": "",
        "updated_at": "2026-11-20T15:00:00.000000001Z", "replaces": None, "replaced_by": None, "legs": None,
        **more,
    }  # fmt: skip


def fill(order_id: str, start: int, cum: int) -> Execution:
    return Execution(order_id, Decimal(cum - start), Decimal(cum), Decimal(90), cum)


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_times_keep_their_nanoseconds(stamp: int) -> None:
    assert nanos(iso(stamp)) == stamp


@pytest.mark.parametrize(
    ("text", "last"), [("2026-11-20T10:00:00.5-05:00", 500_000_000), ("2026-11-20T15:00:00Z", 0)]
)
def test_times_of_all_forms_are_read(text: str, last: int) -> None:
    assert nanos(text) == 1_795_186_800_000_000_000 + last


def test_a_position_in_crypto_gets_its_slash_back() -> None:
    assert instrument_of({"symbol": "BTCUSD", "asset_class": "crypto"}) == "BTC/USD.ALPACA"
    assert instrument_of({"symbol": "AVAXUSDT", "asset_class": "crypto"}) == "AVAX/USDT.ALPACA"
    assert instrument_of({"symbol": "BTCUSD", "asset_class": "us_equity"}) == "BTCUSD.ALPACA"


@pytest.mark.parametrize("quantity", ["-5", "5"])
def test_a_short_position_is_negative_with_or_without_a_minus(quantity: str) -> None:
    told = position_of({"symbol": "AAPL", "side": "short", "qty": quantity, "avg_entry_price": "100.5"})
    assert (told.quantity, told.average_price) == (Decimal(-5), Decimal("100.5"))


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        ("new", "0", "ACCEPTED"), ("pending_new", "0", "PENDING"), ("held", "0", "PENDING"),
        ("pending_cancel", "4", "PARTIALLY_FILLED"), ("done_for_day", "4", "PARTIALLY_FILLED"),
        ("calculated", "10", "FILLED"), ("filled", "10", "FILLED"), ("canceled", "4", "CANCELED"),
        ("expired", "0", "EXPIRED"), ("rejected", "0", "REJECTED"), ("a_word_of_2030", "0", "ACCEPTED"),
    ],
)  # fmt: skip
def test_statuses(word: str, filled: str, status: str) -> None:
    assert status_of(row(status=word, filled_qty=filled)) == status


def test_a_fill_counts_once_wherever_it_comes_from_and_none_is_taken_before_those_ahead_of_it() -> None:
    ledger = Ledger()
    ledger.note(row(filled_qty="7", status="partially_filled"))
    assert ledger.fill(fill("1", 4, 7)) is None
    assert ledger.fill(fill("1", 0, 4)) is True
    assert ledger.fill(fill("1", 4, 7)) is True
    assert ledger.fill(fill("1", 4, 7)) is False
    ledger.fills("1", [fill("1", 4, 7), fill("1", 0, 4)])
    assert [each.quantity for each in ledger.venue_fills("A")] == [4, 3]
    assert len({each.trade_id for each in ledger.venue_fills("A")}) == 2


@pytest.mark.parametrize("carries", [False, True])
def test_a_changed_order_is_one_order_with_all_of_its_fills(carries: bool) -> None:
    ledger = Ledger()
    ledger.note(row(filled_qty="4", status="partially_filled", filled_avg_price="90"))
    ledger.fill(fill("1", 0, 4))
    start = 4 if carries else 0
    answer = row(
        "2", "A.r1", replaces="1", limit_price="91", status="accepted",
        qty="10" if carries else "6", filled_qty=str(start), filled_avg_price="90" if carries else None,
    )  # fmt: skip
    assert ledger.note(answer, confirmed=False) == "A"
    before = ledger.order("A")
    assert before is not None
    assert (before.venue_order_id, before.price) == ("1", Decimal(90))
    ledger.note(row(status="replaced", replaced_by="2", filled_qty="4", filled_avg_price="90"))
    ledger.note(answer | {"status": "new"})
    if carries:
        ledger.fills("2", [])
    after = ledger.order("A")
    assert after is not None
    assert (after.venue_order_id, after.price, after.quantity, after.filled) == (
        "2",
        *map(Decimal, (91, 10, 4)),
    )
    ledger.note(answer | {"status": "filled", "filled_qty": str(start + 6), "filled_avg_price": "90"})
    assert ledger.fill(fill("2", start, start + 6)) is True
    done = ledger.order("A")
    assert done is not None
    assert (done.status, done.quantity, done.filled, done.average_price) == (
        "FILLED",
        *map(Decimal, (10, 10, 90)),
    )
    assert [each.quantity for each in ledger.venue_fills("A")] == [4, 6]


def test_what_took_an_order_s_place_is_newer_news_than_all_that_was_told_of_the_order() -> None:
    ledger = Ledger()
    ledger.note(row())
    answer = row("2", "A.r1", replaces="1", status="accepted", updated_at="2026-11-20T15:00:01Z")
    ledger.note(answer, confirmed=False)
    ledger.note(row(status="pending_replace", updated_at="2026-11-20T15:00:02Z"))
    waiting = ledger.order("A")
    ledger.note(row(status="replaced", replaced_by="2", updated_at="2026-11-20T15:00:03Z"))
    changed = ledger.order("A")
    assert waiting is not None
    assert changed is not None
    assert (waiting.venue_order_id, changed.venue_order_id) == ("1", "2")
    assert changed.ts == waiting.ts + 1_000_000_000


def test_a_change_that_lost_to_a_fill_leaves_the_order_as_it_was() -> None:
    ledger = Ledger()
    ledger.note(row())
    ledger.note(row("2", "A.r1", replaces="1", status="accepted"), confirmed=False)
    ledger.note(row("2", "A.r1", replaces="1", status="rejected"))
    ledger.note(row(status="filled", filled_qty="10", filled_avg_price="90"))
    order = ledger.order("A")
    assert order is not None
    assert (order.venue_order_id, order.status, order.quantity) == ("1", "FILLED", Decimal(10))


def test_after_a_restart_a_change_that_is_not_made_yet_does_not_hide_the_order() -> None:
    ledger = Ledger()
    ledger.note(row("2", "A.r1", replaces="1", status="accepted", limit_price="91"))
    assert ledger.order("A") is None
    assert ledger.missing("A") == "1"
    ledger.note(row())
    order = ledger.order("A")
    assert order is not None
    assert order.venue_order_id == "1"


def test_what_has_ended_is_forgotten_with_all_that_it_was_before_and_what_works_is_not() -> None:
    ledger = Ledger()
    ledger.note(row("w1", "W", status="replaced", replaced_by="w2"))
    ledger.note(row("w2", "W.r1", replaces="w1"))
    for number in range(3 * MOST_ROWS):
        old, new = f"{number}", f"{number}n"
        ledger.note(row(old, f"N{number}"))
        ledger.note(row(new, f"N{number}.r1", replaces=old, status="accepted"), confirmed=False)
        ledger.note(row(old, f"N{number}", status="replaced", replaced_by=new))
        ledger.note(row(new, f"N{number}.r1", replaces=old, status="canceled"))
        if number % 50 == 49:
            ledger.prune()
    kept = [
        each for number in range(3 * MOST_ROWS) for each in (f"{number}", f"{number}n") if ledger.known(each)
    ]
    assert len(kept) <= MOST_ROWS
    assert kept[-1] == f"{3 * MOST_ROWS - 1}n"
    assert len(kept) % 2 == 0, "a part of an order was forgotten without the rest"
    working = ledger.order("W")
    assert working is not None
    assert working.venue_order_id == "w2"
    assert ledger.tip("N0") is None


def test_exits_that_alpaca_named_have_the_names_that_their_entry_carries() -> None:
    ledger = Ledger()
    exits = [
        row(
            "2",
            "uuid-2",
            side="sell",
            order_class="bracket",
            group_id="g",
            group_role="take_profit",
            status="held",
        ),
        row(
            "3",
            "uuid-3",
            side="sell",
            type="stop",
            order_class="bracket",
            group_id="g",
            group_role="stop_loss",
        ),
    ]
    assert all(ledger.stranger(each) for each in exits)
    head = row(
        "1", str(WireName("O-1", "O-3", "O-2")), order_class="bracket", group_id="g", group_role="entry"
    )
    assert ledger.note(head) == "O-1"
    assert [ledger.note(each) for each in exits] == ["O-3", "O-2"]
    assert all(order.reduce_only for name in ("O-2", "O-3") if (order := ledger.order(name)) is not None)
    changed = row(
        "4", "O-2.r1", replaces="3", type="stop", order_class="bracket", group_id="g", group_role="stop_loss"
    )
    assert ledger.note(changed) == "O-2"


def test_older_news_of_an_order_is_dropped() -> None:
    ledger = Ledger()
    ledger.note(row(status="filled", filled_qty="10"))
    ledger.note(row(status="new"))
    order = ledger.order("A")
    assert order is not None
    assert order.status == "FILLED"


def test_activities_tell_what_they_did_to_cash_and_shares() -> None:
    common = {"id": "20261120000000000::x", "created_at": "2026-11-20T15:00:00Z", "status": "executed"}
    dividend = flow_of(common | {"activity_type": "DIV", "net_amount": "2.50", "symbol": "AAPL", "qty": "10"})
    assert (dividend.kind, dividend.amount, dividend.instrument) == (
        "dividend",
        Decimal("2.50"),
        "AAPL.ALPACA",
    )
    assert not dividend.moves_shares
    split = flow_of(common | {"activity_type": "SPLIT", "symbol": "AAPL", "qty": "10"})
    assert (split.kind, split.amount, split.quantity) == ("split", Decimal(0), Decimal(10))
    assert flow_of(common | {"activity_type": "CSW", "net_amount": "-100"}).kind == "transfer"
    assert flow_of(common | {"activity_type": "NEW2030", "net_amount": "1"}).kind == "NEW2030"
