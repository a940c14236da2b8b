"""What does a running desk hold, which orders work or wait, and how old is the newest data of each instrument?"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import InstrumentId

from live._status_text import age_secs, amount, fraction, iso, known, quantity
from risk.orders import is_buy, limit_price, trigger_price
from risk.pulse import NEVER
from risk.watch import middle

if TYPE_CHECKING:
    from risk.approvals import Held
    from risk.desk import RiskDesk
    from risk.holding import Holding, WorkingOrder

Row = dict[str, Any]
MOST_ORDERS = 200
"""Working orders that are written out, the newest; the document is read once a second."""


class Holdings:
    """Reads positions, orders and data of one desk, on the engine's thread."""

    def __init__(self, desk: RiskDesk) -> None:
        """For a desk whose instruments are known."""
        self._desk = desk
        self._ids: dict[str, InstrumentId] = {}  # instrument id -> the engine's

    # -- data ---------------------------------------------------------------------------------------------------------

    def data(self, now: int) -> dict[str, Row]:
        """Instrument -> its newest data: when it was (market time), how old it is, and the price it gives."""
        return {name: self._data_of(name, now) for name in self._desk.prices.watches}

    def _data_of(self, instrument: str, now: int) -> Row:
        engine_id = self._ids.get(instrument)
        if engine_id is None:
            engine_id = self._ids[instrument] = InstrumentId.from_str(instrument)
        newest = None
        for gate in self._desk.gates:
            found = gate.latest(engine_id)
            if found is not None and (newest is None or found.ts_event > newest.ts_event):
                newest = found
        seen = self._desk.prices.watches[instrument].last_seen() if newest is None else int(newest.ts_event)
        return {
            "instrument": instrument,
            "last": iso(seen) if seen else None,
            "age_secs": age_secs(now, seen) if seen else None,
            "price": None if newest is None else amount(middle(newest)),
        }

    # -- positions ----------------------------------------------------------------------------------------------------

    def positions(self, data: dict[str, Row]) -> list[Row]:
        """What is held, in the order it was opened. Value and P&L are in the account's currency."""
        return [
            self._position(holding, data)
            for holding in sorted(self._desk.book.held(), key=lambda each: each.opened_at)
        ]

    def _position(self, holding: Holding, data: dict[str, Row]) -> Row:
        of, book = holding.instrument, self._desk.book
        value = pnl = None
        if of.mark is not None:
            value = known(lambda: book.in_base(holding.position * of.unit, of.currency))
        entry = holding.average_entry
        if of.mark is not None and entry is not None and entry > 0:
            gained = holding.position * (of.unit - of.value_at(entry))
            pnl = known(lambda: book.in_base(gained, of.currency))
        cost = None if value is None or pnl is None else abs(value - pnl)
        return {
            "strategy": holding.strategy,
            "instrument": of.instrument,
            "quantity": quantity(holding.position),
            "average_price": amount(entry),
            "mark": amount(of.mark),
            "value": amount(value),
            "unrealised_pnl": amount(pnl),
            "unrealised_pnl_pct": fraction(pnl, cost),
            "price_age_secs": data[of.instrument]["age_secs"] if of.instrument in data else None,
            "opened": iso(holding.opened_at) if holding.opened_at else None,
        }

    # -- orders -------------------------------------------------------------------------------------------------------

    def working(self, now: int) -> list[Row]:
        """Orders that may still fill, the newest first; those that wait for a person are in `held`."""
        held = {str(order.client_order_id) for each in self._waiting() for order in each.orders}
        orders = [order for name, order in self._desk.book.orders.items() if name not in held]
        orders.sort(key=lambda order: order.sent_at, reverse=True)
        return [self._order(order, now) for order in orders[:MOST_ORDERS]]

    def _order(self, order: WorkingOrder, now: int) -> Row:
        gate = self._desk.gate_of(order.strategy)
        engine = None
        if gate is not None:
            try:
                engine = gate.engine_order(order.client_order_id)
            except LookupError:  # handed on a moment ago, or by an algorithm: the book knows enough of it
                engine = None
        venue_order_id = None if engine is None else engine.venue_order_id
        return {
            "client_order_id": order.client_order_id,
            "venue_order_id": None if venue_order_id is None else str(venue_order_id),
            "strategy": order.strategy,
            "instrument": order.instrument,
            "side": "BUY" if order.is_buy else "SELL",
            "type": None if engine is None else engine.order_type.name,
            "status": None if engine is None else engine.status.name,
            "quantity": quantity(order.leaves if engine is None else engine.quantity.as_decimal()),
            "left": quantity(order.leaves),
            "price": amount(order.limit),
            "trigger_price": amount(order.trigger),
            "tif": None if engine is None else engine.time_in_force.name,
            "reduce_only": order.reduce_only,
            "changing": order.changing,
            "sent": iso(order.sent_at) if order.sent_at else None,
            "age_secs": age_secs(now, order.sent_at) if order.sent_at else None,
        }

    def _waiting(self) -> Iterator[Held]:
        return iter(tuple(self._desk.approvals.waiting.values()))

    def held(self, now: int, data: dict[str, Row]) -> list[Row]:
        """Orders that wait for a person: until when, and between which prices they may still be approved."""
        return [self._held(each, now, data) for each in self._waiting()]

    def _held(self, held: Held, now: int, data: dict[str, Row]) -> Row:
        first = held.orders[0].init_event
        ends = held.until < NEVER
        band = None if held.band is None or not held.price else held.band * held.price
        return {
            "client_order_id": held.name,
            "strategy": held.gate.known_as,
            "instrument": held.instrument,
            "side": "BUY" if is_buy(first) else "SELL",
            "type": first.order_type.name,
            "quantity": quantity(first.quantity.as_decimal()),
            "price": amount(limit_price(first)),
            "trigger_price": amount(trigger_price(first)),
            "orders": [str(order.client_order_id) for order in held.orders],
            "until": iso(held.until) if ends else None,
            "left_secs": age_secs(held.until, now) if ends else None,
            "price_when_held": amount(held.price or None),
            "band_low": None if band is None else amount(held.price - band),
            "band_high": None if band is None else amount(held.price + band),
            "price_now": data[held.instrument]["price"] if held.instrument in data else None,
        }

    def unknown(self, now: int) -> list[Row]:
        """Orders of which nobody knows whether they reached the venue: questions to a person."""
        rows = []
        for order in self._desk.doubts.unknown.values():
            booked: Decimal | None = None
            working = self._desk.book.orders.get(order.client_order_id)
            if working is not None:
                booked = working.leaves
            rows.append(
                {
                    "client_order_id": order.client_order_id,
                    "strategy": None if working is None else working.strategy,
                    "instrument": order.instrument,
                    "side": None if working is None else "BUY" if working.is_buy else "SELL",
                    "quantity": None if booked is None else quantity(booked),
                    "why": order.why,
                    "since": iso(order.since) if order.since else None,
                    "age_secs": age_secs(now, order.since) if order.since else None,
                }
            )
        return rows
