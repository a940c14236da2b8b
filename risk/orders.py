"""What does an order's OrderInitialized event say, in the book's plain terms?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

from nautilus_trader.model import ContingencyType, OrderInitialized, OrderSide, OrderType

from risk.numbers import ZERO

FILLS_ONCE = (ContingencyType.OCO, ContingencyType.OUO)
IF_TOUCHED = (OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED)
"""Their trigger is a better price, where a stop's is a worse one."""
BUY = OrderSide.BUY
STATUS_OF = {  # order event -> the order's status after it
    "OrderDenied": "DENIED",
    "OrderEmulated": "EMULATED",
    "OrderReleased": "RELEASED",
    "OrderSubmitted": "SUBMITTED",
    "OrderAccepted": "ACCEPTED",
    "OrderRejected": "REJECTED",
    "OrderCanceled": "CANCELED",
    "OrderExpired": "EXPIRED",
    "OrderTriggered": "TRIGGERED",
}


def is_buy(order: OrderInitialized) -> bool:
    """Whether the order buys."""
    return bool(order.order_side == BUY)


def limit_price(order: OrderInitialized) -> Decimal | None:
    """The order's limit price, None without one."""
    price = order.price
    return None if price is None else price.as_decimal()


def trigger_price(order: OrderInitialized) -> Decimal | None:
    """The price at which the order wakes up, None without one."""
    price = order.trigger_price
    return None if price is None else price.as_decimal()


def highest(limit: Decimal | None, trigger: Decimal | None) -> Decimal | None:
    """The higher of limit and trigger price; None for an order without either."""
    if limit is None:
        return trigger
    return limit if trigger is None else max(limit, trigger)


def units(order: OrderInitialized, price: Decimal | None, step: Decimal = ZERO) -> Decimal:
    """The order's size in units of the instrument; one given in quote currency is divided by `price`.

    Then it counts to the next `step`, for the engine may round up. Raises LookupError when that price is missing.
    """
    quantity: Decimal = order.quantity.as_decimal()
    if not order.quote_quantity:
        return quantity
    if not price:
        raise LookupError(f"no price to size the quote quantity of {order.instrument_id} with")
    exact = quantity / price
    return exact if not step else (exact / step).to_integral_value(ROUND_CEILING) * step


def grouped_id(order: OrderInitialized) -> str:
    """The name shared by orders of which only one can fill; an order that stands alone is its own group."""
    own = str(order.client_order_id)
    contingency = order.contingency_type
    if contingency is None or contingency not in FILLS_ONCE or not order.linked_order_ids:
        return own
    return f"group:{min(own, *map(str, order.linked_order_ids))}"


def tied(order: OrderInitialized) -> bool:
    """Whether the order depends on other orders, or they on it."""
    return bool(order.linked_order_ids) or order.parent_order_id is not None


def wrong_tie(orders: Sequence[OrderInitialized]) -> str | None:
    """Why the ties of these orders, sent together, are refused; None when they are fine.

    Over one to an order it does not know, or to a parent that is not OTO, the engine ends the whole process; one to an
    order of another list would cancel or resize what somebody else sent.
    """
    ties = [order for order in orders if tied(order)]
    known = {str(order.client_order_id): order for order in orders} if ties else {}
    for order in ties:
        for other in (*(order.linked_order_ids or ()), order.parent_order_id):
            found = known.get(str(other))
            if other is not None and found is None:
                return f"{order.client_order_id} is tied to {other}, which is not sent with it in one list"
            if found is not None and found.instrument_id != order.instrument_id:
                return f"{order.client_order_id} is tied to an order of another instrument, {found.instrument_id}"
        if order.parent_order_id is not None:
            parent = known[str(order.parent_order_id)]
            if parent.contingency_type != ContingencyType.OTO or parent is order:
                return (
                    f"{order.client_order_id} names {order.parent_order_id} as its parent, which is not OTO"
                )
    return None


def fill_once(orders: Sequence[OrderInitialized]) -> dict[str, str]:
    """Client order id -> group, of pairs of which only one can fill: stop-market and limit, the market between them.

    Both have to name each other. Two that could be filled at the same price are no pair: the live sandbox fills the
    second before it hears of the first.
    """
    known = {str(order.client_order_id): order for order in orders}
    found: dict[str, str] = {}
    for name, order in known.items():
        links = order.linked_order_ids or ()
        other = known.get(str(links[0])) if len(links) == 1 else None
        if other is not None and _excludes(order, other) and grouped_id(other) == grouped_id(order) != name:
            found[name] = grouped_id(order)
    return found


def _excludes(one: OrderInitialized, other: OrderInitialized) -> bool:
    stop, target = (one, other) if one.order_type == OrderType.STOP_MARKET else (other, one)
    if (stop.order_type, target.order_type) != (OrderType.STOP_MARKET, OrderType.LIMIT):
        return False
    if stop.order_side != target.order_side or len(other.linked_order_ids or ()) != 1:
        return False
    trigger, limit = trigger_price(stop), limit_price(target)
    if trigger is None or limit is None:
        return False
    return trigger > limit if is_buy(stop) else trigger < limit
