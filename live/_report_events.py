"""What else happened: refusals, trips, halts, what people asked for, alerts, and what was held at the end?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from live._report_found import Found, Row
from live._report_period import Period
from risk.scopes import BOOK

HALTED, ACTIVE = "HALTED", "ACTIVE"
QUIET = ("TRIP", "CASH_FLOW", "APPROVAL")  # kinds of risk event that are told elsewhere
HALTS = ("TRIP", "HALT_ENDED", "RESUMED")
URGENT = ("ALARM", "UNPROTECTED")
NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Refused:
    """Orders that the gate refused for one reason. newest: the arithmetic of the newest, at market time `at`."""

    code: str
    count: int
    strategies: int
    instruments: int
    newest: str
    at: int


@dataclass(frozen=True, slots=True)
class Tripped:
    """A breaker that went off. scope: book, strategy:ID or venue:NAME."""

    at: int
    breaker: str
    scope: str
    reason: str
    equity: Decimal | None
    reference: Decimal | None


@dataclass(frozen=True, slots=True)
class Event:
    """A notice or an alert: at market time `at`."""

    at: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for, and the answer; `at` is the clock on the wall. outcome None: nobody answered."""

    at: int
    verb: str
    args: Mapping[str, Any]
    who: str
    why: str
    outcome: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A position at the end. mark, value and pnl (not realised, account's currency): None where nobody told them."""

    strategy: str
    instrument: str
    quantity: Decimal
    average_price: Decimal | None
    opened_at: int | None
    mark: Decimal | None
    value: Decimal | None
    pnl: Decimal | None
    source: str


def refused_of(found: Found) -> list[Refused]:
    """By code, the most frequent first."""
    return [
        Refused(
            row["code"] or "", row["many"], row["strategies"], row["instruments"],
            (row["reason"] or "").removeprefix(f"{row['code']}: "), row["ts"],
        )
        for row in found.refusals
    ]  # fmt: skip


def tripped_of(found: Found) -> list[Tripped]:
    """In the order they went off."""
    return [
        Tripped(
            row["ts"], row["breaker"] or "", row["risk_scope"], row["reason"].removeprefix(f"{row['breaker']}: "),
            row["equity"], row["reference"],
        )
        for row in found.risk_events
        if row["kind"] == "TRIP"
    ]  # fmt: skip


def events_of(found: Found) -> list[Event]:
    """Notices that are not told elsewhere, in the order they were given."""
    return [
        Event(row["ts"], row["kind"], row["reason"].removeprefix(f"{row['kind']}: "))
        for row in found.risk_events
        if row["kind"] not in QUIET
    ]


def alerts_of(found: Found) -> tuple[Mapping[str, int], list[Event]]:
    """How many of each level; and those that are more than information."""
    counts = Counter(row["level"] for row in found.alerts)
    told = [
        Event(row["ts"], row["kind"], row["text"]) for row in found.alerts if row["level"] != "info"
    ]  # fmt: skip
    return counts, told


def asked_of(found: Found) -> list[Asked]:
    """In the order they were given."""
    return [_asked(row, found.receipts.get(row["command_id"])) for row in found.commands]


def _asked(row: Row, receipt: Row | None) -> Asked:
    return Asked(
        at=row["at"],
        verb=row["verb"],
        args=json.loads(row["args"]),
        who=row["who"],
        why=row["why"],
        outcome=None if receipt is None else receipt["outcome"],
        answer=None if receipt is None else receipt["text"],
    )


def approvals_of(found: Found) -> dict[str, int]:
    """What became of orders that waited for a person: HELD, APPROVED, REJECTED ... -> how many."""
    return dict(Counter(row["event"] for row in found.approvals))


def state_of(found: Found) -> str | None:
    """The account's state at the end of the period: by its last snapshot, or a halt or its end after that."""
    states = [(row["ts"], row["at"], row["state"]) for row in found.snapshots]
    states += [
        (row["ts"], row["at"], HALTED if row["kind"] == "TRIP" else ACTIVE)
        for row in found.risk_events
        if row["kind"] in HALTS and row["risk_scope"] == BOOK
    ]
    return max(states)[2] if states else None


def halted_part(found: Found) -> float | None:
    """The share of the observed time that the whole account was halted; None where nothing was observed.

    From one snapshot, trip or end of a halt to the next of the same run; between two runs nothing is observed.
    """
    states = [(row["ts"], row["run_id"], row["state"] == HALTED) for row in found.snapshots]
    states += [
        (row["ts"], row["run_id"], row["kind"] == "TRIP")
        for row in found.risk_events
        if row["kind"] in HALTS and row["risk_scope"] == BOOK
    ]
    states.sort(key=lambda state: state[0])
    seen = halted = 0
    for (begin, run, is_halted), (end, next_run, _) in pairwise(states):
        if run == next_run:
            seen += end - begin
            halted += (end - begin) * is_halted
    return halted / seen if seen else None


def held_of(found: Found, period: Period) -> tuple[list[Held], str | None]:
    """Positions at the end of the period, and why their prices are not known, where they are not.

    Prices are in the newest status of a node, so they are known for the newest period only.
    """
    marks, why = _marks(found, period)
    return [_held(row, marks.get((row["strategy"], row["instrument"]), {})) for row in found.positions], why


def _held(row: Row, mark: Mapping[str, Any]) -> Held:
    same = mark and Decimal(str(mark.get("quantity"))) == row["quantity"]
    numbers = {
        name: Decimal(mark[key]) if same and mark.get(key) is not None else None
        for name, key in (("mark", "mark"), ("value", "value"), ("pnl", "unrealised_pnl"))
    }
    return Held(
        row["strategy"], row["instrument"], row["quantity"], row["average_price"], row["opened_ns"],
        source=row["source"], **numbers,
    )  # fmt: skip


def _marks(found: Found, period: Period) -> tuple[dict[tuple[str, str], Mapping[str, Any]], str | None]:
    if found.status is None:
        return {}, "no node has told prices"
    document = json.loads(found.status["document"])
    if found.runs and document.get("run_id") != found.runs[-1]["run_id"]:
        return {}, "the newest status is of another run"
    at = document.get("market_time")
    if at is None or not period.holds(int(datetime.fromisoformat(at).timestamp()) * NANOS):
        return {}, "the node's newest prices are not of this period"
    return {(each["strategy"], each["instrument"]): each for each in document.get("positions", [])}, None
