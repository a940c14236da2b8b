"""How is each row about an order told in a plain sentence?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from live._amounts import held_text, money_text, percent_text, price_text, quantity_text
from runs.times import iso

Row = Mapping[str, Any]
ZERO = Decimal(0)
SIDES = {"BUY": ("buy", "Bought"), "SELL": ("sell", "Sold")}
BOUND = {"BUY": "or less", "SELL": "or more"}


def money(amount: Decimal, currency: str, *, signed: bool = False) -> str:
    """An amount with its currency."""
    return f"{money_text(amount, currency, signed=signed)} {currency}".strip()


def moment(ts: int, zone: str) -> str:
    """A time as a person reads it, seconds where there are any: `2008-10-01 16:00`."""
    return iso(ts, zone)[:19].replace("T", " ").removesuffix(":00")


def wish(row: Row, decision: Row | None) -> str:
    """What the strategy wanted, from the first row of the order."""
    verb, _ = SIDES.get(row["side"], (row["side"].lower(), ""))
    terms = _terms(row) if "type" in row else _terms_of_decision(row)
    only = ", only to reduce what is held" if row.get("reduce_only") else ""
    good = f", {row['tif']}" if row.get("tif") else ""
    price = None if decision is None else decision["price"]
    then = "" if price is None else f". The newest price was {price_text(price)}"
    what = f"{quantity_text(row['quantity'])} {row['instrument']}"
    return f"{_who(row, decision)} to {verb} {what}{terms}{good}{only}{then}."


def _who(row: Row, decision: Row | None) -> str:
    if decision is not None:
        return f"{row['strategy']} wanted"
    if row.get("source") == "operator":
        return f"A person's command, for {row['strategy']}, was"
    return f"{row['strategy']}, or Keel on its behalf, was"


def _terms(row: Row) -> str:
    price, trigger, kind = row["price"], row["trigger_price"], str(row["type"])
    words = (
        " at the market"
        if price is None
        else f" at {price_text(price)} {BOUND.get(row['side'], '')}".rstrip()
    )
    if trigger is not None:
        words += f", once the price reaches {price_text(trigger)}"
    return words if kind in ("MARKET", "LIMIT") else f"{words} ({kind.replace('_', ' ').lower()})"


def _terms_of_decision(row: Row) -> str:
    """A refused order has no row of its own: what the gate saw of it tells."""
    try:
        seen = json.loads(row.get("numbers") or "{}")
        limit, trigger = (
            None if seen.get(key) is None else Decimal(seen[key]) for key in ("limit", "trigger")
        )
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        return ""
    if not seen:
        return ""
    return _terms({"side": row["side"], "type": "MARKET", "price": limit, "trigger_price": trigger})


def refused(row: Row, *, change: bool) -> str:
    """What the gate refused, and why."""
    code, reason = row["code"] or "", str(row["reason"] or "")
    why = reason.removeprefix(f"{code}:").strip()
    what = "A change of it was refused" if change else "The gate refused it"
    return f"{what} ({code}): {why}." if code else f"{what}: {why}."


def changed(row: Row, before: Row | None) -> str:
    """An order's new state; empty where another row of the same moment tells it."""
    event, why = str(row["event"]), f": {row['reason']}" if row["reason"] else ""
    name = f" and calls it {row['venue_order_id']}" if row["venue_order_id"] else ""
    left = row["quantity"] - row["filled"]
    rest = (
        f" with {quantity_text(left)} of {quantity_text(row['quantity'])} not filled" if row["filled"] else ""
    )
    by = " at the start of a later run" if row["source"] == "reconciled" else ""
    told = {
        "INTENT": "",
        "SENDING": "Its sending was put on record.",
        "SUBMITTED": "It was sent.",
        "ACCEPTED": f"The venue took it{name}.",
        "TRIGGERED": "Its trigger price was reached.",
        "EMULATED": "The engine holds it until its price comes.",
        "RELEASED": "The engine let it go: its price came.",
        "PENDING_UPDATE": "A change of it was asked for.",
        "PENDING_CANCEL": "Its cancel was asked for.",
        "MODIFY_REJECTED": f"The venue refused to change it{why}.",
        "CANCEL_REJECTED": f"The venue refused to cancel it{why}.",
        "UPDATED": _updated(row, before),
        "CANCELED": f"It was cancelled{rest}{why}.",
        "EXPIRED": f"It expired{rest}{why}.",
        "REJECTED": f"The venue rejected it{why}.",
        "DENIED": f"It was stopped before it left{why}.",
        "NOT_SENT": f"It was never sent{why}.",
        "ABSENT": f"The venue never had it{why}.",
        "UNKNOWN": f"Nobody knew what became of it{why}. Nothing new was opened in {row['instrument']} meanwhile.",
        "RESOLVED": f"What became of it is known: {row['status']}{why}.",
        "RECONCILED": f"The venue was asked: {row['status']}{why}.",
        "FILLED": "All of it is filled.",
        "PARTIALLY_FILLED": f"{quantity_text(row['filled'])} of {quantity_text(row['quantity'])} are filled.",
    }
    sentence = told.get(event, f"{event.replace('_', ' ').capitalize()}{why}.")
    return sentence if not by or not sentence or "FILLED" in event else f"{sentence[:-1]}{by}."


def _updated(row: Row, before: Row | None) -> str:
    if before is None:
        return "It was changed."
    names = {"quantity": "quantity", "price": "limit price", "trigger_price": "trigger price"}
    moved = [
        f"{name} {price_text(row[key])} (was {price_text(before[key])})"
        for key, name in names.items()
        if row[key] != before[key]
    ]
    return f"It was changed: {', '.join(moved)}." if moved else "The venue confirmed it as it is."


def filled(row: Row) -> str:
    """A fill, against the price it was decided at."""
    _, verb = SIDES.get(row["side"], ("", row["side"].capitalize()))
    where = f"{verb} {quantity_text(row['quantity'])} at {price_text(row['price'])}"
    told = ", found when the venue was asked" if row["source"] == "reconciled" else ""
    if row["source"] == "operator" and row["liquidity"] == "UNKNOWN":
        told = ", as a person said"
    fee = f"commission {money(row['commission'], row['currency'])}"
    return f"{where}{told}{_against(row)}; {fee} (trade {row['trade_id']})."


def _against(row: Row) -> str:
    decided, slippage = row["decision_price"], row["slippage"]
    if decided is None or slippage is None:
        return ""
    away = abs(row["price"] - decided)
    if not away:
        return ", just the price of the decision"
    side = "above" if row["price"] > decided else "below"
    share = f" ({percent_text(away / abs(decided))})" if decided else ""
    cost = (
        f"slippage cost {money(slippage, row['currency'])}"
        if slippage > 0
        else (f"slippage gained {money(-slippage, row['currency'])}")
    )
    return f", {price_text(away)}{share} {side} the price of the decision, {price_text(decided)}: {cost}"


def tripped(row: Row, order: str, zone: str) -> str:
    """The round trip that the order is part of."""
    did = {row["exit_order"]: "closed the", row["entry_order"]: "opened a"}.get(order, "was part of a")
    what = f"{row['side'].lower()} {quantity_text(row['quantity'])} {row['instrument']}"
    prices = f"from {price_text(row['entry_price'])} to {price_text(row['exit_price'])}"
    span = f"{moment(row['opened_ns'], zone)} to {moment(row['closed_ns'], zone)}"
    length = f", held {held_text(row['holding_ns'])}" if row["holding_ns"] > 0 else ""
    result = (
        f"{money(row['pnl'], row['currency'], signed=True)} ({percent_text(row['pnl_pct'], signed=True)})"
    )
    fees = f"after commission {money(row['commission'], row['currency'])}"
    slip = "" if not row["slippage"] else f", slippage {money(row['slippage'], row['currency'])}"
    other = ""
    if order == row["entry_order"] != row["exit_order"]:
        other = f" Order {row['exit_order']} closed it."
    elif order == row["exit_order"] != row["entry_order"] and row["entry_order"]:
        other = f" Order {row['entry_order']} opened it."
    return f"It {did} round trip {what} {prices}, {span}{length}: P&L {result} {fees}{slip}.{other}"


def still_open(row: Row) -> str:
    """What is held where no round trip ended yet."""
    at = "" if row["average_price"] is None else f" at {price_text(row['average_price'])} on average"
    return (
        f"The position it is part of is still open: {quantity_text(row['quantity'])} {row['instrument']}{at}."
    )


def approval(row: Row, zone: str) -> str:
    """What became of an order that waits for a person."""
    why = f": {str(row['reason']).removeprefix('APPROVAL: ')}" if row["reason"] else ""
    until = "" if row["until_ns"] is None else f" until {moment(row['until_ns'], zone)}"
    told = {
        "HELD": f"It waited for a person's approval{until}.",
        "APPROVED": f"{str(row['reason'] or '').rpartition(' by ')[2] or 'A person'} approved it.",
        "REJECTED": f"A person rejected it{why}.",
        "EXPIRED": f"Nobody answered in time, so it was not sent{why}.",
        "MOVED": f"The price moved away while it waited, so it was not sent{why}.",
        "WITHDRAWN": f"It was taken back before a person answered{why}.",
    }
    return told.get(str(row["event"]), f"{str(row['event']).capitalize()}{why}.")


def commanded(row: Row, receipt: Row | None) -> str:
    """What a person asked for, and the answer."""
    args = ", ".join(f"{key}={value}" for key, value in json.loads(row["args"]).items())
    asked = f"{row['who']} asked for {row['verb']}{f' {args}' if args else ''}{_why(row['why'])}"
    if receipt is None:
        return f"{asked}. Nobody answered."
    answer = "; ".join(line.strip() for line in str(receipt["text"]).splitlines())
    return f"{asked}. Answer, {receipt['outcome'].lower()}: {answer}."


def _why(text: str) -> str:
    return f' ("{text}")' if text else ""


def happened(row: Row) -> str:
    """What happened to the account."""
    words = {
        "TRIP": "Trading was halted",
        "RESUMED": "A person lifted a halt",
        "HALT_ENDED": "A halt ended",
        "FLATTEN": "Flattening",
        "FLAT": "Everything is flat",
        "ALARM": "ALARM",
        "LIMITS": "A person changed a limit",
        "RECONCILED": "At the start of a run",
    }
    scope = "" if row["risk_scope"] == "book" else f" ({row['risk_scope']})"
    return f"{words.get(row['kind'], row['kind'].replace('_', ' ').capitalize())}{scope}: {row['reason']}."


def waited(earlier: Row, row: Row) -> str:
    """How long after another row this one was written, by the clock on the wall."""
    nanos = row["at"] - earlier["at"]
    if nanos < 0:
        return ""
    return f"{nanos / 1e6:,.1f} ms" if nanos < 10**9 else f"{nanos / 1e9:,.1f} s"
