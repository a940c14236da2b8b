"""Which session days is a report about?"""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import ConfigError
from live._periods import Days
from live._report_period import Period, period_of
from risk.sessions import SessionDays
from tests.live.reported import NEW_YORK, new_york

NEWEST = new_york("2010-05-06 15:30")
CLOCK = Days(NEW_YORK, SessionDays.of(NEW_YORK, "00:00"), "days of New York")
EXCHANGE = Days(NEW_YORK, SessionDays.of(NEW_YORK, "00:00", "XNYS"), "sessions of XNYS")
CURRENCIES = Days(NEW_YORK, SessionDays.of(NEW_YORK, "17:00"), "days that begin at 17:00")


def period(days: Days = CLOCK, **given: str) -> Period:
    return period_of(given, days, NEWEST)


def test_without_a_date_it_is_the_day_of_the_newest_stamp() -> None:
    found = period()
    assert (found.first, found.last) == (date(2010, 5, 6), date(2010, 5, 6))
    assert (found.from_ns, found.until_ns) == (new_york("2010-05-06 00:00"), new_york("2010-05-07 00:00"))
    assert (found.name, found.title) == ("2010-05-06", "Thursday 6 May 2010")


def test_a_week_is_monday_to_sunday_and_a_month_is_whole() -> None:
    week, month = period(period="week"), period(period="month", date="2012-02-10")
    assert (week.first, week.last, week.name) == (date(2010, 5, 3), date(2010, 5, 9), "2010-W18")
    assert (month.first, month.last, month.name) == (date(2012, 2, 1), date(2012, 2, 29), "2012-02")


def test_since_and_until_are_both_included() -> None:
    found = period(since="2010-05-03", until="2010-05-04")
    assert (found.from_ns, found.until_ns) == (new_york("2010-05-03 00:00"), new_york("2010-05-05 00:00"))
    assert period(since="2010-05-03").last == date(2010, 5, 6)


def test_a_session_day_of_an_exchange_goes_from_close_to_close() -> None:
    found = period(EXCHANGE, date="2010-05-10")
    assert (found.from_ns, found.until_ns) == (
        new_york("2010-05-07 16:00") + 1,
        new_york("2010-05-10 16:00") + 1,
    )


def test_a_day_without_a_session_is_empty() -> None:
    found = period(EXCHANGE, date="2010-05-08")
    assert found.from_ns == found.until_ns


def test_a_day_that_begins_in_the_evening_before_is_named_by_its_end() -> None:
    found = period(CURRENCIES, date="2010-05-06")
    assert (found.from_ns, found.until_ns) == (new_york("2010-05-05 17:00"), new_york("2010-05-06 17:00"))


@given(st.dates(date(1990, 1, 1), date(2030, 12, 31)), st.sampled_from([CLOCK, EXCHANGE, CURRENCIES]))
def test_days_follow_each_other_without_a_gap(day: date, days: Days) -> None:
    first, second = (period(days, date=str(each)) for each in (day, day + timedelta(days=1)))
    assert first.until_ns == second.from_ns


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"period": "wek"}, "did you mean week?"),
        ({"period": "7d"}, "day, week or month"),
        ({"date": "2010-13-01"}, "not a day"),
        ({"date": "yesterday"}, "2010-05-31"),
        ({"since": "2010-05-07", "until": "2010-05-06"}, "after"),
        ({"until": "2010-05-06"}, "since=2010-05-03"),
        ({"period": "day", "since": "2010-05-06"}, "either"),
        ({"date": "9999-12-31"}, "no session day can be told"),
        ({"date": "1600-01-01"}, "date=1600-01-01: no session day can be told before 1680-01-01"),
        ({"date": "2400-01-01"}, "or after 2260-12-31"),
        ({"date": "0001-01-01"}, "date=0001-01-01"),
        ({"period": "month", "date": "9999-12-05"}, "date=9999-12-05"),
        ({"period": "week", "date": "9999-12-31"}, "date=9999-12-31"),
        ({"since": "1600-01-01"}, "since=1600-01-01"),
        ({"since": "2010-05-07", "until": "9999-12-31"}, "until=9999-12-31"),
    ],
)  # fmt: skip
def test_what_is_no_period_is_refused_in_one_line(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        period_of(given, CLOCK, NEWEST)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", ["day", "week", "month"])
@pytest.mark.parametrize("day", ["1680-01-01", "2260-12-31"])
def test_the_first_and_the_last_day_that_can_be_told_fit_the_journal(day: str, kind: str) -> None:
    found = period(period=kind, date=day)
    assert -(2**63) < found.look_back_ns <= found.from_ns < found.until_ns < 2**63
