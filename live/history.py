"""`python -m live history`: what happened on an account or in a run?"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from sqlalchemy import select

from configs.closest import closest, listed
from configs.edge import guarded
from configs.errors import ConfigError
from journal.moment import one_moment
from live._about import ABOUT_HELP, ABOUT_KEYS
from live._amounts import row_for_scripts
from live._fitted import console, fitted
from live._history_columns import columns_of
from live._history_rows import Found, found
from live._kinds import FILTERS, Kind, kind_named
from live._periods import Days, span_of
from live._whose import Whose
from runs.verbs import key_values

KINDS = (
    "trades", "orders", "fills", "decisions", "events", "commands", "approvals", "alerts", "snapshots", "runs"
)  # fmt: skip
LIMIT = 20
KEYS = (*ABOUT_KEYS, "what", *FILTERS, "since", "until", "period", "limit")
HELP = f"""python -m live history [what=KIND] [symbol=SYMBOL] [strategy=NAME] [period=7d] [limit=20] ...

What happened, in the order in which it happened, the newest at the end: round trips unless what= says otherwise.

  what=KIND       {", ".join(KINDS)}
  symbol=AAPL  strategy=EmaCross-001  side=BUY|SELL (trades: LONG|SHORT)
  order=ID        of one order; what=orders then tells each change of its state
  status=FILLED   of orders;  verdict=PASS|REFUSE|HOLD of decisions;  kind=TRIP of events and alerts
  period=7d       back from now (a sandbox run: from its end): h, d, w, mo, y; today; all (the default)
  since=2026-11-01  until=2026-11-20   days, the last one included, or moments: 2026-11-20T14:30
  limit=20        at most so many, the newest; limit=all
{ABOUT_HELP}
A paper or live account is one history over all its runs; of a sandbox it is the newest run (run=all: all of them).

Example: python -m live history what=fills symbol=AAPL period=7d
"""


def history(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _history(argv))


def _history(argv: Sequence[str]) -> int:
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return 0
    given = key_values("history", argv, KEYS)
    kind, limit = kind_named(given.get("what", "trades"), KINDS), limit_of(given, LIMIT)
    whose = Whose.of(given)
    days = Days.of_run(whose.run)
    wall_clock = kind.name in ("commands", "runs")
    now_ns = time.time_ns() if wall_clock else whose.now_ns(time.time_ns())
    span = span_of(given, days, now_ns)
    rows = found(kind, whose, given, span, limit)
    if given.get("output") == "json":
        print(json.dumps(_document(kind, whose, rows, days.zone)))  # noqa: T201 - what a script asked for
    else:
        _show(kind, whose, given, rows, days.zone)
    return 0


def limit_of(given: Mapping[str, str], default: int | None) -> int | None:
    """At most how many rows; None for all. Raises ConfigError."""
    text = given.get("limit")
    if text is None:
        return default
    if text == "all":
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ConfigError(f"limit={text}: must be a whole number above 0, or all")
    return min(int(text), 2**31)


def _document(kind: Kind, whose: Whose, rows: Found, zone: str) -> dict[str, Any]:
    return {
        "what": kind.name,
        "mode": whose.run["mode"],
        "venue": whose.run["venue"],
        "scope": None if whose.runs_alone else whose.run["scope"],
        "count": rows.count,
        "rows": [row_for_scripts(row, zone) for row in rows.rows],
    }


def _show(kind: Kind, whose: Whose, given: Mapping[str, str], rows: Found, zone: str) -> None:
    screen = console()
    of = "the journal" if kind.name == "runs" else whose.told
    screen.print(Text.assemble((kind.name.capitalize(), "bold"), f"  {of}, times of {zone}"), soft_wrap=True)
    if not rows.rows:
        screen.print(Text(_nothing(kind, whose, given)), soft_wrap=True)
        return
    columns = columns_of(kind.name, zone, sent="order" not in given)
    table, left_out = fitted(columns, rows.rows, screen.width)
    screen.print(table)
    if rows.count > len(rows.rows):
        screen.print(
            f"The newest {len(rows.rows):,} of {rows.count:,}; limit=all shows all of them.", style="dim"
        )
    if left_out:
        screen.print(f"Too narrow for {', '.join(left_out)}; output=json has everything.", style="dim")


def _nothing(kind: Kind, whose: Whose, given: Mapping[str, str]) -> str:
    """What to tell where nothing was found: that there is none, or what there is instead of a name misspelt."""
    for key in ("symbol", "strategy", "status", "kind"):
        if key in given:
            known = _known(kind, whose, key)
            if known and not any(given[key].casefold() in each.casefold() for each in known):
                near = closest(given[key], [*known, *(each.partition(".")[0] for each in known)])
                hint = f"did you mean {near}?" if near else f"there are {listed(known)}"
                return f"No {kind.name} with {key}={given[key]}; {hint}"
    return (
        f"No {kind.name} match."
        if set(given) - set(ABOUT_KEYS) - {"what", "limit"}
        else f"No {kind.name} yet."
    )


def _known(kind: Kind, whose: Whose, key: str) -> list[str]:
    column = kind.table.c[FILTERS[key]]
    with one_moment(whose.about.reader) as connection:
        names = connection.execute(select(column).distinct().where(whose.where(kind.table))).scalars()
        return sorted(str(name) for name in names if name is not None)
