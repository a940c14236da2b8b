"""The parts of the monitor: characters that draw a curve, and rows of the journal told as events."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.config import JournalConfig
from journal.reader import Reader
from live._monitor_events import Events
from live._show import age
from live._sparkline import sparkline
from live._status_text import amount
from tests.journal.filled import fill


def test_a_curve_runs_from_its_lowest_to_its_highest_value() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == ["▁▂▃▄▅▆▇█"]
    assert sparkline([0, 10], 2, 2) == [" █", "▁█"]
    assert sparkline([0, 10], 2, 2, ascii_only=True) == [" @", ".@"]


def test_few_values_are_stretched_over_the_width() -> None:
    assert sparkline([0, 10], 6) == ["▁▁▁███"]


def test_values_that_are_all_the_same_lie_in_the_middle() -> None:
    assert sparkline([5, 5, 5], 3) == ["▄▄▄"]


def test_a_curve_without_values_is_empty() -> None:
    assert sparkline([], 8, 2) == ["", ""]


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300), st.integers(2, 80), st.integers(1, 4))
def test_a_curve_fills_its_room_and_its_highest_column_its_height(
    values: Sequence[float], width: int, height: int
) -> None:
    lines = sparkline(values, width, height)
    assert [len(line) for line in lines] == [width] * height
    if len(values) <= width and min(values) < max(values):
        full = [column for column in zip(*lines, strict=True) if set(column) == {"█"}]
        assert full
    assert all(" " not in line for line in lines[-1:])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    config = JournalConfig(path=tmp_path_factory.mktemp("told") / "journal.db")
    fill(config)
    return Reader(config)


def test_events_are_told_newest_first_and_only_of_the_account(reader: Reader) -> None:
    events = Events("paper:alpaca_paper").read(reader)
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    told = {(event.what, event.text) for event in events}
    for what, text in (
        ("FILL", "BUY 10 AAPL.XNAS at 100  EmaCross-001"),
        ("CANCELED", "BUY 5 MSFT.XNAS MARKET"),
        ("REFUSED", "BUY 1,000 AAPL.XNAS: MAX_POSITION: would be 28.4% of equity; limit 10.0%"),
        ("TRIP", "DAILY_LOSS: equity fell by 152.00"),
        ("TRADE", "LONG 10 AAPL.XNAS closed: +98.00 USD, +9.80%"),
        ("CRITICAL", "DAILY_LOSS: equity fell by 152.00"),
        ("DONE", "resume: done"),
    ):
        assert (what, text) in told, (what, text)
    assert any(event.what == "COMMAND" and event.text.startswith("resume by ") for event in events)
    assert not any("IBM" in event.text for event in events)


def test_events_that_were_read_are_not_read_again(reader: Reader) -> None:
    events = Events("paper:alpaca_paper")
    first = list(events.read(reader))
    assert list(events.read(reader)) == first


@pytest.mark.parametrize(
    ("secs", "text"),
    [
        (None, "-"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (59.9, "59 s"),
        (200, "3m 20s"),
        (7_500, "2h 5m"),
        (273_600, "3d 4h"),
    ],
)
def test_ages_are_told_as_a_person_says_them(secs: float | None, text: str) -> None:
    assert age(secs) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_amounts_are_plain_text_to_eight_places(value: object) -> None:
    from decimal import Decimal  # noqa: PLC0415 - only its type is needed elsewhere

    assert isinstance(value, Decimal)
    text = amount(value)
    assert text is not None
    assert "E" not in text.upper()
    assert text != "-0"
    assert abs(Decimal(text) - value) <= Decimal("0.000000005")
