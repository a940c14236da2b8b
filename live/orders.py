"""`python -m live orders`: which orders are unknown, wait for a person, or work?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from configs.edge import guarded
from configs.errors import ConfigError
from journal import tables
from live._about import ABOUT_HELP, ABOUT_KEYS, About, about
from live._order_sections import held_list, orders_table, questions
from live._picked import FILTER_HELP, FILTER_KEYS, picked
from live._picture import CLOSED, Picture, order_of, take
from live._sections import headline, node_line
from live._show import console, print_json
from runs.verbs import HELP, key_values

MOST_CLOSED = 50
KEYS = (*FILTER_KEYS, "all", "limit", *ABOUT_KEYS)
USAGE = f"""python -m live orders [symbol=AAPL] [strategy=ID] [all=true] [limit=50] [venue=NAME] [run=ID] [output=json]

Orders that are not over, the ones that need a person first: those nobody knows the outcome of, with the command that
answers; those that wait for approval, until when and within which prices; those that work.

{FILTER_HELP}  all=true        the newest {MOST_CLOSED} that are over as well, or limit=N of them
{ABOUT_HELP}
Example: python -m live orders symbol=AAPL all=true
"""


def orders(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _orders(argv))


def _orders(argv: Sequence[str]) -> int:
    if any(word in HELP for word in argv):
        print(USAGE, end="")  # noqa: T201 - what a person asked to read
        return 0
    given = key_values("orders", argv, KEYS)
    most = _most_closed(given)
    found = about(given)
    picture = take(found)
    document = picture.document
    for key in ("unknown", "held", "working"):
        document[key] = picked(document[key], given)
    closed = picked(_closed(found), given)[:most] if most else None
    if given.get("output") == "json":
        keys = ("run_id", "scope", "mode", "venue", "at", "unknown", "held", "working")
        over = {} if closed is None else {"closed": closed}
        print_json({"node": picture.node.as_dict(), **{key: document[key] for key in keys}, **over})
    else:
        _print(picture, closed)
    return 0


def _most_closed(given: dict[str, str]) -> int:
    """How many orders that are over are wanted. Raises ConfigError."""
    wanted, limit = given.get("all", "false").lower(), given.get("limit")
    if wanted not in ("true", "false"):
        raise ConfigError(f"all={given['all']}: true or false")
    if limit is None:
        return MOST_CLOSED if wanted == "true" else 0
    if not limit.isascii() or not limit.isdigit() or int(limit) < 1:
        raise ConfigError(f"limit={limit}: a whole number from 1, as in limit=20")
    if wanted == "false":
        raise ConfigError(f"limit={limit}: is about orders that are over; ask for them with all=true")
    return int(limit)


def _closed(found: About) -> list[dict[str, Any]]:
    """Orders that are over, the newest first."""
    rows = found.reader.order_states(found.scope, tables.orders.c.status.in_(CLOSED))
    now = time.time_ns()
    return [order_of(row, now) for row in sorted(rows, key=lambda row: row["id"], reverse=True)]


def _print(picture: Picture, closed: list[dict[str, Any]] | None) -> None:
    document, out = picture.document, console()
    out.print(headline(picture), node_line(picture), *questions(document), *held_list(document), "", sep="\n")
    out.print(orders_table(document["working"], out.width))
    if closed is not None:
        out.print("")
        out.print(orders_table(closed, out.width, title="Over") if closed else Text("Over: none"))
