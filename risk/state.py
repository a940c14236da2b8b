"""What do the breakers remember over a restart, and what do they tell?

Amounts are exact and in the account's currency, stamps are market time in UTC nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Self

from risk.numbers import ZERO
from risk.performance import TradeWindow
from risk.scopes import BOOK, is_result

type NoticeKind = Literal[
    "WARNING",  # a soft level was reached
    "CASH_FLOW",  # money came or went that no trade explains
    "FLATTEN",  # flattening waits or tries again
    "FLAT",  # verified: nothing is held
    "ALARM",  # a person is needed
    "PROTECTED",  # a default stop was attached
    "UNPROTECTED",  # a protective stop was lost
    "TIMEOUT",  # an order took too long and is cancelled
    "EXIT",  # a position was held for its longest time and is closed
    "STRAY",  # an order that was to reduce has nothing left to reduce, and is cancelled
    "HALT_ENDED",  # a daily halt ended with its day
    "RESUMED",  # a person lifted a halt
    "LIMITS",  # a person changed a limit of the running node
    "RESOLVED",  # a person said what became of an order that nobody knew of
    "APPROVAL",  # an order waits for a person, or no longer does
]


class TradingState(StrEnum):
    """ACTIVE trades; REDUCING and HALTED let only reducing orders and cancels pass."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True)
class Trip:
    """A breaker that went off: which, why in one line, and the numbers it compared."""

    breaker: str
    reason: str
    ts: int
    equity: Decimal | None = None
    reference: Decimal | None = None
    scope: str = BOOK


@dataclass(frozen=True, slots=True)
class Notice:
    """Anything a person should see that is neither a refusal nor a trip, in one line."""

    kind: NoticeKind
    reason: str
    ts: int
    scope: str = BOOK


@dataclass(slots=True)
class ScopeState:
    """What must survive a restart of one scope.

    `equity` is the last value read: equity of the book or a venue, or a strategy's result since it was first watched.
    `peak` and `day_start` are what losses in money count from; cash flows move them by their amount. `peak_base` and
    `day_base` are what fractions are of, which cash flows scale; None while it is the same as the reference.
    """

    state: TradingState = TradingState.ACTIVE
    breaker: str | None = None
    reason: str | None = None
    peak: Decimal = ZERO
    day_start: Decimal = ZERO
    equity: Decimal = ZERO
    peak_base: Decimal | None = None
    day_base: Decimal | None = None
    begun: bool = False  # whether a first value set the references
    warned: tuple[str, ...] = ()  # breakers whose soft level was told
    trades: TradeWindow = field(default_factory=TradeWindow)

    @property
    def halted(self) -> bool:
        """Whether new exposure is refused in this scope."""
        return self.state is TradingState.HALTED

    @property
    def drawdown_base(self) -> Decimal:
        """What the fractions of a drawdown are of."""
        return self.peak if self.peak_base is None else self.peak_base

    @property
    def daily_base(self) -> Decimal:
        """What the fractions of a daily loss are of."""
        return self.day_start if self.day_base is None else self.day_base

    def as_row(self) -> dict[str, object]:
        """Plain values for a store: amounts as exact text."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """The state a store kept; what an older version did not keep starts at its default.

        Raises KeyError, TypeError, ValueError or ArithmeticError when the row is not one.
        """
        kept: dict[str, object] = {
            "state": TradingState(str(row["state"])),
            "breaker": _text(row["breaker"]),
            "reason": _text(row["reason"]),
            **{name: _amount(row[name]) for name in ("peak", "day_start", "equity")},
            **{
                name: None if row.get(name) is None else _amount(row[name])
                for name in ("peak_base", "day_base")
            },
            "begun": _flag(row, "begun"),
            "warned": tuple(str(each) for each in _list(row.get("warned", []))),
            "trades": TradeWindow.from_row(_mapping(row.get("trades", {}))),
            **cls._more(row),
        }
        return cls(**kept)  # type: ignore[arg-type]  # each value was made for its field above

    @classmethod
    def _more(cls, _row: Mapping[str, object]) -> dict[str, object]:
        return {}

    def copy(self) -> Self:
        """A copy that does not change with this one."""
        return deepcopy(self)

    def measured_anew(self, base: Decimal | None = None) -> Self:
        """Active, with every reference at the last value and no closed trade; `base` is what fractions are of."""
        return replace(
            self.copy(),
            state=TradingState.ACTIVE,
            breaker=None,
            reason=None,
            peak=self.equity,
            day_start=self.equity,
            peak_base=base,
            day_base=base,
            warned=(),
            trades=TradeWindow(),
        )


@dataclass(slots=True)
class RiskState(ScopeState):
    """What must survive a restart of the whole book. `day` is the session day as YYYY-MM-DD, `day_ends` its stamp."""

    day: str | None = None
    day_ends: int = 0
    orders_today: int = 0
    new_positions_today: int = 0
    flattening: bool = False
    scopes: dict[str, ScopeState] = field(default_factory=dict)  # strategy:... and venue:... -> their state

    @classmethod
    def _more(cls, row: Mapping[str, object]) -> dict[str, object]:
        scopes = _mapping(row.get("scopes", {}))
        return {
            "day": _text(row["day"]),
            "day_ends": _count(row.get("day_ends", 0)),
            "orders_today": _count(row["orders_today"]),
            "new_positions_today": _count(row.get("new_positions_today", 0)),
            "flattening": _flag(row, "flattening"),
            "scopes": {name: ScopeState.from_row(_mapping(each)) for name, each in scopes.items()},
        }

    @property
    def halted_scopes(self) -> tuple[str, ...]:
        """The strategies and venues that are halted, beside whatever the book is."""
        return tuple(name for name, each in self.scopes.items() if each.halted)

    def of(self, scope: str) -> ScopeState:
        """The state of the book or of another scope. Raises KeyError for one that nothing is kept of."""
        return self if scope == BOOK else self.scopes[scope]


def resumed(state: RiskState, scope: str | None = None) -> RiskState:
    """The state after a person resumed a scope, or everything that is halted: measured anew from the last known value.

    What is not halted keeps its references: resuming one strategy must not make the book forget its drawdown.
    Raises KeyError for a scope that nothing is kept of.
    """
    after = state.copy()
    wanted = [BOOK, *state.scopes] if scope is None else [scope]
    for name in wanted:
        if not state.of(name).halted:
            continue
        if name == BOOK:
            after = replace(after.measured_anew(), flattening=False)
        else:
            after.scopes[name] = after.scopes[name].measured_anew(state.equity if is_result(name) else None)
    return after


def _plain(value: object) -> object:
    if isinstance(value, Decimal | TradingState):
        return str(value)
    if isinstance(value, ScopeState | TradeWindow):
        return value.as_row()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _amount(value: object) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value!r} is no amount")
    return number


def _count(value: object) -> int:
    return int(str(value))


def _flag(row: Mapping[str, object], name: str) -> bool:
    value = row.get(name, False)
    if not isinstance(value, bool):
        raise TypeError(f"{name}={value!r} is neither true nor false")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no mapping")
    return value
