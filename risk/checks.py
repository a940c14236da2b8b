"""Which of the limits would this order break?

`CHECKS` is one small function a limit: it looks at a `Proposal` and answers None (kept) or the arithmetic (broken).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from risk.limits import RiskConfig
from risk.numbers import ZERO


@dataclass(slots=True)
class Proposal:
    """What an order would do if it and everything already working were filled; the worst case, in plain numbers.

    Amounts are in the account's base currency, prices in the instrument's; quantities are signed where they name a
    position. What no limit of the run looks at keeps its default.
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
    strategy: str = ""
    is_buy: bool = True
    quantity: Decimal = ZERO
    strategy_gross_after: Decimal = ZERO
    opens: bool = False
    """Whether nothing is held or working in the instrument yet."""
    new_today: int = 0
    """Positions that were opened, or may have been, in this session day."""
    reference: Decimal | None = None
    """The newest price: a close, a trade, the middle of a quote."""
    far_side: Decimal | None = None
    """Where a market order meets the market: the ask of a buy, the bid of a sell, else the reference."""
    at_market: bool = False
    """Whether the order has no limit price of its own."""
    limit: Decimal | None = None
    trigger: Decimal | None = None
    price_age_secs: Decimal | None = None
    oldest: tuple[str, Decimal] | None = None
    """Of everything held, the instrument with the oldest price, and how old it is in seconds."""
    closed: str | None = None
    """Why the exchange is closed; None while it is open."""
    repeats: int = 0
    """Orders like this one within the window, before it."""
    crosses: Decimal | None = None
    """Price of a resting limit order of this account that this order would meet."""
    has_stop: bool = False
    """Whether the order brings its own stop."""


Check = Callable[[Proposal, RiskConfig], str | None]


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def _share_of(amount: Decimal, equity: Decimal) -> str:
    return f"{amount / equity:.1%}"


def _price(price: Decimal) -> str:
    return f"{price.normalize():f}"


def _beyond_share(what: str, amount: Decimal, order: Proposal, limit: Decimal) -> str:
    return (
        f"{what} {_money(amount, order.currency)}, {_share_of(amount, order.equity)} of equity "
        f"{_money(order.equity, order.currency)}; limit {limit:.1%}"
    )


def check_allowed(order: Proposal, limits: RiskConfig) -> str | None:
    """Only instruments on the list, by symbol or by id."""
    allowed = limits.allowed_instruments
    if allowed is None or order.instrument in allowed or order.instrument.rpartition(".")[0] in allowed:
        return None
    return f"{order.instrument} is not on the list; allowed_instruments: {', '.join(allowed) or 'none'}"


def check_hours(order: Proposal, limits: RiskConfig) -> str | None:
    """Only while the exchange is open."""
    return None if limits.trading_hours is None else order.closed


def check_allow_short(order: Proposal, limits: RiskConfig) -> str | None:
    """Short selling: the position may not go below zero unless `allow_short`."""
    if limits.allow_short or not order.shorts:
        return None
    return f"{order.instrument} would be {order.position_after.normalize():,f}; short selling is off"


def check_price_age(order: Proposal, limits: RiskConfig) -> str | None:
    """The newest price of the instrument, and of everything held, is fresh."""
    limit = limits.max_price_age_secs
    if limit is None:
        return None
    if order.price_age_secs is None or order.price_age_secs > limit:
        return _stale(order.instrument, order.price_age_secs, limit)
    if order.oldest is not None and order.oldest[1] > limit:
        return _stale(f"{order.oldest[0]}, which is held,", order.oldest[1], limit)
    return None


def _stale(what: str, age: Decimal | None, limit: Decimal) -> str:
    known = "unknown" if age is None else f"{age:,.0f} s"
    return f"age of the price of {what} is {known}; limit {limit.normalize():,f} s; only reducing orders pass"


def check_collar(order: Proposal, limits: RiskConfig) -> str | None:
    """Limit and trigger prices lie within the collar around the newest price."""
    limit = limits.price_collar_pct
    if limit is None or order.reference is None:
        return None
    for name, price in (("limit", order.limit), ("trigger", order.trigger)):
        if price is not None and abs(price - order.reference) > limit * order.reference:
            away = abs(price - order.reference) / order.reference
            return (
                f"{order.instrument} {name} price {_price(price)} is {away:.1%} away from {_price(order.reference)}; "
                f"limit {limit:.1%}"
            )
    return None


def check_slippage(order: Proposal, limits: RiskConfig) -> str | None:
    """A market order's far side lies within the limit of the middle."""
    limit = limits.max_slippage_pct
    if limit is None or not order.at_market or order.reference is None or order.far_side is None:
        return None
    away = abs(order.far_side - order.reference)
    if away <= limit * order.reference:
        return None
    return (
        f"{order.instrument} market order would meet {_price(order.far_side)}, {away / order.reference:.2%} from the "
        f"middle {_price(order.reference)}; limit {limit:.2%}"
    )


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
    return _beyond_share(f"{order.instrument} order of", order.notional, order, limit)


def check_position_pct(order: Proposal, limits: RiskConfig) -> str | None:
    """The instrument's exposure as a share of equity."""
    limit = limits.max_position_pct
    if limit is None or order.exposure_after <= limit * order.equity:
        return None
    return _beyond_share(f"{order.instrument} would be", order.exposure_after, order, limit)


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


def check_new_positions(order: Proposal, limits: RiskConfig) -> str | None:
    """Positions opened in this session day, this one included."""
    limit = limits.max_new_positions_per_day
    if limit is None or not order.opens or order.new_today + 1 <= limit:
        return None
    return f"{order.instrument} would be new position {order.new_today + 1} of the session day; limit {limit}"


def check_strategy_pct(order: Proposal, limits: RiskConfig) -> str | None:
    """One strategy's gross exposure as a share of equity."""
    limit = limits.max_strategy_pct
    if limit is None or order.strategy_gross_after <= limit * order.equity:
        return None
    return _beyond_share(f"{order.strategy} would hold", order.strategy_gross_after, order, limit)


def check_strategy_notional(order: Proposal, limits: RiskConfig) -> str | None:
    """One strategy's gross exposure in money."""
    limit = limits.max_strategy_notional
    if limit is None or order.strategy_gross_after <= limit:
        return None
    return (
        f"{order.strategy} would hold {_money(order.strategy_gross_after, order.currency)}; "
        f"limit {_money(limit, order.currency)}"
    )


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


def check_gross_notional(order: Proposal, limits: RiskConfig) -> str | None:
    """Gross exposure of the whole book in money."""
    limit = limits.max_gross_notional
    if limit is None or order.gross_after <= limit:
        return None
    return (
        f"gross exposure would be {_money(order.gross_after, order.currency)}; "
        f"limit {_money(limit, order.currency)}"
    )


def check_cash(order: Proposal, limits: RiskConfig) -> str | None:
    """Equity less gross exposure, as a share of equity."""
    limit, free = limits.min_cash_pct, order.equity - order.gross_after
    if limit is None or free >= limit * order.equity:
        return None
    return (
        f"{_money(free, order.currency)} would stay free, {_share_of(free, order.equity)} of equity "
        f"{_money(order.equity, order.currency)}; at least {limit:.1%}"
    )


def check_self_crossing(order: Proposal, limits: RiskConfig) -> str | None:
    """No order meets a resting one of this account on the other side."""
    if limits.allow_self_crossing or order.crosses is None:
        return None
    side = "buy" if order.is_buy else "sell"
    return f"{order.instrument} {side} would meet this account's own order at {_price(order.crosses)}"


def check_repeats(order: Proposal, limits: RiskConfig) -> str | None:
    """The same order again and again: a loop that ran away."""
    limit = limits.max_repeats
    if limit is None or order.repeats + 1 <= limit:
        return None
    side, window = "buy" if order.is_buy else "sell", limits.repeat_window_secs.normalize()
    return (
        f"{order.instrument} {side} {order.quantity.normalize():,f} for the {order.repeats + 1}th time within "
        f"{window:f} s; limit {limit}"
    )


def check_stop_loss(order: Proposal, limits: RiskConfig) -> str | None:
    """An entry brings a stop, or one is attached to it."""
    if not limits.require_stop_loss or order.has_stop or limits.default_stop_loss_pct is not None:
        return None
    return f"{order.instrument} entry without a stop; send both in one list, or set default_stop_loss_pct"


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


CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("NOT_ALLOWED", "allowed_instruments", check_allowed),
    ("MARKET_CLOSED", "trading_hours", check_hours),
    ("SHORT_SELLING", "allow_short", check_allow_short),
    ("STALE_PRICE", "max_price_age_secs", check_price_age),
    ("PRICE_COLLAR", "price_collar_pct", check_collar),
    ("MAX_SLIPPAGE", "max_slippage_pct", check_slippage),
    ("MAX_ORDER_NOTIONAL", "max_order_notional", check_order_notional),
    ("MAX_ORDER", "max_order_pct", check_order_pct),
    ("MAX_POSITION", "max_position_pct", check_position_pct),
    ("MAX_POSITION_NOTIONAL", "max_position_notional", check_position_notional),
    ("MAX_OPEN_POSITIONS", "max_open_positions", check_open_positions),
    ("MAX_NEW_POSITIONS", "max_new_positions_per_day", check_new_positions),
    ("MAX_STRATEGY", "max_strategy_pct", check_strategy_pct),
    ("MAX_STRATEGY_NOTIONAL", "max_strategy_notional", check_strategy_notional),
    ("MAX_LEVERAGE", "max_leverage", check_leverage),
    ("MAX_GROSS_NOTIONAL", "max_gross_notional", check_gross_notional),
    ("MIN_CASH", "min_cash_pct", check_cash),
    ("SELF_CROSSING", "allow_self_crossing", check_self_crossing),
    ("REPEATED_ORDER", "max_repeats", check_repeats),
    ("NO_STOP_LOSS", "require_stop_loss", check_stop_loss),
    ("MAX_ORDERS_PER_DAY", "max_orders_per_day", check_orders_per_day),
    ("MAX_ORDERS_PER_SEC", "max_orders_per_sec", check_orders_per_sec),
)
"""(refusal code, field, its check), in the order they are asked; the first broken limit is the answer."""
EXPOSURE = (
    "NOT_ALLOWED", "SHORT_SELLING", "MAX_POSITION", "MAX_POSITION_NOTIONAL", "MAX_OPEN_POSITIONS", "MAX_STRATEGY",
    "MAX_STRATEGY_NOTIONAL", "MAX_LEVERAGE", "MAX_GROSS_NOTIONAL", "MIN_CASH",
)  # fmt: skip
"""Codes of the limits on what would be held, not on the order itself."""


def is_on(limits: RiskConfig, field: str) -> bool:
    """Whether this limit can refuse anything."""
    value = getattr(limits, field)
    return not value if field.startswith("allow_") else value is not None and value is not False


def active(limits: RiskConfig) -> tuple[tuple[str, Check], ...]:
    """The checks whose limit is switched on."""
    return tuple((code, check) for code, field, check in CHECKS if is_on(limits, field))


def first_broken(
    order: Proposal, limits: RiskConfig, checks: tuple[tuple[str, Check], ...] | None = None
) -> str | None:
    """The first limit this order breaks, as `CODE: arithmetic; limit ...`, or None when all are kept."""
    if order.equity <= ZERO:
        return f"NO_EQUITY: equity is {_money(order.equity, order.currency)}; only reducing orders pass"
    for code, check in active(limits) if checks is None else checks:
        broken = check(order, limits)
        if broken is not None:
            return f"{code}: {broken}"
    return None
