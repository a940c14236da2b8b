"""What happened last: orders, fills, refusals, trips, notices, commands and what people answered?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table

from journal import tables
from journal.reader import Reader, Row
from live._show import money, number, percent, quantity

KEPT = 200
FIRST = 100
SHOWN_ORDERS = frozenset(
    {"ACCEPTED", "CANCELED", "REJECTED", "EXPIRED", "TRIGGERED", "UPDATED", "UNKNOWN", "RESOLVED", "NOT_SENT"}
)
"""Changes of an order that are news; its fills and refusals have rows of their own."""
URGENT_NOTICES = frozenset({"ALARM", "UNPROTECTED"})
GOOD, PLAIN, WARN, ALARM = "green", "", "yellow", "bold red"


@dataclass(frozen=True, slots=True)
class Event:
    """One line. `at` is wall time and `ts` market time, UTC ns; `style` only stresses what the words say."""

    at: int
    ts: int
    what: str
    text: str
    style: str = PLAIN


class Events:
    """The newest events of one account, read from where it stopped last time."""

    def __init__(self, scope: str) -> None:
        """Nothing read yet."""
        self._scope = scope
        self._seen: dict[str, int] = {}  # table -> id of the newest row that was read
        self.newest: list[Event] = []  # the newest first

    def read(self, reader: Reader) -> list[Event]:
        """Look for more. Raises JournalError."""
        found = []
        for table, tell in TOLD:
            for row in self._rows(reader, table):
                event = tell(row)
                if event is not None:
                    found.append(event)
        if found:
            found.sort(key=lambda event: event.at, reverse=True)
            self.newest = (found + self.newest)[:KEPT]
        return self.newest

    def _rows(self, reader: Reader, table: Table) -> list[Row]:
        seen = self._seen.get(table.name)
        where = [table.c.scope == self._scope]
        if seen is None:
            rows = reader.rows(table, *where, newest=True, limit=FIRST)[::-1]
        else:
            rows = reader.rows(table, *where, table.c.id > seen)
        self._seen[table.name] = rows[-1]["id"] if rows else seen or 0
        return rows


def _order(row: Row) -> Event | None:
    if row["event"] not in SHOWN_ORDERS:
        return None
    style = {"UNKNOWN": ALARM, "REJECTED": WARN, "NOT_SENT": WARN}.get(row["event"], PLAIN)
    price = f" at {number(str(row['price']))}" if row["price"] is not None else ""
    why = f": {row['reason']}" if row["reason"] else ""
    text = f"{row['side']} {quantity(str(row['quantity']))} {row['instrument']} {row['type']}{price}{why}"
    return Event(row["at"], row["ts"], row["event"], text, style)


def _fill(row: Row) -> Event:
    what = f"{row['side']} {quantity(str(row['quantity']))} {row['instrument']}"
    text = f"{what} at {number(str(row['price']))}  {row['strategy']}"
    more = "" if row["source"] == "engine" else f" ({row['source']})"
    return Event(row["at"], row["ts"], "FILL", text + more, GOOD)


def _decision(row: Row) -> Event | None:
    if row["verdict"] != "REFUSE" or row["code"] == "APPROVAL":  # what waits or waited is told by approvals
        return None
    text = f"{row['side']} {quantity(str(row['quantity']))} {row['instrument']}: {row['reason']}"
    return Event(
        row["at"], row["ts"], "REFUSED" if row["verdict"] == "REFUSE" else row["verdict"], text, WARN
    )


def _risk_event(row: Row) -> Event | None:
    if row["kind"] == "APPROVAL" and row["risk_scope"] != "book":  # as above
        return None
    style = ALARM if row["kind"] == "TRIP" or row["kind"] in URGENT_NOTICES else WARN
    scope = "" if row["risk_scope"] == "book" else f"{row['risk_scope']}: "
    return Event(row["at"], row["ts"], row["kind"], f"{scope}{row['reason']}", style)


def _command(row: Row) -> Event:
    return Event(row["at"], row["at"], "COMMAND", f"{row['verb']} by {row['who']}: {row['why']}", WARN)


def _receipt(row: Row) -> Event:
    style = PLAIN if row["outcome"] == "DONE" else ALARM
    return Event(row["at"], row["ts"], row["outcome"], row["text"], style)


def _approval(row: Row) -> Event:
    text = f"{row['side']} {quantity(str(row['quantity']))} {row['instrument']} {row['client_order_id']}"
    why = f": {row['reason']}" if row["reason"] and row["event"] != "HELD" else ""
    return Event(row["at"], row["ts"], row["event"], f"{text}{why}", WARN)


def _alert(row: Row) -> Event:
    return Event(
        row["at"], row["ts"], row["level"].upper(), row["text"], ALARM if row["level"] == "critical" else WARN
    )


def _trip(row: Row) -> Event:
    text = (
        f"{row['side']} {quantity(str(row['quantity']))} {row['instrument']} closed: "
        f"{money(str(row['pnl']), row['currency'], signed=True)}, {percent(float(row['pnl_pct']), signed=True)}"
    )
    return Event(row["at"], row["ts"], "TRADE", text, GOOD if row["pnl"] > 0 else PLAIN)


TOLD: tuple[tuple[Table, Callable[[Row], Event | None]], ...] = (
    (tables.orders, _order),
    (tables.fills, _fill),
    (tables.round_trips, _trip),
    (tables.decisions, _decision),
    (tables.approvals, _approval),
    (tables.risk_events, _risk_event),
    (tables.commands, _command),
    (tables.receipts, _receipt),
    (tables.alerts, _alert),
)
"""Table -> how one of its rows is told; None: it is no news."""
