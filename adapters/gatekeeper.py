"""Who has the last word before an order leaves this machine, and who is told what became of it?

Every order passes here, also those that the engine releases or spawns without the strategy's gate. A passed order is
followed by exactly one of `sent` and `resolved`, or by `unknown` and later, once the venue has told, `resolved`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol, TypedDict

from adapters.account import VenueFill, VenueFlow, VenueOrder

ABSENT = "ABSENT"
"""Outcome: the venue says, again and again, that it never received the order."""
NOT_SENT = "NOT_SENT"
"""Outcome: nothing left this machine."""
REJECTED = "REJECTED"
"""Outcome: the venue refused the order."""


class Intent(TypedDict):
    """An order about to be sent, in plain values; `quantity` is what is left of it."""

    client_order_id: str
    strategy: str
    instrument: str
    side: str
    type: str
    quantity: Decimal
    price: Decimal | None
    trigger_price: Decimal | None
    tif: str
    reduce_only: bool


class Gatekeeper(Protocol):
    """Called on the node's loop; only `before_send` may take time, as little as a commit needs."""

    def before_send(self, order: Intent) -> str | None:
        """Keep the intent to send, durably; text is why the order is denied instead. Raising denies it too."""

    def sent(self, client_order_id: str, venue_order_id: str | None) -> None:
        """The venue has it."""

    def unknown(self, client_order_id: str, why: str) -> None:
        """It may or may not have arrived; the venue is being asked."""

    def resolved(self, client_order_id: str, outcome: str) -> None:
        """What became of it is known: a status of VenueOrder, ABSENT or NOT_SENT."""

    def own_fill(self, fill: VenueFill) -> None:
        """The engine is told of this fill of an order of this node's now; it may refuse it all the same."""

    def foreign_order(self, order: VenueOrder) -> None:
        """News of an order that this node did not send; also of the node's former life. May be told twice."""

    def foreign_fill(self, fill: VenueFill) -> None:
        """A fill of such an order. May be told twice: the trade id tells."""

    def flow(self, flow: VenueFlow) -> None:
        """Money or shares came or went without an order. Told once."""


class OpenGate:
    """Lets everything pass and keeps nothing."""

    def before_send(self, order: Intent) -> str | None:
        """Passes."""

    def sent(self, client_order_id: str, venue_order_id: str | None) -> None:
        """Keeps nothing."""

    def unknown(self, client_order_id: str, why: str) -> None:
        """Keeps nothing."""

    def resolved(self, client_order_id: str, outcome: str) -> None:
        """Keeps nothing."""

    def own_fill(self, fill: VenueFill) -> None:
        """Keeps nothing."""

    def foreign_order(self, order: VenueOrder) -> None:
        """Keeps nothing."""

    def foreign_fill(self, fill: VenueFill) -> None:
        """Keeps nothing."""

    def flow(self, flow: VenueFlow) -> None:
        """Keeps nothing."""
