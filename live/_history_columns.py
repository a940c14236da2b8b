"""Which columns does a list of each kind of row have, the most wanted first to stay on a narrow terminal?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from live._amounts import NANOS, NONE, held_text, money_text, percent_text, price_text, quantity_text
from live._fitted import Column, Row

Text = Callable[[Row], str]
GOOD_WORDS = frozenset({"FILLED", "PASS", "DONE", "APPROVED"})
BAD_WORDS = frozenset(
    {
        "REJECTED",
        "DENIED",
        "REFUSE",
        "REFUSED",
        "FAILED",
        "UNKNOWN",
        "TRIP",
        "ALARM",
        "UNPROTECTED",
        "critical",
    }
)


def columns_of(kind: str, zone: str, *, sent: bool = True) -> list[Column]:
    """The columns of a kind; `zone` is the one of its times. sent: whether orders tell when they were sent."""
    return _KINDS[kind](zone) if kind != "orders" else _orders(zone, sent=sent)


def time_text(stamp: int | None, zone: str) -> str:
    """Write UTC ns as a person reads it: `2026-11-20 16:00:00` in `zone`."""
    if stamp is None:
        return NONE
    return f"{datetime.fromtimestamp(stamp // NANOS, UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def _time(key: str, title: str, zone: str) -> Column:
    return Column(title, lambda row: time_text(row[key], zone))


def _word(key: str, title: str, *, rank: int = 0, prose: bool = False) -> Column:
    return Column(title, lambda row: str(row[key]) if row[key] is not None else NONE, rank=rank, prose=prose)


def _verdict(key: str, title: str) -> Column:
    def tone(row: Row) -> int:
        return 1 if row[key] in GOOD_WORDS else -1 if row[key] in BAD_WORDS else 0

    return Column(title, lambda row: row[key] or NONE, tone=tone)


def _price(key: str, title: str, rank: int = 0) -> Column:
    return Column(title, lambda row: price_text(row[key]), right=True, rank=rank)


def _quantity(key: str, title: str, rank: int = 0) -> Column:
    return Column(title, lambda row: quantity_text(row[key]), right=True, rank=rank)


def _money(key: str, title: str, rank: int = 0, *, signed: bool = False) -> Column:
    return Column(
        title,
        lambda row: money_text(row[key], row["currency"], signed=signed),
        right=True,
        rank=rank,
        tone=(lambda row: _sign(row[key])) if signed else None,
    )


def _percent(key: str, title: str, rank: int = 0, *, signed: bool = False) -> Column:
    return Column(title, lambda row: percent_text(row[key], signed=signed), right=True, rank=rank)


def _sign(amount: Decimal | None) -> int:
    return 0 if amount is None else (amount > 0) - (amount < 0)


def _trades(zone: str) -> list[Column]:
    return [
        _time("closed_ns", "Closed", zone),
        _word("strategy", "Strategy", rank=3),
        _word("instrument", "Instrument"),
        _word("side", "Side"),
        _quantity("quantity", "Quantity"),
        _price("entry_price", "Entry", 2),
        _price("exit_price", "Exit", 1),
        _money("pnl", "P&L", signed=True),
        _percent("pnl_pct", "P&L %", 4, signed=True),
        _money("commission", "Fees", 5),
        _price("slippage", "Slippage", 6),
        Column("Held", lambda row: held_text(row["holding_ns"]), right=True, rank=7),
    ]


def _orders(zone: str, *, sent: bool) -> list[Column]:
    first = (
        [_time("sent_ns", "Sent", zone)] if sent else [_time("ts", "Changed", zone), _word("event", "Event")]
    )
    return [
        *first,
        _word("strategy", "Strategy", rank=4),
        _word("instrument", "Instrument"),
        _word("side", "Side"),
        _word("type", "Type", rank=3),
        _quantity("quantity", "Quantity"),
        _quantity("filled", "Filled", 1),
        Column("Price", lambda row: price_text(_asked(row)), right=True, rank=2),
        _word("tif", "TIF", rank=7),
        _verdict("status", "Status"),
        _word("client_order_id", "Order", rank=5),
        _word("reason", "Reason", rank=6, prose=True),
    ]


def _asked(row: Row) -> Decimal | None:
    price: Decimal | None = row["price"] if row["price"] is not None else row["trigger_price"]
    return price


def _fills(zone: str) -> list[Column]:
    return [
        _time("ts", "Time", zone),
        _word("strategy", "Strategy", rank=2),
        _word("instrument", "Instrument"),
        _word("side", "Side"),
        _quantity("quantity", "Quantity"),
        _price("price", "Price"),
        Column("Fee", lambda row: f"{money_text(row['commission'], row['currency'])}", right=True, rank=1),
        _price("slippage", "Slippage", 4),
        _word("client_order_id", "Order", rank=3),
        _word("source", "Source", rank=5),
    ]


def _decisions(zone: str) -> list[Column]:
    return [
        _time("ts", "Time", zone),
        _word("strategy", "Strategy", rank=1),
        _word("instrument", "Instrument"),
        _word("side", "Side"),
        _quantity("quantity", "Quantity"),
        _price("price", "Price", 2),
        _verdict("verdict", "Verdict"),
        _word("client_order_id", "Order", rank=3),
        _word("reason", "Reason", prose=True),
    ]


def _events(zone: str) -> list[Column]:
    return [
        _time("ts", "Time", zone),
        _verdict("kind", "Kind"),
        _word("risk_scope", "Scope", rank=1),
        _word("reason", "Reason", prose=True),
    ]


def _commands(zone: str) -> list[Column]:
    return [
        _time("at", "Time", zone),
        _word("verb", "Verb"),
        _word("who", "Who", rank=2),
        _word("why", "Why", prose=True),
        Column("With", lambda row: _arguments(row["args"]), rank=3, prose=True),
        _verdict("outcome", "Outcome"),
        _word("text", "Answer", rank=1, prose=True),
    ]


def _arguments(text: str) -> str:
    found: Mapping[str, Any] = json.loads(text)
    return " ".join(f"{key}={value}" for key, value in found.items() if value is not None) or NONE


def _approvals(zone: str) -> list[Column]:
    return [
        _time("ts", "Time", zone),
        _verdict("event", "Event"),
        _word("strategy", "Strategy", rank=2),
        _word("instrument", "Instrument"),
        _word("side", "Side"),
        _quantity("quantity", "Quantity"),
        _price("price", "Price", 1),
        _word("client_order_id", "Order", rank=3),
        _word("reason", "Reason", prose=True),
    ]


def _alerts(zone: str) -> list[Column]:
    return [
        _time("ts", "Time", zone),
        _verdict("level", "Level"),
        _word("kind", "Kind", rank=1),
        _word("text", "Text", prose=True),
    ]


def _snapshots(zone: str) -> list[Column]:
    return [
        _time("ts", "Time", zone),
        _money("equity", "Equity"),
        _money("cash", "Cash", 2),
        _money("exposure", "Exposure", 4),
        Column("Leverage", lambda row: price_text(row["leverage"]), right=True, rank=5),
        _percent("drawdown", "Drawdown", 1),
        _money("day_pnl", "Day's P&L", signed=True),
        Column("Positions", lambda row: str(row["open_positions"]), right=True, rank=6),
        Column("Orders", lambda row: str(row["working_orders"]), right=True, rank=7),
        _word("state", "State"),
        _word("why", "Why", rank=3),
    ]


def _runs(zone: str) -> list[Column]:
    return [
        _time("started_at", "Started", zone),
        Column("Ended", lambda row: time_text(row["ended_at"], zone), rank=1),
        _word("run_id", "Run"),
        _word("venue", "Venue"),
        _word("mode", "Mode"),
        Column("Strategies", lambda row: ", ".join(json.loads(row["strategies"])), rank=3, prose=True),
        _word("ended_why", "Ended why", rank=2, prose=True),
    ]


_KINDS: Mapping[str, Callable[[str], list[Column]]] = {
    "trades": _trades,
    "fills": _fills,
    "decisions": _decisions,
    "events": _events,
    "commands": _commands,
    "approvals": _approvals,
    "alerts": _alerts,
    "snapshots": _snapshots,
    "runs": _runs,
}
