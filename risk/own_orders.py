"""How does the desk make the orders it sends itself: closing ones and protective ones, all of them reductions?"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    ContingencyType,
    LimitOrder,
    OrderSide,
    Price,
    StopMarketOrder,
    TimeInForce,
    TriggerType,
)

if TYPE_CHECKING:
    from risk.gate import RiskGate

CLOSE, STOP, TARGET = "RISK-CLOSE", "RISK-STOP", "RISK-TARGET"
"""Tags of the desk's own orders."""


def is_own(order: Any) -> bool:
    """Whether the desk sent an order itself: no strategy may change it."""
    return any(tag in (CLOSE, STOP, TARGET) for tag in order.tags or ())


def closing(gate: RiskGate, instrument: Any, position: Decimal, quantity: Decimal | None) -> list[Any]:
    """The reduce-only market order that closes a signed position, or `quantity` of it."""
    size = instrument.make_qty(abs(position) if quantity is None else quantity)
    side = OrderSide.SELL if position > 0 else OrderSide.BUY
    return [gate.order_factory.market(instrument.id, side, size, reduce_only=True, tags=[CLOSE])]


def protecting(  # noqa: PLR0913 - what a protective order has
    gate: RiskGate,
    instrument: Any,
    *,
    is_buy: bool,
    quantity: Decimal,
    trigger: Decimal | None,
    limit: Decimal | None,
) -> list[Any]:
    """A reduce-only stop, a reduce-only limit order, or both linked so that one shrinks with the other (OUO).

    The engine's own bracket with a market entry leaves the position naked in the live sandbox (engine.md 2); a pair
    sent after the fill does not.
    """
    factory = gate.order_factory
    linked = trigger is not None and limit is not None
    stop, target = factory.generate_client_order_id(), factory.generate_client_order_id()
    group = factory.generate_order_list_id() if linked else None
    now = gate.clock.timestamp_ns()
    common = (OrderSide.BUY if is_buy else OrderSide.SELL, instrument.make_qty(quantity))
    ids = (gate.trader(), gate.strategy_id, instrument.id)

    def links(other: Any, tag: str) -> dict[str, Any]:
        if not linked:
            return {"tags": [tag]}
        return {
            "contingency_type": ContingencyType.OUO,
            "order_list_id": group,
            "linked_order_ids": [other],
            "tags": [tag],
        }

    orders: list[Any] = []
    if trigger is not None:
        price = Price.from_decimal_dp(trigger, instrument.price_precision)
        orders.append(
            StopMarketOrder(
                *ids, stop, *common, price, TriggerType.DEFAULT, TimeInForce.GTC, True, False, UUID4(), now,  # noqa: FBT003 - the engine's: reduce_only, quote_quantity
                **links(target, STOP),
            )
        )  # fmt: skip
    if limit is not None:
        price = Price.from_decimal_dp(limit, instrument.price_precision)
        orders.append(
            LimitOrder(
                *ids, target, *common, price, TimeInForce.GTC, False, True, False, UUID4(), now,  # noqa: FBT003 - the engine's: post_only, reduce_only, quote_quantity
                **links(stop, TARGET),
            )
        )  # fmt: skip
    return orders
