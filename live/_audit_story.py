"""Which sentences tell the story of an order, and in which order?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from journal.story import Story
from live import _audit_sentences as say
from live._audit_numbers import arithmetic

Row = Mapping[str, Any]
FIRST, LAST = -1, 1 << 62
"""Places among the rows of one moment: before all of them, and behind."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence. ts: market time, at: when it was written (both UTC ns); details: lines that belong under it.

    when, place: the moment it is told at, and its place among what is told of one moment.
    """

    when: int
    place: int
    ts: int
    at: int
    what: str
    text: str
    details: tuple[str, ...] = ()


def lines_of(story: Story, zone: str) -> list[Line]:
    """The story, in the order it happened; times in sentences are those of `zone`."""
    found = [
        *_begun(story), *_decided(story), *_ordered(story), *_filled(story), *_asked(story, zone), *_around(story),
    ]  # fmt: skip
    told = _joined(sorted((line for line in found if line.text), key=lambda line: (line.when, line.place)))
    return [*told, *_ended(story, zone)]


def status_of(story: Story) -> str:
    """What became of it, in one word."""
    if story.orders:
        return str(story.orders[-1]["status"])
    if story.approvals:
        event = str(story.approvals[-1]["event"])
        return event if event in ("HELD", "APPROVED") else "REFUSED"
    return (
        {"REFUSE": "REFUSED", "HOLD": "HELD"}.get(story.decisions[-1]["verdict"], "")
        if story.decisions
        else "FOREIGN"
    )


def _line(row: Row, what: str, text: str, details: tuple[str, ...] = ()) -> Line:
    return Line(_when(row), row["seq"], row["ts"], row["at"], what, text, details)


def _when(row: Row) -> int:
    """When it happened. What the venue told of later, of an account that outlives its runs, has the venue's time."""
    told_later = row.get("source") in ("reconciled", "operator") and row["scope"] != row["run_id"]
    return int(row["ts"] if told_later else row["at"])


def _begun(story: Story) -> Iterator[Line]:
    first = story.first
    when = min(_when(row) for row in story.rows)
    if story.halted_by is not None:
        text = f"{say.happened(story.halted_by)[:-1]}; it was still so."
        yield Line(when, FIRST - 1, story.halted_by["ts"], story.halted_by["at"], "halt", text)
    row = story.orders[0] if story.orders else first
    decision = next((each for each in story.decisions if each["price"] is not None), None)
    if "type" in row or not story.fills or story.decisions:
        yield Line(when, FIRST, first["ts"], first["at"], "wanted", say.wish(row, decision))
    else:
        text = f"No strategy here sent it: the venue told of it. It counts as {first['strategy']}'s."
        yield Line(when, FIRST, first["ts"], first["at"], "foreign", text)


def _decided(story: Story) -> Iterator[Line]:
    began = story.orders[0]["at"] if story.orders else None
    for row in story.decisions:
        by = f"limits {row['limits_version']}" if row["limits_version"] else "its limits"
        numbers = tuple(arithmetic(row["numbers"], story.limits.get(row["limits_version"])))
        if row["verdict"] == "REFUSE" and row["code"] == "APPROVAL" and story.approvals:
            continue  # the approvals' own row says it
        if row["verdict"] == "REFUSE":
            change = began is not None and row["at"] > began
            others = tuple(each for each in numbers if each not in str(row["reason"]))
            yield _line(row, "refused", say.refused(row, change=change), others)
        elif row["verdict"] == "HOLD":
            when = min([row["at"], *(each["at"] for each in story.approvals)])
            text = f"It kept every limit ({by}), and a person was to approve it."
            yield Line(when, FIRST + 1, row["ts"], row["at"], "held", text, numbers)
        elif row["reduces"]:
            yield _line(
                row, "passed", "The gate let it pass: it only reduces what is held, so no limit was asked."
            )
        else:
            yield _line(row, "passed", f"The gate let it pass ({by}).", numbers)
    if story.orders and not story.decisions and story.orders[0]["event"] == "INTENT":
        tied = "" if story.orders[0]["reduce_only"] else ", or goes with an order that passed"
        text = f"The gate let it pass: it only reduces what is held{tied}, so no limit was asked."
        yield _line(story.orders[0], "passed", text)


def _ordered(story: Story) -> Iterator[Line]:
    before: Row | None = None
    recorded = next((row for row in story.orders if row["event"] == "INTENT"), None)
    for row in story.orders:
        text = say.changed(row, before)
        after = "" if recorded is None else say.waited(recorded, row)
        if row["event"] in ("SENDING", "SUBMITTED") and after:
            text = f"{text[:-1]}, {after} after its intent."
        yield _line(row, str(row["event"]).lower(), text)
        before = row


def _filled(story: Story) -> Iterator[Line]:
    for row in story.fills:
        yield _line(row, "fill", say.filled(row))


def _asked(story: Story, zone: str) -> Iterator[Line]:
    for row in story.approvals:
        yield _line(row, "approval", say.approval(row, zone))
    for row in story.commands:
        text = say.commanded(row, story.receipts.get(row["command_id"]))
        yield Line(row["at"], FIRST, row["at"], row["at"], "command", text)


def _around(story: Story) -> Iterator[Line]:
    asked = any(row["source"] == "reconciled" for row in (*story.orders, *story.fills))
    for row in story.events:
        told = (row["kind"] == "RECONCILED" and asked) or (row["kind"] == "APPROVAL" and story.approvals)
        if not told:  # by rows of its own
            yield _line(row, "event", say.happened(row))


def _joined(lines: list[Line]) -> list[Line]:
    """A fill and what it makes of the order are one sentence."""
    found: list[Line] = []
    for line in lines:
        if line.what in ("filled", "partially_filled") and found and found[-1].what == "fill":
            found[-1] = replace(found[-1], text=f"{found[-1].text} {line.text}")
        else:
            found.append(line)
    return found


def _ended(story: Story, zone: str) -> Iterator[Line]:
    for row in story.round_trips:
        yield Line(
            row["at"], LAST, row["closed_ns"], row["at"], "round trip", say.tripped(row, story.order, zone)
        )
    position = story.position
    closed = any(row["exit_order"] != story.order for row in story.round_trips)
    if position is not None and position["quantity"] and not closed and _opened(story, position):
        yield Line(position["at"], LAST, position["ts"], position["at"], "position", say.still_open(position))


def _opened(story: Story, position: Row) -> bool:
    """Whether the position that is open now goes back to this order or was added to by it."""
    opened = position["opened_ns"]
    return opened is not None and any(row["ts"] >= opened for row in story.fills)


def sums_of(story: Story) -> dict[str, Decimal]:
    """What its fills come to: quantity, average price, commission, slippage (where all fills have one currency)."""
    if not story.fills or len({row["currency"] for row in story.fills}) > 1:
        return {}
    quantity = sum((row["quantity"] for row in story.fills), Decimal(0))
    paid = sum((row["quantity"] * row["price"] for row in story.fills), Decimal(0))
    found = {
        "quantity": quantity,
        "average_price": paid / quantity if quantity else Decimal(0),
        "commission": sum((row["commission"] for row in story.fills), Decimal(0)),
    }
    slippage = [row["slippage"] for row in story.fills]
    return found if None in slippage else {**found, "slippage": sum(slippage, Decimal(0))}
