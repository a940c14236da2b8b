"""Is it flat yet, and can nothing fill any more? Follows in the journal what a node closes and cancels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from configs.edge import say
from journal import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from live._about import About

POLL_SECS = 0.1
KINDS = ("FLATTEN", "ALARM")
Wanted = Callable[["Mapping[str, Any]"], bool]


@dataclass(frozen=True, slots=True)
class Left:
    """What is not done: positions and orders in a person's words, and what the node said of them, newest last."""

    held: list[str]
    working: list[str]
    said: list[str]

    @property
    def text(self) -> str:
        """Both in one line; empty: nothing is left."""
        parts = (("still held", self.held), ("still working", self.working))
        return "; ".join(f"{what}: {', '.join(found)}" for what, found in parts if found)


def until_flat(about: About, wanted: Wanted, since_ns: int, timeout_secs: float) -> Left:
    """Wait until what is `wanted` is flat and none of its orders can fill any more, at most so long.

    `wanted` is asked about rows of positions and of orders. Says on stderr how it goes on.
    """
    deadline, shown = time.monotonic() + timeout_secs, None
    while True:
        asked = time.monotonic()
        held = [told_of(row) for row in about.reader.open_positions(about.scope) if wanted(row)]
        working = _working(about, wanted)
        if not (held or working) or time.monotonic() >= deadline:
            return Left(held, working, _said(about, since_ns) if held or working else [])
        left = Left(held, working, []).text
        if shown is not None and left != shown:
            say(left)
        shown = left
        time.sleep(max(POLL_SECS, time.monotonic() - asked))


def _working(about: About, wanted: Wanted) -> list[str]:
    rows = about.reader.order_states(about.scope, tables.orders.c.status.not_in(ENDED))
    return [
        f"{row['side']} {Decimal(row['quantity'] - row['filled']).normalize():f} {row['instrument']} of "
        f"{row['strategy']} ({row['client_order_id']}, {row['status']})"
        for row in rows
        if wanted(row)
    ]


def until_ended(about: About, names: list[str], timeout_secs: float) -> dict[str, str]:
    """Wait until these orders can no longer fill, at most so long; answers client order id -> status."""
    orders, deadline = tables.orders, time.monotonic() + timeout_secs
    while True:
        rows = about.reader.order_states(about.scope, orders.c.client_order_id.in_(names)) if names else []
        states = {row["client_order_id"]: row["status"] for row in rows}
        if all(state in ENDED for state in states.values()) or time.monotonic() >= deadline:
            return states
        time.sleep(POLL_SECS)


ENDED = frozenset({"FILLED", "CANCELED", "REJECTED", "DENIED", "EXPIRED", "NOT_SENT", "ABSENT"})
"""Statuses after which nothing comes."""


def told_of(row: Mapping[str, Any]) -> str:
    """A position, for a person."""
    return f"{Decimal(row['quantity']).normalize():+f} {row['instrument']} of {row['strategy']}"


def _said(about: About, since_ns: int) -> list[str]:
    events = tables.risk_events
    rows = about.reader.rows(
        events, events.c.scope == about.scope, events.c.at >= since_ns, events.c.kind.in_(KINDS)
    )
    return [str(row["reason"]) for row in rows][-5:]
