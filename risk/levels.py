"""At which values does one scope warn, and at which does it trip?

Most readings lie above every level, so that one comparison answers them: the levels themselves are made when one is
reached.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from risk.limits import RiskConfig
from risk.numbers import ZERO
from risk.state import ScopeState

DAILY_LOSS, DRAWDOWN = "DAILY_LOSS", "DRAWDOWN"


class Level(NamedTuple):
    """One limit as values: at or below `floor` it trips, at or below `soft` it warns; `base` is what `_pct` is of."""

    breaker: str
    floor: Decimal
    soft: Decimal | None
    reference: Decimal
    base: Decimal


class Levels:
    """Daily loss and drawdown of one scope as values; reads its `ScopeState`, and works out anew only what moved."""

    def __init__(self, limits: RiskConfig, state: ScopeState, *, is_result: bool) -> None:
        """`is_result`: the scope's value is a result, whose fractions are of the book's equity."""
        self._limits = limits
        self._state = state
        self._is_result = is_result
        self.top: Decimal | None = None  # above it no level is reached; as all here, of the last `renew`
        self.low: Decimal | None = None  # above it none is reached that was not told
        self._drawdown: Decimal | None = None  # the highest value at which a drawdown does anything
        self._daily: Decimal | None = None
        self._drawdown_of: object = None  # what they were worked out from: a new peak moves one of them alone
        self._daily_of: object = None
        self._levels: tuple[Level, ...] | None = None

    @property
    def ends_by_itself(self) -> bool:
        """Whether the scope is halted by a daily loss that ends with its day."""
        return self._state.halted and self._state.breaker == DAILY_LOSS and not self._limits.latch_daily_loss

    @property
    def may_trip(self) -> bool:
        """Whether a breaker that a person must lift can still go off: a daily halt does not stand in its way."""
        return not self._state.halted or self.ends_by_itself

    def all(self) -> tuple[Level, ...]:
        """Every limit that can trip now, the highest floor first."""
        self.renew()
        if self._levels is None:
            state, limits, made = self._state, self._limits, []
            if self.may_trip:
                room = limits.max_drawdown_pct, limits.max_drawdown
                made += self._limits_of(DRAWDOWN, room, state.peak, state.drawdown_base)
            if not state.halted:
                room = limits.max_daily_loss_pct, limits.max_daily_loss
                made += self._limits_of(DAILY_LOSS, room, state.day_start, state.daily_base)
            self._levels = tuple(sorted(made, key=lambda level: level.floor, reverse=True))
        return self._levels

    def _limits_of(
        self, breaker: str, room: tuple[Decimal | None, Decimal | None], start: Decimal, base: Decimal
    ) -> list[Level]:
        """The limits of one breaker: `room` is how much may be lost, as a fraction of `base` and in money."""
        share, money = room
        lose = [] if money is None else [(start, money)]
        if share is not None:
            lose.append((start if self._is_result else base, share * max(base, ZERO)))
        warn = self._limits.warn_at_pct
        return [
            Level(breaker, whole - most, None if warn is None else whole - warn * most, whole, base)
            for whole, most in lose
        ]

    def renew(self) -> None:
        """See what a change of state moved: the highest value at which a level is reached, and no level more."""
        state, limits = self._state, self._limits
        drawdown_of = (state.peak, state.peak_base, state.state, state.breaker)
        daily_of = (state.day_start, state.day_base, state.state, state.warned)
        if drawdown_of == self._drawdown_of and daily_of == self._daily_of:
            return
        self._levels = None
        if drawdown_of != self._drawdown_of:
            self._drawdown_of = drawdown_of
            room = limits.max_drawdown_pct, limits.max_drawdown
            self._drawdown = self._first_of(room, state.peak, state.drawdown_base) if self.may_trip else None
        if daily_of != self._daily_of:
            self._daily_of = daily_of
            room = limits.max_daily_loss_pct, limits.max_daily_loss
            self._daily = None if state.halted else self._first_of(room, state.day_start, state.daily_base)
        self.top = self.low = _highest(self._drawdown, self._daily)
        if state.warned:
            untold = (
                level.floor if level.soft is None or level.breaker in state.warned else level.soft
                for level in self.all()
            )
            self.low = max(untold, default=None)

    def _first_of(
        self, room: tuple[Decimal | None, Decimal | None], start: Decimal, base: Decimal
    ) -> Decimal | None:
        """The highest value at which one of `_limits_of` warns, or trips where nothing warns."""
        (share, money), warn = room, self._limits.warn_at_pct
        by_money = by_share = None
        if money is not None:
            by_money = start - (money if warn is None else warn * money)
        if share is not None:
            most = share * base if base > ZERO else ZERO
            by_share = (start if self._is_result else base) - (most if warn is None else warn * most)
        return _highest(by_money, by_share)


def _highest(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
