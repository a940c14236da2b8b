"""Money that comes or goes without a trade moves what losses are measured from; it trips nothing and lifts nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breaker import Breakers, RiskState, ScopeLimits, resumed
from risk.limits import RiskConfig
from risk.sessions import SessionDays
from tests.driving import DAY, OPEN, T0

NEW_YORK = SessionDays.of("America/New_York", "00:00")
FLOWS = st.decimals(-30_000, 60_000, places=2)


def breakers(start: str = "100000", state: RiskState | None = None, **given_limits: Any) -> Breakers:
    one = Breakers(RiskConfig(**{**OPEN, **given_limits}), NEW_YORK, Decimal(start), state)
    one.roll(T0, Decimal(start))
    return one


def test_a_flow_moves_day_start_peak_and_equity_by_its_amount_and_says_so() -> None:
    one = breakers()
    one.read(1, Decimal(120_000))
    one.read(2, Decimal(110_000))
    notice = one.cash_flow(3, Decimal("-500.50"), "withdrawal")
    assert (one.state.day_start, one.state.peak, one.state.equity) == (
        Decimal("99499.50"), Decimal("119499.50"), Decimal("109499.50"),
    )  # fmt: skip
    assert (notice.kind, notice.ts, notice.scope) == ("CASH_FLOW", 3, "book")
    assert notice.reason == (
        "CASH_FLOW: withdrawal of -500.50; equity 110,000.00 -> 109,499.50, "
        "day start 100,000.00 -> 99,499.50, peak 120,000.00 -> 119,499.50"
    )


@pytest.mark.parametrize("amount", [-99_000, -50_000, -500, 500, 50_000, 10_000_000])
@pytest.mark.parametrize(
    "limits",
    [
        {"max_daily_loss_pct": "0.02"}, {"max_daily_loss": "2000"}, {"max_drawdown_pct": "0.02"},
        {"max_drawdown": "2000"},
    ],
)  # fmt: skip
def test_neither_a_deposit_nor_a_withdrawal_trips_nor_gives_room(limits: dict[str, Any], amount: int) -> None:
    """Equity is a cent above the floor before and after: in fractions, and in money."""
    one = breakers(**limits)
    assert one.read(1, Decimal("98000.01")) == []
    one.cash_flow(2, Decimal(amount), "transfer")
    after = Decimal("98000.01") + amount
    assert one.read(3, after) == []
    allowed = Decimal("0.02") * after if any("pct" in name for name in limits) else Decimal("0.02")
    assert len(one.read(4, after - max(allowed / 100, Decimal("0.02")))) == 1


def test_a_loss_in_fractions_is_that_of_a_unit_of_the_account() -> None:
    """10% down, half of the rest is withdrawn: another 10% of the peak's unit value trips, which is 5,000 of it."""
    one = breakers(max_drawdown_pct="0.2")
    one.read(1, Decimal(90_000))
    one.cash_flow(2, Decimal(-45_000), "withdrawal")
    assert one.read(3, Decimal(45_000)) == []
    assert one.read(4, Decimal("40000.01")) == []
    (trip,) = one.read(5, Decimal(40_000))
    assert trip.reason == "DRAWDOWN: equity 40,000.00 is 20.00% below peak 50,000.00; trips at 40,000.00"


def test_a_loss_in_money_is_the_sum_of_what_was_lost() -> None:
    one = breakers(max_drawdown="20000")
    one.read(1, Decimal(90_000))
    one.cash_flow(2, Decimal(-45_000), "withdrawal")
    assert one.read(3, Decimal("35000.01")) == []
    assert len(one.read(4, Decimal(35_000))) == 1


@pytest.mark.parametrize("amount", [-45_000, 90_000])
def test_both_peaks_are_followed_after_a_flow(amount: int) -> None:
    """After a withdrawal the best unit value is reached first again, after a deposit the best result."""
    one = breakers(max_drawdown_pct="0.5", max_drawdown="10500")
    one.read(1, Decimal(90_000))
    one.cash_flow(2, Decimal(amount), "transfer")
    by_unit = Decimal(100_000) * (90_000 + amount) / 90_000
    by_result = Decimal(100_000) + amount
    between = (by_unit + by_result) / 2
    assert one.watch_levels()[1] == min(by_unit, by_result)
    one.read(3, between)
    floors = {floor for _, floor, _ in one.floors()}
    assert floors == {max(by_unit, between) / 2, max(by_result, between) - 10_500}


@pytest.mark.parametrize("why", ["dividend", "deposit"])
@pytest.mark.parametrize("limits", [{"max_daily_loss_pct": "0.02"}, {"max_drawdown_pct": "0.1"}])
def test_money_that_comes_to_a_halted_account_lifts_nothing(why: str, limits: dict[str, Any]) -> None:
    one = breakers(**limits)
    one.read(1, Decimal(80_000))
    was = (one.state.breaker, one.state.reason)
    one.cash_flow(2, Decimal(1_000_000), why)
    assert one.read(3, Decimal(1_080_000)) == []
    assert one.halted
    assert (one.state.breaker, one.state.reason) == was
    kept = RiskState.from_row(json.loads(json.dumps(one.state.as_row())))
    assert Breakers(one.limits, NEW_YORK, Decimal(1), kept).halted


def test_a_flow_is_no_second_reading_of_a_breach() -> None:
    one = breakers(max_drawdown_pct="0.1")
    one.read(1, Decimal(89_000), 2)
    one.cash_flow(2, Decimal(10_000), "deposit")
    assert one.read(3, Decimal(99_000), 2) == []  # the very same prices
    assert len(one.read(4, Decimal(98_999), 2)) == 1


def test_an_account_that_was_emptied_begins_anew() -> None:
    one = breakers(max_drawdown_pct="0.1", max_daily_loss_pct="0.1")
    one.read(1, Decimal(95_000))
    for amount in (-95_000, 20_000, -30_000, 60_000):  # emptied, filled, overdrawn, filled
        one.cash_flow(2, Decimal(amount), "transfer")
        assert one.read(3, one.state.equity) == []
    assert one.read(4, Decimal("45000.01")) == []
    assert len(one.read(5, Decimal(45_000))) == 1


def test_a_flow_of_a_venue_moves_its_account_and_the_book() -> None:
    limits = RiskConfig(**{**OPEN, "max_drawdown_pct": "0.5"})
    lines = [
        ScopeLimits.only(f"venue:{name}", limits, max_drawdown_pct=Decimal("0.1")) for name in ("A", "B")
    ]
    one = Breakers(limits, NEW_YORK, Decimal(100_000), scopes=lines)
    one.read(1, Decimal(100_000), scoped={"venue:A": Decimal(60_000), "venue:B": Decimal(40_000)})
    notice = one.cash_flow(2, Decimal(-30_000), "withdrawal", scope="venue:A")
    assert notice.scope == "venue:A"
    assert one.read(3, Decimal(70_000), scoped={"venue:A": Decimal(30_000), "venue:B": Decimal(40_000)}) == []
    assert one.state.peak == 70_000
    trips = one.read(4, Decimal(67_000), scoped={"venue:A": Decimal(27_000), "venue:B": Decimal(40_000)})
    assert [trip.scope for trip in trips] == ["venue:A"]


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_a_flow_is_an_amount(amount: str) -> None:
    one = breakers()
    with pytest.raises(ValueError, match="no amount"):
        one.cash_flow(1, Decimal(amount), "deposit")
    assert one.state.peak == 100_000


# -- against a slow recomputation --------------------------------------------------------------------------------------


@dataclass
class Slow:
    """Losses worked out anew at every reading, from all that happened since the references were set.

    In fractions by unit value: returns between flows, linked (time-weighted return). In money by result: equity less
    what was paid in.
    """

    limits: RiskConfig
    since_peak: list[tuple[str, Decimal]] = field(default_factory=lambda: [("read", Decimal(100_000))])
    since_day: list[tuple[str, Decimal]] = field(default_factory=lambda: [("read", Decimal(100_000))])
    halted_by: str | None = None

    def happened(self, kind: str, amount: Decimal) -> None:
        self.since_peak.append((kind, amount))
        self.since_day.append((kind, amount))

    def new_day(self, equity: Decimal) -> None:
        self.since_day = [("read", equity)]
        if self.halted_by == "DAILY_LOSS":
            self.halted_by = None

    def resume(self, equity: Decimal) -> None:
        self.since_peak, self.since_day, self.halted_by = [("read", equity)], [("read", equity)], None

    def lost(self, events: list[tuple[str, Decimal]], *, from_peak: bool) -> tuple[Fraction, Decimal]:
        """Share and amount lost since the start, or since the best moment."""
        unit = best = Fraction(1)
        value = events[0][1]
        paid_in, top = Decimal(0), value
        for kind, amount in events[1:]:
            if kind == "flow":
                value, paid_in = value + amount, paid_in + amount
            else:
                unit, value = unit * Fraction(amount) / Fraction(value), amount
                best = max(best, unit) if from_peak else best
                top = max(top, value - paid_in) if from_peak else top
        return 1 - unit / best, top - (value - paid_in)

    def breached(self) -> tuple[set[str], bool]:
        """Which breakers are at or below their floor, and whether a fraction is too near its limit to be told."""
        hit, near, limits = set(), False, self.limits
        for breaker, events, share, money in (
            ("DAILY_LOSS", self.since_day, limits.max_daily_loss_pct, limits.max_daily_loss),
            ("DRAWDOWN", self.since_peak, limits.max_drawdown_pct, limits.max_drawdown),
        ):
            part, amount = self.lost(events, from_peak=breaker == "DRAWDOWN")
            if share is not None:
                near = near or abs(part - Fraction(share)) < Fraction(1, 10**18)
                hit |= {breaker} if part >= Fraction(share) else set()
            hit |= {breaker} if money is not None and amount >= money else set()
        return hit, near

    def read(self) -> str | None:
        hit, _ = self.breached()
        if self.halted_by not in (None, "DAILY_LOSS") or not hit - {self.halted_by}:
            return None
        found = "DRAWDOWN" if "DRAWDOWN" in hit else "DAILY_LOSS"
        self.halted_by = found
        return found


STEPS = st.one_of(
    st.tuples(st.just("move"), st.decimals(-4_000, 4_000, places=2)),
    st.tuples(st.just("move"), st.decimals(-1_000, 1_000, places=2)),
    st.tuples(st.just("flow"), FLOWS),
    st.tuples(st.sampled_from(["day", "restart", "resume", "back"]), st.just(Decimal(0))),
)
AMOUNTS = {
    "max_daily_loss_pct": st.sampled_from(["off", "0.02", "0.05"]),
    "max_daily_loss": st.sampled_from(["off", "1000", "5000"]),
    "max_drawdown_pct": st.sampled_from(["off", "0.05", "0.15"]),
    "max_drawdown": st.sampled_from(["off", "4000", "12000"]),
}


@given(st.lists(STEPS, max_size=50), st.fixed_dictionaries(AMOUNTS))
def test_trips_come_exactly_when_a_slow_recomputation_says_so(
    steps: list[tuple[str, Decimal]], limits: dict[str, Any]
) -> None:
    """Readings, deposits, withdrawals, days, restarts, resumes and a clock that goes back, in any order."""
    one, ts, equity = breakers(**limits), T0, Decimal(100_000)
    slow = Slow(one.limits)
    for kind, amount in steps:
        if kind == "flow":
            change = max(amount, Decimal(5_000) - equity)
            one.cash_flow(ts, change, "transfer")
            slow.happened("flow", change)
            equity += change
        elif kind == "day":
            ts += DAY
            one.roll(ts, equity)
            slow.new_day(equity)
        elif kind == "back":
            one.roll(ts - 3_600_000_000_000, equity / 2)
        elif kind == "restart":
            kept = RiskState.from_row(json.loads(json.dumps(one.state.as_row())))
            one = Breakers(one.limits, NEW_YORK, Decimal(1), kept)
        elif kind == "resume" and one.halted:
            one = Breakers(one.limits, NEW_YORK, Decimal(1), resumed(one.state))
            slow.resume(equity)
        if kind == "move":
            equity = max(equity + amount, Decimal(1_000))
            slow.happened("read", equity)
        if slow.breached()[1]:
            return  # 28 digits and exact fractions may differ about the last one
        trips = one.read(ts, equity)
        assert [trip.breaker for trip in trips] == [each for each in [slow.read()] if each is not None]
        assert one.state.breaker == slow.halted_by


@given(st.lists(FLOWS, min_size=1, max_size=20), st.decimals(80_000, 99_999, places=2))
def test_flows_that_cancel_out_leave_every_floor_where_it_was(flows: list[Decimal], equity: Decimal) -> None:
    one = breakers(
        max_daily_loss_pct="0.5", max_drawdown_pct="0.5", max_drawdown="60000", max_daily_loss="60000"
    )
    one.read(1, equity)
    before = one.floors()
    for amount in [*flows, *(-each for each in flows)]:
        if one.state.equity + amount < 1_000:
            return
        one.cash_flow(2, amount, "transfer")
    after = one.floors()
    assert [floor[0] for floor in after] == [floor[0] for floor in before]
    assert all(abs(b[1] - a[1]) < Decimal("1e-12") for a, b in zip(before, after, strict=True))
