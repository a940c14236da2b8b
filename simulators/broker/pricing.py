"""At which price would an order fill, if at all? Pure: an order and a price, or a bar."""

from __future__ import annotations

from decimal import Decimal

from simulators.broker.orders import PENDING, Order
from simulators.broker.playback import PlayedBar


def at_once(order: Order, last: Decimal) -> Decimal | None:
    """The price at which an order fills against the newest price; None while it has to wait. A stop may trigger."""
    if order.status == PENDING or not _triggered(order, last):
        return None
    return last if order.price is None or _reaches(order, last, order.price) else None


def on_bar(order: Order, bar: PlayedBar) -> Decimal | None:
    """The price at which an order fills on a bar; None when it does not. A stop may trigger."""
    if order.status == PENDING:
        return None
    if order.trigger_price is not None and not order.triggered:
        return _stop_on_bar(order, bar, order.trigger_price)
    if order.price is None:
        return bar.open
    if _reaches(order, bar.open, order.price):
        return bar.open
    return order.price if _reaches(order, bar.low if order.side == "BUY" else bar.high, order.price) else None


def _stop_on_bar(order: Order, bar: PlayedBar, trigger: Decimal) -> Decimal | None:
    if _triggered(order, bar.open):
        price = bar.open
    elif _triggered(order, bar.high if order.side == "BUY" else bar.low):
        price = trigger
    else:
        return None
    return price if order.price is None or _reaches(order, price, order.price) else None


def _triggered(order: Order, price: Decimal) -> bool:
    if order.trigger_price is not None and not order.triggered:
        order.triggered = (price - order.trigger_price) * order.sign >= 0
    return order.triggered or order.trigger_price is None


def _reaches(order: Order, price: Decimal, limit: Decimal) -> bool:
    return (limit - price) * order.sign >= 0
