"""Which orders does Keel send or cancel by itself: default stops, take-profits, time exits, order time-outs?

Called after a strategy's own callbacks, so that its own stop counts first; deadlines are market-time stamps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Literal

from risk.cover import closes
from risk.means import SECOND, Means
from risk.protection import Protection
from risk.pulse import NEVER
from risk.state import Notice

if TYPE_CHECKING:
    from risk.flatten import Flattener
    from risk.holding import Holding, WorkingOrder
    from risk.limits import RiskConfig

RETRY = 60 * SECOND
"""Market time after which the cancel of an order that timed out is asked for again."""
Key = tuple[str, str]
Deadline = Literal["order", "holding", "tidy"]


class Exits:
    """Keeps what a strategy leaves open within time and loss. Its rule: it never touches a holding being flattened."""

    def __init__(
        self,
        limits_of: Callable[[str, str], RiskConfig],
        flattener: Flattener,
        notify: Callable[[Notice], None],
    ) -> None:
        """`limits_of(strategy, instrument)`: the limits in force; `flattener` closes, and knows book and gates."""
        self.next_deadline = NEVER  # market time from which on `due` wants to be called
        self._limits_of = limits_of
        self._flattener = flattener
        self._means: Means = flattener.means
        self._notify = notify
        self._deadlines: list[tuple[int, int, Deadline, Key]] = []  # (stamp, tie-break, what, about which)
        self._count = 0
        self._protections: dict[Key, Protection] = {}
        self._timed: dict[Key, int] = {}  # holding -> the deadline of its time exit
        self._tidy_at: dict[Key, int] = {}  # holding -> when to tidy it
        self._ts = 0
        self._looking = False
        self._again: list[Key] = []

    def sent(self, order: WorkingOrder) -> None:
        """An order was handed on: from now its time runs. May be called in any handler."""
        minutes = self._limits_of(order.strategy, order.instrument).order_timeout_mins
        if minutes is not None and not order.reduce_only:
            self._set(order.sent_at + _nanos(minutes), "order", ("", order.client_order_id))
        key = order.strategy, order.instrument
        protection = None if self._looking else self._protections.get(key)
        if protection is not None and closes(order, protection.holding):
            self._tidy_later(
                order.sent_at + 1, key
            )  # a stop of the strategy's own makes the default one too much

    def relimit(self, working: Iterable[WorkingOrder]) -> None:
        """The limits changed: the time of orders that work runs by the new ones."""
        for order in working:
            minutes = self._limits_of(order.strategy, order.instrument).order_timeout_mins
            if minutes is not None and not order.reduce_only:
                self._set(order.sent_at + _nanos(minutes), "order", ("", order.client_order_id))

    def ended(self, order_id: str, status: str, reason: str = "") -> None:
        """An order was denied, rejected, cancelled or expired. Only notes it: may be called in any handler."""
        for protection in self._protections.values():
            if protection.owns(order_id):
                protection.ended(order_id, status, reason)
                return
        if self._looking:
            self._means.answers[order_id] = reason or status

    def after(self, strategy: str, instrument: str, ts: int) -> None:
        """Something about a holding changed and the strategy's own callbacks have returned: protect what is uncovered.

        Only where the engine may be called; after a fill best once on_position_event has returned.
        """
        key = strategy, instrument
        holding = self._means.book.holdings.get(key)
        if holding is None:
            return
        limits = self._limits_of(strategy, instrument)
        self._set_time_exit(key, holding, limits)
        wanted = limits.default_stop_loss_pct is not None or limits.take_profit_pct is not None
        if (wanted and holding.position) or key in self._protections:
            self._look(key, ts)

    def due(self, ts: int) -> None:
        """Act on all deadlines that have passed. Only where the engine may be called."""
        self._ts = max(self._ts, ts)
        while self._deadlines and self._deadlines[0][0] <= ts:
            _, _, what, key = heappop(self._deadlines)
            if what == "order":
                self._order_due(key[1])
            elif what == "holding":
                self._holding_due(key)
            else:
                self._tidy(key)
        self._set_next()

    # -- deadlines -------------------------------------------------------------------------------------------------

    def _set(self, ts: int, what: Deadline, key: Key) -> None:
        self._count += 1
        heappush(self._deadlines, (ts, self._count, what, key))
        self._set_next()

    def _set_next(self) -> None:
        self.next_deadline = self._deadlines[0][0] if self._deadlines else NEVER

    def _set_time_exit(self, key: Key, holding: Holding, limits: RiskConfig) -> None:
        if limits.max_holding_mins is None or not holding.position:
            return
        deadline = holding.opened_at + _nanos(limits.max_holding_mins)
        if self._timed.get(key) != deadline:
            self._timed[key] = deadline
            self._set(deadline, "holding", key)

    def _holding_due(self, key: Key) -> None:
        """Close a position held for too long; one opened since has its own deadline."""
        holding = self._means.book.holdings[key]
        minutes = self._limits_of(*key).max_holding_mins
        if minutes is None or not holding.position or holding.opened_at + _nanos(minutes) > self._ts:
            return
        self._set(self._ts + RETRY, "holding", key)  # whoever closes it now may be told to stop
        if not self._flattener.covers(*key):
            name = f"{holding.position.normalize():+f} {key[1]} of {key[0]}"
            reason = f"TIME_EXIT: {name} was held for {minutes} minutes"
            self._notify(Notice("EXIT", reason, self._ts, f"strategy:{key[0]}"))
            self._flattener.close(self._ts, *key, reason)

    def _order_due(self, order_id: str) -> None:
        """Cancel an order that took too long, unless by now it only reduces: then look again later."""
        order = self._means.book.orders.get(order_id)
        minutes = (
            None if order is None else self._limits_of(order.strategy, order.instrument).order_timeout_mins
        )
        if order is None or minutes is None or order.sent_at + _nanos(minutes) > self._ts:
            return  # it ended, or the limits changed: a later deadline was set then
        self._set(self._ts + RETRY, "order", ("", order_id))
        holding = self._means.book.holdings[order.strategy, order.instrument]
        gate = self._means.gate_of(order.strategy) or self._means.any_gate()
        if gate is None or order not in list(holding.adding()):
            return
        side = "BUY" if order.is_buy else "SELL"
        waited = (self._ts - order.sent_at) // (60 * SECOND)
        what = f"{side} {order.leaves} {order.instrument} of {order.strategy}"
        text = f"{what}: not filled for {waited} minutes, cancelled"
        self._notify(Notice("TIMEOUT", text, self._ts, f"strategy:{order.strategy}"))
        gate.cancel_working([order_id])

    # -- protection ------------------------------------------------------------------------------------------------

    def _look(self, key: Key, ts: int) -> None:
        """Protect a holding; news that arrive meanwhile are looked at afterwards."""
        self._ts = max(self._ts, ts)
        self._again.append(key)
        if self._looking:
            return
        self._looking = True
        try:
            while self._again:
                each = self._again.pop(0)
                if not self._flattener.covers(*each):
                    self._tidy_later(self._protection(each).look(self._ts, self._limits_of(*each)), each)
        finally:
            self._looking = False
            self._again.clear()

    def _tidy(self, key: Key) -> None:
        self._tidy_at.pop(key, None)
        if not self._flattener.covers(*key):
            self._protection(key).tidy(self._ts)
            self._look(key, self._ts)

    def _tidy_later(self, ts: int | None, key: Key) -> None:
        if ts is not None and ts < self._tidy_at.get(key, NEVER):
            self._tidy_at[key] = ts
            self._set(ts, "tidy", key)

    def _protection(self, key: Key) -> Protection:
        found = self._protections.get(key)
        if found is None:

            def say(kind: str, text: str) -> None:
                self._notify(Notice(kind, text, self._ts, f"strategy:{key[0]}"))  # type: ignore[arg-type]

            def close(reason: str) -> None:
                self._flattener.close(self._ts, *key, reason)

            found = Protection(self._means.book.holdings[key], self._means, say, close)
            self._protections[key] = found
        return found


def _nanos(minutes: Decimal) -> int:
    return int(minutes * 60 * SECOND)
