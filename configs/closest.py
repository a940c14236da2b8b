"""Which known word did the user most likely mean?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 12  # more options than this are counted, not listed


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, upper and lower case taken as equal; None when none is near."""
    by_lower = {k.lower(): k for k in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def listed(known: Iterable[str]) -> str:
    """The words in a row, a long row cut short with a count of the rest."""
    words = list(known)
    rest = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + rest
