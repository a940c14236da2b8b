"""Which orders wait for a person, and what becomes of them?

An order that adds exposure under `require_approval` passes every limit first and is then held. It counts as working
while it waits. Approved, it is decided on again at the fresh price; refused, too late or when the price has left
its band, the strategy gets an OrderDenied. What waits is taken out before it is answered, so nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

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
REMEMBERED = 1_000
"""Answers kept, for whoever asks about an order that was answered already."""

type WaitEvent = Literal[
    "HELD",  # it waits for a person
    "APPROVED",  # a person approved it, and every limit allowed it once more: it is sent
    "REJECTED",  # a person, or a limit asked again, said no
    "EXPIRED",  # nobody answered in time
    "MOVED",  # the price left its band
    "WITHDRAWN",  # the strategy, a halt, a close or a stop took it back
]


class Hears(Protocol):
    """Who is told what waits."""

    def noticed(self, notice: Notice) -> None:
        """Something that a person should see."""

    def waits(  # noqa: PLR0913 - see risk.desk.Witness
        self,
        ts: int,
        event: WaitEvent,
        orders: Sequence[OrderInitialized],
        why: str,
        until: int | None,
        price: Decimal | None,
    ) -> None:
        """Orders of one call wait, or no longer do."""


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
        self, book: Book, decisions: Decisions, pulse: Pulse, witness: Hears, *, assumed: bool
    ) -> None:
        """`assumed`: nobody is there to ask (a backtest, a replay), so approval is taken for granted, and said once."""
        self._book = book
        self._decisions = decisions
        self._pulse = pulse
        self._witness = witness
        self.assumed = assumed
        self._said = False
        self.waiting: dict[str, Held] = {}  # client order id of the first order -> what waits
        self._answered: dict[str, str] = {}  # client order id -> what became of it, the newest last

    @property
    def next_deadline(self) -> int:
        """Market time at which the next one is too late; far away while none waits."""
        return min((held.until for held in self.waiting.values()), default=NEVER)

    @property
    def held_orders(self) -> frozenset[str]:
        """The client order ids of everything that waits."""
        return frozenset(name for held in self.waiting.values() for name in _names(held.orders))

    def answer_to(self, name: str) -> str | None:
        """What became of an order that waited once; None when it still does, or never did."""
        return self._answered.get(name)

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
            self._witness.noticed(Notice("APPROVAL", reason, self._pulse.now))
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
        self._tell(held, "HELD", f"{held.name} waits: {_told(orders)}; approve or reject it{waits}")

    def approve(self, name: str, who: str = "") -> str | None:
        """Decide again and send; answers None when it was sent, or why not. Only where the engine may be called."""
        held = self._taken(name)
        if held is None:
            return f"APPROVAL: no order {name} waits"
        event, reason = self._overdue(held, self._pulse.market_now())
        if reason is None:
            reason = self._decisions.decide(held.gate, [order.init_event for order in held.orders])
        if reason is not None:
            self._refused(held, event, reason)
            return reason
        self._tell(held, "APPROVED", f"{held.name} was approved{_by(who)}")
        try:
            return held.send()
        except Exception as error:  # noqa: BLE001 - a strategy must hear of an order that was not sent
            reason = f"RISK_ERROR: {type(error).__name__}: {error}"
            self._deny(held, reason)
            return reason

    def reject(self, name: str, why: str, event: WaitEvent = "REJECTED") -> bool:
        """Refuse what waits; answers whether it did."""
        held = self._taken(name)
        if held is None:
            return False
        self._refused(held, event, f"APPROVAL: {why}")
        return True

    def withdraw(self, names: Sequence[str], why: str) -> None:
        """Refuse those of these orders that wait."""
        for name in names:
            self.reject(name, why, "WITHDRAWN")

    def withdraw_in(self, strategies: Sequence[str] | None, venue: str | None, why: str) -> None:
        """Refuse everything that waits of these strategies and on this venue; None takes all."""
        for held in tuple(self.waiting.values()):
            there = self._book.instruments[held.instrument].venue
            if (strategies is None or held.gate.known_as in strategies) and venue in (None, there):
                self.withdraw([held.name], why)

    def due(self, ts: int) -> None:
        """Refuse what waited too long, or whose price has left its band."""
        for held in tuple(self.waiting.values()):
            event, reason = self._overdue(held, ts)
            if reason is not None and self._taken(held.name) is not None:
                self._refused(held, event, reason)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _taken(self, name: str) -> Held | None:
        """Take out what waits under the id of any of its orders: from here on nobody else can answer it."""
        first = next((each.name for each in self.waiting.values() if name in _names(each.orders)), None)
        held = None if first is None else self.waiting.pop(first)
        if held is not None:
            for order in held.orders:
                self._book.closed(str(order.client_order_id))
        return held

    def _overdue(self, held: Held, ts: int) -> tuple[WaitEvent, str | None]:
        """Whether it is too late, or the price too far; the event counts for any other refusal too."""
        if ts >= held.until:
            late: WaitEvent = "EXPIRED"
            return late, f"APPROVAL: nobody approved {held.name} in time"
        moved = self._moved(held)
        return ("REJECTED", None) if moved is None else ("MOVED", moved)

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

    def _refused(self, held: Held, event: WaitEvent, reason: str) -> None:
        self._keep(held, event, reason)
        self._deny(held, reason)

    def _deny(self, held: Held, reason: str) -> None:
        for order in held.orders:
            held.gate.refuse(order, reason)

    def _tell(self, held: Held, event: WaitEvent, text: str) -> None:
        self._keep(held, event, text)
        self._witness.noticed(Notice("APPROVAL", text, self._pulse.now, f"strategy:{held.gate.known_as}"))

    def _keep(self, held: Held, event: WaitEvent, why: str) -> None:
        orders = [order.init_event for order in held.orders]
        until = None if held.until == NEVER else held.until
        self._witness.waits(self._pulse.market_now(), event, orders, why, until, held.price or None)
        if event != "HELD":
            for name in _names(held.orders):
                self._answered[name] = why
            while len(self._answered) > REMEMBERED:
                del self._answered[next(iter(self._answered))]


def _by(who: str) -> str:
    return f" by {who}" if who else ""


def _names(orders: Sequence[Any]) -> list[str]:
    return [str(order.client_order_id) for order in orders]


def _told(orders: Sequence[Any]) -> str:
    events: list[OrderInitialized] = [order.init_event for order in orders]
    return ", ".join(
        f"{e.order_side.name} {e.quantity} {e.instrument_id} {e.order_type.name}" for e in events
    )
