"""When shares trade, as the broker says it, and stamps in all the forms it writes them in."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgpack import Timestamp

from adapters.alpaca._parsing_data import exact, nanos_of, text_of
from adapters.alpaca.calendar import Calendar, day_of, read_calendar, read_clock, session_of
from tests.adapters.alpaca.data_driving import TEN, api_of, broker, clock_of

WEEK = [
    {"date": "2026-11-25", "open": "09:30", "close": "16:00"},
    {"date": "2026-11-27", "open": "09:30", "close": "13:00"},
    {"date": "2026-11-30", "open": "0930", "close": "1600"},
]


def ns(text: str) -> int:
    return nanos_of(f"2026-11-{text}Z")


def test_a_half_day_ends_when_the_broker_says() -> None:
    calendar = Calendar([session_of(row) for row in WEEK])
    half = calendar.of_day(date(2026, 11, 27))
    assert half is not None
    assert [clock_of(ts) for ts in (half.opens, half.closes)] == ["14:30", "18:00"]
    assert calendar.session_at(ns("27T17:59:59")) == half
    assert calendar.session_at(ns("27T18:00:00")) is None
    assert calendar.of_day(date(2026, 11, 26)) is None
    following = calendar.next_after(ns("27T18:00:00"))
    assert following is not None
    assert following.day == date(2026, 11, 30)
    assert calendar.inside(ns("27T17:59:00"), ns("27T18:00:00"))
    assert not calendar.inside(ns("27T18:00:00"), ns("27T18:01:00"))
    assert day_of(ns("28T02:00:00")) == date(2026, 11, 27)


def test_clock_and_calendar_come_from_the_broker(tmp_path: Path) -> None:
    async def read() -> None:
        clock = await read_clock(api)
        assert (clock.is_open, text_of(clock.now_ns)) == (True, TEN)
        calendar = await read_calendar(api, clock.now_ns, clock.now_ns)
        now = calendar.session_at(clock.now_ns)
        assert now is not None
        assert (now.day, now.closes) == (date(2013, 2, 1), clock.next_close_ns)
        assert calendar.back(clock.now_ns, 2) < now.opens

    with broker(tmp_path, "instruments=AAPL") as one, api_of(one) as api:
        asyncio.run(read())


@given(some.integers(0, 4_000_000_000), some.integers(0, 999_999_999))
def test_a_stamp_survives_every_form_it_is_written_in(seconds: int, nanos: int) -> None:
    stamp = seconds * 1_000_000_000 + nanos
    assert nanos_of(text_of(stamp)) == stamp
    assert nanos_of(Timestamp(seconds, nanos)) == stamp
    assert nanos_of(text_of(stamp).replace("Z", "+00:00")) == stamp


@pytest.mark.parametrize("stamp", [None, 5, "yesterday", "", True])
def test_what_is_no_stamp_is_a_value_error(stamp: object) -> None:
    with pytest.raises(ValueError, match=r"stamp|isoformat"):
        nanos_of(stamp)


def test_numbers_are_read_as_they_were_written() -> None:
    assert [exact(each) for each in (0.1, 455, "0.000000001", 1e-09)] == [
        Decimal("0.1"), 455, Decimal("1E-9"), Decimal("1E-9"),
    ]  # fmt: skip
    for wrong in (True, None, "x", float("nan"), float("inf"), ""):
        with pytest.raises(ValueError, match="no number"):
            exact(wrong)
