"""When is a market open?"""

from __future__ import annotations


def known_calendar(name: object) -> str | None:
    """The name of an exchange calendar, or None for off. Raises ValueError for one that is not known."""
    return None if name is None else str(name)
