"""Is a market open exactly when its exchange is, on short days, through lunch and across daylight saving?"""

from __future__ import annotations

import subprocess
import sys
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import exchange_calendars
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from risk.calendars import NANOS, exchange
from risk.hours import TradingHours, known_calendar
from risk.limits import RiskConfig

MINUTE = 60 * NANOS
CHECKED = ("XNYS", "XLON", "XHKG", "XTKS", "XASX", "CMES", "24/5", "24/7")
SAMPLE = ("2011-01-01", "2026-12-31")  # years that every calendar above knows


def stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * NANOS


def hours(name: str | None = "XNYS") -> TradingHours:
    return TradingHours.of(name)


@contextmanager
def theirs_to_warn() -> Iterator[None]:
    """exchange_calendars 4.13 uses what pandas 3.1 calls deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


@cache
def library(name: str) -> Any:
    """exchange_calendars' own idea, for other years than Keel asks it for; its minutes are [open, close)."""
    with theirs_to_warn():
        return exchange_calendars.get_calendar(name, start=SAMPLE[0], end=SAMPLE[1], side="left")


@cache
def closings(name: str) -> frozenset[int]:
    calendar = library(name)
    return frozenset(calendar.closes_nanos.tolist()) | frozenset(calendar.break_starts_nanos.tolist())


@st.composite
def moments(draw: st.DrawFn, within: tuple[str, ...] = CHECKED) -> tuple[str, int]:
    """A calendar and a whole minute: anywhere, or within two minutes of an open, a close or a break."""
    name = draw(st.sampled_from(within))
    calendar = library(name)
    first, last = int(calendar.opens_nanos[0]), int(calendar.closes_nanos[-1]) - 5 * MINUTE
    minute = st.integers(first // MINUTE, last // MINUTE).map(lambda number: number * MINUTE)
    edges = [calendar.opens_nanos, calendar.closes_nanos]
    if (calendar.break_starts_nanos > 0).any():
        edges += [calendar.break_starts_nanos, calendar.break_ends_nanos]
    at, column = draw(st.integers(0, len(calendar.opens_nanos) - 2)), draw(st.sampled_from(edges))
    near = st.integers(-2, 2).map(lambda minutes: int(column[at]) + minutes * MINUTE)
    ts = draw(st.one_of(minute, near))
    assume(first <= ts <= last)  # a session without a break has none to be near
    return name, ts


@given(moments())
def test_open_minutes_are_those_of_the_library_and_the_closes_themselves(moment: tuple[str, int]) -> None:
    name, ts = moment
    with theirs_to_warn():
        theirs = library(name).is_open_on_minute(pd.Timestamp(ts, tz="UTC")) or ts in closings(name)
    assert hours(name).is_open(ts) == theirs


@given(moments(), st.integers(0, MINUTE - 1))
def test_the_next_open_is_never_before_and_is_open_and_nothing_between_is(
    moment: tuple[str, int], nanos: int
) -> None:
    name, ts = moment[0], moment[1] + nanos
    found = hours(name)
    opens = found.next_open(ts)
    assert opens >= ts
    assert found.is_open(opens)
    assert (opens == ts) == found.is_open(ts)
    if opens > ts:
        assert not found.is_open(opens - 1)
        assert not found.is_open((ts + opens) // 2)


@given(moments(), st.integers(0, MINUTE - 1))
def test_the_last_opening_is_not_after_and_trading_went_on_from_it(
    moment: tuple[str, int], nanos: int
) -> None:
    name, ts = moment[0], moment[1] + nanos
    found = hours(name)
    since = found.opened_since(ts)
    assert since <= ts
    assert found.is_open(since)
    assert since == 0 or not found.is_open(since - 1)
    if found.is_open(ts):
        assert found.is_open((since + ts) // 2)


@given(moments(), st.integers(0, MINUTE - 1))
def test_a_reason_is_one_line_and_given_exactly_while_closed(moment: tuple[str, int], nanos: int) -> None:
    name, ts = moment[0], moment[1] + nanos
    why = hours(name).closed_why(ts)
    assert (why is None) == hours(name).is_open(ts)
    assert why is None or (why.startswith(f"{name} is closed (") and "\n" not in why)


@pytest.mark.parametrize("name", CHECKED[:-1])
def test_spans_of_trading_never_meet_and_hold_every_session(name: str) -> None:
    known = exchange(name)
    assert all(begin < end for begin, end in zip(known.begins, known.ends, strict=True))
    assert all(end < begin for end, begin in zip(known.ends[:-1], known.begins[1:], strict=True))
    for edge in (*known.opens, *known.closes):
        at = bisect_right(known.begins, edge) - 1
        assert known.begins[at] <= edge <= known.ends[at]


@pytest.mark.parametrize(
    ("name", "opens", "closes"),
    [
        ("XNYS", "2023-01-10T09:30-05:00", "2023-01-10T16:00-05:00"),
        ("XNYS", "2023-07-03T09:30-04:00", "2023-07-03T13:00-04:00"),  # short day before Independence Day
        ("XNYS", "2023-11-24T09:30-05:00", "2023-11-24T13:00-05:00"),  # short day after Thanksgiving
        ("XNYS", "1987-10-19T09:30-04:00", "1987-10-19T16:00-04:00"),
        ("XNYS", "2040-02-01T09:30-05:00", "2040-02-01T16:00-05:00"),
        ("XLON", "2023-12-22T08:00+00:00", "2023-12-22T12:30+00:00"),
        ("XNYS", "2024-03-08T09:30-05:00", "2024-03-08T16:00-05:00"),  # before clocks go forward
        ("XNYS", "2024-03-11T09:30-04:00", "2024-03-11T16:00-04:00"),  # after
        ("XNYS", "2024-11-01T09:30-04:00", "2024-11-01T16:00-04:00"),  # before clocks go back
        ("XNYS", "2024-11-04T09:30-05:00", "2024-11-04T16:00-05:00"),  # after
        ("XASX", "2024-04-05T10:00+11:00", "2024-04-05T16:00+11:00"),  # the southern half turns the other way
        ("XASX", "2024-04-08T10:00+10:00", "2024-04-08T16:00+10:00"),
        ("XHKG", "2024-01-03T09:30+08:00", "2024-01-03T12:00+08:00"),
        ("XHKG", "2024-01-03T13:00+08:00", "2024-01-03T16:00+08:00"),
        ("XHKG", "2024-02-09T09:30+08:00", "2024-02-09T12:00+08:00"),  # New Year's Eve: no afternoon
        ("XTKS", "2024-01-04T09:00+09:00", "2024-01-04T11:30+09:00"),
        ("XTKS", "2024-01-04T12:30+09:00", "2024-01-04T15:00+09:00"),
        ("XTKS", "2024-11-05T12:30+09:00", "2024-11-05T15:30+09:00"),  # Tokyo closes later since that day
        ("24/5", "2024-01-08T00:00+00:00", "2024-01-13T00:00+00:00"),
        ("CMES", "2024-01-07T17:00-06:00", "2024-01-12T17:00-06:00"),
        ("CMES", "2024-03-10T17:00-05:00", "2024-03-15T17:00-05:00"),  # opens on the day clocks went forward
    ],
)
def test_trading_goes_on_from_open_to_close_both_included(name: str, opens: str, closes: str) -> None:
    found, first, last = hours(name), stamp(opens), stamp(closes)
    assert [found.is_open(ts) for ts in (first - 1, first, (first + last) // 2, last, last + 1)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert {found.opened_since(ts) for ts in (first, last, last + 1)} == {first}
    assert found.next_open(first - 1) == first
    assert found.next_open(last) == last


@pytest.mark.parametrize(
    ("name", "when", "why"),
    [
        ("XNYS", "2024-01-01T12:00-05:00", "holiday: New Year's Day); opens 2024-01-02 09:30 EST"),
        ("XNYS", "2001-09-12T12:00-04:00", "holiday); opens 2001-09-17 09:30 EDT"),
        ("XNYS", "1985-09-27T12:00-04:00", "holiday); opens 1985-09-30 09:30 EDT"),
        ("XNYS", "2024-03-09T12:00-05:00", "weekend); opens 2024-03-11 09:30 EDT"),
        ("XNYS", "2024-11-02T12:00-04:00", "weekend); opens 2024-11-04 09:30 EST"),
        ("XNYS", "2024-01-03T09:29-05:00", "before the open); opens 2024-01-03 09:30 EST"),
        ("XNYS", "2024-01-03T16:01-05:00", "since 16:00); opens 2024-01-04 09:30 EST"),
        ("XNYS", "2023-07-03T14:00-04:00", "short day, since 13:00); opens 2023-07-05 09:30 EDT"),
        ("XHKG", "2024-01-03T12:30+08:00", "midday break); opens 2024-01-03 13:00 HKT"),
        ("XTKS", "2024-09-16T12:00+09:00", "holiday: Respect for the Aged Day); opens 2024-09-17 09:00 JST"),
        ("CMES", "2024-01-07T16:00-06:00", "weekend); opens 2024-01-07 17:00 CST"),
        ("24/5", "2024-01-06T00:01+00:00", "weekend); opens 2024-01-08 00:00 UTC"),
    ],
)
def test_a_refusal_can_say_why_and_until_when_it_is_closed(name: str, when: str, why: str) -> None:
    assert hours(name).closed_why(stamp(when)) == f"{name} is closed ({why}"


def test_a_price_from_before_a_closed_time_ages_from_the_opening() -> None:
    monday = hours().opened_since(stamp("2024-01-08T09:31-05:00"))
    assert monday == stamp("2024-01-08T09:30-05:00")
    after_lunch = hours("XHKG").opened_since(stamp("2024-01-03T13:05+08:00"))
    assert after_lunch == stamp("2024-01-03T13:00+08:00")


def test_a_price_ages_on_over_midnight_where_nothing_closes() -> None:
    just_after_midnight = stamp("2024-01-10T00:01+00:00")
    assert hours("24/5").opened_since(just_after_midnight) == stamp("2024-01-08T00:00+00:00")
    assert hours("24/7").opened_since(just_after_midnight) == 0


@pytest.mark.parametrize("name", [None, "24/7"])
@given(ts=st.integers(0, 2**63 - 1))
@example(ts=stamp("2024-01-06T12:00-05:00"))
@example(ts=stamp("2160-01-01T00:00+00:00"))
def test_a_market_without_calendar_never_closes(name: str | None, ts: int) -> None:
    found = hours(name)
    assert found.is_open(ts)
    assert found.closed_why(ts) is None
    assert found.next_open(ts) == ts
    assert found.opened_since(ts) == 0


@pytest.mark.parametrize(
    ("name", "when", "known"),
    [
        ("XTKS", "1995-03-03T12:00+09:00", "XTKS is known from 1997-01-06 to 2050-12-30, not at 1995-03-03 03:00 UTC"),
        ("XNYS", "1969-06-02T12:00-04:00", "XNYS is known from 1970-01-02 to 2050-12-30, not at 1969-06-02 16:00 UTC"),
        ("XNYS", "2051-06-02T12:00-04:00", "XNYS is known from 1970-01-02 to 2050-12-30, not at 2051-06-02 16:00 UTC"),
    ],
)  # fmt: skip
def test_years_a_calendar_does_not_know_are_refused_by_name(name: str, when: str, known: str) -> None:
    found = hours(name)
    for question in (found.is_open, found.next_open, found.opened_since, found.closed_why):
        with pytest.raises(ValueError, match=known):
            question(stamp(when))


def test_other_names_of_a_calendar_have_its_hours() -> None:
    christmas = stamp("2023-12-25T12:00-05:00")
    assert hours("NASDAQ").next_open(christmas) == hours("XNYS").next_open(christmas)
    assert str(hours("NASDAQ").closed_why(christmas)).startswith("NASDAQ is closed (holiday: Christmas)")


def test_every_calendar_of_the_library_can_be_named() -> None:
    names = set(exchange_calendars.get_calendar_names())
    assert {known_calendar(name) for name in names} == names


@pytest.mark.parametrize("name", ["XETR", "XTSE", "XBOM", "XSHG", "IEPA", "us_futures"])
def test_a_calendar_says_each_day_of_a_year_when_it_opens_next(name: str) -> None:
    """Mumbai and Shanghai know only the years whose holidays were published: they must load all the same."""
    found, day = hours(name).load(), stamp("2024-01-01T00:00Z")
    for ts in range(day, stamp("2025-01-01T00:00Z"), 24 * 60 * MINUTE):
        assert found.next_open(ts) - ts < 12 * 24 * 60 * MINUTE  # Shanghai's new year is the longest rest


def test_a_calendar_that_the_library_cannot_build_says_so_in_one_short_line() -> None:
    """exchange_calendars 4.13 fails on Tel Aviv with pandas 3.1, in a message of 100,000 letters."""
    try:
        hours("XTAE").load()
    except ValueError as error:
        said = str(error)
    else:
        pytest.skip("this exchange_calendars builds XTAE")
    assert said.startswith("exchange_calendars cannot build XTAE (")
    assert said.endswith("; choose another calendar, or off")
    assert len(said) < 160


@pytest.mark.parametrize("word", [None, False, "off", "OFF", " none ", "null", ""])
def test_off_words_mean_no_calendar(word: object) -> None:
    assert known_calendar(word) is None


@pytest.mark.parametrize(
    ("given_name", "name"), [("XNYS", "XNYS"), (" xnys ", "XNYS"), ("nasdaq", "NASDAQ"), ("24/7", "24/7")]
)
def test_a_known_name_is_spelled_as_the_library_does(given_name: str, name: str) -> None:
    assert known_calendar(given_name) == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("XNSY", "'XNSY' is not an exchange calendar; did you mean XNYS?"),
        ("nasdq", "'nasdq' is not an exchange calendar; did you mean NASDAQ?"),
        ("weekdays", "'weekdays' is not an exchange calendar; give one such as XNYS, XLON or 24/7, or off"),
        (True, "True is not the name of an exchange calendar; give one such as XNYS, or off"),
    ],
)
def test_an_unknown_name_is_one_line_with_the_closest_match(name: object, hint: str) -> None:
    with pytest.raises(ValueError, match=r"exchange calendar") as raised:
        known_calendar(name)
    assert str(raised.value) == hint
    with pytest.raises(ValidationError, match="trading_hours"):
        RiskConfig.model_validate({"trading_hours": name})


def test_limits_without_a_calendar_cost_no_heavy_import() -> None:
    """Promise: a run starts in seconds, so pandas and the calendars load only where one is named."""
    program = (
        "import sys\n"
        "from risk.limits import RiskConfig\n"
        "from risk.hours import TradingHours\n"
        "assert RiskConfig(trading_hours='24/7').trading_hours == '24/7'\n"
        "assert TradingHours.of(RiskConfig().trading_hours).is_open(1)\n"
        "print(sorted({'pandas', 'exchange_calendars'} & set(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
