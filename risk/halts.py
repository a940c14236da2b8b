"""What happens when a breaker goes off: who is stopped, what is cancelled, what is closed, who is told?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from risk.breaker import Notice, Trip
from risk.scopes import BOOK

if TYPE_CHECKING:
    from risk.desk import RiskDesk
    from risk.gate import RiskGate
    from risk.holding import WorkingOrder


OPERATOR = "OPERATOR"
"""A person halted: what could add exposure is cancelled, and nothing closed, whatever `on_trip` says."""
FLATTEN = "FLATTEN"
"""A person wants to be out: everything is closed, whatever `on_trip` says."""


class Halts:
    """Carries trips out, where the engine may be called; those noticed elsewhere wait for the next such handler."""

    def __init__(self, desk: RiskDesk) -> None:
        """For the gates of one desk."""
        self._desk = desk
        self.pending: list[Trip] = []

    def later(self, trip: Trip) -> None:
        """Halt in the next handler in which the engine may be called; new exposure is refused from now on."""
        self._desk.breakers.halt(trip)
        self.pend(trip)

    def pend(self, trip: Trip) -> None:
        """Act on a trip that the breakers have taken already, in the next handler where the engine may be called."""
        self.pending.append(trip)
        self._desk.pulse.news = True

    def settle(self) -> None:
        """Carry out what was decided where the engine could not be called; gates call it in every safe handler."""
        while self.pending:
            self.act(self.pending.pop(0))

    def halt(self, trip: Trip) -> None:
        """Halt now, for a reason of the caller's. Only where the engine may be called."""
        self.act(self._desk.breakers.halt(trip))

    def act(self, trip: Trip) -> None:
        """Tell, then cancel, flatten or stop as the run's policy says."""
        desk = self._desk
        on_trip = self.policy(trip.breaker)
        if on_trip != "cancel":
            desk.breakers.state.flattening = True  # before the halt is kept: a crash right after it must know
        desk.witness.tripped(trip)
        self.tell()
        strategies = self.strategies_of(trip.scope)
        waiting = desk.approvals.waiting.values()
        withdrawn = [held.name for held in waiting if held.gate.known_as in strategies]
        desk.approvals.withdraw(withdrawn, f"trading halted: {trip.reason}")
        if on_trip == "cancel":
            self.cancel_adding(trip.scope)
        else:
            kind, _, name = trip.scope.partition(":")
            desk.flatten(
                strategies if kind == "strategy" else None,
                reason=trip.breaker,
                venue=name if kind == "venue" else None,
            )
        if on_trip == "stop":
            for gate in self._gates(strategies):
                gate.retire()

    def policy(self, breaker: str | None) -> Literal["cancel", "flatten", "stop"]:
        """What a trip of this breaker does besides halting."""
        if breaker == OPERATOR:
            return "cancel"
        return "flatten" if breaker == FLATTEN else self._desk.limits.on_trip

    def closes(self, scope: str) -> bool:
        """Whether a scope is halted by something that closes its positions."""
        state = self._desk.breakers.state
        kept = state if scope == BOOK else state.scopes.get(scope)
        return kept is not None and kept.halted and self.policy(kept.breaker) != "cancel"

    def tell(self) -> None:
        """Pass on what the breakers have to say besides trips."""
        for notice in self._desk.breakers.take_notices():
            self.notice(notice)

    def notice(self, notice: Notice) -> None:
        """Tell the witness."""
        self._desk.witness.noticed(notice)

    def strategies_of(self, scope: str) -> tuple[str, ...]:
        """The strategies a scope is about: all of them for the book, those that hold or work in it for a venue."""
        kind, _, name = scope.partition(":")
        if kind == "strategy":
            return (name,)
        everyone = tuple(str(gate.strategy_id) for gate in self._desk.gates)
        if kind != "venue":
            return everyone
        there = {h.strategy for h in self._desk.book.holdings.values() if h.instrument.venue == name}
        return tuple(each for each in everyone if each in there)

    def cancel_adding(self, scope: str = BOOK) -> None:
        """Cancel what could add exposure; protective orders stay."""
        kind, _, name = scope.partition(":")
        instruments = self._desk.book.instruments
        orders = [
            order
            for order in self._desk.book.adding()
            if (kind != "strategy" or order.strategy == name)
            and (kind != "venue" or instruments[order.instrument].venue == name)
        ]
        self.cancel(orders)

    def cancel(self, orders: Sequence[WorkingOrder]) -> None:
        """Cancel these orders, each through its own strategy; those of none of this run's through the first."""
        known = {gate.known_as for gate in self._desk.gates}
        for place, gate in enumerate(self._desk.gates):
            own = [
                order.client_order_id
                for order in orders
                if order.strategy == gate.known_as or (place == 0 and order.strategy not in known)
            ]
            if own:
                gate.cancel_working(own)

    def _gates(self, strategies: Iterable[str]) -> list[RiskGate]:
        return [gate for gate in self._desk.gates if str(gate.strategy_id) in set(strategies)]
