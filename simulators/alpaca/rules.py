"""May this account send this order now? What the broker refuses after reading the request: money, shares, hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulators.alpaca.assets import Asset, Assets
from simulators.alpaca.ledger import Ledger
from simulators.alpaca.matching import Quote
from simulators.alpaca.orders import Order
from simulators.alpaca.refusal import forbidden, unprocessable
from simulators.alpaca.tickets import Ticket
from simulators.alpaca.wire import amount

ZERO = Decimal(0)
LEAST_EQUITY_TO_SHORT = Decimal(2000)
SHORT_MARK_UP = Decimal("1.03")


@dataclass(slots=True)
class Flags:
    """What the account may do."""

    trading_blocked: bool = False
    account_blocked: bool = False
    transfers_blocked: bool = False
    trade_suspended_by_user: bool = False
    shorting_enabled: bool = True
    fractional_trading: bool = True
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class Power:
    """What the account is worth and may still buy; dollars."""

    equity: Decimal
    long_value: Decimal
    short_value: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    held: Decimal
    buying_power: Decimal
    cash_power: Decimal
    """For what cannot be bought on margin: crypto, hard-to-borrow shares."""


def power(
    ledger: Ledger, quotes: Mapping[str, Quote], orders: Iterable[Order], assets: Assets, multiplier: int
) -> Power:
    """Reckon it from the positions at the newest prices and the orders that would open more."""
    longs = shorts = initial = maintenance = ZERO
    for symbol, position in ledger.positions.items():
        value = position.quantity * price_of(symbol, quotes, position.average_price)
        asset = assets.get(symbol)
        rate = Decimal(1) / multiplier if asset.marginable else Decimal(1)
        initial += abs(value) * rate
        maintenance += abs(value) * asset.maintenance_pct / 100
        longs, shorts = longs + max(ZERO, value), shorts + min(ZERO, value)
    equity = ledger.cash + longs + shorts
    held = sum((hold(order, ledger, quotes) for order in orders if counts(order)), ZERO)
    buying = max(ZERO, (equity - initial) * multiplier - held)
    cash = max(ZERO, min(ledger.cash + shorts, equity - initial) - held)
    return Power(equity, longs, shorts, initial, maintenance, held, buying, cash)


def price_of(symbol: str, quotes: Mapping[str, Quote], otherwise: Decimal) -> Decimal:
    """The newest price."""
    quote = quotes.get(symbol)
    return otherwise if quote is None else quote.last


def counts(order: Order) -> bool:
    """Whether an order reserves money or shares: a held leg does not, its sibling or parent does."""
    return order.is_open and order.status != "held"


def hold(order: Order, ledger: Ledger, quotes: Mapping[str, Quote]) -> Decimal:
    """What an order that opens a position keeps back of the buying power."""
    held = ledger.held(order.symbol)
    if held * order.sign < 0:
        return ZERO
    if order.notional is not None:
        return order.notional
    return order.leaves * _estimate(order, quotes.get(order.symbol))


def check(  # noqa: PLR0913 - an order, and all that it may collide with
    ticket: Ticket, asset: Asset, ledger: Ledger, orders: list[Order], quotes: Mapping[str, Quote], free: Power,
    flags: Flags,
) -> None:  # fmt: skip
    """Raises RefusedError 403 or 422 for what this account cannot do now. `orders` are the open ones."""
    if (
        flags.trading_blocked
        or flags.account_blocked
        or flags.trade_suspended_by_user
        or flags.status != "ACTIVE"
    ):
        raise forbidden(
            "account is restricted from trading: new orders are rejected by user request or by Alpaca"
        )
    if not asset.tradable:
        raise unprocessable(f"asset {asset.symbol} is not active")
    same = [order for order in orders if order.symbol == asset.symbol]
    _check_wash(ticket, same)
    sign = 1 if ticket.side == "buy" else -1
    held = ledger.held(asset.symbol)
    if held * sign < 0:
        _check_available(ticket, held, same)
        return
    if ticket.order_class == "oco":
        raise unprocessable("oco orders must be exit orders")
    if sign < 0:
        _check_short(ticket, asset, free, flags)
    _check_power(ticket, asset, quotes.get(asset.symbol), free)


def check_power_for_more(order: Order, more: Decimal, free: Power) -> None:
    """A replacement may not cost more than there is. Raises RefusedError 403."""
    if more > free.buying_power:
        raise forbidden(
            "insufficient buying power", buying_power=amount(free.buying_power), cost_basis=amount(more),
            symbol=order.symbol,
        )  # fmt: skip


def _check_available(ticket: Ticket, held: Decimal, same: list[Order]) -> None:
    """What closes a position closes at most what of it is not promised yet: no order flips a position."""
    promised = sum((order.leaves for order in same if counts(order) and order.side == ticket.side), ZERO)
    available = abs(held) - promised
    wanted = ticket.qty or ZERO
    if wanted > available:
        related: dict[str, Any] = (
            {"related_orders": [order.id for order in same if counts(order)]} if promised else {}
        )
        raise forbidden(
            f"insufficient qty available for order (requested: {amount(wanted)}, available: {amount(available)})",
            available=amount(available), existing_qty=amount(abs(held)), held_for_orders=amount(promised),
            symbol=ticket.symbol, **related,
        )  # fmt: skip


def _check_short(ticket: Ticket, asset: Asset, free: Power, flags: Flags) -> None:
    if asset.is_crypto:
        raise forbidden(
            f"insufficient balance for {asset.symbol.split('/')[0]} (requested: {amount(ticket.qty or ZERO)}, "
            "available: 0)",
            available="0", symbol=asset.symbol,
        )  # fmt: skip
    if not asset.shortable:
        raise unprocessable(f'asset "{asset.symbol}" cannot be sold short')
    if not flags.shorting_enabled or free.equity < LEAST_EQUITY_TO_SHORT:
        raise forbidden("account is not allowed to short")
    if not ticket.is_whole:
        raise unprocessable("fractional orders cannot be sold short")


def _check_power(ticket: Ticket, asset: Asset, quote: Quote | None, free: Power) -> None:
    have = free.buying_power if asset.marginable else free.cash_power
    price = ticket.limit_price or ticket.stop_price
    if price is None and quote is not None:
        price = quote.ask if ticket.side == "buy" else quote.ask * SHORT_MARK_UP
    cost = ticket.notional if ticket.notional is not None else (ticket.qty or ZERO) * (price or ZERO)
    if cost <= have:
        return
    if asset.is_crypto:
        raise forbidden(
            f"insufficient balance for USD (requested: {amount(cost)}, available: {amount(have)})",
            available=amount(have), symbol="USD",
        )  # fmt: skip
    raise forbidden("insufficient buying power", buying_power=amount(have), cost_basis=amount(cost))


def _check_wash(ticket: Ticket, same: list[Order]) -> None:
    if ticket.order_class not in ("", "simple") or ticket.type == "trailing_stop":
        return
    for order in same:
        exempt = order.order_class not in ("", "simple") or order.type == "trailing_stop"
        if order.side == ticket.side or exempt or order.status == "pending_cancel":
            continue
        if _washes(ticket, order):
            raise forbidden(
                "potential wash trade detected. use complex orders", existing_order_id=order.id,
                reject_reason=f"opposite side {order.type.replace('_', ' ')} order exists",
            )  # fmt: skip


def _washes(ticket: Ticket, order: Order) -> bool:
    if (
        ticket.type == order.type == "limit"
        and ticket.limit_price is not None
        and order.limit_price is not None
    ):
        gap = ticket.limit_price - order.limit_price
        return gap * (1 if ticket.side == "buy" else -1) >= 0
    return True


def _estimate(order: Order, quote: Quote | None) -> Decimal:
    price = order.limit_price or order.stop_price
    if price is not None:
        return price
    if quote is None:
        return ZERO
    return quote.ask if order.side == "buy" else quote.ask * SHORT_MARK_UP
