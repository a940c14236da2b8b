"""When does a loss halt trading, and what does it take to trade again?

Two breakers read equity with open P&L: daily loss from the equity at the session day's start, drawdown from the peak.
They answer with a `Trip`; acting on it (cancel, flatten, tell) is the desk's job. A trip is latched: a drawdown ends
only when a person resumes, a daily loss with its session day unless `latch_daily_loss`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from enum import StrEnum

from risk.limits import RiskConfig
from risk.numbers import ZERO
from risk.sessions import SessionDays


class TradingState(StrEnum):
    """ACTIVE trades; REDUCING and HALTED let only reducing orders and cancels pass."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True)
class Trip:
    """A breaker that went off: which, why in one line, and the numbers (account currency)."""

    breaker: str
    reason: str
    ts: int
    equity: Decimal | None = None
    reference: Decimal | None = None
    scope: str = "account"


@dataclass(slots=True)
class RiskState:
    """What must survive a restart. `day` is the session day as YYYY-MM-DD, amounts are in the account's currency."""

    state: TradingState = TradingState.ACTIVE
    breaker: str | None = None
    reason: str | None = None
    peak: Decimal = ZERO
    day: str | None = None
    day_start: Decimal = ZERO
    equity: Decimal = ZERO
    orders_today: int = 0

    def as_row(self) -> dict[str, object]:
        """Plain values for a store: amounts as exact text."""
        return {k: str(v) if isinstance(v, Decimal) else v for k, v in asdict(self).items()}

    @classmethod
    def from_row(cls, row: dict[str, object]) -> RiskState:
        """The state a store kept. Raises KeyError, ValueError or ArithmeticError when the row is not one."""
        return cls(
            state=TradingState(str(row["state"])),
            breaker=None if row["breaker"] is None else str(row["breaker"]),
            reason=None if row["reason"] is None else str(row["reason"]),
            peak=Decimal(str(row["peak"])),
            day=None if row["day"] is None else str(row["day"]),
            day_start=Decimal(str(row["day_start"])),
            equity=Decimal(str(row["equity"])),
            orders_today=int(str(row["orders_today"])),
        )

    def copy(self) -> RiskState:
        """A copy that does not change with this one."""
        return replace(self)


class Breakers:
    """The daily-loss and the drawdown breaker over one equity; keeps `RiskState`, reads no clock and no cache."""

    def __init__(
        self, limits: RiskConfig, days: SessionDays, equity: Decimal, state: RiskState | None = None
    ) -> None:
        """Start at `equity`, or go on from a state that was kept."""
        self.limits = limits
        self.days = days
        self.state = (
            state.copy() if state is not None else RiskState(peak=equity, day_start=equity, equity=equity)
        )
        self.next_roll = 0
        self._below = 0
        self._last: Decimal | None = None

    @property
    def halted(self) -> bool:
        """Whether trading is halted."""
        return self.state.state is TradingState.HALTED

    @property
    def confirming(self) -> bool:
        """Whether a breach was seen that is not confirmed yet: every price must be read until it is."""
        return self._below > 0

    def roll(self, ts: int, equity: Decimal) -> bool:
        """Begin a new session day when `ts` lies past the running one; `equity` is that before the new day's prices.

        A daily-loss halt ends here unless it is latched. Answers whether a halt ended.
        """
        if ts < self.next_roll:
            return False
        day, self.next_roll = self.days.day_of(ts)
        if day == self.state.day:
            return False
        self.state.day, self.state.day_start, self.state.orders_today = day, equity, 0
        self._below = 0
        if self.halted and self.state.breaker == "DAILY_LOSS" and not self.limits.latch_daily_loss:
            self.state.state, self.state.breaker, self.state.reason = TradingState.ACTIVE, None, None
            return True
        return False

    def floors(self) -> tuple[tuple[str, Decimal, Decimal], ...]:
        """(breaker, equity at or below which it trips, its reference), the highest floor first; empty while halted."""
        if self.halted:
            return ()
        limits, start, peak = self.limits, self.state.day_start, self.state.peak
        floors = []
        if limits.max_daily_loss_pct is not None:
            floors.append(("DAILY_LOSS", start - start * limits.max_daily_loss_pct, start))
        if limits.max_daily_loss is not None:
            floors.append(("DAILY_LOSS", start - limits.max_daily_loss, start))
        if limits.max_drawdown_pct is not None:
            floors.append(("DRAWDOWN", peak - peak * limits.max_drawdown_pct, peak))
        return tuple(sorted(floors, key=lambda floor: floor[1], reverse=True))

    def read(self, ts: int, equity: Decimal, confirmations: int = 1) -> Trip | None:
        """Take one trusted reading. Trips when equity is at or below a floor for `confirmations` distinct readings."""
        self.state.equity = equity
        self.state.peak = max(self.state.peak, equity)
        hit = next((floor for floor in self.floors() if equity <= floor[1]), None)
        if hit is None:
            self._below, self._last = 0, None
            return None
        if equity != self._last:
            self._below, self._last = self._below + 1, equity
        if self._below < confirmations:
            return None
        # a drawdown outlives the day, so it is the one to name when both are hit
        breached = [floor for floor in self.floors() if equity <= floor[1]]
        breaker, floor, reference = next((f for f in breached if f[0] == "DRAWDOWN"), breached[0])
        return self._trip(breaker, ts, equity, floor, reference)

    def _trip(self, breaker: str, ts: int, equity: Decimal, floor: Decimal, reference: Decimal) -> Trip:
        since = f"session day {self.state.day} began at" if breaker == "DAILY_LOSS" else "peak"
        reason = (
            f"{breaker}: equity {equity:,.2f} is {(reference - equity) / reference:.2%} below "
            f"{since} {reference:,.2f}; trips at {floor:,.2f}"
        )
        return self.halt(Trip(breaker, reason, ts, equity, reference))

    def halt(self, trip: Trip) -> Trip:
        """Halt for any reason; a drawdown or other latched halt is never replaced by a daily loss."""
        self._below, self._last = 0, None
        if not self.halted or self.state.breaker == "DAILY_LOSS":
            self.state.state, self.state.breaker, self.state.reason = (
                TradingState.HALTED,
                trip.breaker,
                trip.reason,
            )
        return trip


def resumed(state: RiskState) -> RiskState:
    """The state after a person resumed: active, day and drawdown measured anew from the last known equity."""
    return replace(
        state, state=TradingState.ACTIVE, breaker=None, reason=None, peak=state.equity, day_start=state.equity
    )
