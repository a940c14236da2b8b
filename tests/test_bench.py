"""`make bench` measures every limit there is, on the same work for both sides, and every part of it runs."""

from __future__ import annotations

from types import NoneType
from typing import Any, get_args

import pytest

from bench import everything_on
from bench.__main__ import PARTS, main
from bench.made import SYMBOLS, made
from bench.process import MeasurementError, apart, here
from bench.sizes import DENSITIES, OFTEN, Sizes
from bench.workload import STRATEGY, config_of
from risk.hours import TradingHours
from risk.limits import RiskConfig

pytestmark = pytest.mark.slow

TINY = Sizes(
    bars=1_500,
    quotes=1_500,
    bar_pairs=1,
    quote_pairs=1,
    resting=10,
    breaches=1,
    starts=1,
    handed_on=80,
    commits=50,
    rows=900,
    hours=2,
    quotes_a_second=1,
    sweep_trials=4,
    sweep_rounds=1,
    sweep_whole=4,
    large_number=3,
    large_days=2,
    large_times=2,
    large_chunk=1_000,
    alpaca_orders=10,
)


def switches() -> dict[str, Any]:
    """Field of RiskConfig that can be off -> the value it then has."""
    can_be_off: dict[str, Any] = {}
    for name, field in RiskConfig.model_fields.items():
        if field.annotation is bool:
            can_be_off[name] = name.startswith("allow_")  # to allow something is to have no limit on it
        elif NoneType in get_args(field.annotation) or field.default is None:
            can_be_off[name] = None
        elif field.default == ():
            can_be_off[name] = ()
    return can_be_off


def test_the_switches_of_every_kind_are_found() -> None:
    found = switches()
    assert found["max_leverage"] is None
    assert found["trading_hours"] is None
    assert found["allow_short"] is True
    assert found["dry_run"] is False
    assert found["overrides"] == ()
    assert "tick_confirmations" not in found


@pytest.mark.parametrize("kind", STRATEGY)
def test_every_limit_that_can_be_off_is_on_or_left_out_for_a_reason(kind: str) -> None:
    risk = config_of(kind, 20, 50).risk
    off = {name for name, value in switches().items() if getattr(risk, name) == value}
    assert off <= everything_on.LEFT_OUT.keys()


def test_what_is_left_out_is_a_limit_that_exists_and_is_not_set_as_well() -> None:
    assert everything_on.LEFT_OUT.keys() <= RiskConfig.model_fields.keys()
    assert not everything_on.LEFT_OUT.keys() & everything_on.LIMITS.keys()


@pytest.mark.parametrize("kind", DENSITIES)
def test_both_sides_send_the_same_orders_and_nothing_is_refused(kind: str) -> None:
    bare, keel = (
        here("bench.workload", side, kind, 3_000, OFTEN.fast, OFTEN.slow, OFTEN.drift)
        for side in ("bare", "keel")
    )
    assert bare["orders"] == keel["orders"] > 20
    assert keel["spoilt"] == 0


def test_decisions_are_timed_by_what_they_are_about() -> None:
    timed = here("bench.workload", "timed", "bars", 3_000, OFTEN.fast, OFTEN.slow, OFTEN.drift)
    entries, exits = timed["entries"], timed["exits"]
    assert entries[0] + exits[0] == timed["orders"]
    assert 0 < entries[1] <= entries[2]
    again = here("bench.workload", "keel", "bars", 3_000, OFTEN.fast, OFTEN.slow, OFTEN.drift)
    assert again["entries"][0] == 0


@pytest.mark.parametrize("kind", DENSITIES)
def test_what_is_made_is_the_same_every_time_and_lies_inside_trading_hours(kind: str) -> None:
    first, second = made(kind, 1_000), made(kind, 1_000)
    hours = TradingHours.of("XNYS")
    assert [str(row) for row in first.rows] == [str(row) for row in second.rows]
    assert all(hours.is_open(row.ts_event) for row in first.rows)
    assert len(first.rows) == 1_000
    assert first.symbols == SYMBOLS


@pytest.mark.parametrize("kind", ["none", "sqlite"])
def test_an_order_is_timed_from_its_bar_and_the_journal_has_it(kind: str) -> None:
    measured = here("bench.latency", kind, 120)
    assert measured["orders"] == 70
    assert 0 < measured["median_us"] <= measured["late_us"]
    assert (measured["rows"] > 4 * 120) is (kind == "sqlite")


@pytest.mark.parametrize("on_trip", ["cancel", "flatten"])
def test_a_breach_cancels_every_order_and_the_clock_runs_from_it(on_trip: str) -> None:
    measured = here("bench.breach", on_trip, 20)
    assert measured["working"] == measured["canceled"] == 20
    assert "DRAWDOWN" in measured["trips"]
    assert measured["sent_ms"] > 0
    assert measured["canceled_ms"] > 0
    assert bool(measured["left"]) is (on_trip == "cancel")


@pytest.mark.parametrize("part", PARTS)
def test_each_part_measures_and_prints_its_table(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([part], TINY, here) == 0
    printed = capsys.readouterr().out
    assert "target" in printed or part == "decisions"
    assert "not the same work" not in printed
    assert "not all canceled" not in printed


def test_a_measurement_can_be_a_process_of_its_own() -> None:
    assert apart("bench.workload", "bare", "bars", 500, 20, 50, 0.0)["secs"] > 0


def test_a_measurement_that_fails_says_so_and_the_bench_ends_with_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: object) -> dict[str, Any]:
        raise MeasurementError("no room")

    assert main(["bars"], TINY, fails) == 1
    assert "bars: a measurement failed\nno room" in capsys.readouterr().out


def test_a_process_that_fails_hands_on_what_it_said() -> None:
    with pytest.raises(MeasurementError, match="KeyError: 'shares'"):
        apart("bench.workload", "bare", "shares", 10, 20, 50, 0.0)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(SystemExit) as refused:
        main(["everything"])
    assert refused.value.code == 2
