"""How is an order of the engine's asked of Alpaca, and which orders can it not do?

A strategy asks for everything in the engine's own words: types, time in force, `quote_quantity=True` for an amount in
dollars, a list of linked orders for a bracket, an OTO or an OCO. Only for trading outside of the session there is no
word: the tag `extended_hours` on a limit order (or `venue.extended_hours=true` for all of them) asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapters.alpaca._names import WireName
from adapters.alpaca._parsing import Row, is_crypto, symbol_of
from adapters.outcomes import NotSentError
from adapters.reports import decimal_of

EXTENDED_HOURS = "extended_hours"
TYPES = {
    "MARKET": "market",
    "LIMIT": "limit",
    "STOP_MARKET": "stop",
    "STOP_LIMIT": "stop_limit",
    "TRAILING_STOP_MARKET": "trailing_stop",
}
CRYPTO_TYPES = ("MARKET", "LIMIT", "STOP_LIMIT")
TIFS = {
    "DAY": "day",
    "GTC": "gtc",
    "IOC": "ioc",
    "FOK": "fok",
    "AT_THE_OPEN": "opg",
    "AT_THE_CLOSE": "cls",
}
CRYPTO_TIFS = ("GTC", "IOC")
LASTING = ("DAY", "GTC")
AUCTIONS = ("AT_THE_OPEN", "AT_THE_CLOSE")
TRIGGERS = (None, "NO_TRIGGER", "DEFAULT", "LAST_PRICE")
CENT, DOLLAR, BASIS_POINTS = Decimal("0.01"), Decimal(1), Decimal(100)


def text_of(value: Decimal) -> str:
    """An amount as Alpaca reads it."""
    return f"{value.normalize():f}"


def why_not(order: Any, *, is_exit: bool = False) -> str | None:
    """Why Alpaca cannot take such an order, in one line; None when it can.

    `is_exit`: it is sent with its entry. Post-only is no matter there: it waits away from the market by itself, and the
    engine's own brackets ask for it.
    """
    crypto, kind, tif = is_crypto(str(order.instrument_id)), order.order_type.name, order.time_in_force.name
    checks = (
        _kind(kind, crypto=crypto),
        _tif(kind, tif, crypto=crypto),
        _extras(order, is_exit=is_exit),
        _size(order, kind, tif, crypto=crypto),
        _prices(order, crypto=crypto),
        _hours(order, kind, tif, crypto=crypto),
    )
    return next((each for each in checks if each is not None), None)


def body_of(order: Any, name: WireName, *, extended_hours: bool = False) -> Row:
    """The request for an order that `why_not` has nothing against. Raises NotSentError for a name that is too long."""
    kind, tif, quantity = order.order_type.name, order.time_in_force.name, order.quantity.as_decimal()
    instrument = str(order.instrument_id)
    partial = order.is_quote_quantity or quantity % 1
    if partial and kind == "MARKET" and tif == "GTC" and not is_crypto(instrument):
        tif = "DAY"  # the only one Alpaca takes for these; for a market order it means the same
    body: Row = {
        "symbol": symbol_of(instrument),
        "side": order.side.name.lower(),
        "type": TYPES[kind],
        "time_in_force": TIFS[tif],
        "notional" if order.is_quote_quantity else "qty": text_of(quantity),
        "client_order_id": str(name),
    }
    price, trigger = limit_of(order), trigger_of(order)
    if price is not None:
        body["limit_price"] = text_of(price)
    if kind == "TRAILING_STOP_MARKET":
        offset = decimal_of_offset(order)
        if order.trailing_offset_type.name == "BASIS_POINTS":
            body["trail_percent"] = text_of(offset / BASIS_POINTS)
        else:
            body["trail_price"] = text_of(offset)
    elif trigger is not None:
        body["stop_price"] = text_of(trigger)
    if _wants_extended(order) or (extended_hours and _may_extend(kind, tif, instrument)):
        body["extended_hours"] = True
    return body


def limit_of(order: Any) -> Decimal | None:
    """The limit price."""
    return decimal_of(getattr(order, "price", None))


def trigger_of(order: Any) -> Decimal | None:
    """The stop price."""
    return decimal_of(getattr(order, "trigger_price", None))


def decimal_of_offset(order: Any) -> Decimal:
    """How far a trailing stop follows: in dollars, or in hundredths of a percent."""
    return Decimal(str(order.trailing_offset))


def ties_of(order: Any) -> Sequence[str]:
    """The orders that it is linked with, by name."""
    return [str(each) for each in order.linked_order_ids or ()]


def parent_of(order: Any) -> str | None:
    """The order whose fill it waits for."""
    return None if order.parent_order_id is None else str(order.parent_order_id)


# -- what Alpaca cannot do


def _kind(kind: str, *, crypto: bool) -> str | None:
    if kind not in TYPES:
        return f"ORDER_TYPE: Alpaca has no {kind} orders; it has {', '.join(TYPES)}"
    if crypto and kind not in CRYPTO_TYPES:
        return f"ORDER_TYPE: Alpaca has no {kind} orders in crypto; it has {', '.join(CRYPTO_TYPES)}"
    return None


def _tif(kind: str, tif: str, *, crypto: bool) -> str | None:
    allowed = CRYPTO_TIFS if crypto else tuple(TIFS)
    if tif not in allowed:
        where = " in crypto" if crypto else ""
        return f"TIME_IN_FORCE: Alpaca has no {tif} orders{where}; use {', '.join(allowed)}"
    if tif in AUCTIONS and kind not in ("MARKET", "LIMIT"):
        return f"TIME_IN_FORCE: only MARKET and LIMIT orders can wait for an auction ({tif}), not {kind}"
    if kind == "TRAILING_STOP_MARKET" and tif not in LASTING:
        return f"TIME_IN_FORCE: a trailing stop is DAY or GTC at Alpaca, not {tif}"
    return None


def _extras(order: Any, *, is_exit: bool) -> str | None:
    if getattr(order, "is_post_only", False) and not is_exit:
        return "POST_ONLY: Alpaca has no post-only orders"
    if getattr(order, "display_qty", None) is not None:
        return "DISPLAY_QTY: Alpaca shows orders in full"
    trigger = getattr(order, "trigger_type", None)
    if trigger is not None and trigger.name not in TRIGGERS:
        return f"TRIGGER_TYPE: Alpaca triggers on the last price, not on {trigger.name}"
    if order.order_type.name == "TRAILING_STOP_MARKET":
        return _trail(order)
    return None


def _trail(order: Any) -> str | None:
    if order.trailing_offset_type.name not in ("PRICE", "BASIS_POINTS"):
        return f"TRAILING_OFFSET: give it as PRICE or BASIS_POINTS, not {order.trailing_offset_type.name}"
    if getattr(order, "activation_price", None) is not None:
        return "ACTIVATION_PRICE: a trailing stop follows from the start at Alpaca"
    return None


def _size(order: Any, kind: str, tif: str, *, crypto: bool) -> str | None:
    quantity = order.quantity.as_decimal()
    if crypto and not order.is_quote_quantity:
        return None
    if order.is_quote_quantity:
        if kind != "MARKET" or tif not in (*LASTING, "IOC"):
            return f"NOTIONAL: an amount in dollars needs a MARKET order for the day, not {kind} {tif}"
        return "NOTIONAL: whole cents" if quantity % CENT else None
    if quantity % 1 and not (kind == "MARKET" and tif in LASTING):
        return (
            f"FRACTIONAL: {text_of(quantity)} shares need a MARKET order for the day, not {kind} {tif}; "
            "round to whole shares"
        )
    return None


def _prices(order: Any, *, crypto: bool) -> str | None:
    for price in (limit_of(order), trigger_of(order)):
        if price is not None and price <= 0:
            return f"PRICE: {text_of(price)} is not above zero"
        if price is not None and not crypto and price >= DOLLAR and price % CENT:
            return f"PRICE: {text_of(price)} is between cents; from 1 USD on Alpaca takes whole cents"
    return None


def _hours(order: Any, kind: str, tif: str, *, crypto: bool) -> str | None:
    if not _wants_extended(order):
        return None
    if crypto or kind != "LIMIT" or tif not in LASTING:
        return f"EXTENDED_HOURS: only LIMIT orders in shares, DAY or GTC, not {kind} {tif}"
    return None


def _wants_extended(order: Any) -> bool:
    return EXTENDED_HOURS in (order.tags or ())


def _may_extend(kind: str, tif: str, instrument: str) -> bool:
    return kind == "LIMIT" and tif in LASTING and not is_crypto(instrument)


def required(text: str | None) -> None:
    """Raise NotSentError with the text, if there is one."""
    if text is not None:
        raise NotSentError(text)
