"""How does what a venue says read in the engine's own words? Pure: plain values in, the engine's reports out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.model import (
    AccountBalance,
    AccountId,
    ClientOrderId,
    Currency,
    FillReport,
    InstrumentId,
    LiquiditySide,
    Money,
    OrderSide,
    OrderStatus,
    OrderStatusReport,
    OrderType,
    PositionSide,
    PositionStatusReport,
    Price,
    Quantity,
    TimeInForce,
    TradeId,
    TriggerType,
    VenueOrderId,
)

from adapters.account import VenueFill, VenueOrder, VenuePosition
from adapters.gatekeeper import Intent

STATUSES = {"PENDING": OrderStatus.ACCEPTED}
"""The venue's statuses that have another name in the engine."""
LIQUIDITY = {"MAKER": LiquiditySide.MAKER, "TAKER": LiquiditySide.TAKER}
NO_LIQUIDITY = LiquiditySide.NO_LIQUIDITY_SIDE


def intent_of(order: Any) -> Intent:
    """What an order of the engine's is about, in plain values."""
    return Intent(
        client_order_id=str(order.client_order_id),
        strategy=str(order.strategy_id),
        instrument=str(order.instrument_id),
        side=order.side.name,
        type=order.order_type.name,
        quantity=order.quantity.as_decimal(),
        price=decimal_of(getattr(order, "price", None)),  # a market order has no such attribute
        trigger_price=decimal_of(getattr(order, "trigger_price", None)),
        tif=order.time_in_force.name,
        reduce_only=bool(order.is_reduce_only),
    )


def decimal_of(value: Any) -> Decimal | None:
    """A price or quantity of the engine's as a Decimal; None stays None."""
    return None if value is None else value.as_decimal()


def quantity_of(value: Decimal, instrument: Any) -> Quantity:
    """A quantity with the instrument's decimals, or more where the venue gave more."""
    return Quantity.from_decimal(_with_decimals(value, instrument.size_precision))


def price_of(value: Decimal, instrument: Any) -> Price:
    """A price with the instrument's decimals, or more where the venue gave more: fills may lie between ticks."""
    return Price.from_decimal(_with_decimals(value, instrument.price_precision))


def _with_decimals(value: Decimal, least: int) -> Decimal:
    exact = value.normalize()
    exponent = exact.as_tuple().exponent
    return exact.quantize(Decimal(1).scaleb(-max(least, -exponent if isinstance(exponent, int) else 0)))


def money_of(value: Decimal, currency: str) -> Money:
    """An amount, rounded to what its currency can hold."""
    kind = Currency.from_str(currency)
    return Money.from_decimal(value.quantize(Decimal(1).scaleb(-kind.precision)), kind)


def balance_of(value: Decimal, currency: str) -> AccountBalance:
    """A balance of which nothing is locked."""
    total = money_of(value, currency)
    return AccountBalance(total, money_of(Decimal(0), currency), total)


def liquidity_of(word: str) -> LiquiditySide:
    """MAKER, TAKER, or neither."""
    return LIQUIDITY.get(word, NO_LIQUIDITY)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes reports for one account."""

    account_id: AccountId

    def order(self, order: VenueOrder, instrument: Any, now: int) -> OrderStatusReport:
        """Where an order stands."""
        return OrderStatusReport(
            self.account_id,
            InstrumentId.from_str(order.instrument),
            VenueOrderId(order.venue_order_id),
            OrderSide.from_str(order.side),
            OrderType.from_str(order.type),
            TimeInForce.from_str(order.tif),
            STATUSES.get(order.status) or OrderStatus.from_str(order.status),
            quantity_of(order.quantity, instrument),
            quantity_of(order.filled, instrument),
            order.ts,
            order.ts,
            now,
            client_order_id=ClientOrderId(order.name),
            price=None if order.price is None else price_of(order.price, instrument),
            trigger_price=None if order.trigger_price is None else price_of(order.trigger_price, instrument),
            trigger_type=None if order.trigger_price is None else TriggerType.DEFAULT,
            avg_px=order.average_price,
            reduce_only=order.reduce_only,
            cancel_reason=order.reason,
        )

    def fill(self, fill: VenueFill, instrument: Any, now: int) -> FillReport:
        """One execution."""
        return FillReport(
            self.account_id,
            InstrumentId.from_str(fill.instrument),
            VenueOrderId(fill.venue_order_id),
            TradeId(fill.trade_id),
            OrderSide.BUY if fill.side == "BUY" else OrderSide.SELL,
            quantity_of(fill.quantity, instrument),
            price_of(fill.price, instrument),
            money_of(fill.commission, fill.currency),
            liquidity_of(fill.liquidity),
            fill.ts,
            now,
            client_order_id=ClientOrderId(fill.name),
        )

    def position(self, position: VenuePosition, instrument: Any, ts: int, now: int) -> PositionStatusReport:
        """What is held of an instrument."""
        held = position.quantity
        side = PositionSide.LONG if held > 0 else PositionSide.SHORT if held else PositionSide.FLAT
        return PositionStatusReport(
            self.account_id,
            InstrumentId.from_str(position.instrument),
            side,
            quantity_of(abs(held), instrument),
            ts,
            now,
            avg_px_open=on_tick(position.average_price, instrument),
        )


def on_tick(price: Decimal, instrument: Any) -> Decimal:
    """An average price as the engine can reach it: it makes a position of one fill, at a price it can write."""
    return price.quantize(Decimal(1).scaleb(-instrument.price_precision)) or price
