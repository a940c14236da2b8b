"""Periods and session days: the first moment of a day is in it, and the one before is not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import ConfigError
from live._periods import Days, Span, bucket, bucket_name, span_of

CONFIGS = [
    "data: {source: market.us_equities:UsEquities}",
    "data: {source: market.us_equities:UsEquities}\nrisk: {session_start: '17:00'}",
    "data: {source: x:Y, zone: Asia/Kolkata}",
    "data: {source: x:Y, zone: Australia/Lord_Howe}",
    "data: {source: x:Y, zone: UTC}\nrisk: {session_calendar: XNYS}",
    "data: {source: x:Y, zone: UTC}\nrisk: {session_calendar: XTKS}",
]
DAYS = [Days.of_run({"config": config}) for config in CONFIGS]
DATES = st.dates(date(2000, 1, 1), date(2035, 1, 1))
NOW = 1_795_219_200_000_000_000  # 2026-11-21 00:00 UTC


@given(days=st.sampled_from(DAYS), day=DATES)
def test_a_day_begins_with_its_first_nanosecond(days: Days, day: date) -> None:
    begin = days.begin_of(day)
    assert days.day_of(begin) >= day
    assert days.day_of(begin - 1) < day


@given(days=st.sampled_from(DAYS), day=DATES)
def test_days_end_on_a_quarter_of_an_hour_or_a_nanosecond_later(days: Days, day: date) -> None:
    """Only the last snapshot of a quarter is looked at for the equity at the end of a day."""
    assert days.begin_of(day) % (900 * 10**9) in (0, 1)


@given(day=DATES, by=st.sampled_from(["day", "week", "month"]))
def test_a_day_is_in_its_week_and_month(day: date, by: str) -> None:
    first = bucket(day, by)
    assert first <= day < first + timedelta(days=31)
    assert bucket(first, by) == first
    assert bucket_name(bucket(day, by), by) == {
        "day": day.isoformat(),
        "week": f"{day.isocalendar().year}-W{day.isocalendar().week:02d}",
        "month": day.isoformat()[:7],
    }.get(by)


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("1d", "2026-11-20"),
        ("today", "2026-11-20"),
        ("7d", "2026-11-14"),
        ("2w", "2026-11-07"),
        ("1mo", "2026-10-21"),
        ("9mo", "2026-02-21"),
        ("1y", "2025-11-21"),
    ],
)
def test_a_period_begins_with_a_whole_day(period: str, first: str) -> None:
    days = DAYS[0]  # New York, where it is still the 20th
    assert span_of({"period": period}, days, NOW) == Span(days.begin_of(date.fromisoformat(first)))


def test_hours_are_counted_to_the_second_and_all_has_no_beginning() -> None:
    assert span_of({"period": "6h"}, DAYS[0], NOW) == Span(NOW - 6 * 3_600 * 10**9)
    assert span_of({"period": "all"}, DAYS[0], NOW) == span_of({}, DAYS[0], NOW) == Span()


@pytest.mark.parametrize("days", DAYS[:4])
@pytest.mark.parametrize("key", ["since", "until"])
@pytest.mark.parametrize("day", ["0001-01-01", "1600-01-01", "2400-01-01", "9999-12-31"])
@pytest.mark.parametrize("time", ["", "T00:00", "T23:59:59.999999+00:00"])
def test_a_bound_that_is_far_away_is_none_or_fits_the_journal(
    days: Days, key: str, day: str, time: str
) -> None:
    found = span_of({key: day + time}, days, NOW)
    is_early = day < "1970"
    if is_early is (key == "since"):
        assert found == Span()
        return
    bound = found.since_ns if key == "since" else found.until_ns
    assert bound is not None
    assert -(2**63) <= bound < 2**63
    assert (bound < NOW) is is_early


@pytest.mark.parametrize("days", DAYS[4:])
def test_a_bound_that_is_far_away_is_none_where_a_calendar_does_not_reach(days: Days) -> None:
    assert span_of({"since": "0001-01-01", "until": "9999-12-31"}, days, NOW) == Span()


@pytest.mark.parametrize("period", ["900y", "9999mo", "99999w", "99999y"])
def test_a_period_that_reaches_back_too_far_is_refused(period: str) -> None:
    with pytest.raises(ConfigError, match=f"period={period}: reaches back too far"):
        span_of({"period": period}, DAYS[0], NOW)


@pytest.mark.parametrize(
    "config", ["", "[]", "data: {source: nowhere:Gone}", "data: {source: x:Y, zone: Mars}", "{"]
)
def test_a_config_that_does_not_tell_means_utc_and_says_so(config: str) -> None:
    assert Days.of_run({"config": config}).told == "days of UTC (the config of the run does not tell its own)"


def test_the_days_of_a_run_are_told() -> None:
    assert [days.told for days in DAYS] == [
        "days of America/New_York",
        "days of America/New_York that begin at 17:00",
        "days of Asia/Kolkata",
        "days of Australia/Lord_Howe",
        "session days of XNYS, times of UTC",
        "session days of XTKS, times of UTC",
    ]
