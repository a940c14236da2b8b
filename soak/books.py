"""Which positions and which cash follow from the broker's own fills? Worked out anew, from nothing but these.

Whose an order is follows from its name: `soak.busy` puts the strategy's into it (Busy-002-3f..), so the journal is not
asked. Orders that Keel sends itself, to flatten, have names that tell nothing: of these the journal's word counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
NAME = re.compile(r"(Busy-\d{3})-[0-9a-f]{16}")
Row = Mapping[str, Any]
Key = tuple[str, str]


def owner_of(client_order_id: str | None, others: Mapping[str, str]) -> str:
    """The strategy that an order is of; others: client order id -> owner, of those whose name does not tell."""
    found = None if client_order_id is None else NAME.fullmatch(client_order_id)
    return found[1] if found is not None else others.get(client_order_id or "", "EXTERNAL")


def positions(fills: Sequence[Row], others: Mapping[str, str]) -> dict[Key, Decimal]:
    """(strategy, instrument) -> signed units, those that are flat left out."""
    held: dict[Key, Decimal] = {}
    for fill in fills:
        key = (owner_of(fill["client_order_id"], others), fill["instrument"])
        held[key] = held.get(key, ZERO) + signed(fill)
    return {key: units for key, units in held.items() if units}


def signed(fill: Row) -> Decimal:
    """Units bought (above zero) or sold."""
    units = Decimal(fill["quantity"])
    return units if fill["side"] == "BUY" else -units
