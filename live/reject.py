"""`python -m live reject order=ID`: refuse an order that waits for a person."""

from __future__ import annotations

from collections.abc import Sequence

from configs.edge import guarded
from configs.errors import ConfigError
from live._about import ABOUT_HELP
from live._control import arguments, ask_node, concluded, one_meant

KEYS = ("order", "reason")
HELP = f"""python -m live reject order=ID [reason="why"] ...

Refuses an order that waits for a person; its strategy gets an OrderDenied with your words. python -m live approve lists
what waits.

{ABOUT_HELP}
Example: python -m live reject order=O-20260302-143000-001-001-1 reason="too large for a Friday"
"""


def reject(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _reject(argv))


def _reject(argv: Sequence[str]) -> int:
    given = arguments("reject", argv, KEYS, HELP)
    if given is None:
        return 0
    if not given.get("order"):
        raise ConfigError("order: which one? python -m live approve lists what waits")
    reason = given.get("reason", "").strip()
    return concluded(given, ask_node(one_meant(given), "reject", {"order": given["order"]}, reason))
