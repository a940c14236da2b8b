"""What happens to orders at the open, at the close, and when their time is over?"""

from __future__ import annotations

from simulators.alpaca import matching
from simulators.alpaca.exchange import Exchange
from simulators.alpaca.orders import WORKING, Order


def open_market(exchange: Exchange) -> None:
    """The open: the auction, and what waited for it."""
    for order in exchange.open_orders():
        if order.is_crypto:
            continue
        if order.status == "accepted":
            order.status = "new"
            exchange.update("new", order)
        if order.time_in_force == "opg" and order.is_open:
            _auction(exchange, order)
        else:
            exchange.try_to_fill(order)


def close_market(exchange: Exchange, stamp: int, day: str) -> None:
    """The close: the auction, what the day was worth, and its fees."""
    for order in exchange.open_orders():
        if order.time_in_force == "cls":
            _auction(exchange, order)
    expire(exchange, stamp)
    exchange.ledger.charge_fees(stamp, day)
    exchange.ledger.lastday = {symbol: quote.last for symbol, quote in exchange.quotes.items()}
    exchange.ledger.last_equity = exchange.power().equity


def expire(exchange: Exchange, now: int) -> None:
    """End what has run out of time."""
    for order in exchange.open_orders():
        if order.is_open and 0 < order.expires_at <= now:
            exchange.end(order, "expired")


def _auction(exchange: Exchange, order: Order) -> None:
    """Fill it in one at the auction's price, or end it."""
    quote = exchange.quotes.get(order.symbol)
    if order.status in WORKING and quote is not None and order.symbol not in exchange.halted:
        price = matching.price_for(order, quote)
        if price is not None:
            exchange.fill(order, order.leaves, price)
    if order.is_open:
        exchange.end(order, "canceled")
