"""Which limits does an order have to keep, and which of them would this one break?

`RiskConfig` is every limit and breaker setting a user can choose (group `risk` of the configuration, docs/risk.md).
`CHECKS` is one small function a limit: it looks at a `Proposal` and answers None (kept) or the arithmetic (broken).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from risk.numbers import Amount, Count, Multiple, Share

ZERO = Decimal(0)
NEEDED_LIVE = (  # one of each line has to be on before real money trades
    ("max_leverage",),
    ("max_position_pct", "max_position_notional"),
    ("max_orders_per_day",),
    ("max_daily_loss_pct", "max_daily_loss"),
    ("max_drawdown_pct",),
)


class RiskConfig(BaseModel):
    """Every limit and breaker; `off` switches a limit off. Fractions: 0.05 is 5% of equity. Money: account currency.

    Raises pydantic.ValidationError naming the field for unknown keys, wrong types and values out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    max_leverage: Multiple = Decimal(1)
    """Gross exposure (working orders counted as filled) divided by equity, at most."""
    max_position_pct: Share = Decimal("0.1")
    """Exposure in one instrument, at most this share of equity."""
    max_position_notional: Amount = None
    """Exposure in one instrument, at most this much money."""
    max_open_positions: Count = None
    """Instruments held or about to be held, at most."""
    max_order_pct: Share = None
    """One order's notional, at most this share of equity."""
    max_order_notional: Amount = None
    """One order's notional, at most this much money; the engine's own check backs it up."""
    max_orders_per_day: Count = 100
    """Orders sent in one session day, at most."""
    max_orders_per_sec: Count = 100
    """Orders sent in one second of market time, at most; the engine's own check backs it up."""
    allow_short: bool = False
    """Whether a position may go below zero."""
    dry_run: bool = False
    """Decide and record every order, send none."""

    max_daily_loss_pct: Share = Decimal("0.02")
    """Loss since the session day's start, open P&L included, at which trading halts."""
    max_daily_loss: Amount = None
    """The same in money."""
    max_drawdown_pct: Share = Decimal("0.2")
    """Fall from the highest equity, open P&L included, at which trading halts until a person resumes it."""
    latch_daily_loss: bool = False
    """Whether a daily-loss halt outlives its session day."""
    on_trip: Literal["cancel", "flatten"] = "cancel"
    """What a trip does besides halting: cancel what could add exposure, or close every position too."""
    untrusted_jump_pct: Share = Decimal("0.25")
    """A price that moves more than this in one step needs a second one that agrees before it counts."""
    tick_confirmations: Annotated[int, Field(ge=1)] = 3
    """On quotes and trades a breach trips after this many distinct trusted updates; on bars one close is enough."""
    session_zone: str | None = None
    """IANA time zone of the session day; none takes the data's own."""
    session_start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    """Local time (HH:MM) at which a session day begins, for example 17:00 in New York for currencies."""
    allow_off: bool = False
    """Live trading refuses a limit that is switched off unless this says that it is meant."""

    @field_validator("session_zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError):
                raise ValueError(
                    f"{zone!r} is not a time zone; use an IANA name such as America/New_York"
                ) from None
        return zone

    @model_validator(mode="after")
    def _daily_loss_below_drawdown(self) -> Self:
        daily, drawdown = self.max_daily_loss_pct, self.max_drawdown_pct
        if daily is not None and drawdown is not None and daily > drawdown:
            raise ValueError(
                f"max_daily_loss_pct={daily} is above max_drawdown_pct={drawdown}: it could never trip; "
                "lower the first or raise the second"
            )
        return self

    @property
    def switched_off(self) -> tuple[str, ...]:
        """The limits nobody should trade money without that are off; live trading wants `allow_off` beside them."""
        return tuple(names[0] for names in NEEDED_LIVE if all(getattr(self, name) is None for name in names))


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an order would do if it and everything already working were filled; the worst case, in plain numbers.

    Amounts are in the account's currency; quantities are signed where they name a position.
    """

    instrument: str
    notional: Decimal
    position_after: Decimal
    shorts: bool
    exposure_after: Decimal
    gross_after: Decimal
    open_after: int
    orders_today: int
    orders_this_sec: int
    equity: Decimal
    currency: str


Check = Callable[[Proposal, RiskConfig], str | None]


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def _share_of(amount: Decimal, equity: Decimal) -> str:
    return f"{amount / equity:.1%}"


def check_allow_short(order: Proposal, limits: RiskConfig) -> str | None:
    """Short selling: the position may not go below zero unless `allow_short`."""
    if limits.allow_short or not order.shorts:
        return None
    return f"{order.instrument} would be {order.position_after.normalize():,f}; short selling is off"


def check_order_notional(order: Proposal, limits: RiskConfig) -> str | None:
    """One order's notional in money."""
    limit = limits.max_order_notional
    if limit is None or order.notional <= limit:
        return None
    size = _money(order.notional, order.currency)
    return f"{order.instrument} order of {size}; limit {_money(limit, order.currency)}"


def check_order_pct(order: Proposal, limits: RiskConfig) -> str | None:
    """One order's notional as a share of equity."""
    limit = limits.max_order_pct
    if limit is None or order.notional <= limit * order.equity:
        return None
    return (
        f"{order.instrument} order of {_money(order.notional, order.currency)}, "
        f"{_share_of(order.notional, order.equity)} of equity {_money(order.equity, order.currency)}; limit {limit:.1%}"
    )


def check_position_pct(order: Proposal, limits: RiskConfig) -> str | None:
    """The instrument's exposure as a share of equity."""
    limit = limits.max_position_pct
    if limit is None or order.exposure_after <= limit * order.equity:
        return None
    return (
        f"{order.instrument} would be {_money(order.exposure_after, order.currency)}, "
        f"{_share_of(order.exposure_after, order.equity)} of equity {_money(order.equity, order.currency)}; "
        f"limit {limit:.1%}"
    )


def check_position_notional(order: Proposal, limits: RiskConfig) -> str | None:
    """The instrument's exposure in money."""
    limit = limits.max_position_notional
    if limit is None or order.exposure_after <= limit:
        return None
    return (
        f"{order.instrument} would be {_money(order.exposure_after, order.currency)}; "
        f"limit {_money(limit, order.currency)}"
    )


def check_open_positions(order: Proposal, limits: RiskConfig) -> str | None:
    """How many instruments are held or about to be."""
    limit = limits.max_open_positions
    if limit is None or order.open_after <= limit:
        return None
    return f"{order.instrument} would be open position {order.open_after}; limit {limit}"


def check_leverage(order: Proposal, limits: RiskConfig) -> str | None:
    """Gross exposure of the whole book divided by equity."""
    limit = limits.max_leverage
    if limit is None or order.gross_after <= limit * order.equity:
        return None
    return (
        f"gross exposure would be {_money(order.gross_after, order.currency)}, "
        f"{order.gross_after / order.equity:.2f}x equity {_money(order.equity, order.currency)}; "
        f"limit {limit.normalize():f}x"
    )


def check_orders_per_day(order: Proposal, limits: RiskConfig) -> str | None:
    """Orders sent in this session day, this one included."""
    limit = limits.max_orders_per_day
    if limit is None or order.orders_today + 1 <= limit:
        return None
    return f"order {order.orders_today + 1} of the session day; limit {limit}"


def check_orders_per_sec(order: Proposal, limits: RiskConfig) -> str | None:
    """Orders sent in this second of market time, this one included."""
    limit = limits.max_orders_per_sec
    if limit is None or order.orders_this_sec + 1 <= limit:
        return None
    return f"order {order.orders_this_sec + 1} within one second; limit {limit}"


CHECKS: tuple[tuple[str, Check], ...] = (
    ("SHORT_SELLING", check_allow_short),
    ("MAX_ORDER_NOTIONAL", check_order_notional),
    ("MAX_ORDER", check_order_pct),
    ("MAX_POSITION", check_position_pct),
    ("MAX_POSITION_NOTIONAL", check_position_notional),
    ("MAX_OPEN_POSITIONS", check_open_positions),
    ("MAX_LEVERAGE", check_leverage),
    ("MAX_ORDERS_PER_DAY", check_orders_per_day),
    ("MAX_ORDERS_PER_SEC", check_orders_per_sec),
)
"""Refusal code -> its check, in the order they are asked; the first broken limit is the answer."""


def first_broken(order: Proposal, limits: RiskConfig) -> str | None:
    """The first limit this order breaks, as `CODE: arithmetic; limit ...`, or None when all are kept."""
    if order.equity <= ZERO:
        return f"NO_EQUITY: equity is {_money(order.equity, order.currency)}; only reducing orders pass"
    for code, check in CHECKS:
        broken = check(order, limits)
        if broken is not None:
            return f"{code}: {broken}"
    return None
