"""How does an order get from a strategy to the engine, and nothing else?

`gated(cls, desk)` mixes `RiskGate` in before a user's strategy class, in every mode. Every way to send an order is
overridden, the base class's own send methods are guarded, and every handler brings the book up to date before the
user's code runs. Refusals arrive as OrderDenied once the callback that sent the order has returned, as the engine's do.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    AggregationSource,
    BarType,
    ClientOrderId,
    InstrumentId,
    OrderDenied,
    OrderInitialized,
    OrderModifyRejected,
    OrderSide,
    OrderStatus,
    Quantity,
    TraderId,
)
from nautilus_trader.trading import Strategy

from risk import own_orders
from risk.clock import GateClock, NotReplayableError
from risk.guard import SENDS, changed, guard_base_class, refuse_engine_settings
from risk.handlers import wrap_handlers
from risk.intents import IntentError
from risk.orders import highest
from risk.primaries import is_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from risk.desk import RiskDesk
    from risk.limits import RiskConfig

NANOS = 1_000_000_000
MAX_REFUSALS_IN_A_ROW = 1_000
Price = Any
"""nautilus_trader.model.Price; the engine's own signatures say Any for orders, so this module does too."""


class RiskGate(Strategy):
    """Mixed in before a strategy class: its orders pass the desk, its handlers keep the book."""

    _desk: RiskDesk  # set on the class that `gated` makes
    _sends_itself = False  # the strategy overrides how orders are sent
    is_algorithm = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Passes everything on to the strategy's own class."""
        self.retired = False  # a breaker stopped this strategy: its own code runs no more
        self.passing: dict[str, Any] = {}  # client order id -> what passed and is on its way to the engine
        self._closing = False  # inside close_position, close_all_positions, market_exit or stop
        self._telling = False
        self._untold: list[tuple[Any, str]] = []  # (order, client order id or what ends an order; reason)
        self._bar_types: dict[InstrumentId, BarType] = {}  # instrument -> the bars that price it
        self._indicators: dict[BarType, list[Any]] = {}
        self._ticks: dict[InstrumentId, str] = {}  # instrument -> "quote" or "trade" where it is subscribed
        own = dict(vars(self))
        super().__init__(*args, **kwargs)
        taken = next((name for name, value in own.items() if vars(self).get(name) is not value), None)
        if taken is not None:
            raise TypeError(
                f"{type(self).__name__} sets self.{taken}: that name is the risk gate's; use another"
            )
        refuse_engine_settings(self)
        self.known_as = str(self.strategy_id)  # in some handlers the engine does not even tell the id

    @property
    def desk(self) -> RiskDesk:
        """The desk behind this gate."""
        return self._desk

    # -- sending ---------------------------------------------------------------------------------------------------

    def submit_order(
        self, order: Any, position_id: Any = None, client_id: Any = None, params: Any = None
    ) -> None:
        """Pass the order on, or refuse it."""
        if self.was_sent([order]):
            return
        event = order.init_event
        reason = changed([order]) or self._desk.decide(self, [event])
        if reason is not None:
            self._refuse(order, reason)
            return
        limits = self._desk.approvals.wanted()
        if limits is not None:
            send = super().submit_order
            self._hold([order], lambda: send(order, position_id, client_id, params), limits)
            return
        reason = self._count([event])
        if reason is not None:
            self._refuse(order, reason)
            return
        with self._pass([event]):
            super().submit_order(order, position_id, client_id, params)

    def submit_order_list(
        self, order_list: Any, position_id: Any = None, client_id: Any = None, params: Any = None
    ) -> None:
        """Pass the whole list on, or refuse the whole list."""
        if self.was_sent(order_list):
            return
        events = [order.init_event for order in order_list]
        reason = changed(order_list) or self._desk.decide(self, events)
        limits = self._desk.approvals.wanted() if reason is None else None
        if limits is not None:
            send = super().submit_order_list
            self._hold(list(order_list), lambda: send(order_list, position_id, client_id, params), limits)
            return
        reason = reason or self._count(events)
        if reason is not None:
            for order in order_list:
                self._refuse(order, reason)
            return
        with self._pass(events):
            super().submit_order_list(order_list, position_id, client_id, params)

    def was_sent(self, orders: Sequence[Any]) -> bool:
        """Refuse what was handed over before. It is not denied: the first one may be working, and is what counts."""
        self._desk.halt_if_blind(self)
        again = [order for order in orders if order.status != OrderStatus.INITIALIZED or self._waits(order)]
        for order in again:
            reason = f"SENT_BEFORE: {order.client_order_id} was handed over before; make a new order"
            self._desk.witness.refused(self._desk.market_now(), order.init_event, reason)
            self.log.warning(reason)
        return bool(again)

    def _waits(self, order: Any) -> bool:
        if str(order.client_order_id) in self._desk.book.orders:
            return True
        return any(order is each for each, _ in self._untold) or self._is_known(order.client_order_id)

    def _is_known(self, client_order_id: ClientOrderId) -> bool:
        """Whether the engine has, or had, an order of this id: it would confuse the two."""
        try:
            return self.cache.order(client_order_id) is not None
        except RuntimeError:  # engine.md 1: in this handler the cache is borrowed, and a decision refuses
            return False

    def _hold(self, orders: list[Any], send: Callable[[], None], limits: RiskConfig) -> None:
        """Let orders wait for a person; approved, they go on like any that passed."""

        def pass_on() -> str | None:
            events = [order.init_event for order in orders]
            reason = changed(orders) or self._count(events)
            if reason is not None:
                for order in orders:
                    self._refuse(order, reason)
                return reason
            with self._pass(events):
                send()
            return None

        self._desk.hold(self, orders, pass_on, limits)

    def cancel_order(self, client_order_id: ClientOrderId, *args: Any, **kwargs: Any) -> None:
        """Cancel an order; one that waits for a person is withdrawn. Never refused."""
        if self._desk.approvals.waiting:
            self._desk.approvals.withdraw([str(client_order_id)], "withdrawn by the strategy")
            if self.cache.order(client_order_id) is None:
                return
        super().cancel_order(client_order_id, *args, **kwargs)

    def cancel_orders(
        self, client_order_ids: Sequence[ClientOrderId], client_id: Any = None, params: Any = None
    ) -> None:
        """Cancel orders; those that wait for a person are withdrawn. Never refused."""
        known = list(client_order_ids)
        if self._desk.approvals.waiting:
            self._desk.approvals.withdraw([str(name) for name in known], "withdrawn by the strategy")
            known = [name for name in known if self.cache.order(name) is not None]
        if known:
            super().cancel_orders(known, client_id, params)

    def cancel_all_orders(
        self, instrument_id: InstrumentId, order_side: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """Cancel all orders in an instrument; those that wait for a person are withdrawn. Never refused."""
        for held in tuple(self._desk.approvals.waiting.values()):
            sides = {order.side for order in held.orders}
            meant = order_side in (None, OrderSide.NO_ORDER_SIDE, *sides)
            if held.gate is self and held.instrument == str(instrument_id) and meant:
                self._desk.approvals.withdraw([held.name], "withdrawn by the strategy")
        super().cancel_all_orders(instrument_id, order_side, *args, **kwargs)

    def refuse(self, order: Any, reason: str) -> None:
        """Refuse an order for a reason of the desk's."""
        self._refuse(order, reason)

    def modify_order(  # noqa: PLR0913 - the engine's signature
        self,
        client_order_id: ClientOrderId,
        quantity: Quantity | None = None,
        price: Price = None,
        trigger_price: Price = None,
        client_id: Any = None,
        params: Any = None,
    ) -> None:
        """Pass the change on when what the order would become keeps every limit."""
        reason = self._decide_change(client_order_id, quantity, price, trigger_price)
        if reason is not None:
            self._refuse(client_order_id, reason)
            return
        with self._allow({str(client_order_id): (quantity, price, trigger_price)}):
            super().modify_order(client_order_id, quantity, price, trigger_price, client_id, params)

    def modify_orders(self, updates: Sequence[Any] = (), client_id: Any = None, params: Any = None) -> None:
        """Pass on those changes that keep every limit."""
        allowed = []
        for update in updates:
            reason = self._decide_change(*update)
            if reason is None:
                allowed.append(update)
            else:
                self._refuse(update[0], reason)
        if allowed:
            with self._allow({str(update[0]): tuple(update[1:]) for update in allowed}):
                super().modify_orders(allowed, client_id, params)

    def market_exit(self) -> None:
        """Cancel and close everything of this strategy, the engine's way."""
        with self.reducing():
            super().market_exit()

    def stop(self) -> None:
        """Stop the strategy; what the engine closes on the way is a reduction."""
        with self.reducing():
            super().stop()

    # -- what the desk asks of a gate ------------------------------------------------------------------------------

    def cancel_working(self, client_order_ids: Sequence[str]) -> None:
        """Cancel these orders, those emulated inside the engine too. Cancels are never refused."""
        for name in client_order_ids:
            order = self.cache.order(ClientOrderId(name))
            if order is not None and not order.is_closed and not order.is_pending_cancel:
                Strategy.cancel_order(self, order.client_order_id)  # whatever the strategy made of its own

    def shrink(self, client_order_id: str, leaves: Decimal) -> None:
        """Leave a working order `leaves` units to fill; a reduction of it, and never refused."""
        order = self.engine_order(client_order_id)
        of = self.instrument_of(str(order.instrument_id))
        quantity = of.make_qty(order.filled_qty.as_decimal() + leaves)
        with self._allow({client_order_id: (quantity, None, None)}):
            self._desk.book.resizing(client_order_id, leaves, None)
            Strategy.modify_order(self, order.client_order_id, quantity)

    def close_out(self, instrument: str, position: Decimal, quantity: Decimal | None = None) -> str:
        """Send the reduce-only market order that closes `position` (signed units), or `quantity` of it.

        Answers its client order id. Raises LookupError when the engine does not know the instrument.
        """
        return self._send_own(own_orders.closing(self, self.instrument_of(instrument), position, quantity))

    def close_out_of(
        self, owner: str, instrument: str, position: Decimal, quantity: Decimal | None = None
    ) -> str:
        """Close a position that is another owner's in the book: what this order fills counts as the owner's."""
        orders = own_orders.closing(self, self.instrument_of(instrument), position, quantity)
        for order in orders:
            self._desk.events.owned[str(order.client_order_id)] = owner
        return self._send_own(orders)

    def send_protection(
        self,
        instrument: str,
        *,
        is_buy: bool,
        quantity: Decimal,
        trigger: Decimal | None = None,
        limit: Decimal | None = None,
    ) -> str:
        """Send a reduce-only stop (`trigger`), a reduce-only limit order (`limit`), or both, of which one can fill.

        Prices have to lie on the instrument's ticks. Answers the stop's client order id, the limit order's without one.
        """
        found = self.instrument_of(instrument)
        return self._send_own(
            own_orders.protecting(self, found, is_buy=is_buy, quantity=quantity, trigger=trigger, limit=limit)
        )

    def instrument_of(self, instrument: str) -> Any:
        """The engine's instrument. Raises LookupError when it does not know it."""
        return self._cached(self.cache.instrument(InstrumentId.from_str(instrument)))

    def engine_order(self, client_order_id: str) -> Any:
        """An order as the engine's cache knows it. Raises LookupError when it does not."""
        return self._cached(self.cache.order(ClientOrderId(client_order_id)))

    def engine_position(self, instrument: str) -> Decimal:
        """This strategy's signed position as the engine's cache knows it."""
        instrument_id, net = InstrumentId.from_str(instrument), Decimal(0)
        for position in self.cache.positions_open(instrument_id=instrument_id, strategy_id=self.strategy_id):
            if position.strategy_id != self.strategy_id:  # once this strategy tried to close another's
                continue
            quantity = position.quantity.as_decimal()
            net += quantity if position.is_long else -quantity
        return net

    def retire(self) -> None:
        """Let this strategy's own code run no more; its orders are looked after by the desk."""
        self.retired = self._desk.pulse.retired = True
        self._desk.pulse.wake_at = 0
        self._desk.renew_alert()

    def _send_own(self, orders: list[Any]) -> str:
        """Send orders of the desk's own, which only reduce: they need no decision."""
        events = [order.init_event for order in orders]
        reason = self._count(events)
        if reason is not None:
            raise RuntimeError(reason)
        with self._pass(events):
            if len(orders) == 1:  # not through what the strategy may have made of its own submit_order
                Strategy.submit_order(self, orders[0])
            else:
                Strategy.submit_order_list(self, orders)
        return str(orders[0].client_order_id)

    def lost(self, orders: Sequence[OrderInitialized]) -> bool:
        """Whether a submit_order of the strategy's own kept orders to itself, so that the engine has none of them."""
        return self._sends_itself and all(self.cache.order(order.client_order_id) is None for order in orders)

    def has_untold(self) -> bool:
        """Whether a refusal of this strategy's waits to be told."""
        return bool(self._untold)

    def filled_quantity(self, client_order_id: ClientOrderId) -> Decimal:
        """How much of an order has filled, from the engine's cache."""
        order = self.cache.order(client_order_id)
        return Decimal(0) if order is None else order.filled_qty.as_decimal()

    def is_over(self, client_order_id: ClientOrderId) -> bool:
        """Whether an order has ended, by the engine's cache."""
        order = self.cache.order(client_order_id)
        return order is not None and bool(order.is_closed)

    def latest(self, instrument_id: InstrumentId, index: int = 0, cache: Any = None) -> Any:
        """The newest update that prices an instrument, or the one `index` before it; None when there is none.

        `cache` is another component's, for handlers in which this strategy's own cannot be read.
        """
        cache, kind = self.cache if cache is None else cache, self._ticks.get(instrument_id)
        if kind is not None:
            return (cache.quote if kind == "quote" else cache.trade)(instrument_id, index)
        bar_type = self._bar_types.get(instrument_id) or self._desk.bar_type_of(instrument_id)
        return None if bar_type is None else cache.bar(bar_type, index)

    def hear_rates(self) -> None:
        """Subscribe to the quotes that tell what foreign currencies are worth; the strategy itself never sees them."""
        for pair in sorted(self._desk.pulse.rates_only, key=str):
            Strategy.subscribe_quotes(self, pair)

    # -- data ------------------------------------------------------------------------------------------------------

    def subscribe_bars(self, bar_type: BarType, client_id: Any = None, params: Any = None) -> None:
        """Subscribe, and let these bars price their instrument."""
        if self._desk.replays and bar_type.aggregation_source == AggregationSource.INTERNAL:
            raise NotReplayableError(f"bars aggregated inside the engine ({bar_type})")
        self._bar_types.setdefault(bar_type.instrument_id, bar_type)
        self._desk.joins(self, bar_type)
        super().subscribe_bars(bar_type, client_id, params)

    def subscribe_quotes(
        self, instrument_id: InstrumentId, client_id: Any = None, params: Any = None
    ) -> None:
        """Subscribe, and let these quotes price the instrument."""
        self._ticks[instrument_id] = "quote"
        self._desk.joins(self, ("quote", instrument_id))
        super().subscribe_quotes(instrument_id, client_id, params)

    def subscribe_trades(
        self, instrument_id: InstrumentId, client_id: Any = None, params: Any = None
    ) -> None:
        """Subscribe, and let these trades price the instrument where no quotes do."""
        self._ticks.setdefault(instrument_id, "trade")
        self._desk.joins(self, ("trade", instrument_id))
        super().subscribe_trades(instrument_id, client_id, params)

    def unsubscribe_bars(self, bar_type: BarType, client_id: Any = None, params: Any = None) -> None:
        """Unsubscribe; nobody waits for this strategy's turn any more."""
        self._desk.turns.leave(self, bar_type)
        super().unsubscribe_bars(bar_type, client_id, params)

    def unsubscribe_quotes(
        self, instrument_id: InstrumentId, client_id: Any = None, params: Any = None
    ) -> None:
        """Unsubscribe; nobody waits for this strategy's turn any more."""
        self._desk.turns.leave(self, ("quote", instrument_id))
        super().unsubscribe_quotes(instrument_id, client_id, params)

    def unsubscribe_trades(
        self, instrument_id: InstrumentId, client_id: Any = None, params: Any = None
    ) -> None:
        """Unsubscribe; nobody waits for this strategy's turn any more."""
        self._desk.turns.leave(self, ("trade", instrument_id))
        super().unsubscribe_trades(instrument_id, client_id, params)

    def request_bars(  # noqa: PLR0913 - the engine's signature
        self,
        bar_type: BarType,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        client_id: Any = None,
        params: Any = None,
    ) -> str:
        """Ask for history. Where the past is at hand (backtest, replay) it is answered here, at once, alike in both.

        Only bars from before the run are given: never one that the run has still to come to. `limit` keeps the last.
        """
        history = self._desk.history
        if history is None:
            return super().request_bars(bar_type, start, end, limit, client_id, params)
        bars = [bar for bar in history(bar_type) if _within(bar.ts_event, start, end)]
        bars = bars[-limit:] if limit is not None else bars
        for indicator in self._indicators.get(bar_type, ()):
            for bar in bars:
                indicator.handle_bar(bar)
        self.on_historical_bars(bars)
        return str(UUID4())

    def register_indicator_for_bars(self, bar_type: BarType, indicator: Any) -> None:
        """Let the engine feed an indicator; history that is asked for later feeds it too."""
        self._indicators.setdefault(bar_type, []).append(indicator)
        super().register_indicator_for_bars(bar_type, indicator)

    @property
    def clock(self) -> Any:
        """The engine's clock, its callbacks watched; on replay it tells the market's time."""
        return GateClock(super().clock, self)

    def subscribe_topic(self, topic: str, handler: Callable[[object], None], priority: int = 0) -> None:
        """Subscribe; an exception in the handler is caught like one in any other callback."""
        super().subscribe_topic(topic, self.watched(handler, f"topic {topic}"), priority)

    def watched(self, callback: Callable[[Any], None], where: str) -> Callable[[Any], None]:
        """The callback with the gate's care around it: errors kept, refusals told."""

        def call(message: Any) -> None:
            if self._desk.stopping or self.retired:
                return
            with self._calling(where):
                callback(message)

        return call

    # -- inside ----------------------------------------------------------------------------------------------------

    def trader(self) -> TraderId:
        """The trader this strategy belongs to."""
        trader: TraderId = self._cached(self.trader_id)
        return trader

    @staticmethod
    def _cached(found: Any) -> Any:
        if found is None:
            raise LookupError("the engine's cache does not have what it handed out before")
        return found

    def _decide_change(
        self, client_order_id: ClientOrderId, quantity: Quantity | None, price: Price, trigger_price: Price
    ) -> str | None:
        held = self._desk.primaries.held(str(client_order_id))
        if held is not None:
            return f"EXEC_ALGORITHM: {held.algorithm} works {held.name}; cancel it and send another order"
        working = self._desk.book.orders.get(str(client_order_id))
        order = self.cache.order(client_order_id)
        if order is None or order.is_closed:
            return None  # the engine answers for an order that does not work
        if working is None or working.strategy != self.known_as or own_orders.is_own(order):
            return f"FOREIGN_ORDER: {client_order_id} was not sent by {self.known_as}, so it cannot change it"
        leaves = working.leaves
        if quantity is not None:
            leaves = max(Decimal(0), quantity.as_decimal() - order.filled_qty.as_decimal())
        limit, trigger = (None if p is None else p.as_decimal() for p in (price, trigger_price))
        name = str(client_order_id)
        reason = self._desk.decide_change(self, name, leaves, (limit, trigger), order.init_event)
        if reason is None:
            self._desk.book.resizing(name, leaves, highest(limit, trigger))
        return reason

    def _count(self, orders: Sequence[OrderInitialized]) -> str | None:
        """Count orders that are about to be sent; answers why that failed, and then they are not."""
        try:
            self._desk.intend(orders)
            for order in orders:
                self._desk.sending(order)
        except IntentError as error:
            return f"JOURNAL: {error}; nothing was sent"
        except Exception as error:  # noqa: BLE001 - what cannot be counted or recorded is not sent
            for order in orders:
                self._desk.not_sent(order)
            return f"RISK_ERROR: {type(error).__name__}: {error}"
        return None

    def _pass(self, orders: Sequence[OrderInitialized]) -> _Passage:
        return _Passage(self, {str(order.client_order_id): order for order in orders}, orders)

    def _allow(self, changes: dict[str, Any]) -> _Passage:
        return _Passage(self, changes)

    @contextmanager
    def reducing(self) -> Iterator[None]:
        """While it is open, what the engine sends reduce-only is an exit."""
        before, self._closing = self._closing, True
        try:
            yield
        finally:
            self._closing = before

    @contextmanager
    def _calling(self, where: str) -> Iterator[None]:
        self._desk.pulse.depth += 1
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            self._desk.answer(self, where, error)
        finally:
            self._desk.pulse.depth -= 1
        self.tell()

    def tell_later(self, subject: Any, reason: str) -> None:
        """Tell a refusal once no callback runs: of an order, of a change (by its id), or by calling what ends it."""
        self._untold.append((subject, reason))
        self._desk.pulse.news = True

    def _refuse(self, order: Any, reason: str) -> None:
        known = self.cache.order(order) if isinstance(order, ClientOrderId) else order
        if known is None:
            self.log.warning(f"{order}: {reason}")  # the engine has no such order
            return
        event = known.init_event
        self.tell_later(order, reason)
        self._desk.witness.refused(self._desk.market_now(), event, reason)
        if self._desk.pulse.depth == 0:
            self.tell()

    def tell(self, *, protects: bool = True) -> None:
        """Hand out refusals as the engine would: after the callback that caused them has returned.

        Then carry out halts and, unless more callbacks of the same event follow, look after positions.
        """
        if self._desk.pulse.depth or self._telling:
            return
        self._telling = True
        self._desk.pulse.news = False
        try:
            self._tell_all()
        finally:
            self._telling = False
            self._untold.clear()
            self._desk.pulse.news = self._desk.has_news()
        if not self._desk.stopping:
            try:
                self._desk.settle()
                if protects:
                    self._desk.protect()
            except Exception as error:  # noqa: BLE001 - the engine would only log it
                self._desk.answer(self, "what Keel does itself", error)

    def _tell_all(self) -> None:
        for told in count(1):
            if not self._untold or self._desk.stopping:
                return
            order, reason = self._untold.pop(0)
            if told > MAX_REFUSALS_IN_A_ROW:
                error = RuntimeError(f"answers every refusal with a new order; the last was {reason}")
                self._desk.answer(self, "on_order_denied", error)
                return
            if isinstance(order, ClientOrderId):
                self._reject_change(order, reason)
            elif callable(order):
                order(reason)
            else:
                self._deny(order, reason)

    def _deny(self, order: Any, reason: str) -> None:
        now = self._desk.pulse.now
        event = OrderDenied(
            self.trader(),
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            reason,
            UUID4(),
            now,
            now,
        )
        if order.status != OrderStatus.INITIALIZED:
            return  # told before
        order.apply(event)
        self.on_order_denied(event)
        self.on_order_event(event)
        if order.exec_algorithm_id is not None and is_child(order.init_event):
            self._desk.algorithms[str(order.exec_algorithm_id)].told(event)

    def _reject_change(self, client_order_id: ClientOrderId, reason: str) -> None:
        now, order = self._desk.pulse.now, self._cached(self.cache.order(client_order_id))
        event = OrderModifyRejected(
            self.trader(), order.strategy_id, order.instrument_id, client_order_id, reason, UUID4(), now, now,
            False, order.venue_order_id, order.account_id,  # noqa: FBT003 - the engine's positional flag
        )  # fmt: skip
        self.on_order_modify_rejected(event)
        self.on_order_event(event)


class _Passage:
    """While it is open these orders may pass the guarded base class; new ones are forgotten if it fails.

    A plain class because it stands around every order: `contextmanager` would take three times as long.
    """

    __slots__ = ("_gate", "_orders", "_passing")

    def __init__(
        self, gate: RiskGate, passing: dict[str, Any], orders: Sequence[OrderInitialized] = ()
    ) -> None:
        self._gate = gate
        self._passing = passing
        self._orders = orders

    def __enter__(self) -> None:
        self._gate.passing.update(self._passing)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for name in self._passing:
            self._gate.passing.pop(name, None)
        if kind is not None or (self._orders and self._gate.lost(self._orders)):
            for order in self._orders:
                self._gate.desk.not_sent(order)


def _within(stamp: int, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or stamp >= start.timestamp() * NANOS) and (
        end is None or stamp <= end.timestamp() * NANOS
    )


def gated(strategy_class: type[Strategy], desk: RiskDesk) -> type[RiskGate]:
    """The user's class behind the gate of this desk: same name, same module, same behaviour, no way around.

    Raises TypeError when it is not a Nautilus Strategy.
    """
    if not issubclass(strategy_class, Strategy):
        raise TypeError(f"{strategy_class!r} is not a subclass of nautilus_trader.trading.Strategy")
    own = {name for name in vars(RiskGate) if not name.startswith("__")} - set(dir(Strategy))
    for base in strategy_class.__mro__[: strategy_class.__mro__.index(Strategy)]:
        for name in sorted(own & set(vars(base))):
            raise TypeError(f"{base.__name__}.{name}: that name is the risk gate's; use another")
    namespace: dict[str, Any] = {
        "__module__": strategy_class.__module__,
        "__doc__": strategy_class.__doc__,
        "_desk": desk,
        "_sends_itself": any(getattr(strategy_class, name) is not getattr(Strategy, name) for name in SENDS),
        **wrap_handlers(strategy_class, desk),
    }
    return type(strategy_class.__name__, (RiskGate, strategy_class), namespace)


guard_base_class(RiskGate)
