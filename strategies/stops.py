"""Where does a protective stop belong?"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from nautilus_trader.model import OrderFilled, OrderSide

from strategies.sizing import EXACT, ZERO


def stop_price(average: Decimal, distance_pct: Decimal, increment: Decimal, *, is_long: bool) -> Decimal:
    """The trigger `distance_pct` of the average entry price away, rounded to the tick nearer to the entry.

    So the loss to the stop is never larger than asked for. At least one tick, since no price is zero.
    """
    with localcontext(EXACT):
        price = average * (1 - distance_pct) if is_long else average * (1 + distance_pct)
        ticks = (price / increment).to_integral_value(rounding=ROUND_CEILING if is_long else ROUND_FLOOR)
        return max(ticks, Decimal(1)) * increment


def average_entry(fills: Iterable[OrderFilled], *, is_long: bool) -> Decimal:
    """The average price of the fills that built a position, weighted by quantity. Raises ValueError without any."""
    side = OrderSide.BUY if is_long else OrderSide.SELL
    quantity = value = ZERO
    for fill in fills:
        if fill.order_side == side:
            quantity += fill.last_qty.as_decimal()
            value += fill.last_qty.as_decimal() * fill.last_px.as_decimal()
    if quantity == ZERO:
        raise ValueError(f"no {side.name} fill to measure the stop's distance from")
    with localcontext(EXACT):
        return value / quantity
