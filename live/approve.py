"""`python -m live approve [order=ID]`: list the orders that wait for a person, or send one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from configs.edge import guarded
from journal import tables
from journal.database import told
from journal.tables import plain
from live._about import ABOUT_HELP
from live._control import arguments, ask_node, concluded, one_meant, taken
from runs.times import iso

if TYPE_CHECKING:
    from live._about import About

KEYS = ("order", "reason")
UTC = "UTC"
HELP = f"""python -m live approve [order=ID] ...

Without order=ID it lists the orders that wait for a person (risk.require_approval, approval.mode). With it that order
is decided on again at the newest price, and sent if every limit allows it now. It is sent once, whoever approves it
how often. Orders of one call wait and go together: the first one's id stands for all of them.

{ABOUT_HELP}
Example: python -m live approve
"""


def approve(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _approve(argv))


def _approve(argv: Sequence[str]) -> int:
    given = arguments("approve", argv, KEYS, HELP)
    if given is None:
        return 0
    found = one_meant(given)
    if "order" in given:
        reason = given.get("reason", "").strip()
        return concluded(given, ask_node(found, "approve", {"order": given["order"]}, reason))
    rows = waiting(found)
    with taken(found) as hold:
        runs = hold is None
    if given.get("output") == "json":
        shown = {"node_runs": runs, "waiting": [_row(row) for row in rows] if runs else []}
        print(json.dumps(shown))  # noqa: T201 - what a script asked for
        return 0
    print("\n".join(_listed(rows, runs=runs)))  # noqa: T201 - what a person asked for
    return 0


def waiting(found: About) -> list[Mapping[str, Any]]:
    """The newest row of every order of the account's newest run that still waits, in the order they were held."""
    table = tables.approvals
    newest = (
        select(func.max(table.c.id).label("id"))
        .where(table.c.run_id == found.run["run_id"])
        .group_by(table.c.client_order_id)
        .subquery()
    )
    asked = (
        select(table)
        .join(newest, table.c.id == newest.c.id)
        .where(table.c.event == "HELD")
        .order_by(table.c.id)
    )
    with told(found.reader.config), found.reader.engine.connect() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]


def _listed(rows: Sequence[Mapping[str, Any]], *, runs: bool) -> list[str]:
    if not rows:
        return ["no order waits for a person"]
    if not runs:
        return [f"no node runs: the {len(rows)} that waited when it ended are gone; a strategy decides anew"]
    lines = []
    for row in rows:
        price = "" if row["price"] is None else f" at about {plain(row['price'])}"
        until = "" if row["until_ns"] is None else f", until {iso(row['until_ns'], UTC)}"
        what = f"{row['side']} {plain(row['quantity'])} {row['instrument']}{price}"
        lines.append(f"{row['client_order_id']}  {what}  {row['strategy']}{until}")
    return [*lines, "python -m live approve order=ID sends one, python -m live reject order=ID refuses it"]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("client_order_id", "strategy", "instrument", "side", "reason")
    return {
        **{key: row[key] for key in keys},
        "quantity": plain(row["quantity"]),
        "price": None if row["price"] is None else plain(row["price"]),
        "since": iso(row["ts"], UTC),
        "until": None if row["until_ns"] is None else iso(row["until_ns"], UTC),
    }
