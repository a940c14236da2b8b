"""Longer bars out of minutes: by their stamps alone, whatever order and however often the minutes come."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some
from nautilus_trader.model import BarType

from adapters.alpaca._parsing_data import Candle
from adapters.alpaca.bars import MINUTE_NANOS, Builder, Length, bucket_of, daily_end, length_of, merged
from adapters.errors import AdapterError
from tests.adapters.alpaca.data_driving import at, clock_of

FIVE = Length(5 * MINUTE_NANOS)


def minute(number: int, price: int = 100) -> Candle:
    """The minute that begins so many minutes after 14:30."""
    start = at("14:30") + number * MINUTE_NANOS
    value = Decimal(price)
    return Candle(start, start + MINUTE_NANOS, value, value + 1, value - 1, value, Decimal(10))


def built(builder: Builder, *minutes: Candle) -> list[Candle]:
    return [bar for each in minutes for bar in builder.add(each)]


def test_a_bar_is_complete_with_its_last_minute() -> None:
    bars = built(Builder(FIVE, is_crypto=False), *(minute(number, 100 + number) for number in range(5)))
    assert [str(bar[2:]) for bar in bars] == [str(tuple(map(Decimal, (100, 105, 99, 104, 50))))]
    assert clock_of(bars[0].end) == "14:35"


def test_a_bar_without_its_last_minute_is_complete_when_a_newer_one_comes_or_time_passes() -> None:
    builder = Builder(FIVE, is_crypto=False)
    assert built(builder, minute(1)) == []
    assert [clock_of(bar.end) for bar in built(builder, minute(7))] == ["14:35"]
    assert builder.flush(at("14:39")) == []
    assert [clock_of(bar.end) for bar in builder.flush(at("14:40"))] == ["14:40"]


def test_what_comes_late_or_twice_changes_no_bar_that_was_handed_on() -> None:
    builder = Builder(FIVE, is_crypto=False)
    (bar,) = built(builder, *(minute(number) for number in range(5)))
    assert built(builder, minute(2, 500), *(minute(number) for number in range(5))) == []
    assert bar.high == 101


def test_a_correction_counts_while_the_bar_is_being_built() -> None:
    builder = Builder(FIVE, is_crypto=False)
    built(builder, minute(0), minute(1))
    builder.correct(minute(1, 200))
    assert [bar.high for bar in built(builder, minute(4))] == [201]


def test_what_is_left_of_a_session_at_its_close_is_a_bar_that_ends_there() -> None:
    builder = Builder(Length(60 * MINUTE_NANOS), is_crypto=False, close_after=lambda _: at("14:50"))
    bars = built(builder, *(minute(number) for number in range(20)))
    assert [clock_of(bar.end) for bar in bars] == ["14:50"]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("1-MINUTE", 1), ("15-MINUTE", 15), ("1-HOUR", 60), ("4-HOUR", 240), ("1-DAY", 1440)],
)
def test_lengths_that_alpaca_can_give(text: str, minutes: int) -> None:
    assert length_of(BarType.from_str(f"BTC/USD.ALPACA-{text}-LAST-EXTERNAL")).minutes == minutes


@pytest.mark.parametrize(
    "kind", ["30-SECOND-LAST-EXTERNAL", "1-MINUTE-BID-EXTERNAL", "100-TICK-LAST-EXTERNAL"]
)
def test_other_bars_are_refused_in_one_line(kind: str) -> None:
    with pytest.raises(AdapterError, match="Alpaca gives bars of trades from 1 minute to 1 day"):
        length_of(BarType.from_str(f"AAPL.ALPACA-{kind}"))


def test_long_bars_begin_at_midnight_of_the_market() -> None:
    four = Length(240 * MINUTE_NANOS)
    share = bucket_of(at("15:01"), four, is_crypto=False)
    coin = bucket_of(at("15:01"), four, is_crypto=True)
    assert [clock_of(ts) for ts in (*share, *coin)] == ["13:00", "17:00", "12:00", "16:00"]
    assert clock_of(daily_end(at("06:00"))) == "06:00"


@given(
    some.permutations(range(60)),
    some.sets(some.integers(0, 59), max_size=50),
    some.sampled_from([2, 5, 15, 30, 60]),
)
def test_the_bars_of_an_hour_are_those_of_its_minutes(order: list[int], lost: set[int], length: int) -> None:
    """Sorted, with any minutes missing and each told twice: every bar is the merger of the minutes in its time."""
    start = at("14:00")
    minutes = {number: minute(number - 30, 100 + order[number]) for number in range(60) if number not in lost}
    builder = Builder(Length(length * MINUTE_NANOS), is_crypto=False)
    bars = built(builder, *(each for number in sorted(minutes) for each in (minutes[number],) * 2))
    bars += builder.flush(start + 60 * MINUTE_NANOS)
    expected = []
    for first in range(0, 60, length):
        inside = [minutes[number] for number in range(first, first + length) if number in minutes]
        if inside:
            begin = start + first * MINUTE_NANOS
            expected.append(merged(inside, begin, begin + length * MINUTE_NANOS))
    assert bars == expected
