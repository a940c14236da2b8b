"""Which stop-loss and take-profit does a holding need that its strategy did not send?

Stops together never exceed the position: a venue nets the strategies of an instrument, so one stop too many could turn
a holding round, and a venue without reduce-only holds the shares of the first and refuses the second. Hence what is
uncovered gets an order of its own at once, and what is too much or too loose is cancelled before it is sent anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from risk.cover import Levels, closes, cover_of
from risk.lots import Lot
from risk.means import SECOND, Gate, Means
from risk.numbers import ZERO

if TYPE_CHECKING:
    from risk.holding import Holding, WorkingOrder
    from risk.limits import RiskConfig

RETRY = 5 * SECOND
"""Market time after which a cancel that was not answered is asked for again."""
MOST_PARTS = 2
"""Orders of a kind (stop, limit, pair) a growing position is protected by, those of the largest size not counted."""
MOST_LOSSES = 3
"""Times somebody else may cancel a protective order within `LOSS_WINDOW` before it is not sent again."""
LOSS_WINDOW = 60 * SECOND
MOST_SENT = 100
"""Orders or pairs sent for one position in a second of market time, at most."""
REFUSALS = ("REJECTED", "DENIED")


@dataclass(frozen=True, slots=True)
class Guard:
    """A stop, a limit or a pair of them, sent for a part of the position."""

    stop: str | None
    limit: str | None

    @property
    def orders(self) -> tuple[str, ...]:
        """The client order ids."""
        return tuple(name for name in (self.stop, self.limit) if name is not None)


class Loss(NamedTuple):
    """A protective order that ended unasked."""

    status: str
    reason: str
    is_stop: bool

    def __str__(self) -> str:
        """Why, for a person."""
        return self.reason or self.status


class Protection:
    """Keeps one holding covered. Its rule: an order of its own never makes the stops exceed the position."""

    def __init__(
        self, holding: Holding, means: Means, say: Callable[[str, str], None], close: Callable[[str], None]
    ) -> None:
        """`say(kind, text)` tells a person; `close(reason)` closes the holding when it cannot be protected."""
        self.holding = holding
        self._means = means
        self._say = say
        self._close = close
        self._guards: list[Guard] = []  # oldest first
        self._asked: dict[str, int] = {}  # order id -> when its cancel was last asked for
        self._lost: list[Loss] = []  # not yet dealt with
        self._losses: list[int] = []  # when protective orders were cancelled by somebody else
        self._sent = (-SECOND, 0)  # (since when, how many): orders of the running second
        self._no_profit = False  # the venue takes no take-profit for this position
        self._opened_at = -1  # which position all this is about
        self._warned = False

    def owns(self, order_id: str) -> bool:
        """Whether an order is one of its own."""
        return any(order_id in guard.orders for guard in self._guards)

    def ended(self, order_id: str, status: str, reason: str) -> None:
        """One of its orders ended without filling. Only notes it."""
        if order_id not in self._asked:
            is_stop = any(order_id == guard.stop for guard in self._guards)
            self._lost.append(Loss(status, reason, is_stop))

    def look(self, ts: int, limits: RiskConfig) -> int | None:
        """Cover what is uncovered. Answers when to `tidy` and look again, None when there is nothing to wait for."""
        self._begin(ts)
        gate = self._means.gate_of(self.holding.strategy)
        if gate is not None:
            while self._step(gate, ts, limits):
                pass
        if self._sent[1] > MOST_SENT and ts - self._sent[0] < SECOND:
            return self._sent[0] + SECOND
        if self._asked:
            return ts + RETRY
        return ts + 1 if self._surplus() else None

    def tidy(self, ts: int) -> None:
        """Cancel what is too much, once the venue had its chance to do it; a `look` belongs after it."""
        self._begin(ts)
        for guard in self._surplus():
            self._cancel(guard, ts)

    def _step(self, gate: Gate, ts: int, limits: RiskConfig) -> bool:
        """Send or cancel one thing; answers whether there may be more to do."""
        held, name = self.holding, self.holding.instrument.instrument
        if not held.position:
            return False
        instrument = gate.instrument_of(name)
        levels = Levels.of(held, limits, instrument)
        if levels is None:
            self._warn("no entry price and no price to measure a stop from")
            return False
        if not self._may_go_on(ts, levels):
            return False
        if any(self._needs(levels)):
            return self._send_piece(gate, ts, levels, Lot.of(instrument, self._means.most_of(name)))
        self._tighten(ts, levels)
        return False

    # -- what works ------------------------------------------------------------------------------------------------

    def _begin(self, ts: int) -> None:
        """Forget what is over, and with a position all its troubles."""
        orders, held = self._means.book.orders, self.holding
        self._guards = [g for g in self._guards if any(name in orders for name in g.orders)]
        self._asked = {n: at for n, at in self._asked.items() if n in orders and ts - at < RETRY}
        if not held.position or held.opened_at != self._opened_at:
            self._opened_at = held.opened_at if held.position else -1
            self._lost.clear()
            self._losses.clear()
            self._no_profit = self._warned = False

    def _working(self, guard: Guard) -> list[WorkingOrder]:
        orders = self._means.book.orders
        return [orders[name] for name in guard.orders if name in orders]

    def _surplus(self) -> list[Guard]:
        """Its orders on the wrong side, and the newest of those by which stops or limits exceed the position."""
        size, cover, surplus = abs(self.holding.position), cover_of(self.holding), []
        stops, limits = cover.stops, cover.limits
        for guard in reversed(self._guards):
            leaves = {order.client_order_id: order.leaves for order in self._working(guard)}
            stop, limit = (leaves.get(name or "", ZERO) for name in (guard.stop, guard.limit))
            wrong = not all(closes(order, self.holding) for order in self._working(guard))
            if wrong or (stop and stops > size) or (limit and limits > size):
                surplus.append(guard)
                stops, limits = (stops, limits) if wrong else (stops - stop, limits - limit)
        return surplus

    def _needs(self, levels: Levels) -> tuple[Decimal, Decimal]:
        """Units without a stop, and without a take-profit; those that an order closes already need neither."""
        cover = cover_of(self.holding)
        room = abs(self.holding.position) - cover.closing
        stop = ZERO if levels.trigger is None else room - cover.stops
        profit = ZERO if levels.limit is None or self._no_profit else room - cover.limits
        return max(stop, ZERO), max(profit, ZERO)

    # -- trouble ---------------------------------------------------------------------------------------------------

    def _may_go_on(self, ts: int, levels: Levels) -> bool:
        """Whether to go on protecting: a stop refused, or cancelled too often, closes the position instead."""
        lost, self._lost = self._lost, []
        if not lost:
            return True
        stop_need, _ = self._needs(levels)
        self._losses = [at for at in self._losses if ts - at < LOSS_WINDOW] + [ts]
        if not any(loss.is_stop for loss in lost):
            if lost[-1].status in REFUSALS or len(self._losses) >= MOST_LOSSES:
                self._no_profit = True
                self._say("UNPROTECTED", f"{self._name()} has no take-profit: {lost[-1]}")
            return True
        why = next((f"was refused ({loss})" for loss in lost if loss.status in REFUSALS), None)
        if why is None and len(self._losses) >= MOST_LOSSES:
            why = f"was cancelled {len(self._losses)} times within a minute"
        if why is None or not stop_need:
            return True
        self._say("UNPROTECTED", f"{self._name()}: its stop {why}; closed at market")
        self._close(f"STOP_LOSS: the stop of {self._name()} {why}")
        return False

    def _warn(self, why: str) -> None:
        """Say once a position that it stays unprotected."""
        if not self._warned:
            self._warned = True
            self._say("UNPROTECTED", f"{self._name()}: {why}")

    def _name(self) -> str:
        held = self.holding
        return f"{held.position.normalize():+f} {held.instrument.instrument} of {held.strategy}"

    # -- sending and cancelling ------------------------------------------------------------------------------------

    def _send_piece(self, gate: Gate, ts: int, levels: Levels, lot: Lot) -> bool:
        """Send one order or pair for what is uncovered; answers whether there may be more to do."""
        stop_need, profit_need = self._needs(levels)
        largest, smallest = max(stop_need, profit_need), min(stop_need, profit_need)
        size, price = abs(self.holding.position), levels.highest(self.holding.instrument.mark)
        quantity = lot.cut(smallest, price)  # of a pair
        stop, profit = (True, True) if quantity else (stop_need == largest, stop_need != largest)
        quantity = quantity or lot.cut(largest, price)
        if not quantity:
            if largest == size:
                self._warn(f"no protection can be sent: the smallest order is {lot}")
            return False
        parts = [g for g in self._guards if self._is_part(g, lot.cut(size, price), stop=stop, profit=profit)]
        if len(parts) >= MOST_PARTS:
            self._cancel(parts[-1], ts)  # one that covers more follows its answer
            return False
        if not self._may_send(ts):
            return False
        self._send(gate, quantity, levels, stop=stop, profit=profit)
        return True

    def _is_part(self, guard: Guard, largest: Decimal, *, stop: bool, profit: bool) -> bool:
        """Whether a guard of this kind could cover more."""
        orders = self._means.book.orders
        kind = guard.stop in orders, guard.limit in orders
        return kind == (stop, profit) and self._working(guard)[0].leaves < largest

    def _may_send(self, ts: int) -> bool:
        """Keep to `MOST_SENT` orders a second, whatever the venue does with them."""
        since, sent = self._sent
        self._sent = (ts, 1) if ts - since >= SECOND else (since, sent + 1)
        if self._sent[1] > MOST_SENT:
            self._warn(f"{MOST_SENT} protective orders in one second; it goes on in the next")
            return False
        return True

    def _send(self, gate: Gate, quantity: Decimal, levels: Levels, *, stop: bool, profit: bool) -> None:
        held = self.holding
        before, name, is_buy = held.position, held.instrument.instrument, held.position < ZERO
        trigger, limit = levels.trigger if stop else None, levels.limit if profit else None
        order_id = gate.send_protection(name, is_buy=is_buy, quantity=quantity, trigger=trigger, limit=limit)
        order = self._means.book.orders.get(order_id)
        if order is None:
            if held.position == before:
                self._lost.append(
                    Loss("DENIED", self._means.answers.pop(order_id, "it ended at once"), is_stop=stop)
                )
            return
        twin = next((o for o in held.working.values() if o.group == order.group and o is not order), None)
        second = None if twin is None else twin.client_order_id
        self._guards.append(Guard(order_id, second) if stop else Guard(None, order_id))
        prices = [f"stop at {trigger}"] * stop + [f"take-profit at {limit}"] * profit
        self._say("PROTECTED", f"{quantity} of {self._name()}: {', '.join(prices)}, entry {levels.entry:.8g}")

    def _tighten(self, ts: int, levels: Levels) -> None:
        """Once nothing adds or moves, cancel a stop that is looser than the average entry by now asks for.

        A new one follows its answer. A stop that is tighter loses less than asked for, and stays.
        """
        settled = not self._asked and all(closes(o, self.holding) for o in self.holding.working.values())
        if not settled or levels.trigger is None or self._surplus():
            return
        for guard in self._guards:
            order = self._means.book.orders.get(guard.stop or "")
            if order is None or order.trigger is None:
                continue
            gap = levels.trigger - order.trigger
            if (gap if self.holding.position > ZERO else -gap) > ZERO:
                self._cancel(guard, ts)
                return

    def _cancel(self, guard: Guard, ts: int) -> None:
        names = [o.client_order_id for o in self._working(guard) if o.client_order_id not in self._asked]
        gate = self._means.gate_of(self.holding.strategy) or self._means.any_gate()
        if names and gate is not None:
            self._asked.update(dict.fromkeys(names, ts))
            gate.cancel_working(names)
