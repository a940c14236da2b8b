"""`python -m live positions`: what is held, since when, at which price, and what has it made?"""

from __future__ import annotations

from collections.abc import Sequence

from configs.edge import guarded
from live._about import ABOUT_HELP, ABOUT_KEYS, about
from live._order_sections import positions_table
from live._picked import FILTER_HELP, FILTER_KEYS, picked
from live._picture import take
from live._sections import headline, node_line
from live._show import console, print_json
from runs.verbs import HELP, key_values

USAGE = f"""python -m live positions [symbol=AAPL] [strategy=ID] [venue=NAME] [run=ID] [output=json]

What is held, strategy by strategy: signed quantity, average price, newest price and unrealised P&L. A running node says
so itself; without one the journal tells, with the prices its node knew last.

{FILTER_HELP}{ABOUT_HELP}
Example: python -m live positions symbol=AAPL
"""


def positions(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _positions(argv))


def _positions(argv: Sequence[str]) -> int:
    if any(word in HELP for word in argv):
        print(USAGE, end="")  # noqa: T201 - what a person asked to read
        return 0
    given = key_values("positions", argv, (*FILTER_KEYS, *ABOUT_KEYS))
    picture = take(about(given))
    document = picture.document
    document["positions"] = picked(document["positions"], given)
    if given.get("output") == "json":
        keys = ("run_id", "scope", "mode", "venue", "currency", "at", "positions")
        print_json({"node": picture.node.as_dict(), **{key: document[key] for key in keys}})
        return 0
    out = console()
    out.print(headline(picture), node_line(picture), "", sep="\n")
    out.print(positions_table(document, out.width, title=None))
    return 0
