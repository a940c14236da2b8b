"""`python -m live status`: how does the account stand, and how far is each limit?"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from configs.edge import guarded
from live._about import ABOUT_HELP, ABOUT_KEYS, about
from live._order_sections import held_list, orders_table, positions_table, questions
from live._picture import Picture, take
from live._sections import (
    account_grid,
    data_line,
    headline,
    limits_table,
    node_line,
    strategies_line,
    warnings,
)
from live._show import console, print_json
from runs.verbs import HELP, key_values

USAGE = f"""python -m live status [venue=NAME] [run=ID] [output=json]

How the account stands: mode, venue, state and why, equity, day, drawdown and how far each limit is, positions,
working and held orders, questions, age of the newest data and how far behind the journal is. A running node says so
itself once a second; without one the journal tells, and the answer says as of when.

{ABOUT_HELP}
In output=json "node" tells whether one runs (state RUNNING, SILENT, STARTING, ENDED or GONE) and how old its word is;
"limits" has "now", "limit", "left" and "used" (1 is reached) of each; what is not known is null.

Exit code 0 whatever the answer is, also of a halted account: the question was answered. A script looks at "state" and
at "node" in output=json.

Example: python -m live status venue=alpaca_paper
"""


def status(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _status(argv))


def _status(argv: Sequence[str]) -> int:
    if any(word in HELP for word in argv):
        print(USAGE, end="")  # noqa: T201 - what a person asked to read
        return 0
    given = key_values("status", argv, ABOUT_KEYS)
    picture = take(about(given))
    if given.get("output") == "json":
        print_json(picture.as_dict())
    else:
        out = console()
        out.print(shown(picture, out.width))
    return 0


def shown(picture: Picture, width: int) -> Group:
    """All of it for a person, what matters most first."""
    document = picture.document
    parts: list[RenderableType] = [
        headline(picture),
        node_line(picture),
        *warnings(document),
        *questions(document),
    ]
    parts += [*held_list(document), "", account_grid(picture, width), ""]
    if document["limits"]:
        parts += [limits_table(document, width), ""]
    parts += [positions_table(document, width), ""]
    parts += [orders_table(document["working"], width), ""]
    if picture.node.runs:
        parts += [data_line(document)]
    return Group(*parts, strategies_line(document))
