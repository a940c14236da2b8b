"""Which orders wait for a person, and what becomes of them?

An order that adds exposure under `require_approval` passes every limit first and is then held. It counts as working
while it waits. Approved, it is decided on again at the fresh price; refused, too late or when the price has left
its band, the strategy gets an OrderDenied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from risk.numbers import ZERO
from risk.pulse import NEVER
from risk.state import Notice

if TYPE_CHECKING:
    from nautilus_trader.model import OrderInitialized

    from risk.book import Book
    from risk.decisions import Decisions
    from risk.gate import RiskGate
    from risk.limits import RiskConfig
    from risk.pulse import Pulse

NANOS_A_MINUTE = 60_000_000_000


@dataclass(slots=True)
class Held:
    """Orders of one call that wait together. `price` is the newest one when they were held; `until` is market time."""

    gate: RiskGate
    orders: tuple[Any, ...]
    send: Callable[[], str | None]
    until: int
    price: Decimal
    band: Decimal | None

    @property
    def name(self) -> str:
        """The client order id of the first order: what a person approves."""
        return str(self.orders[0].client_order_id)

    @property
    def instrument(self) -> str:
        """The instrument of the first order."""
        return str(self.orders[0].instrument_id)


class Approvals:
    """The orders that wait. Its rule: nothing is sent that was not decided on in the same moment."""

    def __init__(
        self,
        book: Book,
        decisions: Decisions,
        pulse: Pulse,
        notify: Callable[[Notice], None],
        *,
        assumed: bool,
    ) -> None:
        """`assumed`: nobody is there to ask (a backtest, a replay), so approval is taken for granted, and said once."""
        self._book = book
        self._decisions = decisions
        self._pulse = pulse
        self._notify = notify
        self.assumed = assumed
        self._said = False
        self.waiting: dict[str, Held] = {}  # client order id of the first order -> what waits

    @property
    def next_deadline(self) -> int:
        """Market time at which the next one is too late; far away while none waits."""
        return min((held.until for held in self.waiting.values()), default=NEVER)

    def wanted(self) -> RiskConfig | None:
        """The limits that want approval for what was decided on last; None when it may be sent at once."""
        limits = self._decisions.wants_approval
        if limits is None or not self.assumed:
            return limits
        if not self._said:
            self._said = True
            reason = (
                "require_approval is on and nobody is there to ask: approval is taken for granted in this run"
            )
            self._notify(Notice("APPROVAL", reason, self._pulse.now))
        return None

    def hold(
        self, gate: RiskGate, orders: Sequence[Any], send: Callable[[], str | None], limits: RiskConfig
    ) -> None:
        """Let orders that passed wait for a person; they count as working meanwhile."""
        minutes = limits.approval_timeout_mins
        until = NEVER if minutes is None else self._pulse.now + int(minutes * NANOS_A_MINUTE)
        mark = self._book.instruments[str(orders[0].instrument_id)].mark
        held = Held(
            gate, tuple(orders), send, until, mark if mark is not None else ZERO, limits.approval_band_pct
        )
        for order in orders:
            self._book.submitted(self._decisions.working(order.init_event))
        self.waiting[held.name] = held
        waits = "" if minutes is None else f" within {minutes.normalize():f} minutes"
        self._tell(held, f"{held.name} waits: {_told(orders)}; approve or reject it{waits}")

    def approve(self, name: str) -> str | None:
        """Decide again and send; answers None when it was sent, or why not. Only where the engine may be called."""
        held = self.waiting.pop(name, None)
        if held is None:
            return f"APPROVAL: no order {name} waits"
        self._forget(held)
        reason = self._moved(held) or self._decisions.decide(
            held.gate, [order.init_event for order in held.orders]
        )
        if reason is not None:
            self._deny(held, reason)
            return reason
        self._tell(held, f"{name} was approved")
        return held.send()

    def reject(self, name: str, why: str) -> bool:
        """Refuse what waits; answers whether it did."""
        held = self.waiting.pop(name, None)
        if held is None:
            return False
        self._forget(held)
        self._deny(held, f"APPROVAL: {why}")
        return True

    def withdraw(self, names: Sequence[str], why: str) -> None:
        """Refuse those of these orders that wait."""
        for name in names:
            first = next((h.name for h in self.waiting.values() if name in _names(h.orders)), None)
            if first is not None:
                self.reject(first, why)

    def due(self, ts: int) -> None:
        """Refuse what waited too long, or whose price has left its band."""
        for held in tuple(self.waiting.values()):
            reason = self._moved(held)
            if ts >= held.until:
                reason = f"APPROVAL: nobody approved {held.name} in time"
            if reason is not None:
                del self.waiting[held.name]
                self._forget(held)
                self._deny(held, reason)

    def _moved(self, held: Held) -> str | None:
        newest = held.gate.latest(held.orders[0].instrument_id)
        if held.band is None or newest is None or not held.price:
            return None
        price = self._decisions.middle(newest)
        if abs(price - held.price) <= held.band * held.price:
            return None
        return (
            f"APPROVAL: {held.instrument} moved from {held.price.normalize():f} to {price.normalize():f} while "
            f"{held.name} waited; limit {held.band:.1%}"
        )

    def _forget(self, held: Held) -> None:
        for order in held.orders:
            self._book.closed(str(order.client_order_id))

    def _deny(self, held: Held, reason: str) -> None:
        for order in held.orders:
            held.gate.refuse(order, reason)

    def _tell(self, held: Held, text: str) -> None:
        self._notify(Notice("APPROVAL", text, self._pulse.now, f"strategy:{held.gate.known_as}"))


def _names(orders: Sequence[Any]) -> set[str]:
    return {str(order.client_order_id) for order in orders}


def _told(orders: Sequence[Any]) -> str:
    events: list[OrderInitialized] = [order.init_event for order in orders]
    return ", ".join(
        f"{e.order_side.name} {e.quantity} {e.instrument_id} {e.order_type.name}" for e in events
    )
