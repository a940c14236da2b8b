"""Where do the gates of all strategies meet book, limits and breakers?

One `RiskDesk` stands behind every gate of a run. It lives on the engine's thread, reads no clock, file or network;
deciding is in risk/decisions.py, pricing in risk/prices.py, events in risk/events.py, halting in risk/halts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

from nautilus_trader.model import Bar, BarType, InstrumentId, OrderInitialized

from risk.approvals import Approvals, WaitEvent
from risk.book import Book
from risk.breaker import Breakers, EquityWatch, Notice, RiskState, ScopeLimits, Trip
from risk.clock import NotReplayableError
from risk.decisions import Decisions
from risk.doubts import Doubts
from risk.events import Events
from risk.exits import Exits
from risk.flatten import Flattener
from risk.foreign import EXTERNAL
from risk.halts import Halts
from risk.handlers import price_blind
from risk.hours import TradingHours
from risk.intents import Intent, Intents
from risk.numbers import ZERO
from risk.overrides import effective
from risk.prices import Prices
from risk.primaries import Primaries, is_child, unworkable
from risk.pulse import ALWAYS, NEVER, Pulse
from risk.readings import Readings
from risk.scopes import BOOK, is_result
from risk.sessions import SessionDays
from risk.strays import Strays
from risk.turns import Turns
from risk.watch import Update

if TYPE_CHECKING:
    from risk.algorithms import AlgorithmGate
    from risk.gate import RiskGate
    from risk.holding import Holding, WorkingOrder
    from risk.limits import RiskConfig


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

    def noticed(self, notice: Notice) -> None:
        """Something else that a person should see: a warning, a cash flow, how a flattening goes."""

    def failed(self, strategy: str, where: str, error: BaseException) -> None:
        """A strategy's callback raised."""

    def waits(  # noqa: PLR0913 - what there is to know of an order that waits
        self,
        ts: int,
        event: WaitEvent,
        orders: Sequence[OrderInitialized],
        why: str,
        until: int | None,
        price: Decimal | None,
    ) -> None:
        """Orders of one call wait for a person, or no longer do.

        until: market time at which they are refused, None for never; price: the newest one when they were held.
        """


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
        fills_inside: bool | None = None,
        takes_turns: bool = False,
        history: Callable[[BarType], Sequence[Bar]] | None = None,
        on_error: Literal["stop", "halt", "ignore"] = "stop",
        scopes: Sequence[ScopeLimits] = (),
        names: dict[str, str] | None = None,
        venue_name: str = "",
        assumes_approval: bool = False,
        accounts: Mapping[str, Decimal] | None = None,
        intents: Intents | None = None,
    ) -> None:
        """A desk for an account that starts with `starting_cash`.

        `event_time(gate, event, last)` answers the market time of an event where the engine's stamps are wall time
        (replay); `replays` forbids what replay cannot do (timers, bars aggregated in the engine); `history`
        answers warm-up requests with the bars from before the run; without it the venue does. `scopes` are the
        strategies and venues with breakers of their own, and those; `names`: strategy id -> its name in the run.
        `accounts`: venue -> what its own account starts with, where there are several. `assumes_approval`: nobody is
        there to approve orders, so approval is taken for granted. `fills_inside`: whether the engine's own sandbox
        fills orders in a live node (None: where `event_time` is given). `intents` puts on record what is to be sent.
        """
        self.limits = limits
        self.witness = witness
        self.event_time, self.replays = event_time, replays
        self.fills_inside = event_time is not None if fills_inside is None else fills_inside
        self.history = history
        self.on_error = on_error
        self.takes_turns = takes_turns  # several strategies: each gets its turn in configured order
        self.gates: list[RiskGate] = []
        self.algorithms: dict[str, AlgorithmGate] = {}  # by the name that orders give
        self.turns = Turns(self.gates)
        self.errors: list[BaseException] = []
        self.error_places: list[tuple[str, str]] = []  # (strategy, callback) of each error
        self.pulse = Pulse()
        self.book = Book(starting_cash, currency)
        self.readings = Readings(self.book)
        days = SessionDays.of(limits.session_zone or zone, limits.session_start, limits.session_calendar)
        self.breakers = Breakers(limits, days, starting_cash, state, scopes=scopes)
        for line in scopes:
            kind, _, name = line.scope.partition(":")
            self.readings.add(
                line.scope, (accounts or {}).get(name, starting_cash) if kind == "venue" else ZERO
            )
        self.primaries = Primaries(self.book, on_done=lambda name: self.exits.ended(name, "FILLED"))
        self.halts = Halts(self)
        self.events = Events(self)
        self.prices = Prices(
            limits, self.book, self.breakers, self.readings, self.pulse,
            on_trips=self._act, on_look=self._looked,
        )  # fmt: skip
        self.decisions = Decisions(
            self.book, self.prices, self.breakers, self.pulse, limits_of=self.limits_of, hours_of=self.hours_of,
            unsupported=self._unsupported, closes=self._closes, jump=limits.untrusted_jump_pct,
        )  # fmt: skip
        self.flattener = Flattener(
            self.book, self.gates, self._hours_of_instrument, self.halts.notice,
            most_of=self._most_of, engine_position=self._engine_position,
        )  # fmt: skip
        self.exits = Exits(self.limits_of, self.flattener, self.halts.notice)
        self.strays = Strays(self.book, judge=self._judge_again, cut=self._cut, notify=self.halts.notice)
        self.approvals = Approvals(self.book, self.decisions, self.pulse, witness, assumed=assumes_approval)
        self.decisions.asks_people = not assumes_approval
        self.intents = intents
        self.doubts = self.decisions.doubts = Doubts(None if intents is None else intents.problem)
        self._intended: set[str] = set()  # client order ids on record that are being handed on
        self.decide = self.decisions.decide
        self.decide_change = self.decisions.decide_change
        self.bar, self.quote, self.trade, self.rate = (
            self.prices.bar, self.prices.quote, self.prices.trade, self.prices.rate,
        )  # fmt: skip
        self.initialized, self.learner = self.events.initialized, self.events.learner
        self.reachable = self.events.reachable
        self.names = names or {}  # strategy id -> its name in the run, in configured order
        self.venue_name = venue_name
        self._classes: dict[str, str] = {}  # instrument id -> its asset class
        self._limits: dict[tuple[str, str], RiskConfig] = {}  # (strategy id, instrument id) -> what applies
        self._hours: dict[str | None, TradingHours] = {}
        self._changed: dict[tuple[str, str], None] = {}  # (strategy, instrument) that exits look at next
        self._unflat = ""  # why to flatten once more
        if state is not None:  # the first price is read, before any order: is this still a breach?
            self.pulse.alert = True
            self._unflat = UNFINISHED if state.flattening else ""
        self.pulse.news = bool(self._unflat)
        self.guards = any(_guards(line) for line in (limits, *limits.overrides))

    # -- what is traded -------------------------------------------------------------------------------------------

    def add_instrument(self, instrument: Any) -> None:
        """Make an instrument known to the book; others cannot be traded."""
        name = str(instrument.id)
        self._classes[name] = _asset_class(instrument)
        self.book.add_instrument(
            name,
            instrument.multiplier.as_decimal(),
            currency=_settled_in(instrument),
            inverse=bool(instrument.is_inverse),
            venue=str(instrument.id.venue),
            step=instrument.size_increment.as_decimal(),
        )
        self.prices.add_instrument(instrument)

    def adopt(
        self, strategy: str, instrument: str, position: Decimal, *, entry: Decimal | None, ts: int
    ) -> None:
        """Take over a position that the account began with; equity is unknown until its next price."""
        self.book.adopt(strategy, instrument, position, None, ts, entry=entry)
        self.prices.adopted(instrument)
        self.renew_alert()

    def joins(self, gate: RiskGate, key: BarType | tuple[str, InstrumentId]) -> None:
        """A strategy subscribes to bars, or to the (kind, instrument) of ticks: they price their instrument."""
        self.turns.join(gate, key)
        self.prices.joins(key)

    def bar_type_of(self, instrument_id: InstrumentId) -> BarType | None:
        """The bars that any strategy of this run prices the instrument with."""
        return self.prices.bar_type_of(instrument_id)

    def gate_of(self, strategy: str) -> RiskGate | None:
        """The gate of a strategy; None when it is not of this run."""
        return next((gate for gate in self.gates if gate.known_as == strategy), None)

    def limits_of(self, strategy: str, instrument: str) -> RiskConfig:
        """The limits for one strategy's orders in one instrument: the tightest of every line that matches."""
        found = self._limits.get((strategy, instrument))
        if found is None:
            known = self.book.instruments.get(instrument)
            found = self._limits[strategy, instrument] = effective(
                self.limits,
                strategy_id=strategy,
                strategy_name=self.names.get(strategy, ""),
                venue=known.venue if known is not None else "",
                asset_class=self._classes.get(instrument, ""),
                venue_name=self.venue_name,
            )
        return found

    def hours_of(self, limits: RiskConfig) -> TradingHours:
        """The trading hours that limits name; always open where they name none."""
        found = self._hours.get(limits.trading_hours)
        if found is None:
            found = self._hours[limits.trading_hours] = TradingHours.of(limits.trading_hours)
        return found

    def _closes(self, strategy: str, instrument: str) -> bool:
        return self.flattener.active and self.flattener.covers(strategy, instrument)

    def _most_of(self, _instrument: str) -> Decimal | None:
        return None if self.limits.max_order_notional is None else self.limits.max_order_notional * BACKSTOP

    def _engine_position(self, strategy: str, instrument: str) -> Decimal:
        gate = self.gate_of(strategy)
        if gate is None and strategy == EXTERNAL and self.gates:  # the engine nets it with nobody's
            return self.book.holding(strategy, instrument).position
        return ZERO if gate is None else gate.engine_position(instrument)

    def _hours_of_instrument(self, instrument: str) -> TradingHours:
        return self.hours_of(self.limits_of("", instrument))

    def _unsupported(
        self,
        gate: RiskGate | AlgorithmGate,
        order: OrderInitialized,
        child: bool,  # noqa: FBT001 - a callback
    ) -> str | None:
        """What this venue or this version of Keel cannot do safely."""
        if str(order.strategy_id) != gate.known_as and not gate.is_algorithm:
            return f"FOREIGN_ORDER: {order.client_order_id} was made for {order.strategy_id}, not for {gate.known_as}"
        if order.exec_algorithm_id is not None and not gate.is_algorithm:
            reason = self._unworkable(order)
            if reason is not None:
                return f"EXEC_ALGORITHM: {reason}"
        if child and order.reduce_only and self.fills_inside:
            return (
                "REDUCE_ONLY_CHILD: the sandbox rejects reduce-only children of an order list, which would leave the "
                "position unprotected; send the stop once the entry has filled, or children that are not reduce-only"
            )
        if self.replays and order.expire_time is not None:
            return "GTD_ON_REPLAY: a replay's clock is not the market's: no expiry date can be kept; use GTC or DAY"
        return None

    def _unworkable(self, order: OrderInitialized) -> str | None:
        algorithm = self.algorithms.get(str(order.exec_algorithm_id))
        if algorithm is None:
            known = ", ".join(self.algorithms) or "none"
            return f"{order.exec_algorithm_id} is not among this run's exec_algorithms (there are: {known})"
        if not algorithm.is_running():
            return f"{order.exec_algorithm_id} does not run now: the engine would never hand the order to it"
        reason = unworkable(order)
        return None if reason is None else f"{order.exec_algorithm_id} cannot work this order: {reason}"

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """Whether an error ends the run: no strategy code runs any more."""
        return self.pulse.stopping

    @property
    def last(self) -> Update | None:
        """The newest update anybody got; a plain value, which another thread may look at."""
        return self.pulse.last

    def market_now(self) -> int:
        """Market time as far as it is known, UTC nanoseconds."""
        return self.pulse.market_now()

    def tick(self, ts: int) -> None:
        """Time passed without a price, on a venue whose market time is the clock's: deadlines are looked at."""
        pulse = self.pulse
        pulse.now = max(pulse.now, ts)
        due = pulse.now >= min(self.prices.next_deadline, self.breakers.next_roll)
        try:
            self.prices.read_peak()
            if pulse.alert and (due or self.breakers.halted or self.prices.rate_moved):
                self.prices.reading(pulse.now, self.limits.tick_confirmations)
            self.settle()
            self.halts.tell()
        except Exception as error:  # noqa: BLE001 - no callback stands around this one
            self._unread(self.gates[0], "tick", error)

    def note_equity(self) -> None:
        """Keep equity as it is now: what a person who resumes will measure from. An unknown one changes nothing."""
        self.prices.read_peak()
        self.prices.mark_held()
        with suppress(LookupError):
            self.breakers.state.equity = self.book.equity()

    def _looked(self, now: int) -> int:
        """After every exact reading: what was due, and when the next thing is (market time)."""
        self.halts.tell()
        if self.flattener.active:
            self._flatten_on(now)
        if self.exits.next_deadline <= now:
            self.exits.due(now)
        if self.approvals.waiting:
            self.approvals.due(now)
        self.renew_alert()
        return ALWAYS if self.flattener.active or self.approvals.waiting else self.exits.next_deadline

    def renew_alert(self) -> None:
        """Look at prices while anything is held, flattened or has a deadline; let them pass otherwise."""
        self.pulse.alert = (
            not self.book.is_flat() or self.pulse.stopping or self.pulse.retired or self.flattener.active
            or self.book.ledger.holds_other_than(self.book.currency)
            or self.exits.next_deadline < NEVER or bool(self.approvals.waiting)
        )  # fmt: skip

    # -- what was sent and what became of it ------------------------------------------------------------------------

    def has_news(self) -> bool:
        """Whether a refusal waits to be told, a halt to be carried out, or a holding to be looked after."""
        waits = self.halts.pending or self._changed or self._unflat or self.strays.waiting
        return bool(waits) or any(gate.has_untold() for gate in self.gates)

    def tell(self) -> None:
        """Hand out what waits to be told, and settle; for callbacks that are no strategy's."""
        for gate in self.gates:
            if gate.has_untold() or gate is self.gates[-1]:
                gate.tell()

    def intend(self, orders: Sequence[OrderInitialized]) -> None:
        """Put on record that these orders are about to be handed on, all at once. Raises IntentError."""
        if self.intents is None:
            return
        found = [self._intent(order) for order in orders]
        self.intents.commit(self.pulse.market_now(), found)
        self._intended.update(str(order.client_order_id) for order in orders)

    def _intent(self, order: OrderInitialized) -> Intent:
        name, strategy, instrument = (
            str(each) for each in (order.client_order_id, order.strategy_id, order.instrument_id)
        )
        gate, newest = self.gate_of(strategy), None
        if gate is not None:
            with suppress(RuntimeError):  # engine.md 1: in some handlers the cache is borrowed
                newest = gate.latest(order.instrument_id)
        known = self.book.instruments.get(instrument)
        mark = None if known is None else known.mark
        price = mark if newest is None else self.decisions.middle(newest)
        proposal = self.decisions.proposals.get(name)
        return Intent(order, self.decisions.adds(name), price, proposal, self.limits_of(strategy, instrument))

    def sending(self, order: OrderInitialized) -> None:
        """Count an approved order, from the moment it is handed on. Raises IntentError."""
        self.pulse.market_now()
        if self.intents is not None:
            if str(order.client_order_id) not in self._intended:
                self.intend([order])
            self._intended.discard(str(order.client_order_id))
        self.events.approved(str(order.client_order_id))
        held = order.exec_algorithm_id is not None and not is_child(order)
        working = self.decisions.sending(order, held=held)
        if held:
            self.primaries.opened(order)
        self.exits.sent(working)
        if self.exits.next_deadline < self.prices.next_deadline:
            self._sooner()
        self.witness.approved(self.pulse.now, order)

    def hold(
        self, gate: RiskGate, orders: Sequence[Any], send: Callable[[], str | None], limits: RiskConfig
    ) -> None:
        """Let orders that passed wait for a person."""
        self.approvals.hold(gate, orders, send, limits)
        self.pulse.wake_at = ALWAYS
        self.renew_alert()

    def not_sent(self, order: OrderInitialized) -> None:
        """The engine would not even take the order: forget it."""
        name = str(order.client_order_id)
        self.book.closed(name)
        self.primaries.ended(name)

    def ended(self, client_order_id: str, event: Any) -> None:
        """An order can no longer fill; it was denied, rejected, cancelled or expired."""
        if self.flattener.active or self.guards:
            status = type(event).__name__.removeprefix("Order").upper()
            reason = str(getattr(event, "reason", None) or "")
            self.flattener.ended(client_order_id, status, reason)
            self.exits.ended(client_order_id, status, reason)
            if self.guards:
                self._changed[str(event.strategy_id), str(event.instrument_id)] = None
            self._wake()

    def traded(self, holding: Holding, price: Decimal) -> None:
        """A fill was booked."""
        pulse = self.pulse
        gate = self.gate_of(holding.strategy)
        if gate is not None:
            self.halt_if_blind(gate)
        self.prices.traded(holding.instrument.instrument, price, pulse.now)
        while holding.trades:
            trade = holding.trades.pop(0)
            self._judge(holding, trade.pnl, trade.base)
        if self.guards:
            self._changed[holding.strategy, holding.instrument.instrument] = None
        self.renew_alert()
        if self._fills_late(holding):
            self._unflat = f"{holding.instrument.instrument} of {holding.strategy} was filled after the halt"
        self._wake()
        if self.book.is_flat():
            for trip in self.prices.read_now():
                self.halts.pend(trip)

    def halt_if_blind(self, gate: RiskGate) -> None:
        """Halt when a strategy put something else in the place of a price handler: no breaker sees its prices."""
        why = price_blind(gate)
        if why is not None and not self.breakers.halted:
            self.halts.later(Trip("BYPASS", f"BYPASS: {why}", self.market_now()))

    def _fills_late(self, holding: Holding) -> bool:
        """Whether a position is there though it was to be flat and nothing closes it any more."""
        strategy, of = holding.strategy, holding.instrument
        if not holding.position or self.halts.pending or self._closes(strategy, of.instrument):
            return False
        return any(map(self.halts.closes, (BOOK, f"strategy:{strategy}", f"venue:{of.venue}")))

    def _judge_again(self, order: WorkingOrder) -> str | None:
        gate = self.gate_of(order.strategy)
        if gate is None or self._closes(order.strategy, order.instrument):
            return None
        known = gate.engine_order(order.client_order_id)
        return None if known.is_pending_cancel or known.is_closed else self.decisions.stands(gate, order)

    def _cut(self, order: WorkingOrder, leaves: Decimal) -> None:
        """Leave a working order so many units; with none it is cancelled."""
        gate = self.gate_of(order.strategy)
        if leaves and gate is not None:
            gate.shrink(order.client_order_id, leaves)
        else:
            self.halts.cancel([order])

    def _judge(self, holding: Holding, pnl: Decimal, base: Decimal) -> None:
        currency = holding.instrument.currency
        try:
            pnl, base = self.book.in_base(pnl, currency), self.book.in_base(base, currency)
        except LookupError:  # no rate: equity is in doubt, which refuses new exposure; a trade is not judged
            return
        for trip in self.breakers.closed_trade(
            holding.strategy, pnl, base, self.pulse.now, venue=holding.instrument.venue
        ):
            self.halts.pend(trip)

    def _wake(self) -> None:
        """Something may be due that acts where the engine can be called: after this handler, and at the next price."""
        if self.flattener.active or self._changed or self._unflat or self.strays.waiting:
            self.pulse.news = True
        if self.exits.next_deadline < self.prices.next_deadline:
            self._sooner()

    def _sooner(self) -> None:
        self.prices.next_deadline = self.exits.next_deadline
        self.pulse.wake_at = min(self.pulse.wake_at, self.exits.next_deadline)
        self.renew_alert()

    # -- halting ----------------------------------------------------------------------------------------------------

    def _act(self, trips: list[Trip]) -> None:
        for trip in trips:
            self.halts.act(trip)

    def settle(self) -> None:
        """Carry out what was decided where the engine could not be called; gates call it in every safe handler."""
        self.halts.settle()
        if self._unflat:
            self._flatten_again()
        if self.flattener.active:
            self._flatten_on(self.pulse.market_now())
        if self.strays.waiting:
            self.strays.settle(self.pulse.market_now(), self.pulse.last)

    def protect(self) -> None:
        """Look after the holdings that changed, once their strategy's own callbacks have returned."""
        while self._changed:
            (strategy, instrument), _ = self._changed.popitem()
            self.exits.after(strategy, instrument, self.pulse.market_now())
        self._wake()

    def halt(self, trip: Trip) -> None:
        """Halt now, for a reason of the caller's. Only where the engine may be called."""
        self.halts.halt(trip)

    def cancel_adding(self) -> None:
        """Cancel what could add exposure, and what waits for a person; protective orders stay."""
        self.approvals.withdraw(tuple(self.approvals.waiting), "cancelled before anybody approved it")
        self.halts.cancel_adding()

    def flatten(
        self, strategies: Sequence[str] | None = None, reason: str = "asked for", venue: str | None = None
    ) -> None:
        """Cancel and close everything (of these strategies, or on a venue), now and at every price until it is done."""
        self.breakers.state.flattening = True
        self.approvals.withdraw_in(strategies, venue, f"closing: {reason}")
        self.flattener.start(self.pulse.market_now(), reason, strategies, venue)
        self.breakers.state.flattening = bool(self.flattener.scopes)
        self.look_again()

    def look_again(self) -> None:
        """Something changed that prices did not tell: the next one is read exactly."""
        self.pulse.wake_at = ALWAYS
        self.renew_alert()

    def read_now(self) -> None:
        """Read equity at the newest trusted prices, and act on what goes off."""
        self.prices.mark_held()
        self._act(self.prices.read_now(self.limits.tick_confirmations))

    def relimit(self, limits: RiskConfig) -> None:
        """Go by other limits from now on: for orders, for what is looked after, for the book's breakers.

        Raises ValueError, before anything changed, when two calendars would hold for one order.
        """
        before, self.limits = self.limits, limits
        self._limits.clear()
        try:
            for strategy in self.names:
                for instrument in self.prices.watches:
                    self.hours_of(self.limits_of(strategy, instrument)).load()
        except ValueError:
            self.limits = before
            self._limits.clear()
            raise
        self.decisions.relimit()
        self.breakers.relimit(limits)
        self.guards = any(_guards(line) for line in (limits, *limits.overrides))
        held = self.approvals.held_orders
        self.exits.relimit([order for name, order in self.book.orders.items() if name not in held])
        for holding in self.book.held():
            self._changed[holding.strategy, holding.instrument.instrument] = None
        self.look_again()
        if self.market_now():
            self.prices.reading(self.pulse.now, limits.tick_confirmations)

    def stands(self, order: WorkingOrder) -> str | None:
        """Why a working order would add more than the limits on exposure allow now; None when it would not."""
        try:
            return self._judge_again(order)
        except LookupError:  # the engine does not know it: it is not there to be judged
            return None

    def _flatten_again(self) -> None:
        """What was to be flat is not, or nobody knows: tell a person, and close it."""
        reason, self._unflat = self._unflat, ""
        self.halts.notice(Notice("ALARM", f"{reason}: look at the positions", self.market_now()))
        scopes = [name for name in self.breakers.halted_scopes if is_result(name) and self.halts.closes(name)]
        alone = scopes and not self.halts.closes(BOOK)
        self.flatten([name.partition(":")[2] for name in scopes] if alone else None, reason)

    def _flatten_on(self, now: int) -> None:
        """Go on with flattening, and keep whether it is done: a restart has to know."""
        self.flattener.step(now)
        self.breakers.state.flattening = bool(self.flattener.scopes)

    def broker_equity(self, ts: int, equity: Decimal | None) -> Decimal | None:
        """A broker's own word on the account's equity (None: it gave no answer), at a UTC nanosecond stamp.

        Answers it when it is believed. One that nothing explains, and silence from now on, refuse new exposure; neither
        reaches a breaker.
        """
        if self.decisions.broker is None:
            self.decisions.broker = EquityWatch(ts)
        self.prices.mark_held()
        try:
            explained = self.book.equity()
        except LookupError:  # nothing to compare it with
            return self.decisions.broker.believe(ts, None, ZERO)
        return self.decisions.broker.believe(ts, equity, explained)

    def cash_flow(self, amount: Decimal, currency: str, why: str, *, venue: str = "") -> None:
        """Money came in (above zero) or left: references move along, nothing trips. LookupError without a rate."""
        in_base = self.book.in_base(amount, currency)
        self.prices.mark_held()  # references are scaled by equity as it is just before
        self._act(self.prices.read_now(self.limits.tick_confirmations))
        self.book.pay(amount, currency, venue=venue)
        scope = f"venue:{venue}" if f"venue:{venue}" in self.readings.names else "book"
        self.halts.notice(self.breakers.cash_flow(self.pulse.market_now(), in_base, why, scope))
        self.pulse.wake_at = ALWAYS

    def carry(self, amount: Decimal, currency: str, *, venue: str = "", strategy: str = "") -> None:
        """Interest, a fee or a dividend of the account: profit (above zero) or loss. LookupError without a rate."""
        self.book.in_base(amount, currency)
        self.prices.read_peak()
        self.book.pay(amount, currency, venue=venue, strategy=strategy)
        self.pulse.wake_at = ALWAYS
        if self.book.is_flat():  # no price would be read before the next fill
            for trip in self.prices.read_now():
                self.halts.pend(trip)

    def funding(self, instrument: str, strategy: str, amount: Decimal) -> None:
        """A funding payment of a held position: profit (above zero) or loss like any other."""
        known = self.book.instruments[instrument]
        self.prices.read_peak()
        self.book.pay(amount, known.currency, venue=known.venue, strategy=strategy)
        self.pulse.wake_at = ALWAYS

    def look(self, gate: RiskGate, where: str, read: Callable[[Any], None], update: Update) -> None:
        """Read a price; an error in it is ours, never the strategy's, and halts whatever the policy is."""
        try:
            read(update)
        except Exception as error:  # noqa: BLE001 - what cannot be read must not be traded on
            self._unread(gate, where, error)

    def _unread(self, gate: RiskGate, where: str, error: Exception) -> None:
        reason = f"BOOK_ERROR: a price could not be read ({where}): {type(error).__name__}: {error}"
        if not self.breakers.halted:
            self.halts.later(Trip("BOOK_ERROR", reason, self.pulse.now))
        self.answer(gate, where, error)

    # -- errors -----------------------------------------------------------------------------------------------------

    def answer(self, gate: RiskGate, where: str, error: BaseException) -> None:
        """A strategy's callback raised: keep the error, then halt, stop the run or go on, as the policy says.

        The engine would only log it. To stop, nobody's code runs any more and the engine is asked to shut down.
        """
        self._failed(gate, where, error)
        fatal = not isinstance(error, Exception) or isinstance(error, NotReplayableError)
        if fatal or self.on_error == "stop" or where.endswith("on_start"):
            self.pulse.stopping = self.pulse.alert = True
            self.pulse.wake_at = ALWAYS
            try:
                gate.shutdown_system(f"{gate.known_as} raised in {where}")
            except (
                RuntimeError
            ):  # engine.md 1: in some handlers the engine cannot be called; its own stop follows
                raise error from None

    def _failed(self, gate: RiskGate, where: str, error: BaseException) -> None:
        """A strategy's callback raised: keep the error; halt when that is the policy."""
        self.errors.append(error)
        self.error_places.append((gate.known_as, where))
        self.witness.failed(gate.known_as, where, error)
        if self.on_error == "halt" and not self.breakers.halted:
            reason = f"STRATEGY_ERROR: {gate.known_as} raised in {where}: {type(error).__name__}: {error}"
            self.halts.later(Trip("STRATEGY_ERROR", reason, self.pulse.now))


def _guards(line: Any) -> bool:
    """Whether Keel looks after positions by itself: stops, targets, time exits."""
    keys = ("default_stop_loss_pct", "take_profit_pct", "max_holding_mins")
    return any(getattr(line, key) is not None for key in keys)


UNFINISHED = "the run before this one ended before it was flat"
BACKSTOP = 10
"""The engine cannot tell exits from entries, so its notional limit is this many times the gate's (runs/engine.py)."""


def _asset_class(instrument: Any) -> str:
    kind = getattr(instrument, "asset_class", None)
    return "" if kind is None else str(kind.name).lower()


def _settled_in(instrument: Any) -> str:
    settled = getattr(instrument, "settlement_currency", None) or instrument.quote_currency
    if instrument.is_inverse:
        settled = getattr(instrument, "base_currency", None) or settled
    return str(settled.code)
