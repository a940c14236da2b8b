"""`python -m live monitor`: how the account stands, on a full screen, renewed each second."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from configs.edge import guarded
from configs.errors import ConfigError
from live._about import ABOUT_HELP, ABOUT_KEYS, about
from live._monitor_feed import Feed
from live._monitor_frame import frame
from live._show import console
from runs.verbs import HELP, key_values

KEYS = ("once", *(key for key in ABOUT_KEYS if key != "output"))
USAGE = f"""python -m live monitor [venue=NAME] [run=ID] [once=true]

How the account stands, on a full screen and renewed each second: equity, day, drawdown, limits, positions, orders, the
last events, how old the data is and how far behind the journal. A new run of the same venue is followed. A journal
that goes away is said, and looked for until it is back.

Keys: q quits, h halts trading (it asks for a reason), arrows scroll.

  once=true       one frame as text, then the end: for scripts, logs and pipes
{"".join(line + chr(10) for line in ABOUT_HELP.splitlines() if "output=" not in line)}
Example: python -m live monitor venue=alpaca_paper
"""


def monitor(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _monitor(argv))


def _monitor(argv: Sequence[str]) -> int:
    if any(word in HELP for word in argv):
        print(USAGE, end="")  # noqa: T201 - what a person asked to read
        return 0
    given = key_values("monitor", argv, KEYS)
    once = given.pop("once", "false").lower()
    if once not in ("true", "false"):
        raise ConfigError(f"once={once}: true or false")
    if once == "false" and not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise ConfigError("monitor needs a terminal; for one frame as text: python -m live monitor once=true")
    feed = Feed(given, about(given))
    if once == "true":
        out = console()
        out.print(frame(feed.look(), out.width, ascii_only=out.options.ascii_only))
        return 0
    from live._monitor_app import Monitor  # noqa: PLC0415 - a quarter of a second that only the full screen needs

    Monitor(feed).run()
    return 0
