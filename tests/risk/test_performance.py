"""Closed trades that go badly halt trading: too many losses in a row, too few winners, too low a Sharpe ratio."""

from __future__ import annotations

import json
import math
import statistics
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breaker import Breakers, RiskState, ScopeLimits, Trip, resumed
from risk.limits import RiskConfig
from risk.performance import TradeWindow, _is_below, first_broken, sharpe_of
from risk.sessions import SessionDays
from tests.driving import DAY, OPEN, T0

NEW_YORK = SessionDays.of("America/New_York", "00:00")
BASE = Decimal(1_000)


def limits(**given_limits: Any) -> RiskConfig:
    return RiskConfig(**{**OPEN, **given_limits})


def breakers(**given_limits: Any) -> Breakers:
    return Breakers(limits(**given_limits), NEW_YORK, Decimal(100_000))


def close(one: Breakers, *results: float | str, strategy: str = "A-001") -> list[Trip]:
    return [trip for each in results for trip in one.closed_trade(strategy, Decimal(str(each)), BASE, T0)]


def test_consecutive_losses_trip_at_the_limit_and_not_before() -> None:
    one = breakers(max_consecutive_losses=3)
    assert close(one, -1, -1) == []
    (trip,) = close(one, "-2.50")
    assert (trip.breaker, trip.scope, trip.ts) == ("CONSECUTIVE_LOSSES", "book", T0)
    assert trip.reason == "CONSECUTIVE_LOSSES: 3 closed trades in a row lost 4.50 together; limit 3"
    assert one.halted


@pytest.mark.parametrize("between", [1, 0])
def test_a_trade_that_does_not_lose_ends_a_streak(between: int) -> None:
    assert close(breakers(max_consecutive_losses=3), -1, -1, between, -1, -1) == []


def test_a_streak_may_be_longer_than_the_window() -> None:
    one = breakers(max_consecutive_losses=6, performance_trades=2)
    assert len(close(one, -1, -1, -1, -1, -1, -1)) == 1


def test_win_rate_is_kept_when_it_is_met_exactly() -> None:
    one = breakers(min_win_rate="0.5", performance_trades=4)
    assert close(one, -1, -1, -1) == []  # fewer than four are not judged
    assert [trip.breaker for trip in close(one, 1)] == ["WIN_RATE"]
    kept = breakers(min_win_rate="0.5", performance_trades=4)
    assert close(kept, 1, -1, -1, 1, 1, -1) == []
    (trip,) = close(kept, -1, 0)  # the window is now 1, -1, -1, 0: one that came out even is no win
    assert trip.reason == "WIN_RATE: 1 of the last 4 closed trades won, 25.0%; limit 50.0%"


def test_sharpe_trips_below_its_floor() -> None:
    one = breakers(min_sharpe="0.5", performance_trades=4)
    assert close(one, 10, -5, 20) == []
    assert close(one, 10) == []  # mean 8.75, deviation 10.31: 0.85
    (trip,) = close(one, -20)  # -5, 20, 10, -20
    assert trip.reason == (
        "SHARPE: mean over standard deviation of the last 4 closed trades' returns is 0.07; limit 0.50"
    )


def test_a_sharpe_ratio_is_kept_when_it_is_met_exactly() -> None:
    """The mean of -1, 2/3, 2/3, 2/3 is 0.25 and their deviation 0.8333...: exactly 0.3, which floats miss."""
    trades = [(Decimal(-1), Decimal(1)), *[(Decimal(2), Decimal(3))] * 3]
    window = TradeWindow(trades=trades)
    assert first_broken(window, limits(min_sharpe="0.3", performance_trades=4)) is None
    assert first_broken(window, limits(min_sharpe="0.3000000000001", performance_trades=4)) is not None


def test_returns_are_measured_against_each_trades_own_base() -> None:
    """The same money on ten times the amount is a tenth of the return."""
    trades = [(Decimal(10), Decimal(100)), (Decimal(10), Decimal(1_000)), (Decimal(-5), Decimal(100))]
    returns = [0.1, 0.01, -0.05]
    assert sharpe_of(trades) == pytest.approx(statistics.mean(returns) / statistics.stdev(returns))


@pytest.mark.parametrize(
    ("results", "ratio"), [([-1, -1, -1], -math.inf), ([2, 2, 2], math.inf), ([0, 0, 0], None), ([5], None)]
)
def test_returns_that_do_not_differ_have_no_spread(results: list[int], ratio: float | None) -> None:
    assert sharpe_of([(Decimal(each), BASE) for each in results]) == ratio


def test_only_losses_of_the_same_size_are_below_any_sharpe() -> None:
    assert [trip.breaker for trip in close(breakers(min_sharpe="-3", performance_trades=2), -1, -1)] == [
        "SHARPE"
    ]


def test_the_halt_lasts_until_a_person_lifts_it_and_then_counts_anew() -> None:
    one = breakers(max_consecutive_losses=2, max_daily_loss_pct="0.5")
    one.roll(T0, Decimal(100_000))
    close(one, -1, -1)
    one.roll(T0 + 2 * DAY, Decimal(100_000))
    assert one.halted
    assert close(one, -1, -1, -1) == []  # halted: nothing trips twice
    kept = RiskState.from_row(json.loads(json.dumps(one.state.as_row())))
    again = Breakers(one.limits, NEW_YORK, Decimal(1), kept)
    assert again.halted
    lifted = Breakers(one.limits, NEW_YORK, Decimal(1), resumed(kept))
    assert not lifted.halted
    assert close(lifted, -1) == []
    assert len(close(lifted, -1)) == 1


def test_a_streak_survives_a_restart() -> None:
    one = breakers(max_consecutive_losses=3)
    close(one, -1, "-1.25")
    again = Breakers(one.limits, NEW_YORK, Decimal(1), RiskState.from_row(one.state.as_row()))
    (trip,) = close(again, -1)
    assert "lost 3.25 together" in trip.reason


def test_performance_is_judged_while_a_daily_loss_halts() -> None:
    one = breakers(max_consecutive_losses=2, max_daily_loss_pct="0.01")
    one.roll(T0, Decimal(100_000))
    one.read(T0, Decimal(99_000))
    assert len(close(one, -1, -1)) == 1
    one.roll(T0 + DAY, Decimal(99_000))
    assert one.halted


def test_each_strategy_and_venue_is_judged_by_its_own_trades() -> None:
    run = limits(max_consecutive_losses=4)
    lines = [
        ScopeLimits.only("strategy:A-001", run, max_consecutive_losses=2),
        ScopeLimits.only("venue:XNAS", run, max_consecutive_losses=3),
    ]
    one = Breakers(run, NEW_YORK, Decimal(100_000), scopes=lines)
    found = [
        [trip.scope for trip in one.closed_trade(strategy, Decimal(-1), BASE, T0, venue="XNAS")]
        for strategy in ("A-001", "B-001", "A-001", "B-001")
    ]
    assert found == [[], [], ["strategy:A-001", "venue:XNAS"], ["book"]]
    assert "CONSECUTIVE_LOSSES: strategy:A-001: 2 closed trades" in str(
        one.state.scopes["strategy:A-001"].reason
    )


def test_trades_are_kept_only_where_they_are_judged() -> None:
    one = breakers()
    close(one, -1, 1)
    assert one.state.trades == TradeWindow()


@pytest.mark.parametrize(("pnl", "base"), [("1", "0"), ("1", "-5"), ("NaN", "1"), ("1", "Infinity")])
def test_a_trade_without_a_base_is_refused(pnl: str, base: str) -> None:
    with pytest.raises(ValueError, match="a base above zero"):
        breakers(min_sharpe="0").closed_trade("A-001", Decimal(pnl), Decimal(base), T0)


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 5)), max_size=40),
    st.integers(2, 6),
    st.sampled_from([None, 2, 4]),
    st.sampled_from([None, "0.25", "0.5"]),
    st.sampled_from([None, "-0.5", "0", "0.3"]),
)
def test_windows_say_what_a_slow_recomputation_of_all_trades_says(
    trades: list[tuple[int, int]], count: int, losses: int | None, wins: str | None, ratio: str | None
) -> None:
    run = limits(performance_trades=count, max_consecutive_losses=losses, min_win_rate=wins, min_sharpe=ratio)
    window, seen = TradeWindow(), []
    for pnl, base in trades:
        seen.append((pnl, base))
        window.add(Decimal(pnl), Decimal(base), count)
        window = TradeWindow.from_row(json.loads(json.dumps(window.as_row())))
        found = first_broken(window, run)
        assert (found and found[0]) == _slowly(seen, run)


RETURNS = st.tuples(
    st.sampled_from([0, 1, -1, 7, -12_345, 10**9, -(10**13)]), st.integers(-12, 3), st.integers(1, 10**6)
)


@given(st.lists(RETURNS, min_size=2, max_size=30), st.integers(2, 5), st.data())
def test_running_sums_clear_no_window_that_fractions_say_is_below(
    given_trades: list[tuple[int, int, int]], count: int, data: st.DataObject
) -> None:
    """Whatever sizes came and went before, and however near the floor lies to the ratio."""
    window = TradeWindow()
    for digits, places, base in given_trades:
        window.add(Decimal(digits).scaleb(places), Decimal(base), count)
    kept = TradeWindow(trades=window.trades[:])
    assert window.won == kept.won == sum(pnl > 0 for pnl, _ in kept.trades)
    ratio = sharpe_of(window.trades)
    near = 0.0 if ratio is None or not math.isfinite(ratio) else ratio
    step = data.draw(
        st.sampled_from([0.0, 1e-16, 1e-12, 1e-8, 1e-3, 1.0, -1e-16, -1e-12, -1e-8, -1e-3, -1.0])
    )
    floor = near + step * max(1.0, abs(near))
    assert window.clears(floor) == kept.clears(floor)
    if window.clears(floor):
        assert not _is_below(window.trades, Fraction(floor))


def test_sums_clear_what_lies_well_above_the_floor() -> None:
    """So that hardly any closed trade costs a look at all of them."""
    window = TradeWindow(trades=[(Decimal(n % 7 - 2), Decimal(100)) for n in range(60)])
    ratio = sharpe_of(window.trades)
    assert ratio is not None
    assert window.clears(ratio - 1e-6)
    assert not window.clears(ratio + 1e-6)


def _slowly(trades: list[tuple[int, int]], run: RiskConfig) -> str | None:
    most, count = run.max_consecutive_losses, run.performance_trades
    if most is not None and len(trades) >= most:
        streak = len("".join("L" if pnl < 0 else "." for pnl, _ in trades).split(".")[-1])
        if streak >= most:
            return "CONSECUTIVE_LOSSES"
    last = trades[-count:]
    if len(last) < count:
        return None
    if run.min_win_rate is not None and Decimal(sum(p > 0 for p, _ in last)) / count < run.min_win_rate:
        return "WIN_RATE"
    if run.min_sharpe is None or not any(pnl for pnl, _ in last):
        return None
    returns = [Fraction(pnl, base) for pnl, base in last]
    mean, variance = statistics.mean(returns), statistics.variance(returns)
    floor = Fraction(run.min_sharpe)
    if (mean < 0) != (floor < 0):
        return "SHARPE" if mean < floor else None
    shorter = mean**2 < floor**2 * variance
    longer = mean**2 > floor**2 * variance
    return "SHARPE" if (longer if mean < 0 else shorter) else None
