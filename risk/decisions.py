"""May this order be sent?

A decision reads memory only, in the engine's thread: the book, the newest prices, the limits that apply to the order.
A doubt or an exception inside refuses. Reducing orders skip every limit on exposure, on purpose.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import OrderInitialized

from risk.book import Book, Holding, WorkingOrder
from risk.breaker import Breakers, EquityWatch, TradingState
from risk.checks import EXPOSURE, Check, Proposal, active, first_broken
from risk.doubts import Doubts
from risk.numbers import ZERO
from risk.orders import (
    IF_TOUCHED,
    fill_once,
    grouped_id,
    highest,
    is_buy,
    limit_price,
    tied,
    trigger_price,
    units,
    wrong_tie,
)
from risk.prices import Prices
from risk.primaries import is_child
from risk.pulse import Pulse
from risk.watch import exact_price, jumped, middle

if TYPE_CHECKING:
    from risk.gate import RiskGate
    from risk.hours import TradingHours
    from risk.limits import RiskConfig

NANOS = 1_000_000_000


class UntrustedPriceError(LookupError):
    """The newest price jumped and no second one agrees with it yet."""


class Decisions:
    """Decides on orders and changes of orders; counts those that are sent.

    `limits_of(strategy id, instrument id)` answers the limits that apply, the tightest of every line that matches.
    """

    def __init__(  # noqa: PLR0913 - the parts it asks
        self,
        book: Book,
        prices: Prices,
        breakers: Breakers,
        pulse: Pulse,
        *,
        limits_of: Callable[[str, str], RiskConfig],
        hours_of: Callable[[RiskConfig], TradingHours],
        unsupported: Callable[[RiskGate, OrderInitialized, bool], str | None],
        closes: Callable[[str, str], bool],
        jump: Decimal | None,
    ) -> None:
        """Nothing decided yet. `closes(strategy id, instrument id)`: whether this holding is being flattened."""
        self._book = book
        self._prices = prices
        self._breakers = breakers
        self._pulse = pulse
        self._limits_of = limits_of
        self._hours_of = hours_of
        self._unsupported = unsupported
        self._closes = closes
        self._jump = None if jump is None else float(jump)
        self._checks: dict[
            int, tuple[RiskConfig, tuple[tuple[str, Check], ...]]
        ] = {}  # id of limits -> what is on
        self._decided: dict[str, tuple[WorkingOrder, bool]] = {}  # client order id -> (as decided on, opens)
        self.asks_people = False  # whether somebody can approve an order
        self.broker: EquityWatch | None = None  # what a broker says of equity, where one tells
        self.doubts: Doubts | None = None  # what is not known for certain, where anything may be
        self.proposals: dict[
            str, Proposal
        ] = {}  # client order id -> what limits were compared with, of the last call
        self.wants_approval: RiskConfig | None = (
            None  # limits that want a person for what was decided on last
        )
        self._second = (0, 0)  # (second of market time, orders sent in it)
        self._sent: dict[
            tuple[str, str, bool, Decimal], deque[int]
        ] = {}  # like orders -> when they were sent

    # -- new orders -------------------------------------------------------------------------------------------------

    def decide(self, gate: RiskGate, orders: Sequence[OrderInitialized]) -> str | None:
        """Whether all these orders may be sent: None, or why not. A doubt or an error inside refuses (fail closed)."""
        return self._fail_closed(lambda: self._decide_all(gate, orders))

    def _fail_closed(self, decision: Callable[[], str | None]) -> str | None:
        """The decision; a missing or doubtful price, or an error inside, is a refusal that says so."""
        try:
            self._prices.roll(self._pulse.market_now())
            return decision()
        except UntrustedPriceError as error:
            return f"UNTRUSTED_PRICE: {error.args[0]}; only reducing orders pass"
        except Exception as error:  # noqa: BLE001 - whatever goes wrong inside a check refuses the order
            if isinstance(error, LookupError) and not isinstance(error, KeyError | IndexError):
                return f"NO_PRICE: {error.args[0] if error.args else error!r}; only reducing orders pass"
            return f"RISK_ERROR: {type(error).__name__}: {error}"

    def _decide_all(self, gate: RiskGate, orders: Sequence[OrderInitialized]) -> str | None:
        self._decided.clear()
        self.proposals.clear()
        self.wants_approval = None
        wrong = wrong_tie(orders)
        if wrong is not None:
            return f"TIED_ORDER: {wrong}"
        if len(orders) == 1:
            return self._decide_one(gate, orders[0], (), orders)
        if len({str(order.client_order_id) for order in orders}) < len(orders):
            return "SENT_BEFORE: two orders of the list have the same client order id"
        if any(order.exec_algorithm_id is not None for order in orders):
            return "EXEC_ALGORITHM: no algorithm can work an order of a list; send it alone"
        added: list[WorkingOrder] = []
        children = Children(orders)
        try:
            for order in orders:
                reason = self._decide_one(gate, order, added, orders, child=children.fits(order))
                if reason is not None:
                    return reason
                working = self._decided[str(order.client_order_id)][0]
                if working.spared:
                    working.group = children.groups.get(working.client_order_id, working.client_order_id)
                else:
                    children.judged(order)
                self._book.submitted(working)
                added.append(working)
        finally:
            for earlier in added:
                self._book.closed(earlier.client_order_id)
        return None

    def _decide_one(
        self,
        gate: RiskGate,
        order: OrderInitialized,
        added: Sequence[WorkingOrder],
        together: Sequence[OrderInitialized],
        *,
        child: bool = False,
    ) -> str | None:
        reason = self._unsupported(gate, order, child)
        if reason is not None:
            return reason
        instrument, strategy = str(order.instrument_id), str(order.strategy_id)
        if instrument not in self._book.instruments:
            return f"UNKNOWN_INSTRUMENT: {instrument} is not among this run's instruments"
        limits = self._limits_of(strategy, instrument)
        if limits.dry_run:
            return "DRY_RUN: decided and recorded, not sent"
        holding = self._book.holding(strategy, instrument)
        buys = is_buy(order)
        newest = None
        if order.quote_quantity:
            newest = self._refresh(gate, order, holding, buys=buys)
        working = self._working(order, strategy, instrument, buys=buys)
        name = working.client_order_id
        if child or self._reduces(order, working, holding):
            working.spared = True
            self._decided[name] = (working, False)
            return None
        if newest is None:
            newest = self._refresh(gate, order, holding, buys=buys)
        self._value(working, limits, newest)
        if limits.require_approval:
            self.wants_approval = limits
        opens = not holding.instrument.open_holdings and not gate.is_algorithm
        self._decided[name] = (working, opens)
        state = self._state_refuses(holding)
        if state is not None:
            return state
        proposal = self._proposal(holding, working, limits, newest, added, together=together, opens=opens)
        if gate.is_algorithm:  # what it was asked to send passed these
            proposal.repeats, proposal.has_stop = 0, True
        self.proposals[name] = proposal
        return self._broken(limits, proposal)

    @staticmethod
    def _reduces(order: OrderInitialized, working: WorkingOrder, holding: Holding) -> bool:
        """Whether an order can only reduce; one in money cannot tell, since its price may be old."""
        return (working.reduce_only or not order.quote_quantity) and holding.reduces(
            is_buy=working.is_buy, quantity=working.leaves, reduce_only=working.reduce_only
        )

    def _broken(self, limits: RiskConfig, proposal: Proposal) -> str | None:
        found = self._checks.get(id(limits))
        if found is None or found[0] is not limits:
            found = self._checks[id(limits)] = (limits, active(limits))
        return first_broken(proposal, limits, found[1])

    def _state_refuses(self, holding: Holding) -> str | None:
        state = self._breakers.state
        if state.state is not TradingState.ACTIVE or state.scopes:
            halted = self._breakers.refuses(holding.strategy, holding.instrument.venue)
            if halted is not None:
                return halted
        if self._pulse.stopping:
            return "HALTED: the run is being stopped"
        if self._closes(holding.strategy, holding.instrument.instrument):
            return f"HALTED: {holding.instrument.instrument} is being closed"
        doubted = None if self.broker is None else self.broker.refuses(self._pulse.now)
        if doubted is None and self.doubts is not None:
            doubted = self.doubts.refuses(holding.instrument.instrument)
        if doubted is not None:
            return doubted
        suspects = self._prices.suspects()
        if suspects:
            return f"UNTRUSTED_PRICE: {', '.join(suspects)} jumped and is not confirmed yet; only reducing orders pass"
        return None

    # -- prices -----------------------------------------------------------------------------------------------------

    def _refresh(self, gate: RiskGate, order: OrderInitialized, holding: Holding, *, buys: bool) -> Any:
        """Mark everything held at its newest trusted price, and the order's own instrument; answers its update."""
        self._prices.mark_held()
        watch = self._prices.watches[holding.instrument.instrument]
        newest = gate.latest(order.instrument_id)
        if newest is None:
            raise LookupError(
                f"no price of {order.instrument_id} yet (subscribe to its bars, quotes or trades)"
            )
        if watch.held:
            if watch.update is None and watch.suspect is None:
                self._book.mark(holding.instrument, exact_price(newest, long=not watch.sells))
            return newest
        price = exact_price(newest, long=not buys)
        if not self._believable(gate, order, price, long=not buys):
            raise UntrustedPriceError(
                f"{order.instrument_id} jumped to {price} in one step and is not confirmed yet"
            )
        self._book.mark(holding.instrument, price)
        return newest

    def _believable(self, gate: RiskGate, order: OrderInitialized, price: Decimal, *, long: bool) -> bool:
        """Whether the newest price counts: it agrees with the one before, or with the one before that.

        What is held is judged at every price by its watch; this is for what is not.
        """
        if price <= ZERO:
            return False
        if self._jump is None:
            return True
        nothing_before = True
        for index in (1, 2):
            update = gate.latest(order.instrument_id, index)
            if update is None:
                break
            nothing_before = False
            before = exact_price(update, long=long)
            if before > ZERO and not jumped(float(price), float(before), self._jump):
                return True
        return nothing_before

    # -- the worst case ---------------------------------------------------------------------------------------------

    def _working(
        self, order: OrderInitialized, strategy: str, instrument: str, *, buys: bool
    ) -> WorkingOrder:
        limit, trigger = limit_price(order), trigger_price(order)
        price, of = highest(limit, trigger), self._book.instruments[instrument]
        parent = order.parent_order_id
        return WorkingOrder(
            client_order_id=str(order.client_order_id),
            strategy=strategy,
            instrument=instrument,
            is_buy=buys,
            leaves=units(order, price if price is not None else of.mark, of.step),
            price=price,
            reduce_only=bool(order.reduce_only),
            group=str(order.client_order_id),
            limit=limit,
            trigger=trigger,
            sent_at=self._pulse.now,
            parent=None if parent is None else str(parent),
            if_touched=order.order_type in IF_TOUCHED,
        )

    @staticmethod
    def _value(working: WorkingOrder, limits: RiskConfig, newest: Any) -> None:
        """A market order may cost its far side, and the slippage that is allowed on top."""
        if working.price is None and working.is_buy:
            far = exact_price(newest, long=False)
            slippage = limits.max_slippage_pct
            working.price = far if slippage is None else far * (1 + slippage)

    def _proposal(  # noqa: PLR0913 - what a worst case is made of
        self,
        holding: Holding,
        order: WorkingOrder,
        limits: RiskConfig,
        newest: Any,
        added: Sequence[WorkingOrder] = (),
        *,
        without: WorkingOrder | None = None,
        together: Iterable[OrderInitialized] = (),
        opens: bool = False,
    ) -> Proposal:
        """The worst case if this order, those of its list before it and everything working were filled."""
        book, of = self._book, holding.instrument
        high, low = holding.extremes(order, without)
        gross, equity = book.gross(), book.equity()
        step = book.in_base(holding.exposure(order, without) - holding.worst, of.currency)
        unit = abs(of.unit) if order.price is None else max(abs(of.unit), abs(of.value_at(order.price)))
        second, sent = self._second
        now, state = self._pulse.now, self._breakers.state
        proposal = Proposal(
            instrument=of.instrument,
            notional=book.in_base(order.leaves * unit, of.currency),
            position_after=high if order.is_buy else low,
            shorts=not order.is_buy and low < ZERO,
            exposure_after=book.exposure_of(of) + step,
            gross_after=gross + step,
            open_after=book.open_count() + (0 if of.open_holdings else 1),
            orders_today=state.orders_today + len(added),
            orders_this_sec=(sent if second == now // NANOS else 0) + len(added),
            equity=equity,
            currency=book.currency,
            strategy=holding.strategy,
            is_buy=order.is_buy,
            quantity=order.leaves,
            opens=opens,
            new_today=state.new_positions_today + sum(self._decided[o.client_order_id][1] for o in added),
            at_market=order.limit is None and order.trigger is None,
            limit=order.limit,
            trigger=order.trigger,
        )
        self._look_further(proposal, holding, order, limits, newest, step)
        if limits.max_repeats is not None:
            proposal.repeats += sum(1 for other in added if _is_like(other, order))
        if limits.require_stop_loss and limits.default_stop_loss_pct is None:
            proposal.has_stop = any(_is_stop_of(other, order) for other in together)
        return proposal

    def _look_further(  # noqa: PLR0913 - see _proposal
        self,
        proposal: Proposal,
        holding: Holding,
        order: WorkingOrder,
        limits: RiskConfig,
        newest: Any,
        step: Decimal,
    ) -> None:
        """What only some limits ask for."""
        now = self._pulse.now
        if limits.max_strategy_pct is not None or limits.max_strategy_notional is not None:
            proposal.strategy_gross_after = self._book.gross_of(holding.strategy) + step
        if limits.price_collar_pct is not None or limits.max_slippage_pct is not None:
            proposal.reference = middle(newest)
            proposal.far_side = exact_price(newest, long=not order.is_buy)
        if limits.max_price_age_secs is not None:
            self._ages(proposal, limits, newest)
        if limits.trading_hours is not None:
            proposal.closed = self._hours_of(limits).closed_why(now)
        if limits.max_repeats is not None:
            proposal.repeats = self._repeats(holding, order, now - int(limits.repeat_window_secs * NANOS))
        if not limits.allow_self_crossing:
            proposal.crosses = _crossed(holding, order, newest)

    def _ages(self, proposal: Proposal, limits: RiskConfig, newest: Any) -> None:
        now = self._pulse.now
        opened = self._hours_of(limits).opened_since(now) if limits.trading_hours is not None else 0

        def age(stamp: int) -> Decimal:
            return Decimal(max(0, now - max(stamp, opened))) / NANOS

        proposal.price_age_secs = age(newest.ts_event)
        ages = [(age(watch.last_seen()), name) for name, watch in self._prices.watches.items() if watch.held]
        if ages:
            oldest, name = max(ages)
            proposal.oldest = (name, oldest)

    def _repeats(self, holding: Holding, order: WorkingOrder, since: int) -> int:
        key = (holding.strategy, order.instrument, order.is_buy, order.leaves)
        stamps = self._sent.get(key)
        if stamps is None:
            return 0
        while stamps and stamps[0] <= since:
            stamps.popleft()
        return len(stamps)

    # -- changes ----------------------------------------------------------------------------------------------------

    def decide_change(
        self,
        gate: RiskGate,
        client_order_id: str,
        leaves: Decimal,
        prices: tuple[Decimal | None, Decimal | None],
        order: OrderInitialized,
    ) -> str | None:
        """Whether a working order may become this large at these prices (limit, trigger); judged like a new order."""
        if self._book.orders[
            client_order_id
        ].changing:  # the first answer would hide what the second asks for
            return f"CHANGE_PENDING: {client_order_id} is being changed; wait for the answer, or cancel it"
        return self._fail_closed(lambda: self._decide_change(gate, client_order_id, leaves, prices, order))

    def _decide_change(
        self,
        gate: RiskGate,
        name: str,
        leaves: Decimal,
        prices: tuple[Decimal | None, Decimal | None],
        order: OrderInitialized,
    ) -> str | None:
        current = self._book.orders[name]
        limits = self._limits_of(current.strategy, current.instrument)
        limit, trigger = prices
        price = highest(limit, trigger)
        dearer = price is not None and current.price is not None and price > current.price
        collared = limits.price_collar_pct is not None and price is not None
        if leaves <= current.leaves and not dearer and not collared:
            return None
        if limits.dry_run:
            return "DRY_RUN: decided and recorded, not sent"
        holding = self._book.holding(current.strategy, current.instrument)
        changed = replace(
            current, leaves=leaves, price=current.price if price is None else price,
            limit=limit or current.limit, trigger=trigger or current.trigger,
        )  # fmt: skip
        if holding.reduces(
            is_buy=changed.is_buy, quantity=leaves, reduce_only=changed.reduce_only, without=current
        ):
            current.spared = True
            return None
        newest = self._refresh(gate, order, holding, buys=changed.is_buy)
        state = self._state_refuses(holding)
        if state is not None:
            return state
        if limits.require_approval and self.asks_people:
            return "APPROVAL: a change that adds exposure cannot wait for a person; cancel the order and send a new one"
        proposal = self._proposal(holding, changed, limits, newest, without=current)
        proposal.repeats, proposal.has_stop = 0, True
        return self._broken(limits, proposal)

    def stands(self, gate: RiskGate, order: WorkingOrder) -> str | None:
        """Why an order that works would add more than the limits on exposure allow; None when it would not."""
        return self._fail_closed(lambda: self._stands(gate, order))

    def _stands(self, gate: RiskGate, order: WorkingOrder) -> str | None:
        holding = self._book.holding(order.strategy, order.instrument)
        limits = self._limits_of(order.strategy, order.instrument)
        state = self._state_refuses(holding)
        if state is not None:
            return state
        sent = gate.engine_order(order.client_order_id).init_event
        newest = self._refresh(gate, sent, holding, buys=order.is_buy)
        proposal = self._proposal(holding, order, limits, newest, without=order)
        return first_broken(proposal, limits, tuple(each for each in active(limits) if each[0] in EXPOSURE))

    def relimit(self) -> None:
        """The limits changed: like orders are counted as far as the new ones want."""
        self._checks.clear()
        for key, stamps in tuple(self._sent.items()):
            most = self._limits_of(key[0], key[1]).max_repeats
            if most is None:
                del self._sent[key]
            else:
                self._sent[key] = deque(stamps, maxlen=most)

    def adds(self, client_order_id: str) -> bool:
        """Whether an order that was just decided on could add exposure; one that was not is the desk's own exit."""
        decided = self._decided.get(client_order_id)
        return decided is not None and not decided[0].spared

    def working(self, order: OrderInitialized) -> WorkingOrder:
        """An order that was just decided on, as the book counts it."""
        return self._decided[str(order.client_order_id)][0]

    @staticmethod
    def middle(update: Any) -> Decimal:
        """The price of an update: a close, a trade, the middle of a quote."""
        return middle(update)

    # -- what was sent ----------------------------------------------------------------------------------------------

    def sending(self, order: OrderInitialized, *, held: bool = False, worked: bool = False) -> WorkingOrder:
        """Count an order that passed, from the moment it is handed on.

        held: to an algorithm, so it is not on its way to a venue yet. worked: the algorithm sends what is left of it.
        """
        name = str(order.client_order_id)
        decided = self._decided.pop(name, None)
        if decided is None:
            strategy, instrument = str(order.strategy_id), str(order.instrument_id)
            decided = (self._working(order, strategy, instrument, buys=is_buy(order)), False)
            decided[0].group = grouped_id(order)  # the desk's own pair
        elif not decided[0].spared:  # what passed counted all that works on its side
            for other in self._book.holding(decided[0].strategy, decided[0].instrument).working.values():
                other.spared = other.spared and other.is_buy is not decided[0].is_buy
        working, opens = decided
        self._book.submitted(working)
        state = self._breakers.state
        state.new_positions_today += opens
        if not held:
            state.orders_today += 1
            second, sent = self._second
            this = self._pulse.now // NANOS
            self._second = (this, sent + 1 if this == second else 1)
        limits = self._limits_of(working.strategy, working.instrument)
        if limits.max_repeats is not None and not worked and not is_child(order):
            key = (working.strategy, working.instrument, working.is_buy, working.leaves)
            self._sent.setdefault(key, deque(maxlen=limits.max_repeats)).append(self._pulse.now)
        return working


class Children:
    """The children of entries in one list: those that can only close what their entry opens pass with it.

    Their entry has to be judged before them: one that only reduces opens nothing. A child on the entry's own side, or
    larger than what is left of the entry, is judged like any other order.
    """

    def __init__(self, orders: Sequence[OrderInitialized]) -> None:
        """The orders of one list, whose ties are in order."""
        self.groups = fill_once(orders) if any(tied(order) for order in orders) else {}
        self._left: dict[str, tuple[bool, Decimal]] = {}  # entry -> (buys, units its children may close)
        self._groups: dict[tuple[str, str], Decimal] = {}  # (parent, group) -> units taken by it

    def judged(self, order: OrderInitialized) -> None:
        """An order that opens something passed."""
        if not order.quote_quantity:
            self._left[str(order.client_order_id)] = (is_buy(order), order.quantity.as_decimal())

    def fits(self, order: OrderInitialized) -> bool:
        """Whether the order only closes what its parent in the list opens."""
        parent, name = str(order.parent_order_id), str(order.client_order_id)
        if order.parent_order_id is None or order.quote_quantity or parent not in self._left:
            return False
        buys, left = self._left[parent]
        if buys is is_buy(order):
            return False
        key = (parent, self.groups.get(name, name))
        taken = self._groups.get(key, ZERO)
        more = max(ZERO, order.quantity.as_decimal() - taken)
        if more > left:
            return False
        self._groups[key], self._left[parent] = taken + more, (buys, left - more)
        return True


def _is_like(one: WorkingOrder, other: WorkingOrder) -> bool:
    same = one.strategy == other.strategy and one.instrument == other.instrument and one.parent is None
    return same and one.is_buy is other.is_buy and one.leaves == other.leaves


def _is_stop_of(other: OrderInitialized, entry: WorkingOrder) -> bool:
    return (
        is_buy(other) is not entry.is_buy
        and other.trigger_price is not None
        and other.order_type not in IF_TOUCHED
        and str(other.instrument_id) == entry.instrument
        and other.quantity.as_decimal() >= entry.leaves
    )


def _crossed(holding: Holding, order: WorkingOrder, newest: Any) -> Decimal | None:
    """The nearest resting limit order of this account that the order would meet; None when there is none.

    An order without a limit price reaches the far side of the market. A trigger waits: it meets nobody yet.
    """
    if order.trigger is not None:
        return None
    reach = order.limit if order.limit is not None else exact_price(newest, long=not order.is_buy)
    met: Decimal | None = None
    for each in holding.instrument.holdings:
        for other in each.working.values():
            if other.is_buy is order.is_buy or other.limit is None or other.trigger is not None:
                continue
            near = other.limit <= reach if order.is_buy else other.limit >= reach
            if near and (met is None or (other.limit < met) is order.is_buy):
                met = other.limit
    return met
