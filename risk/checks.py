"""Which of the limits would this order break?

`CHECKS` is one small function a limit: it looks at a `Proposal` and answers None (kept) or the arithmetic (broken).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from risk.limits import RiskConfig
from risk.numbers import ZERO


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
