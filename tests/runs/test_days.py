"""Does every bar belong to the session day a trader would put it in?"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from runs.days import day_ends
from tests.runs.records import NEW_YORK


def ns(text: str, zone: str) -> int:
    return (
        int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp())
        * 1_000_000_000
    )


def ends(zone: str, *stamps: str) -> list[int]:
    found: list[int] = day_ends(np.array([ns(text, zone) for text in stamps], np.int64), zone).tolist()
    return found


def test_the_last_bar_of_each_day_is_kept() -> None:
    assert ends(NEW_YORK, "2024-01-02 10:00", "2024-01-02 16:00", "2024-01-03 16:00") == [1, 2]


def test_a_bar_that_ends_at_midnight_belongs_to_the_day_before() -> None:
    assert ends("UTC", "2024-01-02 23:00", "2024-01-03 00:00", "2024-01-03 01:00") == [1, 2]


def test_days_are_those_of_the_zone_not_of_utc() -> None:
    """20:00 in New York is already the next day in UTC."""
    assert ends(NEW_YORK, "2024-01-02 16:00", "2024-01-02 20:00", "2024-01-03 09:30") == [1, 2]


def test_the_day_the_clocks_change_is_one_day() -> None:
    assert ends(NEW_YORK, "2024-03-10 00:30", "2024-03-10 23:30", "2024-03-11 00:30") == [1, 2]


def test_without_a_bar_there_is_no_day() -> None:
    assert ends("UTC") == []
