"""What does an order's OrderInitialized event say, in the book's plain terms?"""

from __future__ import annotations

from decimal import Decimal

from nautilus_trader.model import ContingencyType, OrderInitialized, OrderSide

FILLS_ONCE = (ContingencyType.OCO, ContingencyType.OUO)
BUY = OrderSide.BUY


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


def units(order: OrderInitialized, price: Decimal | None) -> Decimal:
    """The order's size in units of the instrument; one given in quote currency is divided by `price`.

    Raises LookupError when that price is missing.
    """
    quantity: Decimal = order.quantity.as_decimal()
    if not order.quote_quantity:
        return quantity
    if not price:
        raise LookupError(f"no price to size the quote quantity of {order.instrument_id} with")
    return quantity / price


def grouped_id(order: OrderInitialized) -> str:
    """The name shared by orders of which only one can fill; an order that stands alone is its own group."""
    own = str(order.client_order_id)
    contingency = order.contingency_type
    if contingency is None or contingency not in FILLS_ONCE or not order.linked_order_ids:
        return own
    return f"group:{min(own, *map(str, order.linked_order_ids))}"
