"""At which price would an order fill against a quote, if at all?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from simulators.alpaca.assets import CENT
from simulators.alpaca.orders import Order

NINE_PLACES = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest bid, ask and trade of one asset."""

    bid: Decimal
    ask: Decimal
    last: Decimal
    stamp: int = 0


def price_for(order: Order, quote: Quote) -> Decimal | None:
    """The price at which it fills now; None while it has to wait. A stop may trigger, a trail may follow."""
    follow(order, quote.last)
    if order.waits_for_stop and order.stop_price is not None:
        order.triggered = (quote.last - order.stop_price) * order.sign >= 0
        if not order.triggered:
            return None
    touch = quote.ask if order.side == "buy" else quote.bid
    if order.limit_price is not None and (order.limit_price - touch) * order.sign < 0:
        return None
    return touch


def qty_for(order: Order, price: Decimal, step: Decimal, partial: Decimal | None) -> Decimal:
    """How much one fill takes: all that is left, or at most the share `partial` of it, in whole steps."""
    if order.notional is not None:
        return (order.notional / price).quantize(NINE_PLACES, ROUND_DOWN)
    if partial is None or order.time_in_force == "fok" or order.leaves <= step:
        return order.leaves
    return max(step, (order.leaves * partial / step).to_integral_value(ROUND_DOWN) * step)


def follow(order: Order, last: Decimal) -> None:
    """Move a trailing stop along with the price, never against it."""
    if order.type != "trailing_stop" or order.triggered:
        return
    if order.hwm is None or (order.hwm - last) * order.sign > 0:
        order.hwm = last
        trail = (
            order.trail_price if order.trail_price is not None else last * (order.trail_percent or 0) / 100
        )
        order.stop_price = (last + trail * order.sign).quantize(CENT, ROUND_HALF_EVEN)
