"""When does a loss halt trading, and what does it take to trade again?

`Breakers` reads the equity of the book, the equity of venue accounts and the results of strategies, open P&L included,
and looks at closed trades. It answers with `Trip`s; acting on them (cancel, flatten, tell) is the desk's job. A trip is
latched in its scope: it ends only when a person resumes, a daily loss with its session day unless `latch_daily_loss`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal

from risk.broker_equity import EquityWatch
from risk.gauge import NOTHING, Gauge, Reading
from risk.limits import RiskConfig
from risk.numbers import ZERO
from risk.performance import first_broken, is_judged
from risk.scopes import BOOK, ScopeLimits, is_result
from risk.sessions import SessionDays
from risk.state import Notice, NoticeKind, RiskState, ScopeState, TradingState, Trip, resumed
from risk.streaks import PLAIN, Bounds, Evidence

__all__ = [
    "BOOK", "Breakers", "EquityWatch", "Notice", "NoticeKind", "RiskState", "ScopeLimits", "ScopeState",
    "TradingState", "Trip", "resumed",
]  # fmt: skip

ANOTHER_CLOCK = 31 * 86_400 * 1_000_000_000
"""No session day is this long (nanoseconds): a kept day that ends later was kept by a clock that was wrong."""


class Breakers:
    """Every breaker of a run; keeps `RiskState`, reads no clock and no cache."""

    def __init__(
        self,
        limits: RiskConfig,
        days: SessionDays,
        equity: Decimal,
        state: RiskState | None = None,
        scopes: Iterable[ScopeLimits] = (),
    ) -> None:
        """Start at `equity`, or go on from a state that was kept."""
        self.limits = limits
        self.days = days
        self.state = state.copy() if state is not None else RiskState(equity=equity)
        self.next_roll = self.state.day_ends
        self._rolled = state is None  # whether the day that was kept was compared with this run's clock
        self._book = Gauge(BOOK, limits, self.state)
        if state is None:
            self._book.begin(equity, equity)
        self._gauges: dict[str, Gauge] = {}  # scope -> its gauge, the book's not among them
        self._carried: dict[str, Decimal] = {}  # strategy -> result of earlier runs, this run's comes on top
        self._notices: list[Notice] = []
        for line in scopes:
            self.watch(line)

    def watch(self, line: ScopeLimits, value: Decimal | None = None) -> None:
        """Watch one more scope, from `value` where it is new: a strategy begins at zero, a venue at its first reading.

        A scope that was kept goes on from there; a strategy's result then adds to that of earlier runs.
        Raises ValueError for a scope that is watched already.
        """
        scope = line.scope
        if scope in self._gauges:
            raise ValueError(f"{scope} is watched already: give it one line with the tightest of its limits")
        kept = self.state.scopes.setdefault(scope, ScopeState())
        gauge = self._gauges[scope] = Gauge(scope, line.limits, kept)
        if is_result(scope):
            self._carried[scope] = kept.equity
            value = ZERO if value is None else value
        if value is not None and not kept.begun:
            gauge.begin(value, self.state.equity)

    @property
    def halted(self) -> bool:
        """Whether the whole book is halted."""
        return self.state.halted

    @property
    def halted_scopes(self) -> tuple[str, ...]:
        """The strategies and venues that are halted, beside whatever the book is."""
        return self.state.halted_scopes

    @property
    def confirming(self) -> bool:
        """Whether a breach was seen that is not confirmed yet: every price must be read until it is."""
        return self._book.confirming or any(gauge.confirming for gauge in self._gauges.values())

    def refuses(self, strategy_id: str, venue: str) -> str | None:
        """Why new exposure of this strategy on this venue is refused; None when no halt stands in its way."""
        if self.state.halted:
            return f"HALTED: {self.state.reason}"
        for scope in (f"strategy:{strategy_id}", f"venue:{venue}"):
            kept = self.state.scopes.get(scope)
            if kept is not None and kept.halted:
                return (
                    f"HALTED: {kept.reason}"
                    if scope in str(kept.reason)
                    else f"HALTED: {scope}: {kept.reason}"
                )
        return None

    def take_notices(self) -> list[Notice]:
        """The warnings given since this was last asked."""
        taken, self._notices = self._notices, []
        return taken

    # -- the day ------------------------------------------------------------------------------------------------------

    def roll(self, ts: int, equity: Decimal, scoped: Mapping[str, Decimal] | None = None) -> bool:
        """Begin a new session day when `ts` lies past the running one; values are those before the new day's prices.

        Time that goes back changes nothing: a day begins once. A daily-loss halt ends here unless it is latched.
        Answers whether a halt ended.
        """
        of_another_clock = not self._rolled and ts < self.next_roll - ANOTHER_CLOCK
        self._rolled = True
        if ts < self.next_roll and not of_another_clock:
            return False
        turned_at = (
            min(ts, self.next_roll) if self.next_roll else ts
        )  # the day ended then, whoever saw it when
        day, self.next_roll = self.days.day_of(ts)
        self.state.day_ends = self.next_roll
        if day == self.state.day:
            return False
        self.state.day, self.state.orders_today, self.state.new_positions_today = day, 0, 0
        ended = self._ended(self._book, turned_at, equity, equity)
        for scope, gauge in self._gauges.items():
            value = self._value(scope, scoped)
            if value is not None and not gauge.state.begun:
                gauge.begin(value, equity)
            ended |= self._ended(gauge, turned_at, gauge.state.equity if value is None else value, equity)
        return ended

    def _ended(self, gauge: Gauge, ts: int, value: Decimal, book: Decimal) -> bool:
        """Begin a scope's new day; answers, and says, whether a halt ended with the old one."""
        reason = gauge.state.reason
        if not gauge.new_day(value, book):
            return False
        self._notices.append(
            Notice("HALT_ENDED", f"session day {self.state.day} began: {reason}", ts, gauge.scope)
        )
        return True

    # -- readings -----------------------------------------------------------------------------------------------------

    def read(
        self,
        ts: int,
        equity: Decimal,
        confirmations: int = 1,
        scoped: Mapping[str, Decimal] | None = None,
        bounds: Bounds | None = None,
    ) -> list[Trip]:
        """Take one trusted reading of every value: the book's equity, and of `scoped` what is watched.

        A scope trips when its value is at or below a floor for `confirmations` distinct readings in a row. A strategy's
        value is its result since this run began, a venue's the equity of its account. `bounds` of a reading that comes
        from a price: how wrong it is where one price of another instrument is (see risk/streaks.py). Raises ValueError
        for a value that is no amount: it must never be mistaken for a reading.
        """
        if not equity.is_finite() or (scoped and not all(map(Decimal.is_finite, scoped.values()))):
            raise ValueError(f"equity {equity}, {scoped}: not all of it are amounts")
        doubted, day = self.state.state is TradingState.REDUCING, self.state.day
        is_plain = confirmations == 1 and bounds is None and not doubted
        evidence = PLAIN if is_plain else Evidence(confirmations, bounds, doubted)
        trips: list[Trip] = []
        self._take(self._book, self._book.read(ts, equity, equity, evidence, day), trips)
        for scope, gauge in self._gauges.items():
            value = self._value(scope, scoped)
            if value is None:
                continue
            if not gauge.state.begun:
                gauge.begin(value, equity)
            self._take(gauge, gauge.read(ts, value, equity, evidence, day), trips)
        return trips

    def _value(self, scope: str, scoped: Mapping[str, Decimal] | None) -> Decimal | None:
        value = None if scoped is None else scoped.get(scope)
        return None if value is None else value + self._carried.get(scope, ZERO)

    def _take(self, gauge: Gauge, reading: Reading, trips: list[Trip]) -> None:
        if reading is NOTHING:
            return
        self._notices += reading.warnings
        if reading.trip is not None:
            gauge.halt(reading.trip)
            trips.append(reading.trip)

    def closed_trade(
        self, strategy_id: str, pnl: Decimal, base: Decimal, ts: int, venue: str | None = None
    ) -> list[Trip]:
        """Count a closed trade: its result after costs, and the amount (above zero) its return is measured against.

        Judged for the book, its strategy and its venue, each by its own limits. Raises ValueError for a base of zero.
        """
        gauges: list[Gauge | None] = [self._book]
        if self._gauges:
            gauges += self._gauges.get(f"strategy:{strategy_id}"), self._gauges.get(f"venue:{venue}")
        trips: list[Trip] = []
        for gauge in gauges:
            if gauge is not None and is_judged(gauge.limits):
                gauge.state.trades.add(pnl, base, gauge.limits.performance_trades)
                trips += self._judged(gauge, ts)
        return trips

    def _judged(self, gauge: Gauge, ts: int) -> list[Trip]:
        found = first_broken(gauge.state.trades, gauge.limits) if gauge.may_trip else None
        if found is None:
            return []
        breaker, told = found
        whose = "" if gauge.scope == BOOK else f"{gauge.scope}: "
        return [
            self.halt(Trip(breaker, f"{breaker}: {whose}{told}", ts, gauge.state.equity, None, gauge.scope))
        ]

    # -- levels -------------------------------------------------------------------------------------------------------

    def floors(self) -> tuple[tuple[str, Decimal, Decimal], ...]:
        """(breaker, equity of the book at or below which it trips, its reference), the highest floor first.

        Empty while only a person can lift the book's halt.
        """
        return tuple((level.breaker, level.floor, level.reference) for level in self._book.levels())

    def watch_levels(self, scope: str = BOOK) -> tuple[Decimal | None, Decimal | None]:
        """Between which values of a scope, as `read` is given them, a reading changes nothing but `equity`.

        The highest value at or below which somebody must look (a soft level that was not told yet, or a floor), and
        the lowest above which somebody must (the peak); None where nothing can happen. While `confirming`, look always.
        Raises KeyError for a scope that is not watched.
        """
        gauge = self._book if scope == BOOK else self._gauges[scope]
        carried = self._carried.get(scope, ZERO)
        low, high = gauge.looks()
        return None if low is None else low - carried, None if high is None else high - carried

    # -- halts and cash flows -----------------------------------------------------------------------------------------

    def halt(self, trip: Trip) -> Trip:
        """Halt the trip's scope for any reason; a drawdown or other latched halt is never replaced by a daily loss."""
        kind = trip.scope.partition(":")[0]
        gauge = self._book
        if kind in ("strategy", "venue"):
            kept = self.state.scopes.setdefault(trip.scope, ScopeState())
            gauge = self._gauges.get(trip.scope) or Gauge(trip.scope, self.limits, kept)
        gauge.halt(trip)
        return trip

    def resume(self, scope: str | None = None) -> RiskState:
        """A person lifts the halt of a scope, or of all that are halted: measured anew from the last values read.

        Answers the state before. Raises KeyError for a scope that nothing is kept of.
        """
        before, after = self.state.copy(), resumed(self.state, scope)
        _take_over(self.state, after)
        for gauge in (self._book, *self._gauges.values()):
            if before.of(gauge.scope).halted and not gauge.state.halted:
                gauge.rearm()
        return before

    def relimit(self, limits: RiskConfig) -> None:
        """Let the book's breakers go by other limits; those of one strategy or venue keep their lines."""
        self.limits = limits
        self._book.relimit(limits)

    def cash_flow(self, ts: int, amount: Decimal, why: str, scope: str = BOOK) -> Notice:
        """Money came (positive) or went without a trade: a deposit, withdrawal, dividend, interest or fee.

        Tell it after a `read` of the equity just before it and before the first that holds it. Moves the references of
        the book, and of the venue or strategy it belongs to; trips nothing, and lifts no halt. Raises ValueError for
        what is no amount.
        """
        if not amount.is_finite():
            raise ValueError(f"{amount} is no amount of a cash flow")
        state, gauge = self.state, self._gauges.get(scope)
        before = (state.equity, state.day_start, state.peak)
        self._book.flow(amount)
        if gauge is not None and gauge.state.begun:
            gauge.flow(amount)
        after = (state.equity, state.day_start, state.peak)
        names = ("equity", "day start", "peak")
        moved = ", ".join(f"{n} {a:,.2f} -> {b:,.2f}" for n, a, b in zip(names, before, after, strict=True))
        return Notice("CASH_FLOW", f"CASH_FLOW: {why} of {amount:,.2f}; {moved}", ts, scope)


def _take_over(state: ScopeState, after: ScopeState) -> None:
    """Make a state what another one is, in place: gauges, desk and journal hold on to the object."""
    for each in fields(state):
        if each.name != "scopes":
            setattr(state, each.name, getattr(after, each.name))
    if isinstance(state, RiskState) and isinstance(after, RiskState):
        for name, kept in state.scopes.items():
            _take_over(kept, after.scopes[name])
