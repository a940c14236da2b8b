"""A broker's equity that nothing explains is not believed, and silence is no equity: both block, neither trips."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breaker import Breakers, EquityWatch
from risk.limits import RiskConfig
from risk.sessions import SessionDays
from tests.driving import OPEN

SECOND = 1_000_000_000
EXPLAINED = Decimal(100_000)


def told(watch: EquityWatch, *readings: float | str | None, start: int = 0) -> list[bool]:
    """Whether each reading, a second apart, was believed."""
    return [
        watch.believe((start + n) * SECOND, None if each is None else Decimal(str(each)), EXPLAINED)
        is not None
        for n, each in enumerate(readings)
    ]


def test_a_jump_of_five_percent_and_back_is_never_believed() -> None:
    watch = EquityWatch(0)
    assert told(watch, 100_000, 95_000) == [True, False]
    assert watch.refuses(SECOND) == (
        "UNTRUSTED_EQUITY: the broker says 95,000.00, fills and prices make it 100,000.00, and no second answer agrees "
        "yet; only reducing orders pass"
    )
    assert told(watch, 100_000, start=2) == [True]
    assert watch.refuses(2 * SECOND) is None


def test_a_jump_that_flickers_is_never_believed() -> None:
    assert told(EquityWatch(0), *[100_000, 95_000] * 10) == [True, False] * 10


def test_a_second_answer_that_agrees_is_believed() -> None:
    assert told(EquityWatch(0), 100_000, 95_000, 95_010, 95_020) == [True, False, True, True]


def test_the_same_answer_again_is_not_a_second_one() -> None:
    watch = EquityWatch(0)
    assert [watch.believe(7, Decimal(95_000), EXPLAINED) for _ in range(3)] == [None, None, None]
    assert watch.believe(8, Decimal(95_000), EXPLAINED) == 95_000


def test_two_jumps_that_do_not_agree_are_not_believed() -> None:
    assert told(EquityWatch(0), 100_000, 95_000, 90_000, 85_000, 85_000) == [True, False, False, False, True]


def test_what_fills_and_prices_explain_is_no_jump() -> None:
    watch = EquityWatch(0)
    falls = [100_000, 90_000, 60_000, 110_000]
    assert all(
        watch.believe(n * SECOND, Decimal(each), Decimal(each)) == each for n, each in enumerate(falls)
    )


def test_a_steady_difference_is_believed_once_a_second_answer_has_it() -> None:
    watch = EquityWatch(0)
    told(watch, 99_000, 99_000)
    assert watch.believe(9 * SECOND, Decimal(79_000), Decimal(80_000)) == 79_000


def test_the_tolerance_is_kept_when_it_is_met_exactly() -> None:
    assert told(EquityWatch(0), "99500.00") == [True]
    assert told(EquityWatch(0), "99499.99") == [False]


@pytest.mark.parametrize("silence", [[], [None] * 61, ["NaN"] * 61])
def test_a_minute_without_an_answer_blocks_new_exposure(silence: list[str | None]) -> None:
    watch = EquityWatch(0)
    told(watch, *silence)
    assert watch.refuses(60 * SECOND) is None
    assert watch.refuses(61 * SECOND) == (
        "EQUITY_UNKNOWN: no equity from the broker for 61 s, limit 60 s; only reducing orders pass"
    )
    assert told(watch, 100_000, start=61) == [True]
    assert watch.refuses(61 * SECOND) is None


def test_a_clock_that_went_back_an_hour_is_no_answer() -> None:
    watch = EquityWatch(3_600 * SECOND)
    assert watch.refuses(3_601 * SECOND) is None
    assert watch.refuses(SECOND) is not None
    told(watch, 100_000, start=2)
    assert watch.refuses(3 * SECOND) is None


@given(
    st.lists(
        st.one_of(st.none(), st.decimals(95_500, 104_500, places=2), st.decimals(1, 90_000, places=2)),
        max_size=40,
    )
)
def test_no_breaker_trips_on_readings_that_stand_alone(readings: list[Decimal | None]) -> None:
    """Between any two readings that jump, one that does not: the breaker sees only what is believed."""
    limits = RiskConfig(**{**OPEN, "max_drawdown_pct": "0.09"})
    one = Breakers(limits, SessionDays.of("UTC", "00:00"), EXPLAINED)
    watch = EquityWatch(0)
    for number, reading in enumerate(readings):
        for ts, each in ((2 * number, reading), (2 * number + 1, EXPLAINED)):
            equity = watch.believe(ts, each, EXPLAINED)
            assert equity is None or one.read(ts, equity) == []
    assert not one.halted
