"""In which order do several strategies see the same update?

The engine hands a bar to its subscribers in an order that is new in every process, so strategies that share limits
would race. Each strategy still subscribes for real (indicators and cache stay as they are); the last delivery of an
update gives every one its turn in configured order.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from risk.gate import RiskGate

Turn = tuple["RiskGate | None", Any]


class Turns:
    """Collects the deliveries of an update until all subscribers that run have it; yields them in configured order."""

    def __init__(self, gates: list[RiskGate]) -> None:
        """`gates` is the configured order; it may still grow while strategies are added."""
        self._gates = gates
        self._members: dict[Hashable, list[RiskGate]] = {}  # what is subscribed -> who subscribed it
        self._waiting: dict[Hashable, tuple[Any, list[RiskGate]]] = {}  # what arrived -> (update, who has it)

    def join(self, gate: RiskGate, key: Hashable) -> None:
        """A strategy subscribes to a bar type or to (kind, instrument)."""
        members = self._members.setdefault(key, [])
        if gate not in members:
            members.append(gate)
            members.sort(key=self._gates.index)

    def leave(self, gate: RiskGate, key: Hashable | None = None) -> None:
        """A strategy unsubscribes, or stops when no key is given: nobody waits for it any more."""
        for members in self._members.values() if key is None else [self._members.get(key, [])]:
            if gate in members:
                members.remove(gate)

    def arrived(self, handler: str, gate: RiskGate, update: Any) -> Iterator[Turn]:
        """One delivery. Yields nothing until it is the last; then (None, update) and each (gate, update) in order."""
        key = update.bar_type if handler == "on_bar" else (handler.removeprefix("on_"), update.instrument_id)
        members = self._members.get(key, [])
        before, has = self._waiting.pop(key, (None, []))
        if gate in has:  # the update before was not delivered to everyone: those who have it go first
            yield from self._turns(before, has)
            has = []
        has.append(gate)
        if all(member in has or not member.is_running() for member in members):
            yield from self._turns(update, has)
        else:
            self._waiting[key] = (update, has)

    def _turns(self, update: Any, gates: list[RiskGate]) -> Iterator[Turn]:
        yield None, update
        for gate in sorted(gates, key=self._gates.index):
            yield gate, update
