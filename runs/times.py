"""How is a market time written for people and for scripts?"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_SECOND_NS = 1_000_000_000


def iso(ts: int, zone: str) -> str:
    """Write UTC ns as ISO 8601 with the offset of `zone`, fractions of a second only where there are any."""
    seconds, rest = divmod(ts, _SECOND_NS)
    text = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone)).isoformat()
    fraction = f".{rest:09d}" if rest else ""
    return text[:19] + fraction + text[19:]


def short(ts: int, zone: str) -> str:
    """Write UTC ns as a person reads it: `2008-10-01 16:00` in `zone`."""
    return datetime.fromtimestamp(ts // _SECOND_NS, UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
