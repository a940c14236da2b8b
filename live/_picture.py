"""How does an account stand, as far as the journal tells: by its node's last word, or without a node?

While a node holds the account its own word counts, which is a second old at most as long as it can write. Without one,
positions, orders and the risk state are what the journal keeps, and the rest is what the node said last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from journal import tables
from journal.hold import is_held
from journal.reader import Reader, Row
from journal.witness import OVER
from live._about import About
from live._status_text import age_secs, amount, fraction, iso, quantity
from risk.scopes import BOOK

Document = dict[str, Any]
FRESH_SECS = 3.0
"""A node says how it is once a second; a word older than this is not the present any more."""
LOOKED_AT = 20
"""Receipts, of which one may tell what the venue said."""
CLOSED = sorted(OVER | {"ABSENT"})
RUNNING, SILENT, STARTING, ENDED, GONE = "RUNNING", "SILENT", "STARTING", "ENDED", "GONE"


@dataclass(frozen=True, slots=True)
class NodeWord:
    """What is known of a run's node; stamps are wall time in UTC ns.

    RUNNING: it said something in the last seconds. SILENT: it holds the account and says nothing. STARTING: it holds
    the account and has said nothing yet. ENDED: it stopped in order. GONE: its process is no more.
    """

    state: str
    pid: int | None
    said_ns: int | None
    age_secs: float | None
    ended_ns: int | None
    ended_why: str | None

    @property
    def runs(self) -> bool:
        """Whether what it said is the present."""
        return self.state == RUNNING

    def as_dict(self) -> Document:
        """For scripts."""
        return {
            "state": self.state,
            "running": self.runs,
            "pid": self.pid,
            "said": None if self.said_ns is None else iso(self.said_ns),
            "age_secs": self.age_secs,
            "ended": None if self.ended_ns is None else iso(self.ended_ns),
            "ended_why": self.ended_why,
        }


@dataclass(frozen=True, slots=True)
class Picture:
    """An account at one moment: the node, and the document (live/_status.py), whoever it comes from."""

    node: NodeWord
    document: Document

    def as_dict(self) -> Document:
        """For scripts."""
        return {"node": self.node.as_dict(), **self.document}


def take(about: About, now_ns: int | None = None) -> Picture:
    """Look now. Raises JournalError when the journal cannot be read."""
    reader, run = about.reader, about.run
    now = time.time_ns() if now_ns is None else now_ns
    told = reader.node_status(about.scope)
    if told is not None and told["run_id"] != run["run_id"]:
        told = None
    node = _node(about, told, now)
    document = _blank(run) | ({} if told is None else told["document"])
    if told is None:
        document |= _from_snapshot(reader, run)
    if node.state in (STARTING, ENDED, GONE):
        document |= _from_journal(about, document, now)
    else:  # a silent node may hang, or cannot write: its last word is nearer to the truth than what it did write
        document["unknown"] = _with_orders(document["unknown"], _unknown(reader, about.scope, now))
    return Picture(node, document)


def _node(about: About, told: Row | None, now: int) -> NodeWord:
    run = about.run
    said = None if told is None else int(told["at"])
    age = None if said is None else age_secs(now, said)
    if run["ended_at"] is not None:
        state = ENDED
    elif age is not None and age <= FRESH_SECS:
        state = RUNNING
    elif is_held(about.reader.config, about.scope) and _is_newest(about):
        state = STARTING if said is None else SILENT
    else:
        state = GONE
    return NodeWord(state, run["pid"], said, age, run["ended_at"], run["ended_why"])


def _is_newest(about: About) -> bool:
    """Whether no later run of this account is the one that holds it."""
    newest = about.reader.runs(tables.runs.c.scope == about.scope, limit=1)
    return bool(newest) and newest[0]["run_id"] == about.run["run_id"]


# -- without a node ----------------------------------------------------------------------------------------------------


def _blank(run: Mapping[str, Any]) -> Document:
    """A document that says nothing but whose it is."""
    unknown = (
        "account", "market_time", "reason", "breaker", "equity", "cash", "exposure", "gross", "leverage", "day",
        "day_ends", "day_start", "day_pnl", "day_pnl_pct", "peak", "drawdown", "at",
    )  # fmt: skip
    lists = (
        "halted_scopes",
        "doubts",
        "limits",
        "positions",
        "working",
        "held",
        "unknown",
        "frozen",
        "data",
        "strategies",
    )
    return {
        **dict.fromkeys(unknown),
        **{key: [] for key in lists},
        "run_id": run["run_id"],
        "scope": run["scope"],
        "mode": run["mode"],
        "venue": run["venue"],
        "account": run["account"],
        "pid": run["pid"],
        "currency": run["currency"],
        "started": iso(run["started_at"]),
        "market_is_now": run["scope"] != run["run_id"],
        "state": "ACTIVE",
        "flattening": False,
        "stopping": False,
        "journal": {"rows": 0, "secs": 0.0, "problem": None},
        "progress": {},
    }


def _from_snapshot(reader: Reader, run: Mapping[str, Any]) -> Document:
    """What the newest snapshot of the account says of a run that never told its status."""
    table = tables.account_snapshots
    found = reader.rows(table, table.c.run_id == run["run_id"], newest=True, limit=1)
    if not found:
        return {}
    row = found[0]
    return {
        "at": iso(row["at"]),
        "market_time": iso(row["ts"]),
        **{key: amount(row[key]) for key in ("equity", "cash", "exposure", "peak", "day_start", "day_pnl")},
        "gross": amount(row["exposure"]),
        "leverage": None if row["leverage"] is None else float(row["leverage"]),
        "drawdown": None if row["drawdown"] is None else float(row["drawdown"]),
        "day": row["day"],
        "day_pnl_pct": fraction(row["day_pnl"], row["day_start"]),
        "state": row["state"],
    }


def _from_journal(about: About, document: Document, now: int) -> Document:
    """Positions, orders and the risk state as the journal keeps them; nobody changes them but a person."""
    reader, scope = about.reader, about.scope
    orders = tables.orders
    working = reader.order_states(scope, orders.c.status.not_in([*CLOSED, "UNKNOWN"]))
    found: Document = {
        "positions": [_position(row, document) for row in reader.open_positions(scope)],
        "working": [order_of(row, now) for row in reversed(working)],
        "unknown": _unknown(reader, scope, now),
        "held": [],
        "data": [],
        "strategies": [{**row, "state": "NOT RUNNING"} for row in document["strategies"]],
        "stopping": False,
        "doubts": [],
    }
    found |= _from_venue(reader, scope, document["at"])
    state = reader.risk_state(scope)
    if state is not None:
        scopes = state.get("scopes", {})
        found |= {
            "state": state["state"],
            "reason": state["reason"],
            "breaker": state["breaker"],
            "flattening": bool(state.get("flattening")),
            "halted_scopes": [
                {"scope": name, "reason": each["reason"]}
                for name, each in scopes.items()
                if each["state"] == "HALTED"
            ],
        }
    return found


def _from_venue(reader: Reader, scope: str, said: str | None) -> Document:
    """What the venue told a `flatten` without a node, where that is newer than the node's last word."""
    receipts = tables.receipts.c
    for row in reader.rows(tables.receipts, receipts.scope == scope, newest=True, limit=LOOKED_AT):
        answer = json.loads(row["answer"])
        if row["by"] != "verb" or answer.get("equity") is None:
            continue
        if said is not None and iso(row["at"]) <= said:
            return {}
        found = {"equity": answer["equity"], "cash": answer["cash"], "equity_at": iso(row["at"])}
        nothing = {"exposure": "0", "gross": "0", "leverage": 0.0, "frozen": []}
        return found | (nothing if answer["flat"] and answer["scope"] == BOOK else {})
    return {}


def _position(row: Row, document: Document) -> Document:
    """A position row in the form of the document; value and P&L where its node valued the very same position."""
    told: Document = next(
        (
            each
            for each in document["positions"]
            if (each["strategy"], each["instrument"]) == (row["strategy"], row["instrument"])
            and each["quantity"] == quantity(row["quantity"])
        ),
        {},
    )
    kept = ("mark", "value", "unrealised_pnl", "unrealised_pnl_pct", "price_age_secs")
    return {
        "strategy": row["strategy"],
        "instrument": row["instrument"],
        "quantity": quantity(row["quantity"]),
        "average_price": amount(row["average_price"]),
        **{key: told.get(key) for key in kept},
        "opened": iso(row["opened_ns"]) if row["opened_ns"] else None,
    }


def order_of(row: Row, now: int) -> Document:
    """A row of the table `orders` in the form of the document."""
    return {
        **{
            key: row[key]
            for key in (
                "client_order_id", "venue_order_id", "strategy", "instrument", "side", "type", "status", "tif",
                "reduce_only", "reason",
            )
        },
        "quantity": quantity(row["quantity"]),
        "left": quantity(row["quantity"] - row["filled"]),
        "price": amount(row["price"]),
        "trigger_price": amount(row["trigger_price"]),
        "changing": False,
        "changed": iso(row["ts"]),
        "age_secs": age_secs(now, row["at"]),
    }  # fmt: skip


def _unknown(reader: Reader, scope: str, now: int) -> list[Document]:
    rows = reader.order_states(scope, tables.orders.c.status == "UNKNOWN")
    return [
        {**order_of(row, now), "why": row["reason"] or "no answer from the venue", "since": iso(row["ts"])}
        for row in rows
    ]


def _with_orders(told: list[Document], rows: list[Document]) -> list[Document]:
    """The node's questions, with what the journal knows of the orders they are about."""
    known = {row["client_order_id"]: row for row in rows}
    return [
        {
            **known.get(each["client_order_id"], {}),
            **{key: value for key, value in each.items() if value is not None},
        }
        for each in told
    ]
