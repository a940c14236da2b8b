"""Which orders pass, what is every price worth to the breakers, and what happens when one trips?

One `RiskDesk` stands behind the gates of all strategies of a run; it is the only place where the book, the limits and
the breakers meet. It lives on the engine's thread, reads no clock, no file and no network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

from nautilus_trader.model import (
    Bar,
    BarType,
    InstrumentId,
    OrderInitialized,
    OrderSide,
    QuoteTick,
    TradeTick,
)

from risk.book import Book, Holding, WorkingOrder
from risk.breaker import Breakers, RiskState, TradingState, Trip
from risk.checks import Proposal, first_broken
from risk.clock import NotReplayableError
from risk.handlers import BORROWED
from risk.limits import RiskConfig
from risk.numbers import ZERO
from risk.orders import grouped_id, is_buy, order_price, units
from risk.sessions import SessionDays
from risk.turns import Turns
from risk.watch import PriceWatch, exact_price, jumped

if TYPE_CHECKING:
    from risk.gate import RiskGate

NANOS = 1_000_000_000
Update = Bar | QuoteTick | TradeTick


class Witness(Protocol):
    """Who is told what the desk saw and decided; stamps are market time in UTC nanoseconds."""

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """An order passed and is being sent."""

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """An order, or a change of one, was refused."""

    def event(self, ts: int, event: Any) -> None:
        """An order changed."""

    def tripped(self, trip: Trip) -> None:
        """A breaker went off, or trading was halted for another reason."""

    def failed(self, strategy: str, where: str, error: BaseException) -> None:
        """A strategy's callback raised."""


class UntrustedPriceError(LookupError):
    """The newest price jumped and no second one agrees with it yet."""


class RiskDesk:
    """Decides for every gate, feeds book and breakers, acts on a trip."""

    def __init__(  # noqa: PLR0913 - the parts of a desk, handed in
        self,
        limits: RiskConfig,
        *,
        starting_cash: Decimal,
        currency: str,
        zone: str,
        witness: Witness,
        state: RiskState | None = None,
        event_time: Callable[[RiskGate, Any, int], int] | None = None,
        replays: bool = False,
        takes_turns: bool = False,
        history: Callable[[BarType], Sequence[Bar]] | None = None,
        on_error: Literal["stop", "halt", "ignore"] = "stop",
    ) -> None:
        """A desk for an account that starts with `starting_cash`.

        `event_time(gate, event, last)` answers the market time of an event where the engine's stamps are wall time
        (replay); `replays` forbids what replay cannot do (timers, bars aggregated in the engine); `history`
        answers warm-up requests with the bars from before the run; without it the venue does.
        """
        self.limits = limits
        self.book = Book(starting_cash, currency)
        days = SessionDays.of(limits.session_zone or zone, limits.session_start)
        self.breakers = Breakers(limits, days, starting_cash, state)
        self.witness = witness
        self.event_time = event_time
        self.replays = replays
        self.history = history
        self.on_error = on_error
        self.takes_turns = takes_turns  # several strategies: each gets its turn in configured order
        self.gates: list[RiskGate] = []
        self.turns = Turns(self.gates)
        self.exposed = False  # whether any position is open: only then does a price matter to equity
        self.alert = False  # exposed or stopping: prices are not simply passed on
        self.depth = 0  # how deep in strategies' callbacks we are; refusals are told at depth 0
        self.news = False  # a refusal waits to be told, or a trip to be carried out
        self.last: Update | None = None
        self.now = 0
        self.errors: list[BaseException] = []
        self.error_places: list[tuple[str, str]] = []  # (strategy, callback) of each error
        self.pending_trips: list[Trip] = []
        self.flattening = False
        self.stopping = False  # an error ends the run: no strategy code runs any more
        self.approved: set[str] = set()
        self._closing: set[str] = set()  # client order ids of our own flattening orders
        self._jump = None if limits.untrusted_jump_pct is None else float(limits.untrusted_jump_pct)
        self._watches: dict[str, PriceWatch] = {}  # instrument id -> its watch
        self._sole: PriceWatch | None = None  # the watch of a run with one instrument: nothing to look up
        self._by_key: dict[BarType | InstrumentId, PriceWatch] = {}  # what an update names -> its watch
        self._bar_types: dict[InstrumentId, BarType] = {}
        self._emulated: set[str] = set()  # client order ids held by the engine's emulator
        self._decided: dict[str, WorkingOrder] = {}  # client order id -> the order as it was decided on
        self._second = (0, 0)  # (second of market time, orders sent in it)
        self._roll_at = 0

    # -- what is traded -------------------------------------------------------------------------------------------

    def add_instrument(self, instrument: Any) -> None:
        """Make an instrument known to the book; others cannot be traded."""
        known = self.book.add_instrument(str(instrument.id), instrument.multiplier.as_decimal())
        watch = self._watches[str(instrument.id)] = self._by_key[instrument.id] = PriceWatch(known)
        self._sole = watch if len(self._watches) == 1 else None

    def joins(self, gate: RiskGate, key: BarType | tuple[str, InstrumentId]) -> None:
        """A strategy subscribes to bars, or to the (kind, instrument) of ticks: they price their instrument."""
        self.turns.join(gate, key)
        instrument_id = key.instrument_id if isinstance(key, BarType) else key[1]
        watch = self._watches.get(str(instrument_id))
        if watch is None:  # only looked at, not traded: its prices are nobody's marks
            self._sole = None
        elif isinstance(key, BarType):
            self._by_key[key] = watch
            self._bar_types.setdefault(instrument_id, key)

    def bar_type_of(self, instrument_id: InstrumentId) -> BarType | None:
        """The bars that any strategy of this run prices the instrument with."""
        return self._bar_types.get(instrument_id)

    def untold(self) -> bool:
        """Whether any strategy's refusal still waits to be told."""
        return any(gate.has_untold() for gate in self.gates)

    def market_now(self) -> int:
        """Market time as far as it is known, UTC nanoseconds."""
        return self.now if self.last is None else max(self.now, self.last.ts_event)

    # -- prices ---------------------------------------------------------------------------------------------------

    def bar(self, bar: Bar) -> None:
        """A close while positions are open: inside its band nothing can happen."""
        watch = self._sole or self._by_key.get(bar.bar_type)
        if watch is None:
            return
        previous, price = watch.price, float(bar.close)
        watch.price, watch.update = price, bar
        if not watch.low <= price <= watch.high or bar.ts_event >= self._roll_at:
            self._look(watch, price, previous, 1)

    def quote(self, quote: QuoteTick) -> None:
        """A quote while positions are open; its middle is compared, the near side counts."""
        price = (float(quote.bid_price) + float(quote.ask_price)) / 2
        self._tick(self._by_key.get(quote.instrument_id), quote, price)

    def trade(self, trade: TradeTick) -> None:
        """A trade while positions are open."""
        self._tick(self._by_key.get(trade.instrument_id), trade, float(trade.price))

    def _tick(self, watch: PriceWatch | None, tick: QuoteTick | TradeTick, price: float) -> None:
        if watch is None:
            return
        previous = watch.price
        watch.price, watch.update = price, tick
        if not watch.low <= price <= watch.high or tick.ts_event >= self._roll_at:
            self._look(watch, price, previous, self.limits.tick_confirmations)

    def _look(self, watch: PriceWatch, price: float, previous: float | None, needed: int) -> None:
        """Read exactly: day, trust, equity, breakers; then set the bands anew."""
        update = watch.update
        if update is None:
            return
        self.now = max(self.now, update.ts_event)
        self._roll(self.now)
        if not watch.believes(price, previous, self._jump):
            watch.always_look()
            self._doubt(TradingState.REDUCING)
            return
        self._doubt(TradingState.ACTIVE)
        self._mark_held()
        equity = self.book.equity()
        trip = self.breakers.read(self.now, equity, needed)
        if trip is not None:
            self._act(trip)
        elif self.flattening:
            self._flatten()
        self._set_bands()

    def _roll(self, ts: int) -> None:
        if ts < self._roll_at:
            return
        try:
            equity = self.book.equity()
        except LookupError:
            return
        self.breakers.roll(ts, equity)
        self._roll_at = self.breakers.next_roll
        self.flattening = self.flattening and self.breakers.halted

    def _doubt(self, state: TradingState) -> None:
        """An untrusted price blocks new exposure until every price is trusted again."""
        current = self.breakers.state
        if current.state is TradingState.HALTED:
            return
        if state is TradingState.ACTIVE and any(w.suspect is not None for w in self._watches.values()):
            return
        current.state = state

    def _mark_held(self) -> None:
        for holding in self.book.held():
            watch = self._watches[holding.instrument.instrument]
            if watch.update is not None and watch.suspect is None:
                holding.instrument.mark = exact_price(watch.update, long=holding.position > ZERO)

    def _set_bands(self) -> None:
        net: dict[str, Decimal] = {}
        for holding in self.book.held():
            size = holding.position * holding.instrument.multiplier
            net[holding.instrument.instrument] = net.get(holding.instrument.instrument, ZERO) + size
        equity, floors = self.book.equity(), self.breakers.floors()
        ticking = self.breakers.confirming
        fall = float(equity - floors[0][1]) / len(net) if floors and net else float("inf")
        rise = float(self.breakers.state.peak - equity) / len(net) if net else float("inf")
        for name, watch in self._watches.items():
            if name not in net:
                watch.never_look()
            elif watch.price is None or ticking or self.flattening or fall <= 0 or watch.suspect is not None:
                watch.always_look()
            else:
                watch.band(watch.price, float(net[name]), fall, rise, self._jump)

    # -- decisions ------------------------------------------------------------------------------------------------

    def decide(self, gate: RiskGate, orders: Sequence[OrderInitialized]) -> str | None:
        """Whether all these orders may be sent: None, or why not. A doubt or an error inside refuses (fail closed)."""
        return self._fail_closed(lambda: self._decide_all(gate, orders))

    def _decide_all(self, gate: RiskGate, orders: Sequence[OrderInitialized]) -> str | None:
        parents = {str(order.client_order_id) for order in orders} if len(orders) > 1 else set()
        added: list[WorkingOrder] = []
        self._decided.clear()
        for order in orders:
            child = order.parent_order_id is not None and str(order.parent_order_id) in parents
            reason = self._unsupported(order, child=child) or self._decide_one(
                gate, order, added, child=child
            )
            if reason is not None:
                return reason
            added.append(self._decided[str(order.client_order_id)])
        return None

    def _fail_closed(self, decision: Callable[[], str | None]) -> str | None:
        """The decision; a missing or doubtful price, or an error inside, is a refusal that says so."""
        try:
            self._clock_in()
            return decision()
        except UntrustedPriceError as error:
            return f"UNTRUSTED_PRICE: {error.args[0]}; only reducing orders pass"
        except LookupError as error:
            return f"NO_PRICE: {error.args[0]}; only reducing orders pass"
        except Exception as error:  # noqa: BLE001 - whatever goes wrong inside a check refuses the order
            return f"RISK_ERROR: {type(error).__name__}: {error}"

    def _clock_in(self) -> None:
        self.now = self.market_now()
        self._roll(self.now)

    def _unsupported(self, order: OrderInitialized, *, child: bool) -> str | None:
        """What this venue or this version of Keel cannot do safely."""
        if order.exec_algorithm_id is not None:
            return f"EXEC_ALGORITHM: {order.exec_algorithm_id} would send orders past the gate; send the order itself"
        if child and order.reduce_only and self.event_time is not None:
            return (
                "REDUCE_ONLY_CHILD: the sandbox rejects reduce-only children of an order list, which would leave the "
                "position unprotected; send the stop once the entry has filled, or children that are not reduce-only"
            )
        if self.replays and order.expire_time is not None:
            return "GTD_ON_REPLAY: a replay's clock is not the market's: no expiry date can be kept; use GTC or DAY"
        return None

    def _decide_one(
        self, gate: RiskGate, order: OrderInitialized, added: list[WorkingOrder], *, child: bool
    ) -> str | None:
        instrument = str(order.instrument_id)
        if instrument not in self.book.instruments:
            return f"UNKNOWN_INSTRUMENT: {instrument} is not among this run's instruments"
        if self.limits.dry_run:
            return "DRY_RUN: decided and recorded, not sent"
        holding = self.book.holding(str(order.strategy_id), instrument)
        buys = is_buy(order)
        if order.quote_quantity:
            self._refresh(gate, order, holding, buys=buys)
        working = self._decided[str(order.client_order_id)] = self._working(order)
        if child or holding.reduces(is_buy=buys, quantity=working.leaves, reduce_only=working.reduce_only):
            return None
        self._refresh(gate, order, holding, buys=buys)
        return self._state_refuses() or first_broken(self._proposal(holding, working, added), self.limits)

    def _state_refuses(self) -> str | None:
        state = self.breakers.state
        if state.state is TradingState.HALTED:
            return f"HALTED: {state.reason}"
        suspects = [name for name, watch in self._watches.items() if watch.suspect is not None]
        if suspects:
            return f"UNTRUSTED_PRICE: {', '.join(suspects)} jumped and is not confirmed yet; only reducing orders pass"
        return None

    def _refresh(self, gate: RiskGate, order: OrderInitialized, holding: Holding, *, buys: bool) -> None:
        """Mark the order's instrument and everything held at the latest trusted prices."""
        self._mark_held()
        watch = self._watches[holding.instrument.instrument]
        if watch.suspect is not None:
            return
        newest = gate.latest(order.instrument_id)
        if newest is None:
            raise LookupError(
                f"no price of {order.instrument_id} yet (subscribe to its bars, quotes or trades)"
            )
        price = exact_price(newest, long=not buys)
        if holding.instrument.instrument not in self._held_names() and not self._believable(
            gate, order, price
        ):
            raise UntrustedPriceError(
                f"{order.instrument_id} jumped to {price} in one step and is not confirmed yet"
            )
        holding.instrument.mark = price

    def _held_names(self) -> set[str]:
        return {holding.instrument.instrument for holding in self.book.held()}

    def _believable(self, gate: RiskGate, order: OrderInitialized, price: Decimal) -> bool:
        """Whether the newest price counts: it agrees with the one before, or with the one before that.

        What is held is judged at every price by its watch; this is for what is not.
        """
        if price <= ZERO:
            return False
        if self._jump is None:
            return True
        long, nothing_before = not is_buy(order), True
        for index in (1, 2):
            update = gate.latest(order.instrument_id, index)
            if update is None:
                break
            nothing_before = False
            before = exact_price(update, long=long)
            if before > ZERO and not self._jumps(price, before):
                return True
        return nothing_before

    def _jumps(self, price: Decimal, before: Decimal) -> bool:
        return jumped(float(price), float(before), self._jump)

    def _working(self, order: OrderInitialized) -> WorkingOrder:
        price = order_price(order)
        mark = self.book.instruments[str(order.instrument_id)].mark
        return WorkingOrder(
            client_order_id=str(order.client_order_id),
            strategy=str(order.strategy_id),
            instrument=str(order.instrument_id),
            is_buy=is_buy(order),
            leaves=units(order, price if price is not None else mark),
            price=price,
            reduce_only=bool(order.reduce_only),
            group=grouped_id(order),
        )

    def _proposal(
        self,
        holding: Holding,
        order: WorkingOrder,
        added: Sequence[WorkingOrder] = (),
        without: str | None = None,
    ) -> Proposal:
        """The worst case if this order, those of its list before it and everything working were filled."""
        name, mark = holding.instrument.instrument, holding.instrument.mark
        if mark is None:
            raise LookupError(f"no trusted price of {name} yet")
        for earlier in added:
            self.book.submitted(earlier)
        try:
            high, low = holding.extremes(order, without)
            own = holding.exposure(order, without)
            same = [
                h
                for h in self.book.holdings.values()
                if h.instrument is holding.instrument and h is not holding
            ]
            exposure = own + sum((h.exposure() for h in same if h.position or h.working), ZERO)
            gross, opened = self.book.gross(skip=holding) + own, self.book.open_instruments() | {name}
        finally:
            for earlier in added:
                self.book.closed(earlier.client_order_id)
        second, sent = self._second
        price = max(order.price or mark, mark)
        return Proposal(
            instrument=name,
            notional=order.leaves * price * holding.instrument.multiplier,
            position_after=high if order.is_buy else low,
            shorts=not order.is_buy and low < ZERO,
            exposure_after=exposure,
            gross_after=gross,
            open_after=len(opened),
            orders_today=self.breakers.state.orders_today + len(added),
            orders_this_sec=(sent if second == self.now // NANOS else 0) + len(added),
            equity=self.book.equity(),
            currency=self.book.currency,
        )

    def decide_change(
        self,
        gate: RiskGate,
        client_order_id: str,
        leaves: Decimal,
        price: Decimal | None,
        order: OrderInitialized,
    ) -> str | None:
        """Whether a working order may become this large at this price; checked like a new order in its place."""
        return self._fail_closed(lambda: self._decide_change(gate, client_order_id, leaves, price, order))

    def _decide_change(
        self, gate: RiskGate, name: str, leaves: Decimal, price: Decimal | None, order: OrderInitialized
    ) -> str | None:
        current = self.book.orders[name]
        dearer = price is not None and current.price is not None and price > current.price
        if leaves <= current.leaves and not dearer:
            return None
        if self.limits.dry_run:
            return "DRY_RUN: decided and recorded, not sent"
        holding = self.book.holding(current.strategy, current.instrument)
        changed = replace(current, leaves=leaves, price=current.price if price is None else price)
        if holding.reduces(
            is_buy=changed.is_buy, quantity=leaves, reduce_only=changed.reduce_only, without=name
        ):
            return None
        self._refresh(gate, order, holding, buys=changed.is_buy)
        return self._state_refuses() or first_broken(
            self._proposal(holding, changed, without=name), self.limits
        )

    # -- what was sent and what became of it -----------------------------------------------------------------------

    def sending(self, order: OrderInitialized) -> None:
        """Count an approved order, from the moment it is handed on."""
        name = str(order.client_order_id)
        self.approved.add(name)
        decided = self._decided.pop(name) if name in self._decided else self._working(order)
        self.book.submitted(decided)
        self.breakers.state.orders_today += 1
        second, sent = self._second
        this = self.now // NANOS
        self._second = (this, sent + 1 if this == second else 1)
        self.witness.approved(self.now, order)

    def not_sent(self, order: OrderInitialized) -> None:
        """The engine would not even take the order: forget it."""
        self.book.closed(str(order.client_order_id))

    def initialized(self, event: OrderInitialized, *, closing: bool) -> None:
        """An order came to life. One nobody approved and that does not reduce is a way around the gate: halt.

        The engine cannot be called in this handler, so the halt is carried out in the next one.
        """
        name = str(event.client_order_id)
        if name in self.approved:
            return
        holding = self.book.holding(str(event.strategy_id), str(event.instrument_id))
        reduces = holding.reduces(
            is_buy=is_buy(event), quantity=event.quantity.as_decimal(), reduce_only=bool(event.reduce_only)
        )
        if not closing and not reduces:
            reason = (
                f"BYPASS: order {name} of {event.strategy_id} did not pass the risk gate and does not reduce"
            )
            self._later(Trip("BYPASS", reason, self.now))
        self.sending(event)

    def learner(self, handler: str) -> Callable[[RiskGate, Any], None]:
        """What brings the book up to date with the events of this handler, before the strategy's own runs."""
        learn = {
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
        }.get(handler)
        witness, event_time = self.witness.event, self.event_time

        def hear(gate: RiskGate, event: Any) -> None:
            now = event.ts_event if event_time is None else event_time(gate, event, self.now)
            self.now = max(self.now, now)
            try:
                if learn is not None:
                    learn(gate, event)
            except Exception as error:
                reason = (
                    f"BOOK_ERROR: {type(event).__name__} of {event.client_order_id} not understood: {error!r}"
                )
                self._later(Trip("BOOK_ERROR", reason, self.now))
                raise
            witness(self.now, event)

        return hear

    def _held_back(self, _gate: RiskGate, event: Any) -> None:
        self._emulated.add(str(event.client_order_id))

    def _released(self, _gate: RiskGate, event: Any) -> None:
        self._emulated.discard(str(event.client_order_id))

    def _ended(self, _gate: RiskGate, event: Any) -> None:
        self.book.closed(str(event.client_order_id))

    def _changed(self, gate: RiskGate, event: Any) -> None:
        name = str(event.client_order_id)
        if name in self.book.orders:
            filled = gate.filled_quantity(event.client_order_id)
            price = event.price if event.price is not None else event.trigger_price
            exact = None if price is None else price.as_decimal()
            self.book.resized(name, event.quantity.as_decimal() - filled, exact)

    def _change_refused(self, _gate: RiskGate, event: Any) -> None:
        self.book.resize_refused(str(event.client_order_id))

    def _fill_voided(self, _gate: RiskGate, event: Any) -> None:
        """The venue took a fill back: until a person has looked, nobody knows the position."""
        reason = (
            f"FILL_VOIDED: the venue took back a fill of {event.client_order_id}; check positions and equity"
        )
        self._later(Trip("FILL_VOIDED", reason, self.now))

    def _filled(self, _gate: RiskGate, event: Any) -> None:
        quantity = event.last_qty.as_decimal()
        instrument = str(event.instrument_id)
        commission = event.commission
        applied = self.book.filled(
            strategy=str(event.strategy_id),
            instrument=instrument,
            client_order_id=str(event.client_order_id),
            trade_id=str(event.trade_id),
            signed_quantity=quantity if event.order_side == OrderSide.BUY else -quantity,
            price=event.last_px.as_decimal(),
            commission=ZERO if commission is None else commission.as_decimal(),
        )
        if not applied:
            return
        self.exposed = not self.book.is_flat()
        self.alert = self.exposed or self.stopping
        watch = self._watches[instrument]
        if watch.update is None or watch.high == float("inf"):
            watch.price, watch.suspect = float(event.last_px), None
        held = self._held_names()
        for name, each in self._watches.items():
            if name in held:
                each.always_look()
            else:  # nothing depends on its price any more, so nothing about it waits to be confirmed
                each.never_look()
        self._doubt(TradingState.ACTIVE)
        if self.exposed:
            return
        self.flattening = False
        self._roll(self.now)
        trip = self.breakers.read(self.now, self.book.cash)
        if trip is not None:
            self._later(trip)

    # -- halting ---------------------------------------------------------------------------------------------------

    def _later(self, trip: Trip) -> None:
        self.pending_trips.append(trip)
        self.news = True

    def settle(self) -> None:
        """Carry out what was decided where the engine could not be called; gates call it in every safe handler."""
        while self.pending_trips:
            trip = self.pending_trips.pop(0)
            self.breakers.halt(trip)
            self._act(trip)

    def cancel_adding(self) -> None:
        """Cancel what could add exposure; protective orders stay."""
        self._cancel(list(self.book.adding()))

    def flatten(self) -> None:
        """Cancel and close everything, now and at every price until it is done."""
        self.flattening = True
        self._flatten()

    def halt(self, trip: Trip) -> None:
        """Halt now, for a reason of the caller's. Only where the engine may be called."""
        self._act(self.breakers.halt(trip))

    def _act(self, trip: Trip) -> None:
        self.witness.tripped(trip)
        if self.limits.on_trip == "flatten":
            self.flatten()
        else:
            self.cancel_adding()

    def _cancel(self, orders: Sequence[WorkingOrder]) -> None:
        for gate in self.gates:
            own = [order for order in orders if order.strategy == str(gate.strategy_id)]
            gate.cancel_working([order.client_order_id for order in own])

    def _flatten(self) -> None:
        """Cancel what works and close what is held, until nothing is; asked again at every price until it is done."""
        closing = {o.client_order_id for o in self.book.orders.values() if o.client_order_id in self._closing}
        self._cancel([o for o in self.book.orders.values() if o.client_order_id not in closing])
        for holding in list(self.book.held()):
            if any(order in closing for order in holding.working):
                continue
            gate = next((g for g in self.gates if str(g.strategy_id) == holding.strategy), None)
            if gate is not None:
                self._closing.add(gate.close_out(holding.instrument.instrument, holding.position))

    def reachable(self, handler: str, event: Any) -> bool:
        """Whether the engine may be called in this handler (engine.md 1: in some everything is borrowed)."""
        name = str(event.client_order_id)
        return handler not in BORROWED and not (handler == "on_order_canceled" and name in self._emulated)

    def answer(self, gate: RiskGate, where: str, error: BaseException) -> None:
        """A strategy's callback raised: keep the error, then halt, stop the run or go on, as the policy says.

        The engine would only log it. To stop, nobody's code runs any more and the engine is asked to shut down.
        """
        self._failed(gate, where, error)
        fatal = not isinstance(error, Exception) or isinstance(error, NotReplayableError)
        if fatal or self.on_error == "stop" or where == "on_start":
            self.stopping = self.alert = True
            try:
                gate.shutdown_system(f"{gate.strategy_id} raised in {where}")
            except (
                RuntimeError
            ):  # engine.md 1: in some handlers the engine cannot be called; its own stop follows
                raise error from None

    def _failed(self, gate: RiskGate, where: str, error: BaseException) -> None:
        """A strategy's callback raised: keep the error; halt when that is the policy."""
        self.errors.append(error)
        self.error_places.append((str(gate.strategy_id), where))
        self.witness.failed(str(gate.strategy_id), where, error)
        if self.on_error == "halt" and not self.breakers.halted:
            reason = f"STRATEGY_ERROR: {gate.strategy_id} raised in {where}: {type(error).__name__}: {error}"
            self._later(Trip("STRATEGY_ERROR", reason, self.now, scope=str(gate.strategy_id)))
