"""How does one holding get to zero, whatever its venue answers?

What works is cancelled first and the answers are waited for, because venues hold shares for working orders and because
two orders that both close can flip a position. Then one reduce-only market order at a time, never larger than what is
held less what still works on its side; what a venue refuses is tried again, later each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from risk.lots import Lot
from risk.means import SECOND, Means
from risk.numbers import ZERO

if TYPE_CHECKING:
    from risk.holding import Holding, WorkingOrder

CANCEL_WAIT = 5 * SECOND
"""Market time for which an unanswered cancel is waited for; then it is asked again, and closing goes on around it."""
LONGEST_DELAY = 60
"""Seconds of market time between two tries, at most; the first is 1, each doubles."""
MOST_REFUSED = 20
"""Closes refused before a person is called, however little time has passed."""
FEWEST_LOOKS = 3
"""Moments looked at before a person is called: one price a day later says nothing yet."""
ALARM_EVERY = 60 * SECOND


@dataclass(slots=True)
class Closing:
    """One holding on its way to zero; `say(kind, text)` tells a person.

    `blocked` says why the market takes nothing now, `left` that what is held is less than any order can be.
    """

    holding: Holding
    means: Means
    say: Callable[[str, str], None]
    order: str | None = None
    sent: int = 0
    refused: int = 0
    left: bool = False
    blocked: str | None = None
    _asked: dict[str, tuple[int, int]] = field(
        default_factory=dict
    )  # order id -> cancel first, last asked for at
    _before: Decimal = ZERO  # the position when the close in flight was sent
    _next_try: int = 0
    _since: int | None = None  # market time since which it could have been closed
    _looks: int = 0
    _looked_at: int = -1
    _alarm_at: int = 0
    _said: str = ""

    @property
    def name(self) -> str:
        """What is held, for a person."""
        held = self.holding
        return f"{held.position.normalize():+f} {held.instrument.instrument} of {held.strategy}"

    @property
    def is_rest(self) -> bool:
        """Whether all there is left to do is a person's: nothing works, and what is held is less than any order."""
        return self.left and not self._others()

    def step(self, ts: int) -> bool:
        """Do the next thing there is to do. Answers whether to look again at once."""
        held = self.holding
        self._withdraw(ts)
        self._take_answer(ts)
        self.left = False
        if not held.position or self.order is not None:
            self.blocked = None
            self._count(ts)
            return False
        quantity = self._quantity(ts)
        self._count(ts)
        if not quantity:
            return False
        gate = self.means.gate_of(held.strategy)
        if gate is None:
            return False
        self._before, self.sent = held.position, self.sent + 1
        self.order = gate.close_out(held.instrument.instrument, held.position, quantity)
        return self.order not in self.means.book.orders

    def fail(self, ts: int, why: str) -> None:
        """A try that came to nothing: try again later, and say so."""
        if ts < self._next_try:
            return
        self.refused += 1
        delay = min(2 ** (self.refused - 1), LONGEST_DELAY)
        self._next_try = ts + delay * SECOND
        self.say("FLATTEN", f"{self.name}: close refused ({why}); again in {delay} s")

    def alarm(self, ts: int, patience: int) -> None:
        """Call a person, once a minute, when it takes too long."""
        gone = self.means.gate_of(self.holding.strategy) is None
        long = self._since is not None and ts - self._since >= patience and self._looks >= FEWEST_LOOKS
        if ts < self._alarm_at or self.left or not (gone or long or self.refused >= MOST_REFUSED):
            return
        self._alarm_at = ts + ALARM_EVERY
        self.say("ALARM", f"not flat: {self.name}: {self._why()}")

    # -- inside ----------------------------------------------------------------------------------------------------

    def _others(self) -> list[WorkingOrder]:
        return [o for o in self.holding.working.values() if o.client_order_id != self.order]

    def _withdraw(self, ts: int) -> None:
        """Ask for the cancel of what works besides the close; again when no answer came."""
        due = []
        for order in self._others():
            name = order.client_order_id
            first, last = self._asked.get(name, (ts, ts - CANCEL_WAIT))
            if ts - last >= CANCEL_WAIT:
                self._asked[name] = first, ts
                due.append(name)
        gate = self.means.gate_of(self.holding.strategy) or self.means.any_gate()
        if due and gate is not None:
            gate.cancel_working(due)

    def _take_answer(self, ts: int) -> None:
        """See what became of the close in flight."""
        if self.order is None or self.order in self.means.book.orders:
            return
        answer, self.order = self.means.answers.pop(self.order, "it ended without a fill"), None
        before, now = self._before, self.holding.position
        if abs(now) < abs(before) or now * before < ZERO:
            self._next_try = ts  # some of it was closed: the rest at once
        else:
            self.fail(ts, answer)

    def _quantity(self, ts: int) -> Decimal:
        """What to close now; zero, with the reason in `blocked` or `left`, when nothing can be sent."""
        held = self.holding
        self.blocked = self._shut(ts)
        if self.blocked is not None:
            return ZERO
        room = abs(held.position) - self._taken(ts)
        gate = self.means.gate_of(held.strategy)
        if gate is None or room <= ZERO or self._waits(ts):
            return ZERO
        name = held.instrument.instrument
        lot = Lot.of(gate.instrument_of(name), self.means.most_of(name))
        quantity = lot.cut(self._part(room), held.instrument.mark)
        if not quantity and room == abs(held.position):
            self.left = True
            self._once("ALARM", f"{self.name} is left: the smallest order is {lot}; close it by hand")
        return quantity

    def _shut(self, ts: int) -> str | None:
        hours = self.means.hours_of(self.holding.instrument.instrument)
        why = None if hours is None else hours.closed_why(ts)
        if why is not None:
            self._since, self._looks = None, 0
            self._once("FLATTEN", f"{self.name} waits: {why}")
        return why

    def _waits(self, ts: int) -> bool:
        """Whether an answer to a cancel, or the time of the next try, is waited for."""
        return ts < self._next_try or any(self._is_young(order, ts) for order in self._others())

    def _is_young(self, order: WorkingOrder, ts: int) -> bool:
        return ts - self._asked.get(order.client_order_id, (ts, ts))[0] < CANCEL_WAIT

    def _taken(self, ts: int) -> Decimal:
        """Units that orders still working may close before this one does.

        A reduce-only order that does not answer its cancel counts only where another strategy holds the instrument:
        the venue nets them, so both orders could fill.
        """
        held, groups = self.holding, dict[str, Decimal]()
        shared = any(other.position for other in self._elsewhere())
        for order in self._others():
            closes = order.is_buy is (held.position < ZERO)
            if closes and (shared or not order.reduce_only or self._is_young(order, ts)):
                groups[order.group] = max(groups.get(order.group, ZERO), order.leaves)
        return sum(groups.values(), ZERO)

    def _elsewhere(self) -> list[Holding]:
        """The holdings of other strategies in the same instrument."""
        name = self.holding.instrument.instrument
        return [
            other
            for (strategy, instrument), other in self.means.book.holdings.items()
            if instrument == name and strategy != self.holding.strategy
        ]

    def _part(self, room: Decimal) -> Decimal:
        """`room`; after a refusal, each second time, only what the venue itself may hold net of other strategies."""
        net = self.holding.position + sum((other.position for other in self._elsewhere()), ZERO)
        if self.refused % 2 and net * self.holding.position > ZERO:
            return min(room, abs(net))
        return room

    def _count(self, ts: int) -> None:
        """Count the time in which it could have been closed."""
        if self.blocked is None:
            self._since = ts if self._since is None else self._since
            self._looks += ts != self._looked_at
            self._looked_at = ts

    def _once(self, kind: str, text: str) -> None:
        if text != self._said:
            self._said = text
            self.say(kind, text)

    def _why(self) -> str:
        """What stands in the way."""
        held, waiting = self.holding, [order.client_order_id for order in self._others()]
        if self.means.gate_of(held.strategy) is None:
            return f"{held.strategy} is not running, so nothing can close it; close it by hand"
        reasons = []
        if self.order is not None:
            reasons.append(f"close {self.order} is not answered")
        if waiting:
            reasons.append(f"no answer to the cancel of {', '.join(waiting)}")
        if self.refused:
            reasons.append(f"{self.refused} closes refused")
        if any(other.position * held.position < ZERO for other in self._elsewhere()):
            reasons.append(
                "another strategy holds the other side: a venue that nets them refuses reduce-only orders"
            )
        return "; ".join(reasons) or "it takes too long"
