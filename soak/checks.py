"""Do journal, broker and node agree? `on_disk` right after a kill, `settled` once a node runs and nothing moves.

Each answers sentences, one for each thing that is wrong; none means that all is well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from soak import books
from soak.reading import Said

ZERO = Decimal(0)
NEVER_LEFT = frozenset({"NOT_SENT", "DENIED", "INTENDED", "EMULATED", "RELEASED"})
SAME = {"PENDING": "ACCEPTED"}  # the broker's word -> the journal's
ENDED = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED"})
OUT_OF_ORDER = "passed because it only reduced"
Row = Mapping[str, Any]


def on_disk(said: Said, audit: Row, *, disordered: bool = False) -> list[str]:
    """What has to hold whenever a node was killed, before the next one starts.

    disordered: the broker tells its news out of order. The fill of a bracket's exit may then be heard before that of
    its entry, which looks like a way around the gate and halts: rightly so, as far as anybody can tell.
    """
    return [
        *_sends(said, audit), *_journal_fills(said, audit), *_halts(said), *_peaks(said),
        *(each for each in _questions(said) if not (disordered and OUT_OF_ORDER in each)),
    ]  # fmt: skip


def settled(said: Said, audit: Row) -> list[str]:
    """What has to hold as well once a node has started and the market stands still."""
    return [
        *_missing_fills(said, audit), *_orders(said, audit), *_positions(said, audit), *_round_trips(said),
        *_status(said, audit),
    ]  # fmt: skip


def _short(names: Any, most: int = 4) -> str:
    found = sorted(map(str, names))
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")


# -- after a kill ------------------------------------------------------------------------------------------------------


def _sends(said: Said, audit: Row) -> Iterator[str]:
    """No order is sent twice, none without its intent on disk, and none that the journal says was not."""
    received: dict[str, int] = audit["received"]
    twice = [name for name, times in received.items() if times != 1]
    if twice:
        yield f"sent more than once: {_short(twice)}"
    unannounced = received.keys() - said.sending
    if unannounced:
        yield f"at the broker without a SENDING on disk: {_short(unannounced)}"
    for name, row in said.orders.items():
        if name in received and row["status"] in NEVER_LEFT:
            yield f"{name} is {row['status']} by the journal, and the broker received it"
    there = {order["client_order_id"] for order in audit["orders"]}
    for name, row in said.orders.items():
        if name in there and row["status"] == "ABSENT":
            yield f"{name} is ABSENT by the journal, and the broker has it"


def _journal_fills(said: Said, audit: Row) -> Iterator[str]:
    """Every fill in the journal is one of the broker's, once, and its owner's."""
    there = {fill["trade_id"]: fill for fill in audit["fills"]}
    counts = Counter((row["client_order_id"], row["trade_id"]) for row in said.fills)
    for (name, trade), times in counts.items():
        if times > 1:
            yield f"fill {trade} of {name} is in the journal {times} times"
    for row in said.fills:
        fill = there.get(row["trade_id"])
        if fill is None:
            yield f"fill {row['trade_id']} of {row['client_order_id']} is not the broker's"
            continue
        for key in ("quantity", "price", "commission"):
            if row[key] != Decimal(fill[key]):
                yield f"fill {row['trade_id']}: {key} is {row[key]}, the broker's is {fill[key]}"
        if (row["side"], row["client_order_id"]) != (fill["side"], fill["client_order_id"]):
            yield f"fill {row['trade_id']} is of another side or order than the broker's"
        if row["strategy"] != books.owner_of(row["client_order_id"], _others(said)):
            yield f"fill {row['trade_id']} of {row['client_order_id']} is booked to {row['strategy']}"


def _halts(said: Said) -> Iterator[str]:
    """A trip on disk is a halt on disk, until a person lifted it."""
    halting = [
        row for row in said.risk_events
        if row["risk_scope"] == "book" and row["kind"] in ("TRIP", "RESUMED", "HALT_ENDED")
    ]  # fmt: skip
    state = None if said.state is None else said.state["state"]
    if halting and halting[-1]["kind"] == "TRIP" and state != "HALTED":
        yield f"the journal has a trip that nobody lifted ({halting[-1]['reason']}), and the state is {state}"
    if halting and halting[-1]["kind"] != "TRIP" and state == "HALTED" and said.state is not None:
        yield f"the state is HALTED ({said.state['reason']}), and no trip is in the journal since it was lifted"


def _peaks(said: Said) -> Iterator[str]:
    """The peak never falls, but where a person resumed; what the breakers remember is at least what was written."""
    lifted = max((row["at"] for row in said.risk_events if row["kind"] == "RESUMED"), default=0)
    highest = ZERO
    for row in said.peaks:
        if row["at"] <= lifted:
            continue
        if row["peak"] < highest:
            yield f"the peak fell from {highest} to {row['peak']} in snapshot {row['id']} of {row['run_id']}"
        highest = max(highest, row["peak"])
    if said.state is not None and Decimal(said.state["peak"]) < highest:
        yield f"the peak that is kept is {said.state['peak']}, a snapshot has {highest}"
    flows = [row["reason"] for row in said.risk_events if row["kind"] == "CASH_FLOW"]
    if flows:
        yield f"money came or went that never did: {flows[0]}"


def _questions(said: Said) -> Iterator[str]:
    """Nothing here is foreign and no order is forgotten by the broker: nobody is asked anything."""
    for row in said.risk_events:
        around = row["kind"] == "TRIP" and row["breaker"] == "BYPASS"
        if around or row["kind"] in ("FROZEN", "ADOPTED", "FOREIGN_ORDER"):
            yield f"{row['kind']}: {row['reason']}"


# -- while nothing moves -----------------------------------------------------------------------------------------------


def _missing_fills(said: Said, audit: Row) -> Iterator[str]:
    missing = {fill["trade_id"] for fill in audit["fills"]} - {row["trade_id"] for row in said.fills}
    if missing:
        yield f"fills lost: {_short(missing)}"


def _orders(said: Said, audit: Row) -> Iterator[str]:
    """Every order of the broker's is in the journal, and stands there as it does at the broker."""
    there = {order["client_order_id"]: order for order in audit["orders"]}
    lost = there.keys() - said.orders.keys()
    if lost:
        yield f"orders lost: {_short(lost)}"
    for name, order in there.items():
        row = said.orders.get(name)
        if row is None:
            continue
        status = SAME.get(order["status"], order["status"])
        if row["status"] != status:
            yield f"{name} is {row['status']} by the journal, {order['status']} at the broker"
        if row["filled"] != Decimal(order["filled"]):
            yield f"{name}: {row['filled']} filled by the journal, {order['filled']} at the broker"
        if status not in ENDED and row["quantity"] != Decimal(order["quantity"]):
            yield f"{name}: quantity {row['quantity']} by the journal, {order['quantity']} at the broker"
        if status not in ENDED and order["price"] is not None and row["price"] != Decimal(order["price"]):
            yield f"{name}: price {row['price']} by the journal, {order['price']} at the broker"
    for name, row in said.orders.items():
        if name not in there and row["status"] not in {*NEVER_LEFT, *ENDED, "ABSENT"}:
            yield f"{name} is {row['status']} by the journal, and the broker does not have it"


def _positions(said: Said, audit: Row) -> Iterator[str]:
    by_journal = {key: row["quantity"] for key, row in said.positions.items() if row["quantity"]}
    by_broker = books.positions(audit["fills"], _others(said))
    if by_journal != by_broker:
        yield f"positions are {_told(by_journal)} by the journal, {_told(by_broker)} by the broker's fills"
    total: Counter[str] = Counter()
    for (_, instrument), units in by_broker.items():
        total[instrument] += units  # type: ignore[assignment]  # a Decimal counts as well
    there = {each["instrument"]: Decimal(each["quantity"]) for each in audit["positions"]}
    if {name: units for name, units in total.items() if units} != there:
        yield f"the broker's own positions {there} are not what its fills make"


def _round_trips(said: Said) -> Iterator[str]:
    """What round trips earned and what is open are all that the fills brought in."""
    cash = _by_owner(said)
    earned: dict[tuple[str, str], Decimal] = dict.fromkeys(cash, ZERO)
    for row in said.trips:
        key = (row["strategy"], row["instrument"])
        earned[key] = earned.get(key, ZERO) + row["pnl"]
    for key, row in said.positions.items():
        earned[key] = earned.get(key, ZERO) + _open_flow(row)
    for key, flow in cash.items():
        if abs(flow - earned[key]) > Decimal("1e-9"):
            yield f"{' '.join(key)}: fills brought in {flow}, round trips and what is open make {earned[key]}"


def _by_owner(said: Said) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for row in said.fills:
        key = (row["strategy"], row["instrument"])
        found[key] = found.get(key, ZERO) - books.signed(row) * row["price"] - row["commission"]
    return found


def _open_flow(row: Row) -> Decimal:
    """The cash that the fills of an open round trip brought in."""
    if row["trip"] is None:
        return ZERO
    trip = json.loads(row["trip"])
    entered, exited, paid = (Decimal(trip[key]) for key in ("entry_paid", "exit_paid", "commission"))
    flow = exited - entered if trip["side"] == "BUY" else entered - exited
    return flow - paid


def _status(said: Said, audit: Row) -> Iterator[str]:
    """What the node says of itself: positions, cash, orders that work, and no question."""
    status = said.status
    if status is None or "positions" not in status:
        yield "the node says nothing of itself"
        return
    held = {(row["strategy"], row["instrument"]): Decimal(row["quantity"]) for row in status["positions"]}
    by_broker = books.positions(audit["fills"], _others(said))
    if held != by_broker:
        yield f"positions are {_told(held)} by the node, {_told(by_broker)} by the broker's fills"
    if Decimal(status["cash"]) != Decimal(audit["cash"]):
        yield f"cash is {status['cash']} by the node, {audit['cash']} at the broker"
    working = {row["client_order_id"]: Decimal(row["left"]) for row in status["working"]}
    there = {
        order["client_order_id"]: Decimal(order["quantity"]) - Decimal(order["filled"])
        for order in audit["orders"]
        if order["status"] not in ENDED
    }
    there |= {name: left for name, left in working.items() if said.orders[name]["status"] in NEVER_LEFT}
    if working != there:
        odd = {name for name in working.keys() | there.keys() if working.get(name) != there.get(name)}
        yield "working orders differ: " + "; ".join(
            f"{name} {working.get(name)} by the node, {there.get(name)} at the broker" for name in sorted(odd)[:4]
        )  # fmt: skip
    for row in status["unknown"]:
        yield f"unknown: {row['client_order_id']}: {row['why']}"
    for row in status["frozen"]:
        yield f"frozen: {row['instrument']}: {row['why']}"


def _others(said: Said) -> dict[str, str]:
    return {name: row["strategy"] for name, row in said.orders.items()}


def _told(held: Mapping[tuple[str, str], Decimal]) -> str:
    return ", ".join(f"{' '.join(key)} {units:f}" for key, units in sorted(held.items())) or "none"
