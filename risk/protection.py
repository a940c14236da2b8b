"""Which stop-loss and take-profit does a holding need that its strategy did not send?

Stops together never exceed the position: in one instrument a venue nets several strategies, so one stop too many could
turn a holding round, and a venue without reduce-only holds the shares of the first and refuses the second. Hence what
is uncovered gets an order of its own at once, and what is too much or too loose is cancelled before it is sent anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from risk.lots import Lot, profit_limit, stop_trigger
from risk.means import SECOND, Means
from risk.numbers import ZERO

if TYPE_CHECKING:
    from risk.holding import Holding, WorkingOrder
    from risk.limits import RiskConfig

RETRY = 5 * SECOND
"""Market time after which a cancel that was not answered is asked for again."""
MOST_PARTS = 2
"""Orders or pairs a growing position is protected by, those at the largest size an order may have not counted."""
MOST_LOSSES = 3
"""Stops cancelled by somebody else within `LOSS_WINDOW` before the position is closed rather than protected again."""
LOSS_WINDOW = 60 * SECOND
MOST_PIECES = 100
REFUSALS = ("REJECTED", "DENIED")


class Cover(NamedTuple):
    """Units of the closing side that work: as stops, as limits, and as orders that close without either price."""

    stops: Decimal
    limits: Decimal
    closing: Decimal


@dataclass(slots=True)
class Guard:
    """A stop, a limit or a pair of them, sent for a part of the position."""

    stop: str | None
    limit: str | None

    @property
    def orders(self) -> tuple[str, ...]:
        """The client order ids."""
        return tuple(name for name in (self.stop, self.limit) if name is not None)


class Protection:
    """Keeps one holding covered. Its rule: working stops never exceed the position by an order of its own."""

    def __init__(
        self,
        holding: Holding,
        means: Means,
        say: Callable[[str, str], None],
        close: Callable[[str], None],
    ) -> None:
        """`say(kind, text)` tells a person, `close(reason)` closes the holding when it cannot be protected."""
        self.holding = holding
        self._means = means
        self._say = say
        self._close = close
        self._guards: list[Guard] = []  # oldest first
        self._asked: dict[str, int] = {}  # order id -> when its cancel was last asked for
        self._lost: list[tuple[str, str, bool]] = []  # (status, reason, whether it was a stop), not yet dealt with
        self._losses: list[int] = []  # when stops were cancelled by somebody else
        self._no_profit = False  # the venue takes no take-profit for this position
        self._opened_at = -1  # which position all this is about
        self._unsaid = True

    def owns(self, order_id: str) -> bool:
        """Whether an order is one of its own."""
        return any(order_id in guard.orders for guard in self._guards)

    def ended(self, order_id: str, status: str, reason: str) -> None:
        """One of its orders ended without filling. Only notes it."""
        if order_id not in self._asked:
            is_stop = any(order_id == guard.stop for guard in self._guards)
            self._lost.append((status, reason, is_stop))

    def look(self, ts: int, limits: RiskConfig) -> int | None:
        """Cover what is uncovered. Answers when to `tidy`, None when there is nothing to tidy."""
        self._begin()
        held = self.holding
        gate = self._means.gate_of(held.strategy)
        if not held.position or gate is None:
            return ts + 1 if self._alive() else None
        for _ in range(MOST_PIECES):
            if not self._resolved(ts, limits) or not self._send_piece(ts, limits):
                break
        self._tighten(ts, limits)
        if self._asked:
            return ts + RETRY
        return ts + 1 if self._surplus() else None

    def tidy(self, ts: int) -> int | None:
        """Cancel what is too much, once the venue had its chance to do it. Answers when to look again, or None."""
        self._begin()
        for guard in self._surplus():
            self._cancel(guard, ts)
        return ts + RETRY if self._asked else None

    # -- what works ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Forget what is over, and all troubles of an earlier position."""
        orders, held = self._means.book.orders, self.holding
        self._guards = [g for g in self._guards if any(name in orders for name in g.orders)]
        self._asked = {name: ts for name, ts in self._asked.items() if name in orders}
        if not held.position or held.opened_at != self._opened_at:
            self._opened_at = held.opened_at if held.position else -1
            self._lost.clear()
            self._losses.clear()
            self._no_profit, self._unsaid = False, True

    def _working(self, guard: Guard) -> list[WorkingOrder]:
        orders = self._means.book.orders
        return [orders[name] for name in guard.orders if name in orders]

    def _alive(self) -> list[Guard]:
        return [guard for guard in self._guards if self._working(guard)]

    def _closes(self, order: WorkingOrder) -> bool:
        position = self.holding.position
        return position != ZERO and order.is_buy is (position < ZERO)

    def _cover(self) -> Cover:
        stops = limits = closing = ZERO
        for order in self.holding.working.values():
            if not self._closes(order):
                continue
            if order.trigger is not None:
                stops += order.leaves
            elif order.limit is not None:
                limits += order.leaves
            else:
                closing += order.leaves
        return Cover(stops, limits, closing)

    def _surplus(self) -> list[Guard]:
        """Its orders on the wrong side, and the newest of those by which stops or limits exceed the position."""
        size, cover = abs(self.holding.position), self._cover()
        stops, limits = cover.stops, cover.limits
        surplus = []
        for guard in reversed(self._alive()):
            working = self._working(guard)
            wrong = any(not self._closes(order) for order in working)
            leaves = {order.client_order_id: order.leaves for order in working}
            of_stop, of_limit = (leaves.get(name or "", ZERO) for name in (guard.stop, guard.limit))
            if wrong or (of_stop and stops > size) or (of_limit and limits > size):
                stops, limits = stops - of_stop, limits - of_limit
                surplus.append(guard)
        return surplus

    # -- what is missing -------------------------------------------------------------------------------------------

    def _needs(self, limits: RiskConfig) -> tuple[Decimal, Decimal]:
        """Units without a stop, and without a take-profit; an order that closes already needs neither."""
        cover = self._cover()
        room = abs(self.holding.position) - cover.closing
        stop = room - cover.stops if limits.default_stop_loss_pct is not None else ZERO
        wants_profit = limits.take_profit_pct is not None and not self._no_profit
        return max(stop, ZERO), max(room - cover.limits if wants_profit else ZERO, ZERO)

    def _lot(self, limits: RiskConfig) -> Lot:
        name = self.holding.instrument.instrument
        gate = self._means.gate_of(self.holding.strategy)
        if gate is None:
            raise LookupError(f"{self.holding.strategy} is not running")
        most = [m for m in (self._means.most_of(name), limits.max_order_notional) if m is not None]
        return Lot.of(gate.instrument_of(name), min(most, default=None))

    def _resolved(self, ts: int, limits: RiskConfig) -> bool:
        """Whether it may go on protecting: a stop that was refused, or lost too often, closes the position."""
        stop_need, profit_need = self._needs(limits)
        lost, self._lost = self._lost, []
        if any(not is_stop for *_, is_stop in lost) and profit_need and not stop_need:
            self._give_up_profit(ts, lost)
        if not stop_need:
            return True
        self._losses = [at for at in self._losses if ts - at < LOSS_WINDOW]
        stops = [(status, reason) for status, reason, is_stop in lost if is_stop]
        self._losses += [ts] * len(stops)
        refused = [reason or status for status, reason in stops if status in REFUSALS]
        if refused:
            return self._fail(f"its stop was refused ({refused[-1]})")
        if len(self._losses) >= MOST_LOSSES:
            return self._fail(f"its stop was cancelled {len(self._losses)} times within a minute")
        return True

    def _give_up_profit(self, ts: int, lost: list[tuple[str, str, bool]]) -> None:
        self._losses = [at for at in self._losses if ts - at < LOSS_WINDOW] + [ts]
        status, reason, _ = lost[-1]
        if status in REFUSALS or len(self._losses) >= MOST_LOSSES:
            self._no_profit = True
            self._say("UNPROTECTED", f"{self._name()} has no take-profit: {reason or status}")

    def _fail(self, why: str) -> bool:
        self._say("UNPROTECTED", f"{self._name()}: {why}; closed at market")
        self._close(f"STOP_LOSS: {self._name()} could not be protected: {why}")
        return False

    def _name(self) -> str:
        held = self.holding
        return f"{held.position.normalize():+f} {held.instrument.instrument} of {held.strategy}"

    # -- sending ---------------------------------------------------------------------------------------------------

    def _send_piece(self, ts: int, limits: RiskConfig) -> bool:
        """Send one order or pair for what is uncovered; answers whether there may be more to do."""
        stop_need, profit_need = self._needs(limits)
        wanted = min(stop_need, profit_need) or max(stop_need, profit_need)
        if not wanted:
            return False
        held = self.holding
        entry = held.average_entry or held.instrument.mark
        if entry is None:
            self._warn("no entry price and no price to measure a stop from")
            return False
        lot = self._lot(limits)
        largest = lot.cut(abs(held.position), max(entry, held.instrument.mark or entry))
        quantity = lot.cut(min(wanted, largest), entry)
        if not quantity:
            if wanted == abs(held.position):
                self._warn(f"the smallest order is {lot}")
            return False
        if self._is_split(largest, ts):
            return False
        self._send(entry, quantity, limits, stop=bool(stop_need), profit=bool(profit_need))
        return True

    def _is_split(self, largest: Decimal, ts: int) -> bool:
        """Whether there are parts enough: the newest then makes room for one that covers more."""
        parts = [g for g in self._alive() if self._working(g)[0].leaves < largest]
        if len(parts) < MOST_PARTS:
            return False
        self._cancel(parts[-1], ts)
        return True

    def _send(
        self, entry: Decimal, quantity: Decimal, limits: RiskConfig, *, stop: bool, profit: bool
    ) -> None:
        held, name = self.holding, self.holding.instrument.instrument
        gate = self._means.gate_of(held.strategy)
        if gate is None:
            return
        trigger = self._trigger(entry, limits) if stop else None
        limit = self._limit(entry, limits) if profit else None
        before = held.position
        order_id = gate.send_protection(
            name, is_buy=held.position < ZERO, quantity=quantity, trigger=trigger, limit=limit
        )
        order = self._means.book.orders.get(order_id)
        if order is None:
            if held.position == before:
                answer = self._means.answers.pop(order_id, "it ended at once")
                self._lost.append(("DENIED", answer, stop))
            return
        twin = [o for o, each in held.working.items() if each.group == order.group and o != order_id]
        if trigger is not None:
            self._guards.append(Guard(order_id, twin[0] if twin else None))
        else:
            self._guards.append(Guard(None, order_id))
        self._unsaid = True
        parts = [f"stop at {trigger}"] if trigger is not None else []
        parts += [f"take-profit at {limit}"] if limit is not None else []
        self._say("PROTECTED", f"{quantity} of {self._name()}: {', '.join(parts)}, from {entry:.8g}")

    def _trigger(self, entry: Decimal, limits: RiskConfig) -> Decimal:
        share = limits.default_stop_loss_pct or ZERO
        return stop_trigger(entry, share, self._tick(), is_long=self.holding.position > ZERO)

    def _limit(self, entry: Decimal, limits: RiskConfig) -> Decimal:
        share = limits.take_profit_pct or ZERO
        return profit_limit(entry, share, self._tick(), is_long=self.holding.position > ZERO)
