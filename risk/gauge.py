"""How far may one scope's value fall before it warns, and before it trips?

A `Gauge` measures one value (the book's or a venue's equity, a strategy's result) against two references: its value at
the session day's start and its peak. It decides; latching and telling is `Breakers`' part.

Money came or went without a trade? Then losses in money are measured as if it had always been there (references move by
the amount), and losses in fractions as a fund measures them, by unit value: references are scaled with equity, so that
the share lost so far stays what it was. Either way a cash flow can neither trip a breaker nor give it more room; only
an account that was emptied begins anew.
Source: Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd ed., 2008 (time-weighted return).
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from risk.levels import DAILY_LOSS, DRAWDOWN, Level, Levels
from risk.limits import RiskConfig
from risk.numbers import ZERO
from risk.scopes import BOOK, is_result
from risk.state import Notice, ScopeState, TradingState, Trip
from risk.streaks import Evidence, Streak

__all__ = ["DAILY_LOSS", "DRAWDOWN", "NOTHING", "Gauge", "Level", "Reading"]


class Reading(NamedTuple):
    """What a value means: a confirmed trip, or warnings."""

    trip: Trip | None
    warnings: tuple[Notice, ...]


NOTHING = Reading(None, ())


class Gauge:
    """Daily loss and drawdown of one scope; changes its `ScopeState` in place."""

    def __init__(self, scope: str, limits: RiskConfig, state: ScopeState) -> None:
        """Watch `scope` under `limits`, going on from `state`."""
        self.scope = scope
        self.limits = limits
        self.state = state
        self._is_result = is_result(scope)
        self._levels = Levels(limits, state, is_result=self._is_result)
        self._seen: dict[str, Streak] = {}  # breaker -> readings below its floor
        self._rising = Streak()  # readings above the peak

    @property
    def confirming(self) -> bool:
        """Whether a breach or a new peak was seen that is not confirmed yet."""
        return bool(self._seen or (self._rising.values and self.may_trip))

    @property
    def may_trip(self) -> bool:
        """Whether a breaker that a person must lift can still go off: a daily halt does not stand in its way."""
        return self._levels.may_trip

    def begin(self, value: Decimal, book: Decimal) -> None:
        """Set every reference to the first value; fractions of a result are of the `book`'s equity."""
        state = self.state
        base = book if self._is_result else None
        state.begun, state.equity = True, value
        state.peak, state.day_start, state.peak_base, state.day_base = value, value, base, base

    def new_day(self, value: Decimal, book: Decimal) -> bool:
        """Count the day's loss from here. Answers whether a daily halt ended."""
        state = self.state
        state.day_start, state.day_base, state.warned = value, book if self._is_result else None, ()
        self._seen.pop(DAILY_LOSS, None)
        if not self._levels.ends_by_itself:
            return False
        state.state, state.breaker, state.reason = TradingState.ACTIVE, None, None
        return True

    def halt(self, trip: Trip) -> None:
        """Halt for any reason; only a daily loss gives way to another one, never the other way round."""
        self._seen.clear()
        if not self.state.halted or self.state.breaker == DAILY_LOSS:
            self.state.state = TradingState.HALTED
            self.state.breaker, self.state.reason = trip.breaker, trip.reason

    def rearm(self) -> None:
        """A person lifted the halt: no reading before it counts any more."""
        self._seen.clear()
        self._rising = Streak()

    def relimit(self, limits: RiskConfig) -> None:
        """Go by other limits from the next reading on; what was read below an old floor says nothing of a new one."""
        self.limits = limits
        self._levels = Levels(limits, self.state, is_result=self._is_result)
        self._seen.clear()

    # -- levels -----------------------------------------------------------------------------------------------------

    def levels(self) -> tuple[Level, ...]:
        """Every limit that can trip now, the highest floor first."""
        return self._levels.all()

    def looks(self) -> tuple[Decimal | None, Decimal | None]:
        """(Highest value at or below which, lowest value above which) `read` has something to do; None: nowhere."""
        if not self.may_trip:
            return None, None
        self._levels.renew()
        return self._levels.low, self._lowest_peak()

    def _lowest_peak(self) -> Decimal:
        state = self.state
        return state.peak if self._is_result or state.peak_base is None else min(state.peak, state.peak_base)

    # -- readings ---------------------------------------------------------------------------------------------------

    def read(self, ts: int, value: Decimal, book: Decimal, evidence: Evidence, day: str | None) -> Reading:
        """Take one trusted reading: a trip that is confirmed, or the soft levels it reached for the first time."""
        self.state.equity = value
        self._rise(ts, value, book, evidence)
        self._levels.renew()
        top = self._levels.top
        if top is None or value > top:
            self._seen.clear()
            return NOTHING
        levels = self._levels.all()
        hit = [level for level in levels if value <= level.floor and value < level.reference]
        self._count(ts, value, evidence, hit)
        due = [level for level in hit if len(self._seen[level.breaker].values) >= evidence.needed]
        if due:  # a drawdown outlives the day, so it is the one to name when both are hit
            level = next((each for each in due if each.breaker == DRAWDOWN), due[0])
            return Reading(self._trip(level, ts, value, day), ())
        reached = {
            level.breaker: level
            for level in reversed(levels)  # of one breaker's limits the tightest is told
            if level.soft is not None and value <= level.soft and value < level.reference
        }
        return Reading(None, self._warn(reached, ts, value, day)) if reached else NOTHING

    def _rise(self, ts: int, value: Decimal, book: Decimal, evidence: Evidence) -> None:
        """Raise the peak to the lowest of the newest readings that agree, one after the other, that it is higher."""
        peak, rising = self._lowest_peak(), self._rising
        if evidence.doubted:
            return
        if value <= peak or evidence.needed == 1:
            if rising.last is not None:
                self._rising = Streak()
            if value > peak:
                self._raise_peak(value, book)
            return
        if rising.is_new(ts, value, evidence):
            sure = evidence.of(self.scope, value)[0] if rising.values else value
            if sure > peak:
                rising.values.append(sure)
        level = rising.lowest(evidence.needed)
        if level is not None:
            self._raise_peak(level, book)
            rising.above(level)

    def _raise_peak(self, value: Decimal, book: Decimal) -> None:
        state = self.state
        if self._is_result:
            state.peak_base = book
        elif state.peak_base is not None:
            base = max(value, state.peak_base)
            state.peak_base = None if base == max(value, state.peak) else base
        state.peak = max(value, state.peak)
        if state.warned:
            state.warned = tuple(each for each in state.warned if each != DRAWDOWN)

    def _count(self, ts: int, value: Decimal, evidence: Evidence, hit: list[Level]) -> None:
        """Count distinct readings below the floor, each breaker's own; one above starts its count anew."""
        before, self._seen = self._seen, {}
        for level in hit:  # of one breaker's levels the highest comes first
            if level.breaker in self._seen:
                continue
            streak = self._seen[level.breaker] = before.get(level.breaker) or Streak()
            if streak.is_new(ts, value, evidence):
                sure = evidence.of(self.scope, value)[1] if streak.values else value
                if sure <= level.floor:
                    streak.values.append(sure)

    def _warn(
        self, reached: dict[str, Level], ts: int, value: Decimal, day: str | None
    ) -> tuple[Notice, ...]:
        new = [level for breaker, level in reached.items() if breaker not in self.state.warned]
        self.state.warned += tuple(level.breaker for level in new)
        return tuple(
            Notice(
                "WARNING",
                f"{level.breaker}: {self._told(level, value, day)}; past {self.limits.warn_at_pct:.0%} of the limit, "
                f"trips at {level.floor:,.2f}",
                ts,
                self.scope,
            )
            for level in new
        )

    def _trip(self, level: Level, ts: int, value: Decimal, day: str | None) -> Trip:
        reason = f"{level.breaker}: {self._told(level, value, day)}; trips at {level.floor:,.2f}"
        return Trip(level.breaker, reason, ts, value, level.reference, self.scope)

    def _told(self, level: Level, value: Decimal, day: str | None) -> str:
        since = f"session day {day} began at" if level.breaker == DAILY_LOSS else "peak"
        lost = level.reference - value
        if self._is_result:
            share = f", {lost / level.base:.2%} of equity {level.base:,.2f}" if level.base > ZERO else ""
            return (
                f"{self.scope} result {value:,.2f} is {lost:,.2f} below {since} {level.reference:,.2f}{share}"
            )
        what = "equity" if self.scope == BOOK else f"{self.scope} equity"
        below = f"{lost / level.reference:.2%}" if level.reference > ZERO else f"{lost:,.2f}"
        return f"{what} {value:,.2f} is {below} below {since} {level.reference:,.2f}"

    # -- cash flows -------------------------------------------------------------------------------------------------

    def flow(self, amount: Decimal) -> None:
        """Money came (positive) or went: move every reference, so that nothing is lost or gained by it."""
        state, equity = self.state, self.state.equity
        if not self._is_result:
            state.peak_base = _scaled(state.peak, state.peak_base, equity, amount)
            state.day_base = _scaled(state.day_start, state.day_base, equity, amount)
        state.peak += amount
        state.day_start += amount
        state.equity += amount
        for streak in (*self._seen.values(), self._rising):
            streak.shift(amount)


def _scaled(start: Decimal, base: Decimal | None, equity: Decimal, amount: Decimal) -> Decimal | None:
    """What fractions count from after a flow; None when that is the reference itself. From nothing it starts anew."""
    whole, after = start if base is None else base, equity + amount
    scaled = whole * after / equity if min(equity, after) > ZERO and whole != equity else after
    return None if scaled == start + amount else scaled
