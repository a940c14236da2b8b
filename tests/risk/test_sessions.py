"""Does every moment belong to one session day, in order, by the clock of a zone or the sessions of an exchange?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.sessions import NANOS, SessionDays

CALENDARS = (None, "XNYS", "XHKG", "XTKS", "CMES", "24/5", "24/7")
ZONES = ("America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC")


def stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * NANOS


YEARS = st.integers(stamp("1998-01-01T00:00Z"), stamp("2049-12-01T00:00Z"))


@st.composite
def any_days(draw: st.DrawFn) -> SessionDays:
    start = draw(st.sampled_from(("00:00", "17:00", "02:30")))
    return SessionDays.of(draw(st.sampled_from(ZONES)), start, draw(st.sampled_from(CALENDARS)))


@given(any_days(), YEARS)
def test_every_stamp_lies_before_the_end_of_its_day_and_the_next_day_begins_there(
    days: SessionDays, ts: int
) -> None:
    name, ends = days.day_of(ts)
    assert ts < ends
    assert days.day_of(ends - 1) == (name, ends)
    following, later = days.day_of(ends)
    assert following > name
    assert later > ends


@given(any_days(), st.lists(YEARS, min_size=2, max_size=5))
def test_later_stamps_never_belong_to_earlier_days(days: SessionDays, stamps: list[int]) -> None:
    found = [days.day_of(ts) for ts in sorted(stamps)]
    for (name, ends), (following, later) in pairwise(found):
        assert (following, later) == (name, ends) or (following > name and later > ends)


@pytest.mark.parametrize(
    ("calendar", "when", "day", "close"),
    [
        ("XNYS", "2024-01-03T12:00-05:00", "2024-01-03", "2024-01-03T16:00-05:00"),
        (
            "XNYS",
            "2024-01-03T16:00-05:00",
            "2024-01-03",
            "2024-01-03T16:00-05:00",
        ),  # a bar stamped at the close
        ("XNYS", "2024-01-03T16:01-05:00", "2024-01-04", "2024-01-04T16:00-05:00"),  # the evening
        ("XNYS", "2024-01-06T12:00-05:00", "2024-01-08", "2024-01-08T16:00-05:00"),  # a weekend
        ("XNYS", "2023-12-30T12:00-05:00", "2024-01-02", "2024-01-02T16:00-05:00"),  # a long one
        ("XNYS", "2023-07-03T13:00-04:00", "2023-07-03", "2023-07-03T13:00-04:00"),  # a short day
        ("XNYS", "2023-07-03T13:01-04:00", "2023-07-05", "2023-07-05T16:00-04:00"),
        ("XNYS", "2024-03-09T12:00-05:00", "2024-03-11", "2024-03-11T16:00-04:00"),  # clocks go forward
        ("XNYS", "2024-11-02T12:00-04:00", "2024-11-04", "2024-11-04T16:00-05:00"),  # and back
        ("XNYS", "1985-01-02T12:00-05:00", "1985-01-02", "1985-01-02T16:00-05:00"),
        (
            "XHKG",
            "2024-01-03T12:30+08:00",
            "2024-01-03",
            "2024-01-03T16:00+08:00",
        ),  # a lunch break ends no day
        (
            "CMES",
            "2024-01-07T18:00-06:00",
            "2024-01-08",
            "2024-01-08T17:00-06:00",
        ),  # opens the evening before
        ("24/7", "2024-01-06T12:00+00:00", "2024-01-06", "2024-01-07T00:00+00:00"),
    ],
)
def test_with_a_calendar_a_day_ends_just_after_its_close(
    calendar: str, when: str, day: str, close: str
) -> None:
    days = SessionDays.of("America/New_York", "00:00", calendar)
    assert days.day_of(stamp(when)) == (day, stamp(close) + 1)


def test_the_day_changes_one_nanosecond_after_the_close() -> None:
    days, close = SessionDays.of("UTC", "00:00", "XNYS"), stamp("2024-01-05T16:00-05:00")
    assert [days.day_of(close + nanos)[0] for nanos in (-1, 0, 1)] == [
        "2024-01-05",
        "2024-01-05",
        "2024-01-08",
    ]


def test_off_is_no_calendar() -> None:
    assert SessionDays.of("UTC", "17:00", "off") == SessionDays.of("UTC", "17:00")


def test_an_unknown_calendar_is_refused_when_the_days_are_made() -> None:
    with pytest.raises(ValueError, match=r"'XNSY' is not an exchange calendar; did you mean XNYS\?"):
        SessionDays.of("UTC", "00:00", "XNSY")


def test_years_a_calendar_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="calendar XTKS is known from 1997-01-06 to"):
        SessionDays.of("UTC", "00:00", "XTKS").day_of(stamp("1990-06-01T12:00Z"))


@pytest.mark.parametrize(
    ("when", "ends"),
    [
        ("2024-03-09T17:00-05:00", "2024-03-10T17:00-04:00"),  # 23 hours
        ("2024-11-02T17:00-04:00", "2024-11-03T17:00-05:00"),  # 25 hours
    ],
)
def test_without_a_calendar_a_day_keeps_its_local_hour_across_daylight_saving(when: str, ends: str) -> None:
    days = SessionDays.of("America/New_York", "17:00")
    day = date.fromisoformat(ends[:10]).isoformat()
    assert days.day_of(stamp(when)) == (day, stamp(ends))
    assert days.day_of(stamp(ends) - 1) == (day, stamp(ends))
    assert days.day_of(stamp(ends))[0] > day
