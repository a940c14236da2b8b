"""From which stamp to which does a run trade, when a user writes two dates?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from market.errors import SourceError

type Moment = str | date | datetime | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALWAYS = (-(2**63), 2**63 - 1)


@dataclass(frozen=True)
class Window:
    """Stamps with `from_ns <= ts < until_ns` are traded; a date means its midnight in the source's zone."""

    from_ns: int
    until_ns: int
    text: str

    @classmethod
    def parse(cls, start: Moment, end: Moment, zone: str) -> Window:
        """Read both ends; None is open. Raises SourceError for what is no date and for an empty window."""
        first = _ALWAYS[0] if start is None else _nanos("start", start, zone)
        last = _ALWAYS[1] if end is None else _nanos("end", end, zone)
        text = " ".join(
            f"{name}={value}" for name, value in (("start", start), ("end", end)) if value is not None
        )
        if first >= last:
            raise SourceError(f"{text}: the start must lie before the end (the end itself is not traded)")
        return cls(first, last, text or "no start and no end")


def day_text(ts: int, zone: str) -> str:
    """Local date of a stamp."""
    return datetime.fromtimestamp(ts / 1e9, ZoneInfo(zone)).date().isoformat()


def _nanos(name: str, value: str | date, zone: str) -> int:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise SourceError(f"{name}={value}: not a date; write it as in {name}=2010-01-31") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
