"""What does every order event mean to the book, before the strategy's own handler runs?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import OrderInitialized

from risk.breaker import Trip
from risk.handlers import BORROWED
from risk.numbers import ZERO
from risk.orders import BUY, is_buy

if TYPE_CHECKING:
    from decimal import Decimal

    from risk.desk import RiskDesk
    from risk.gate import RiskGate

Learner = Callable[["RiskGate", Any], None]
TOLD_BY_CLIENT = frozenset({
    "OrderSubmitted", "OrderAccepted", "OrderTriggered", "OrderFilled", "OrderCanceled", "OrderExpired",
    "OrderRejected",
})  # fmt: skip
"""Events of orders that this run did not send, which are booked by the venue's own word."""


class Events:
    """Brings the desk's book up to date, and notices orders that never passed the gate."""

    def __init__(self, desk: RiskDesk) -> None:
        """For the gates of one desk."""
        self._desk = desk
        self._emulated: set[str] = set()  # client order ids held by the engine's emulator
        self._approved: set[str] = set()  # client order ids that passed and still work
        self.owned: dict[
            str, str
        ] = {}  # client order id -> whose position it closes, where that is not its sender's
        self.reconciling = False  # the engine tells again what was booked before it started
        self.left_of: Callable[[str], Decimal | None] = _unknown
        """What is left of an order that this run did not send; None for one of this run.

        Of such orders the venue's client tells, not the engine: it knows them in part only, and under other names.
        """
        self._learners: dict[str, Learner] = {
            "on_order_emulated": self._held_back,
            "on_order_released": self._released,
            "on_order_filled": self._filled,
            "on_order_fill_voided": self._fill_voided,
            "on_order_denied": self._ended,
            "on_order_rejected": self._ended,
            "on_order_canceled": self._ended,
            "on_order_expired": self._ended,
            "on_order_updated": self._changed,
            "on_order_modify_rejected": self._change_refused,
        }

    def approved(self, client_order_id: str) -> None:
        """An order passed the gate."""
        self._approved.add(client_order_id)

    def owner_of(self, event: Any) -> str:
        """Whose position an order changes: its sender's, but for those sent on somebody's behalf."""
        return self.owned.get(str(event.client_order_id)) or str(event.strategy_id)

    def learner(self, handler: str) -> Learner:
        """What brings the book up to date with the events of this handler, before the strategy's own runs."""
        desk, learn = self._desk, self._learners.get(handler)
        pulse, witness, event_time = desk.pulse, desk.witness.event, desk.event_time

        def hear(gate: RiskGate, event: Any) -> None:
            name, kind = str(event.client_order_id), type(event).__name__
            elsewhere = self.left_of(name) is not None
            if self.reconciling or (elsewhere and kind in TOLD_BY_CLIENT):
                return
            now = event.ts_event if event_time is None else event_time(gate, event, pulse.now)
            pulse.now = max(pulse.now, now)
            try:
                desk.prices.roll(pulse.now)  # a fill of the new day must not be in what it is measured from
                if learn is not None:
                    learn(gate, event)
            except Exception as error:
                reason = (
                    f"BOOK_ERROR: {type(event).__name__} of {event.client_order_id} not understood: {error!r}"
                )
                desk.halts.later(Trip("BOOK_ERROR", reason, pulse.now))
                raise
            if not elsewhere or kind != "OrderUpdated":
                witness(pulse.now, event)

        return hear

    def initialized(self, event: OrderInitialized, *, closing: bool) -> None:
        """An order came to life. One nobody approved and that does not reduce is a way around the gate: halt.

        The engine cannot be called in this handler, so the halt is carried out in the next one.
        """
        name = str(event.client_order_id)
        if name in self._approved or self.reconciling or self.left_of(name) is not None:
            return
        holding = self._desk.book.holding(str(event.strategy_id), str(event.instrument_id))
        reduces = not event.quote_quantity and holding.reduces(
            is_buy=is_buy(event), quantity=event.quantity.as_decimal(), reduce_only=bool(event.reduce_only)
        )
        if not reduces and not (closing and event.reduce_only):
            reason = (
                f"BYPASS: order {name} of {event.strategy_id} did not pass the risk gate and does not reduce"
            )
            self._desk.halts.later(Trip("BYPASS", reason, self._desk.pulse.now))
        self._desk.sending(event)

    def reachable(self, handler: str, event: Any) -> bool:
        """Whether the engine may be called in this handler (engine.md 1: in some everything is borrowed)."""
        name = str(event.client_order_id)
        inside = handler in ("on_order_canceled", "on_order_updated") and name in self._emulated
        return handler not in BORROWED and not inside and not self._desk.primaries.concerns(name)

    # -- one method an event ----------------------------------------------------------------------------------------

    def _held_back(self, _gate: RiskGate, event: Any) -> None:
        self._emulated.add(str(event.client_order_id))

    def _released(self, _gate: RiskGate, event: Any) -> None:
        self._emulated.discard(str(event.client_order_id))

    def _ended(self, _gate: RiskGate, event: Any) -> None:
        name = str(event.client_order_id)
        self._desk.book.closed(name)
        self._desk.primaries.ended(name)
        self._approved.discard(name)
        self._desk.ended(name, event)

    def _changed(self, gate: RiskGate, event: Any) -> None:
        name, quantity = str(event.client_order_id), event.quantity.as_decimal()
        order = self._desk.book.orders.get(name)
        held = self._desk.primaries.resized(name, quantity)
        if order is None:
            return
        order.limit = order.limit if event.price is None else event.price.as_decimal()
        order.trigger = order.trigger if event.trigger_price is None else event.trigger_price.as_decimal()
        prices = [price for price in (order.limit, order.trigger) if price is not None]
        left = self.left_of(name)
        if left is not None:  # the engine does not know all of it, and hears of its fills later than the book
            leaves = left
        elif name in self._emulated:  # nothing of it is filled, and the engine cannot be asked
            leaves = quantity
        else:
            leaves = order.leaves if held else quantity - gate.filled_quantity(event.client_order_id)
        self._desk.book.resized(order.client_order_id, leaves, max(prices, default=None))

    def _change_refused(self, _gate: RiskGate, event: Any) -> None:
        self._desk.book.resize_refused(str(event.client_order_id))

    def _fill_voided(self, _gate: RiskGate, event: Any) -> None:
        """The venue took a fill back: until a person has looked, nobody knows the position."""
        reason = (
            f"FILL_VOIDED: the venue took back a fill of {event.client_order_id}; check positions and equity"
        )
        self._desk.halts.later(Trip("FILL_VOIDED", reason, self._desk.pulse.now))

    def _filled(self, gate: RiskGate, event: Any) -> None:
        desk = self._desk
        quantity: Decimal = event.last_qty.as_decimal()
        instrument, name = str(event.instrument_id), str(event.client_order_id)
        commission = event.commission
        desk.prices.read_peak()
        order = desk.book.orders.get(name)
        holding = desk.book.filled(
            strategy=self.owner_of(event),
            instrument=instrument,
            client_order_id=name,
            trade_id=str(event.trade_id),
            signed_quantity=quantity if event.order_side == BUY else -quantity,
            price=event.last_px.as_decimal(),
            commission=ZERO if commission is None else commission.as_decimal(),
            commission_currency=None if commission is None else commission.currency.code,
            ts=desk.pulse.now,
        )
        if holding is None:
            return
        desk.primaries.filled(name, quantity)
        if order is not None and order.changing and gate.is_over(event.client_order_id):
            desk.book.closed(
                name
            )  # filled in full while a change to more was on its way: nobody will answer it
        if name not in desk.book.orders:
            self._approved.discard(name)
        wrong = desk.strays.filled(holding, order, buys=event.order_side == BUY, update=desk.pulse.last)
        if wrong is not None:
            desk.halts.later(Trip("BYPASS", f"BYPASS: {wrong}", desk.pulse.now))
        desk.traded(holding, event.last_px.as_decimal())


def _unknown(_client_order_id: str) -> Decimal | None:
    return None
