"""Is it flat yet? Follows in the journal what a node closes."""

from __future__ import annotations

import time
from collections.abc import Callable
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


def until_flat(
    about: About, wanted: Wanted, since_ns: int, timeout_secs: float
) -> tuple[list[str], list[str]]:
    """Wait until the positions that are `wanted` are flat, at most so long.

    Says on stderr how it goes on. Answers what is still held, and what the node said of it since, newest last.
    """
    deadline, shown = time.monotonic() + timeout_secs, None
    while True:
        held = [told_of(row) for row in about.reader.open_positions(about.scope) if wanted(row)]
        if not held or time.monotonic() >= deadline:
            return held, _said(about, since_ns) if held else []
        if shown is not None and held != shown:
            say(f"still held: {', '.join(held)}")
        shown = held
        time.sleep(POLL_SECS)


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
