"""How many units should an order be for?

Pure functions: equity, price and risk in, quantity out. Quantities and money are Decimals; the one float, a measured
volatility, becomes a Decimal through its shortest text before it touches a quantity. Every result is rounded down to
the instrument's size increment, so no function ever asks for more than it was told to.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from math import isfinite, log, sqrt
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Method = Literal["fixed", "percent_of_equity", "volatility_target", "fixed_risk"]
ZERO = Decimal(0)


def percent_of_equity(equity: Decimal, price: Decimal, fraction: Decimal, multiplier: Decimal = Decimal(1)) -> Decimal:
    """Units whose notional is `fraction` of equity. Zero when equity or price is not positive."""
    if equity <= ZERO or price <= ZERO:
        return ZERO
    return equity * fraction / (price * multiplier)


def volatility_target(
    equity: Decimal, price: Decimal, target: Decimal, volatility: float | None, multiplier: Decimal = Decimal(1)
) -> Decimal:
    """Units that make the position's annual volatility `target` (a fraction of equity): target / volatility of equity.

    Zero while the instrument's annual `volatility` is unknown, zero or not finite.
    """
    if volatility is None or not isfinite(volatility) or volatility <= 0:
        return ZERO
    return percent_of_equity(equity, price, target / Decimal(repr(volatility)), multiplier)


def fixed_risk(
    equity: Decimal, price: Decimal, stop_price: Decimal, fraction: Decimal, multiplier: Decimal = Decimal(1)
) -> Decimal:
    """Units that lose `fraction` of equity if the position is left at `stop_price`. Zero without a distance."""
    distance = abs(price - stop_price)
    if equity <= ZERO or distance == ZERO:
        return ZERO
    return equity * fraction / (distance * multiplier)


def annual_volatility(closes: Sequence[float], periods_per_year: int) -> float | None:
    """Standard deviation of log returns (n - 1), times the root of the periods in a year.

    `closes` are prices in time order; None for fewer than three, or when one is not positive.
    """
    if len(closes) < 3 or min(closes) <= 0:  # noqa: PLR2004 - two returns are the fewest with a deviation
        return None
    returns = [log(after / before) for before, after in zip(closes, closes[1:], strict=False)]
    mean = sum(returns) / len(returns)
    variance = sum((each - mean) ** 2 for each in returns) / (len(returns) - 1)
    return sqrt(variance * periods_per_year)


def round_down(quantity: Decimal, increment: Decimal, minimum: Decimal | None = None) -> Decimal:
    """The largest multiple of `increment` that is not above `quantity`; zero below `minimum` or for a negative."""
    if quantity <= ZERO:
        return ZERO
    rounded = (quantity / increment).to_integral_value(rounding=ROUND_DOWN) * increment
    return ZERO if minimum is not None and rounded < minimum else rounded
