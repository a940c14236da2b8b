"""How does an execution algorithm send orders, and no more than it was given?

`gated_algorithm(cls, desk)` mixes `AlgorithmGate` in before a user's algorithm class, in every mode. An order that a
strategy hands to it was approved whole; each child the algorithm makes of it passes the desk again, takes its units
from that order, and is refused when it asks for more, or for anything else than its primary is. Refusals reach strategy
and algorithm as OrderDenied once the callback that sent the order has returned.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import InstrumentId, OrderDenied, OrderInitialized, Quantity
from nautilus_trader.trading import ExecutionAlgorithm

from risk.clock import GateClock
from risk.guard import changed
from risk.handlers import BORROWED
from risk.intents import IntentError
from risk.orders import highest
from risk.spawning import Spawning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from risk.desk import RiskDesk
    from risk.gate import RiskGate
    from risk.primaries import Primaries, Primary

ENDINGS = ("on_order_denied", "on_order_rejected", "on_order_canceled", "on_order_expired")


class AlgorithmGate(Spawning):
    """Mixed in before an algorithm's class: its orders pass the desk, what it raises is kept."""

    _desk: RiskDesk  # set on the class that `gated_algorithm` makes
    is_algorithm = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Passes everything on to the algorithm's own class."""
        self.passing: dict[str, Any] = {}  # client order id -> what passed and is on its way to the engine
        self._owner: RiskGate | None = None  # whose order is being decided on
        self._hushed: list[tuple[str, tuple[Any, ...]]] | None = (
            None  # callbacks put off, while there is a list
        )
        self._listeners: dict[
            tuple[str, Any], Any
        ] = {}  # (topic, handler) -> the handler with the gate's care
        super().__init__(*args, **kwargs)
        self.known_as = str(self.exec_algorithm_id)

    @property
    def desk(self) -> RiskDesk:
        """The desk behind this gate."""
        return self._desk

    @property
    def as_gate(self) -> Any:
        """This gate where a strategy's is expected: it has all that deciding and clocks ask for."""
        return self

    @property
    def primaries(self) -> Primaries:
        """The orders that the algorithms of this desk work."""
        return self._desk.primaries

    # -- sending ---------------------------------------------------------------------------------------------------

    def submit_order(self, order: Any, position_id: Any = None, client_id: Any = None) -> None:
        """Pass a child, or what is left of a primary, on; or refuse it."""
        held = self.held(order)
        if held is not None:
            self._submit_primary(held, position_id, client_id)
            return
        event = order.init_event
        reason = changed([order]) or self._decide(event)
        if reason is not None:
            self._refuse(order, reason)
            return
        try:
            with self._allow(str(event.client_order_id), _terms(order)):
                super().submit_order(order, position_id, client_id)
        except BaseException:
            self._desk.not_sent(event)
            raise

    def modify_order(
        self,
        order: Any,
        quantity: Quantity | None = None,
        price: Any = None,
        trigger_price: Any = None,
        client_id: Any = None,
    ) -> None:
        """Pass a child's change on when it does not grow and keeps every limit."""
        reason = self._decide_change(order, quantity, price, trigger_price)
        if reason is not None:
            self._refuse_change(order, reason)
            return
        with self._allow(str(order.client_order_id), (quantity, price, trigger_price)):
            super().modify_order(order, quantity, price, trigger_price, client_id)

    def modify_order_in_place(
        self, order: Any, quantity: Quantity | None = None, price: Any = None, trigger_price: Any = None
    ) -> None:
        """Shrink or reprice a primary before it is sent; nothing else can be changed in place."""
        held = self.held(order)
        if held is None:
            reason = f"EXEC_ALGORITHM: {order.client_order_id} is no order that {self.known_as} holds back"
        elif quantity is not None and quantity.as_decimal() > held.quantity:
            reason = f"EXEC_ALGORITHM: {held.name} has {held.quantity:f} left and cannot grow to {quantity}"
        else:
            wanted = None if quantity is None else quantity.as_decimal()
            terms = (quantity, price, trigger_price)
            with self._allow(held.name, terms), self._desk.primaries.shrinking(held, wanted):
                super().modify_order_in_place(self._cached(held), quantity, price, trigger_price)
            return
        self._refuse_change(order, reason)

    def deny_order(self, order: Any, reason: str) -> None:
        """End an order that was not sent; its strategy is told once its own call has returned."""
        held = self.held(order)
        if held is None:
            super().deny_order(order, reason)
        else:
            self._later(held, reason)

    # -- what the desk asks of a gate ------------------------------------------------------------------------------

    def latest(self, instrument_id: InstrumentId, index: int = 0) -> Any:
        """The newest update that prices an instrument for the strategy whose order this is about."""
        owner = self._owner
        return None if owner is None else owner.latest(instrument_id, index, self.cache)

    def told(self, event: OrderDenied) -> None:
        """The refusal of a child, told to the algorithm after the strategy has heard it."""
        self.on_order_denied(event)
        self.on_order_event(event)

    # -- time and messages -----------------------------------------------------------------------------------------

    @property
    def clock(self) -> Any:
        """The engine's clock, its callbacks watched; on replay it tells the market's time and has no timers."""
        return GateClock(super().clock, self.as_gate)

    def subscribe_topic(self, topic: str, handler: Callable[[object], None], priority: int = 0) -> None:
        """Subscribe; an exception in the handler is caught like one in any other callback."""
        watched = self._listeners[topic, handler] = self.watched(handler, f"topic {topic}")
        super().subscribe_topic(topic, watched, priority)

    def unsubscribe_topic(self, topic: str, handler: Callable[[object], None]) -> None:
        """End a subscription."""
        super().unsubscribe_topic(topic, self._listeners.pop((topic, handler), handler))

    def watched(self, callback: Callable[[Any], None], where: str) -> Callable[[Any], None]:
        """The callback with the gate's care around it: errors kept, refusals told."""

        def call(message: Any) -> None:
            if not self._desk.stopping:
                with self.calling(where, message):
                    callback(message)

        return call

    @contextmanager
    def calling(self, where: str, subject: Any = None, *, may_call: bool = True) -> Iterator[None]:
        """Around each callback: what it raises is answered by the run's policy, then refusals are told."""
        pulse = self._desk.pulse
        pulse.depth += 1
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            self._answer(where, subject, error)
        finally:
            pulse.depth -= 1
        if may_call and pulse.depth == 0 and pulse.news:
            self._desk.tell()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _cached(self, held: Primary) -> Any:
        """The engine's present state of a primary: what an algorithm keeps of it is a copy that grows old."""
        cache = self.cache
        order = None if cache is None else cache.order(held.order.client_order_id)
        if order is None:
            raise LookupError(f"the engine's cache does not have {held.name}")
        return order

    def _decide(self, event: OrderInitialized) -> str | None:
        """Whether a child may be sent; one that may is counted, in its primary's place."""
        desk, primaries = self._desk, self._desk.primaries
        objection = primaries.objection(event, self.known_as)
        if objection is not None:
            return f"EXEC_ALGORITHM: {objection}"
        with primaries.making_room(event):
            reason = self._ask(event) or self._intended(event)
            if reason is None:
                desk.sending(event)
                primaries.sent(event)
        return reason

    def _intended(self, event: OrderInitialized) -> str | None:
        """Put on record what is about to be sent; answers why it must not be."""
        try:
            self._desk.intend([event])
        except IntentError as error:
            return f"JOURNAL: {error}; nothing was sent"
        return None

    def _ask(self, event: OrderInitialized) -> str | None:
        self._owner = self._desk.gate_of(str(event.strategy_id))
        return self._desk.decide(self.as_gate, [event])

    def _submit_primary(self, held: Primary, position_id: Any, client_id: Any) -> None:
        """Send what is left of a primary; refused, it ends."""
        desk, order = self._desk, self._cached(held)
        working = desk.book.orders[held.name]
        desk.book.closed(held.name)
        reason = self._primary_refused(held, _as_it_is(order)) or self._intended(_as_it_is(order))
        if reason is not None:
            desk.book.submitted(working)
            self._end(held, reason)
            return
        desk.primaries.left_engine(held.name)
        desk.decisions.sending(_as_it_is(order))
        with self._allow(held.name, _terms(order)):
            super().submit_order(order, position_id, client_id)

    def _end(self, held: Primary, reason: str) -> None:
        """Refuse to send what is left of a primary, for good."""
        self._desk.witness.refused(self._desk.pulse.now, held.order, reason)
        self._later(held, reason)

    def _later(self, held: Primary, reason: str) -> None:
        owner = self._desk.gate_of(str(held.order.strategy_id))
        if owner is not None:
            owner.tell_later(partial(self._deny, held), reason)

    def _deny(self, held: Primary, reason: str) -> None:
        """Let the engine deny a primary. It holds on to the algorithm meanwhile, so that is told afterwards."""
        if self._desk.primaries.held(held.name) is not held:
            return
        self._hushed = []
        try:
            super().deny_order(self._cached(held), reason)
        finally:
            kept, self._hushed = self._hushed, None
        for name, args in kept:
            getattr(self, name)(*args)

    def _primary_refused(self, held: Primary, event: OrderInitialized) -> str | None:
        if held.beside:
            return (
                f"EXEC_ALGORITHM: {held.name} is for {held.quantity:f}, but children took {held.beside:f} beside it; "
                f"change it to {held.free:f} in place first"
            )
        return self._ask(event)

    def _decide_change(self, order: Any, quantity: Quantity | None, price: Any, trigger: Any) -> str | None:
        desk, name = self._desk, str(order.client_order_id)
        if self.held(order) is not None:
            return f"EXEC_ALGORITHM: {name} has not left the engine; modify_order_in_place changes it"
        working = desk.book.orders.get(name)
        if working is None or self.cache is None:
            return None  # the engine answers for an order that does not work
        current = self.cache.order(order.client_order_id) or order
        leaves = working.leaves
        if quantity is not None:
            if quantity > current.quantity:
                return f"EXEC_ALGORITHM: {name} cannot grow from {current.quantity} to {quantity}; spawn another order"
            leaves = max(Decimal(0), quantity.as_decimal() - current.filled_qty.as_decimal())
        limit, stop = (None if each is None else each.as_decimal() for each in (price, trigger))
        self._owner = desk.gate_of(working.strategy)
        reason = desk.decide_change(self.as_gate, name, leaves, (limit, stop), current.init_event)
        if reason is None:
            desk.book.resizing(name, leaves, highest(limit, stop))
        return reason

    def _refuse(self, order: Any, reason: str) -> None:
        """Refuse a child: its units go back to the primary, strategy and algorithm are told.

        One that the engine knows was sent before and may be working: it is not denied a second time.
        """
        if self.cache is not None and self.cache.order(order.client_order_id) is not None:
            self._desk.witness.refused(self._desk.pulse.now, order.init_event, reason)
            return
        given_back = self._desk.primaries.refused(order.init_event)
        held = self._desk.primaries.held(str(order.exec_spawn_id))
        if given_back is not None and held is not None:
            precision = order.quantity.precision
            whole = Quantity.from_decimal_dp(held.quantity + given_back, precision)
            with self._allow(held.name, (whole, None, None)):
                super().modify_order_in_place(self._cached(held), whole)
        self._tell_owner(order, order, reason)

    def _refuse_change(self, order: Any, reason: str) -> None:
        self._tell_owner(order, order.client_order_id, reason)

    def _tell_owner(self, order: Any, subject: Any, reason: str) -> None:
        owner = self._desk.gate_of(str(order.strategy_id))
        if owner is None:
            raise PermissionError(reason)
        owner.tell_later(subject, reason)
        self._desk.witness.refused(self._desk.pulse.now, order.init_event, reason)

    @contextmanager
    def _allow(self, name: str, terms: tuple[Any, ...]) -> Iterator[None]:
        self.passing[name] = terms
        try:
            yield
        finally:
            self.passing.pop(name, None)

    def _answer(self, where: str, subject: Any, error: BaseException) -> None:
        """Keep the error; an order whose algorithm failed when it arrived ends, since nobody works it."""
        desk = self._desk
        strategy = getattr(subject, "strategy_id", None)
        owner = (desk.gate_of(str(strategy)) if strategy is not None else None) or desk.gates[0]
        desk.answer(owner, f"{self.known_as}.{where}", error)
        held = self.held(subject) if where == "on_order" else None
        if held is not None and not desk.stopping:
            reason = f"EXEC_ALGORITHM: {self.known_as} raised {type(error).__name__}: {error}"
            self.deny_order(self._cached(held), reason)


def gated_algorithm(algorithm_class: type[ExecutionAlgorithm], desk: RiskDesk) -> type[AlgorithmGate]:
    """The user's class behind the gate of this desk: same name, same module, same behaviour, no way around.

    Raises TypeError when it is not a Nautilus ExecutionAlgorithm written in Python.
    """
    if not issubclass(algorithm_class, ExecutionAlgorithm):
        raise TypeError(
            f"{algorithm_class!r} is not a subclass of nautilus_trader.trading.ExecutionAlgorithm"
        )
    namespace: dict[str, Any] = {
        "__module__": algorithm_class.__module__,
        "__doc__": algorithm_class.__doc__,
        "_desk": desk,
        **{name: _handler(name, getattr(algorithm_class, name)) for name in handler_names()},
    }
    return type(algorithm_class.__name__, (AlgorithmGate, algorithm_class), namespace)


def handler_names() -> tuple[str, ...]:
    """Every callback of a Nautilus execution algorithm."""
    return tuple(name for name in dir(ExecutionAlgorithm) if name.startswith("on_"))


def _handler(name: str, user: Callable[..., Any]) -> Callable[..., Any]:
    def handler(self: Any, *args: Any) -> Any:
        desk, subject = self.desk, args[0] if args else None
        order = str(getattr(subject, "client_order_id", ""))
        may_call = name not in BORROWED and not desk.primaries.concerns(order)
        answer = None
        with self.calling(name, subject, may_call=may_call):
            if (
                name in ENDINGS
            ):  # the engine may tell the algorithm before the strategy, whose handler keeps the book
                desk.book.closed(order)
                desk.primaries.ended(order)
            if self._hushed is not None:
                self._hushed.append((name, args))
            elif not desk.stopping:
                answer = user(self, *args)
            if name == "on_start":
                _check_handlers(self)
            elif name == "on_stop":
                self.clock.cancel_timers()  # the engine lets them run on after the node has stopped
        return answer

    handler.__name__ = name
    return handler


def _check_handlers(algorithm: Any) -> None:
    for name in handler_names():
        if name in vars(algorithm):
            raise TypeError(
                f"{type(algorithm).__name__} sets self.{name}: define it as a method, or the risk gate cannot see it"
            )


def guard_base_class() -> None:
    """Make the engine's own send methods refuse an order of a gated algorithm that did not pass its gate."""
    if getattr(ExecutionAlgorithm, "_keel_guarded", False):
        return
    for name in ("submit_order", "modify_order", "modify_order_in_place"):
        setattr(ExecutionAlgorithm, name, _guarded(getattr(ExecutionAlgorithm, name), name))
    ExecutionAlgorithm._keel_guarded = True  # type: ignore[attr-defined]  # noqa: SLF001 - our own mark


def _guarded(original: Callable[..., None], name: str) -> Callable[..., None]:
    def guarded(self: ExecutionAlgorithm, order: Any, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(("quantity", "price", "trigger_price"), args, strict=False)) | kwargs
        change = tuple(given.get(key) for key in ("quantity", "price", "trigger_price"))
        terms = _terms(order) if name == "submit_order" else change
        if isinstance(self, AlgorithmGate) and self.passing.get(str(order.client_order_id)) != terms:
            reason = f"BYPASS: call self.{name}, and change nothing behind it: this never left"
            (self._refuse if name == "submit_order" else self._refuse_change)(order, reason)
            return
        original(self, order, *args, **kwargs)

    guarded.__name__ = name
    return guarded


def _terms(order: Any) -> tuple[Any, ...]:
    """What has to stay as it was decided on while an order is on its way to the engine."""
    prices = getattr(order, "price", None), getattr(order, "trigger_price", None)
    return (order.instrument_id, order.side, order.quantity, *prices, order.is_reduce_only)


def _as_it_is(order: Any) -> OrderInitialized:
    """The event that would have begun an order as it is now, after changes in place."""
    fields = order.init_event.to_dict()
    for name in ("quantity", "price", "trigger_price"):
        value = getattr(order, name, None)
        if value is not None:
            fields[name] = str(value)
    return OrderInitialized.from_dict(fields)


guard_base_class()  # before any algorithm's module is imported: see risk/guard.py
