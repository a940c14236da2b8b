"""How do orders hang together: entries with their exits, pairs of which one ends the other, and replacements?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from simulators.alpaca import matching
from simulators.alpaca.assets import Asset
from simulators.alpaca.orders import Order
from simulators.alpaca.refusal import unprocessable
from simulators.alpaca.tickets import TIMES_IN_FORCE, Ticket, check_price
from simulators.alpaca.wire import number

if TYPE_CHECKING:
    from simulators.alpaca.exchange import Exchange
    from simulators.alpaca.matching import Quote

ZERO = Decimal(0)
UNCHANGEABLE = ("accepted", "pending_new", "pending_cancel", "pending_replace")
_PRICES = {
    "limit_price": ("limit", "stop_limit"),
    "stop_price": ("stop", "stop_limit"),
}


def make(  # noqa: PLR0913 - what an order is made of
    ticket: Ticket, asset: Asset, name: str, stamp: int, held: Decimal, quote: Quote | None
) -> tuple[Order, list[Order]]:
    """The order of a ticket, and its legs."""
    is_oco = ticket.order_class == "oco"
    opens = "open" if held * (1 if ticket.side == "buy" else -1) >= 0 else "close"
    order = Order(
        id=str(uuid4()), client_order_id=name, symbol=asset.symbol, asset_id=asset.id,
        asset_class=asset.asset_class, side=ticket.side, type=ticket.type, time_in_force=ticket.time_in_force,
        created_at=stamp, updated_at=stamp, qty=ticket.qty, notional=ticket.notional,
        limit_price=(ticket.take_profit or ticket.limit_price) if is_oco else ticket.limit_price,
        stop_price=ticket.stop_price, trail_price=ticket.trail_price, trail_percent=ticket.trail_percent,
        extended_hours=ticket.extended_hours,
        order_class="" if ticket.order_class == "simple" else ticket.order_class,
        position_intent=ticket.position_intent or f"{ticket.side}_to_{opens}",
    )  # fmt: skip
    if quote is not None:
        matching.follow(order, quote.last)
    legs = _legs(order, ticket)
    if order.order_class:
        order.group_id, order.group_role = str(uuid4()), "take_profit" if is_oco else "entry"
        order.legs = [leg.id for leg in legs]
        for leg in legs:
            leg.group_id = order.group_id
    return order, legs


def _legs(order: Order, ticket: Ticket) -> list[Order]:
    is_oco = order.order_class == "oco"
    side = order.side if is_oco else ("sell" if order.side == "buy" else "buy")
    blank = replace(
        order, limit_price=None, stop_price=None, hwm=None, trail_price=None, trail_percent=None, legs=[],
        side=side, status="held", position_intent=f"{side}_to_close",
    )  # fmt: skip
    legs = []
    if ticket.take_profit is not None and not is_oco:
        legs.append(
            replace(blank, type="limit", limit_price=ticket.take_profit, group_role="take_profit", **_ids())
        )
    if ticket.stop_loss is not None:
        kind = "stop" if ticket.stop_loss_limit is None else "stop_limit"
        prices: dict[str, Any] = {"stop_price": ticket.stop_loss, "limit_price": ticket.stop_loss_limit}
        legs.append(replace(blank, type=kind, group_role="stop_loss", **prices, **_ids()))
    return legs


def changed(order: Order, body: Mapping[str, Any], asset: Asset, stamp: int) -> Order:
    """The order that shall take another's place. Raises RefusedError 422."""
    if not order.is_open or order.status in UNCHANGEABLE:
        raise unprocessable(f'cannot replace order in "{order.status}" state')
    if order.notional is not None:
        raise unprocessable("notional orders cannot be replaced")
    new = replace(
        order, **_ids(body.get("client_order_id")), created_at=stamp, updated_at=stamp, status="accepted",
        qty=order.leaves, filled_qty=ZERO, filled_avg_price=None, filled_at=None, replaces=order.id,
        legs=list(order.legs),
    )  # fmt: skip
    qty = number("qty", body.get("qty"))
    if qty is not None:
        _change_qty(order, new, qty)
    if body.get("time_in_force") is not None:
        if body["time_in_force"] not in TIMES_IN_FORCE:
            raise unprocessable("invalid time_in_force")
        new.time_in_force = str(body["time_in_force"])
    for name, kinds in _PRICES.items():
        price = number(name, body.get(name))
        if price is not None:
            if order.type not in kinds:
                raise unprocessable(
                    f"{order.type.replace('_', ' ')} orders must not have a {name.replace('_', ' ')}"
                )
            check_price(name, price, asset)
            setattr(new, name, price)
    _change_trail(new, number("trail", body.get("trail")))
    same = ("qty", "time_in_force", "limit_price", "stop_price", "trail_price", "trail_percent")
    if all(getattr(new, name) == (order.leaves if name == "qty" else getattr(order, name)) for name in same):
        raise unprocessable("order parameters are not changed")
    return new


def _change_qty(order: Order, new: Order, qty: Decimal) -> None:
    if qty != qty.to_integral_value() and not order.is_crypto:
        raise unprocessable("qty must be a whole number of shares")
    if order.qty != (order.qty or ZERO).to_integral_value() and not order.is_crypto:
        raise unprocessable("qty of fractional orders cannot be changed")
    if qty <= order.filled_qty:
        raise unprocessable("qty must be > filled_qty")
    new.qty = qty - order.filled_qty


def _change_trail(new: Order, trail: Decimal | None) -> None:
    if trail is None:
        return
    if new.type != "trailing_stop":
        raise unprocessable("only trailing stop orders have a trail")
    if trail <= 0:
        raise unprocessable("trail must be > 0")
    if new.trail_price is not None:
        new.trail_price = trail
    else:
        new.trail_percent = trail
    if new.hwm is not None:
        last, new.hwm = new.hwm, None
        matching.follow(new, last)


def take_over(order: Order, new: Order, orders: Mapping[str, Order]) -> None:
    """The replacement takes its place among the legs."""
    for other in orders.values():
        if order.id in other.legs:
            other.legs = [new.id if each == order.id else each for each in other.legs]


def members(order: Order, orders: Mapping[str, Order]) -> Iterable[Order]:
    """All other orders of its group."""
    if order.group_id is None:
        return []
    return [each for each in orders.values() if each.group_id == order.group_id and each.id != order.id]


def bound_to(order: Order, orders: Mapping[str, Order]) -> Iterable[Order]:
    """What ends when it ends: of an entry its exits, of an exit its sibling."""
    is_entry = order.group_role == "entry"
    return [
        each
        for each in members(order, orders)
        if order.id not in (each.replaces, each.replaced_by) and (is_entry or each.group_role != "entry")
    ]


def is_armed(order: Order, orders: Mapping[str, Order]) -> bool:
    """Whether a held leg watches the price already: the entry is filled, or there is none."""
    entries = [
        each for each in members(order, orders) if each.group_role == "entry" and each.status != "replaced"
    ]
    return order.group_id is not None and all(each.status == "filled" for each in entries)


def after_fill(exchange: Exchange, order: Order) -> None:
    """An entry that is filled arms its exits; an exit that fills shrinks or ends its sibling."""
    if order.group_role == "entry" and order.status == "filled":
        legs = [leg for leg in bound_to(order, exchange.orders) if leg.status == "held"]
        for leg in legs:
            if leg.group_role == "take_profit" or len(legs) == 1:
                leg.status = "new"
                exchange.update("new", leg)
        for leg in legs:
            if leg.is_open:
                exchange.try_to_fill(leg)
    elif order.group_role in ("take_profit", "stop_loss"):
        for sibling in bound_to(order, exchange.orders):
            if not sibling.is_open:
                continue
            if order.status == "filled":
                _end_sibling(exchange, sibling, order)
            else:
                sibling.qty = sibling.filled_qty + order.leaves


def _end_sibling(exchange: Exchange, sibling: Order, order: Order) -> None:
    if order.group_role == "stop_loss" and exchange.stopped_target != "canceled":
        exchange.give_way(sibling, order)
    else:
        exchange.end(sibling, "canceled")


def _ids(name: Any = None) -> dict[str, Any]:
    return {"id": str(uuid4()), "client_order_id": str(name or uuid4())}
