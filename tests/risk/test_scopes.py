"""A breaker of one strategy or one venue halts that one alone, and the book's halts everything."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breaker import Breakers, RiskState, ScopeLimits, Trip, resumed
from risk.limits import RiskConfig
from risk.sessions import SessionDays
from tests.driving import DAY, OPEN, T0

NEW_YORK = SessionDays.of("America/New_York", "00:00")
A, B, XNAS = "strategy:A-001", "strategy:B-001", "venue:XNAS"
OPEN_LIMITS = RiskConfig(**OPEN)


def line(scope: str, **keys: Any) -> ScopeLimits:
    exact = {key: Decimal(each) if isinstance(each, str) else each for key, each in keys.items()}
    return ScopeLimits.only(scope, OPEN_LIMITS, **exact)


def breakers(*lines: ScopeLimits, state: RiskState | None = None, **given_limits: Any) -> Breakers:
    limits = RiskConfig(**{**OPEN, **given_limits})
    return Breakers(limits, NEW_YORK, Decimal(100_000), state, scopes=lines)


def read(one: Breakers, equity: float = 100_000, **values: float | str) -> list[Trip]:
    names = {"a": A, "b": B, "xnas": XNAS}
    return one.read(
        T0, Decimal(equity), scoped={names[key]: Decimal(str(each)) for key, each in values.items()}
    )


def restarted(one: Breakers, *lines: ScopeLimits, state: RiskState | None = None) -> Breakers:
    kept = RiskState.from_row(json.loads(json.dumps((state or one.state).as_row())))
    return Breakers(one.limits, NEW_YORK, Decimal(1), kept, scopes=lines)


def test_a_strategys_loss_is_a_fraction_of_the_books_equity() -> None:
    one = breakers(line(A, max_drawdown_pct="0.05"))
    assert read(one, a=1_000) == []
    assert read(one, a="-3999.99") == []
    (trip,) = read(one, a=-4_000)
    assert (trip.breaker, trip.scope) == ("DRAWDOWN", A)
    assert (trip.equity, trip.reference) == (Decimal(-4_000), Decimal(1_000))
    assert trip.reason == (
        "DRAWDOWN: strategy:A-001 result -4,000.00 is 5,000.00 below peak 1,000.00, 5.00% of equity 100,000.00; "
        "trips at -4,000.00"
    )


def test_the_fraction_is_of_the_equity_at_the_reference() -> None:
    one = breakers(line(A, max_drawdown_pct="0.05"))
    read(one, 200_000, a=10_000)  # a peak, with the book at 200,000
    assert read(one, 150_000, a="0.01") == []
    assert len(read(one, 150_000, a=0)) == 1


def test_a_strategys_halt_refuses_that_strategy_alone() -> None:
    one = breakers(line(A, max_daily_loss="500"), line(B, max_daily_loss="500"))
    (trip,) = read(one, a=-500, b=-499)
    assert not one.halted
    assert list(one.halted_scopes) == [A]
    assert one.refuses("A-001", "XNAS") == f"HALTED: {trip.reason}"
    assert one.refuses("B-001", "XNAS") is None


def test_a_venues_halt_refuses_every_strategy_there() -> None:
    one = breakers(line(XNAS, max_drawdown_pct="0.1"))
    read(one, xnas=50_000)
    (trip,) = read(one, xnas=45_000)
    assert trip.reason == (
        "DRAWDOWN: venue:XNAS equity 45,000.00 is 10.00% below peak 50,000.00; trips at 45,000.00"
    )
    assert one.refuses("A-001", "XNAS") == f"HALTED: {trip.reason}"
    assert one.refuses("A-001", "BINANCE") is None


def test_the_books_halt_is_the_first_reason() -> None:
    one = breakers(line(A, max_daily_loss="500"), max_drawdown="1000")
    trips = read(one, 99_000, a=-1_000)
    assert [trip.scope for trip in trips] == ["book", A]
    assert one.refuses("A-001", "XNAS") == f"HALTED: {trips[0].reason}"
    assert one.refuses("B-001", "XNAS") == f"HALTED: {trips[0].reason}"


def test_a_halt_for_another_reason_keeps_to_its_scope() -> None:
    one = breakers()
    one.halt(Trip("OPERATOR", "OPERATOR: asked for", T0, scope=B))
    assert one.refuses("B-001", "XNAS") == f"HALTED: {B}: OPERATOR: asked for"
    assert one.refuses("A-001", "XNAS") is None
    assert restarted(one).halted_scopes == (B,)  # no line is needed to keep a halt


def test_a_line_that_is_taken_away_lifts_no_halt() -> None:
    one = breakers(line(A, max_drawdown="500"))
    read(one, a=-500)
    assert restarted(one).refuses("A-001", "XNAS") is not None


def test_a_daily_halt_of_a_scope_ends_with_its_day_and_a_drawdown_does_not() -> None:
    one = breakers(line(A, max_daily_loss="500"), line(B, max_drawdown="500"))
    one.roll(T0, Decimal(100_000))
    read(one, a=-500, b=-500)
    assert list(one.halted_scopes) == [A, B]
    values = {A: Decimal(-500), B: Decimal(-500)}
    assert one.roll(T0 + DAY, Decimal(100_000), values)
    assert list(one.halted_scopes) == [B]
    assert read(one, a=-999, b=-999) == []
    assert [trip.scope for trip in read(one, a=-1_000)] == [A]


def test_a_strategys_result_goes_on_over_a_restart() -> None:
    """A run's result begins at zero again; what earlier runs made is added to it."""
    lines = [line(A, max_drawdown="500")]
    one = breakers(*lines)
    read(one, a=2_000)
    again = restarted(one, *lines)
    assert again.watch_levels(A) == (
        Decimal(-400),
        Decimal(0),
    )  # as this run counts: 2,000 is zero, and 80% of 500 below warns
    assert read(again, a="-499.99") == []
    assert len(read(again, a=-500)) == 1


def test_a_venue_begins_with_its_first_reading() -> None:
    one = breakers(line(XNAS, max_daily_loss_pct="0.1", max_drawdown_pct="0.1"))
    one.roll(T0, Decimal(100_000))
    assert read(one) == []
    assert read(one, xnas=20_000) == []
    assert read(one, xnas=18_001) == []
    assert len(read(one, xnas=18_000)) == 1


def test_a_scope_without_a_reading_stays_as_it_was() -> None:
    one = breakers(line(A, max_drawdown="500"), line(XNAS, max_drawdown="500"))
    read(one, a=-400, xnas=50_000)
    assert read(one, 50_000) == []
    assert one.state.scopes[A].equity == -400


def test_confirmation_counts_in_each_scope_alone() -> None:
    one = breakers(line(A, max_drawdown="500"), line(B, max_drawdown="500"))
    values = [(-500, 0), (-501, -500), (-502, -501), (-503, -502)]
    found = [
        [t.scope for t in one.read(T0, Decimal(100_000), 3, {A: Decimal(a), B: Decimal(b)})]
        for a, b in values
    ]
    assert found == [[], [], [A], [B]]


def test_warnings_are_told_for_each_scope() -> None:
    one = breakers(line(A, max_daily_loss="500"), max_daily_loss="1000")
    read(one, 99_100, a=-450)
    assert [notice.scope for notice in one.take_notices()] == ["book", A]
    read(one, 99_050, a=-460)
    assert one.take_notices() == []


def test_resuming_one_strategy_leaves_everything_else_as_it_is() -> None:
    lines = [line(A, max_drawdown="500"), line(B, max_drawdown="500")]
    one = breakers(*lines, max_drawdown="3000")
    read(one, 110_000, a=0, b=0)
    read(one, 107_500, a=-600, b=-700)
    after = resumed(one.state, A)
    again = restarted(one, *lines, state=after)
    assert again.halted_scopes == (B,)
    assert again.state.peak == 110_000  # the book has not forgotten its drawdown
    assert (after.scopes[A].peak, after.scopes[A].day_start) == (Decimal(-600), Decimal(-600))
    assert read(again, 107_500, a="-499.99") == []  # measured from -600
    assert [trip.scope for trip in read(again, 107_001, a=-500)] == [A]


def test_resuming_the_book_alone_leaves_its_strategies_halted() -> None:
    one = breakers(line(A, max_drawdown="500"), max_drawdown="1000")
    read(one, 99_000, a=-500)
    assert (resumed(one.state, "book").halted, resumed(one.state, "book").halted_scopes) == (False, (A,))
    assert (resumed(one.state).halted, resumed(one.state).halted_scopes) == (False, ())


def test_what_is_not_halted_keeps_its_references_when_everything_is_resumed() -> None:
    one = breakers(line(A, max_drawdown="500"), max_drawdown="3000")
    read(one, 98_000, a=-500)
    after = resumed(one.state)
    assert (after.peak, after.scopes[A].peak) == (Decimal(100_000), Decimal(-500))


def test_flattening_that_was_not_finished_ends_with_the_books_resume() -> None:
    one = breakers(max_drawdown="1000")
    read(one, 99_000)
    one.state.flattening = True
    assert restarted(one).state.flattening
    assert not resumed(one.state).flattening


@pytest.mark.parametrize("scope", ["book", "", "strategy", "strategy:", "account", "asset_class:crypto"])
def test_a_scope_is_a_strategy_or_a_venue(scope: str) -> None:
    with pytest.raises(ValueError, match="is no scope"):
        line(scope, max_drawdown="500")


def test_two_lines_of_one_scope_are_one_too_many() -> None:
    with pytest.raises(ValueError, match="watched already"):
        breakers(line(A, max_drawdown="500"), line(A, max_drawdown="400"))


def test_a_line_takes_over_no_breaker_of_the_book() -> None:
    only = ScopeLimits.only(A, RiskConfig(latch_daily_loss=True), max_daily_loss=Decimal(5))
    assert (only.limits.max_daily_loss, only.limits.latch_daily_loss) == (Decimal(5), True)
    assert (only.limits.max_drawdown_pct, only.limits.max_daily_loss_pct) == (None, None)


AMOUNT = st.decimals(-2_000, 2_000, places=2)
STEP = st.one_of(
    st.tuples(st.just("read"), AMOUNT, AMOUNT),
    st.tuples(st.sampled_from(["day", "restart", "resume"]), st.just(Decimal(0)), st.just(Decimal(0))),
)


@given(st.lists(STEP, max_size=40))
def test_scopes_trip_exactly_when_a_slow_recomputation_of_each_says_so(
    steps: list[tuple[str, Decimal, Decimal]],
) -> None:
    """Two strategies' results make the book's equity; each is worked out from its own list of values."""
    lines = [line(A, max_drawdown_pct="0.02", max_daily_loss="1500"), line(B, max_drawdown="3000")]
    one, ts = breakers(*lines, max_drawdown_pct="0.05"), T0
    one.roll(ts, Decimal(100_000))
    total, since = {A: Decimal(0), B: Decimal(0)}, {A: Decimal(0), B: Decimal(0)}
    values: dict[str, list[Decimal]] = {A: [Decimal(0)], B: [Decimal(0)], "book": [Decimal(100_000)]}
    books, day = (
        [Decimal(100_000)],
        Decimal(0),
    )  # the book's equity at each value of A, and A's at the day's start
    halted: dict[str, str] = {}
    for kind, a, b in steps:
        if kind == "day":
            ts, day = ts + DAY, total[A]
            one.roll(ts, 100_000 + total[A] + total[B], since)
            halted = {scope: breaker for scope, breaker in halted.items() if breaker != "DAILY_LOSS"}
        if kind == "restart":
            one, since = restarted(one, *lines), {A: Decimal(0), B: Decimal(0)}
        if kind == "resume":
            one, since = restarted(one, *lines, state=resumed(one.state)), {A: Decimal(0), B: Decimal(0)}
            for scope in halted:
                values[scope] = values[scope][-1:]
            if A in halted:
                books, day = [100_000 + total[A] + total[B]], total[A]
            halted = {}
        if kind != "read":
            continue
        for scope, amount in ((A, a), (B, b)):
            total[scope], since[scope] = total[scope] + amount, since[scope] + amount
            values[scope].append(total[scope])
        values["book"].append(100_000 + total[A] + total[B])
        books.append(values["book"][-1])
        base = books[values[A].index(max(values[A]))]
        expected = {
            "book": ["DRAWDOWN"] * (values["book"][-1] <= max(values["book"]) * Decimal("0.95")),
            A: ["DRAWDOWN"] * (total[A] <= max(values[A]) - base * Decimal("0.02"))
            + ["DAILY_LOSS"] * (total[A] <= day - 1_500),
            B: ["DRAWDOWN"] * (total[B] <= max(values[B]) - 3_000),
        }
        new = {
            s: found[0]
            for s, found in expected.items()
            if found and halted.get(s) not in ("DRAWDOWN", found[0])
        }
        trips = one.read(ts, values["book"][-1], scoped=since)
        assert {trip.scope: trip.breaker for trip in trips} == new
        halted |= new
