"""When is a market open?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from difflib import get_close_matches

from risk.calendars import Exchange, calendar_names, exchange
from risk.numbers import OFF_WORDS

ALWAYS = "24/7"
_FOREVER = 2**63 - 1


def known_calendar(name: object) -> str | None:
    """The calendar that is meant, spelled as exchange_calendars does (xnys is XNYS), or None for off.

    Raises ValueError naming the closest match. Only the name is looked up, the calendar is not built.
    """
    if name is None or name is False:
        return None
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is not the name of an exchange calendar; give one such as XNYS, or off")  # noqa: TRY004 - pydantic turns only ValueError into a message
    word = name.strip()
    if word.casefold() in ("", *OFF_WORDS):
        return None
    if word == ALWAYS:
        return word
    by_fold = {known.casefold(): known for known in calendar_names()}
    if word.casefold() in by_fold:
        return by_fold[word.casefold()]
    near = get_close_matches(word.casefold(), by_fold, n=1)
    hint = f"did you mean {by_fold[near[0]]}?" if near else "give one such as XNYS, XLON or 24/7, or off"
    raise ValueError(f"{name!r} is not an exchange calendar; {hint}")


class TradingHours:
    """The hours of one exchange, on UTC nanosecond stamps; read from its calendar when first asked.

    Open and close both belong to the session, so a daily bar stamped at the close finds the market open; lunch breaks
    are closed between their ends. Sessions that follow each other without a pause count as one. Every question raises
    ValueError for a stamp that the calendar does not reach (most reach from 1970 to 2050).
    """

    __slots__ = ("_begins", "_ends", "_first", "_last", "name")

    def __init__(self, name: str | None) -> None:
        """`name` as `known_calendar` answers it; None is a market that never closes."""
        self.name = name
        self._begins, self._ends = [0], [_FOREVER]
        # a range that holds no stamp makes the first question load the calendar
        self._first, self._last = (0, _FOREVER) if name in (None, ALWAYS) else (1, 0)

    @classmethod
    def of(cls, name: str | None) -> TradingHours:
        """Hours by the calendar's name; None, off and 24/7 are always open. Raises ValueError for unknown names."""
        return cls(known_calendar(name))

    def load(self) -> TradingHours:
        """Read the calendar now, so that no first order waits for it. Raises ValueError when it cannot be built."""
        if self._first > self._last:
            known = self._exchange()
            self._begins, self._ends = known.begins, known.ends
            self._first, self._last = known.begins[0], known.ends[-1]
        return self

    def is_open(self, ts: int) -> bool:
        """Whether the market trades at a stamp."""
        if not self._first <= ts <= self._last:
            self._reach(ts)
        return ts <= self._ends[bisect_right(self._begins, ts) - 1]

    def next_open(self, ts: int) -> int:
        """The first stamp not before `ts` at which the market is open: `ts` itself while it is."""
        if not self._first <= ts <= self._last:
            self._reach(ts)
        return max(ts, self._begins[bisect_left(self._ends, ts)])

    def opened_since(self, ts: int) -> int:
        """When the market last opened, at or before `ts`; 0 when it never closes.

        The age of a price at `ts` is then counted from the later of the two: over a night or a lunch break no price
        could come. While the market is closed this is the last opening, so a price goes on ageing.
        """
        if not self._first <= ts <= self._last:
            self._reach(ts)
        return self._begins[bisect_right(self._begins, ts) - 1]

    def closed_why(self, ts: int) -> str | None:
        """None while open, else one line: `XNYS is closed (weekend); opens 2024-01-08 09:30 EST`."""
        if self.is_open(ts):
            return None
        known = self._exchange()
        opens = known.local(self.next_open(ts))
        return f"{self.name} is closed ({known.closed_because(ts)}); opens {opens:%Y-%m-%d %H:%M %Z}"

    def _exchange(self) -> Exchange:
        return exchange(self.name or ALWAYS)

    def _reach(self, ts: int) -> None:
        """Read the calendar if it was not yet, then raise ValueError for a stamp outside it."""
        self.load()
        if not self._first <= ts <= self._last:
            self._exchange().reach(ts)
