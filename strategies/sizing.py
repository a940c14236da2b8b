"""How much to trade: equity, price and risk in, quantity out.

Everything that can reach an order is Decimal and rounded down. The one float is the spread of past returns, a
statistic; it becomes a Decimal rounded up, so that rounding can only make a position smaller.

A unit's value is what one unit of quantity is worth in the account's currency: price times multiplier for a share.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, Context, Decimal, localcontext
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field

Method = Literal["fixed", "percent_of_equity", "volatility_target", "risk_to_stop"]
Quantity = Annotated[Decimal, Field(gt=0)]
Share = Annotated[Decimal, Field(gt=0, le=1)]
ShareBelowOne = Annotated[Decimal, Field(gt=0, lt=1)]
LeveragedShare = Annotated[Decimal, Field(gt=0, le=20)]
Bars = Annotated[int, Field(ge=1)]

ZERO = Decimal(0)
VOLATILITY_STEP = Decimal("0.000001")
# More digits than any product of an account's figures needs, and never rounded up.
EXACT = Context(prec=60, rounding=ROUND_DOWN)


@dataclass(frozen=True, slots=True)
class Sizing:
    """One way to size an entry and the figures it needs; shares are fractions of equity.

    fixed: always `quantity`.
    percent_of_equity: a position worth `size_pct` of equity.
    volatility_target: a position that moves equity by about `volatility_pct` a year, judged by the last
    `volatility_bars` returns, and worth `max_size_pct` of equity at most.
    risk_to_stop: a position that loses `risk_pct` of equity when its stop, `stop_loss_pct` away, is hit, and worth
    `max_size_pct` of equity at most.
    """

    method: Method = "percent_of_equity"
    quantity: Decimal = Decimal(100)
    size_pct: Decimal = Decimal("0.09")
    volatility_pct: Decimal = Decimal("0.04")
    volatility_bars: int = 60
    bars_per_year: int = 252
    risk_pct: Decimal = Decimal("0.01")
    max_size_pct: Decimal = Decimal(1)
    stop_loss_pct: Decimal | None = None

    def __post_init__(self) -> None:
        if self.method == "risk_to_stop" and self.stop_loss_pct is None:
            raise ValueError("sizing=risk_to_stop needs stop_loss_pct, the distance to the stop (0.05 is 5%)")

    @property
    def needed_closes(self) -> int:
        """How many closes `wanted` looks at."""
        return self.volatility_bars + 1 if self.method == "volatility_target" else 0

    def wanted(self, equity: Decimal, unit_value: Decimal, closes: Sequence[float]) -> Decimal | None:
        """The quantity to hold, not yet cut to what can be traded; None while there are too few closes to tell."""
        match self.method:
            case "fixed":
                return self.quantity
            case "percent_of_equity":
                return percent_of_equity(equity, self.size_pct, unit_value)
            case "volatility_target":
                if len(closes) < self.needed_closes:
                    return None
                volatility = annual_volatility(closes, self.bars_per_year)
                return volatility_target(
                    equity, self.volatility_pct, volatility, unit_value, self.max_size_pct
                )
            case "risk_to_stop":
                distance = self.stop_loss_pct or ZERO
                return risk_to_stop(equity, self.risk_pct, distance, unit_value, self.max_size_pct)


@dataclass(frozen=True, slots=True)
class Lot:
    """What quantities an instrument can be traded in."""

    increment: Decimal
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    minimum_notional: Decimal = ZERO

    @classmethod
    def of(cls, instrument: Any) -> "Lot":
        """The lot of any of the engine's instruments."""
        increment = instrument.lot_size or instrument.size_increment
        return cls(
            increment.as_decimal(),
            instrument.min_quantity.as_decimal() if instrument.min_quantity else ZERO,
            instrument.max_quantity.as_decimal() if instrument.max_quantity else None,
            instrument.min_notional.as_decimal() if instrument.min_notional else ZERO,
        )

    def cut(self, quantity: Decimal, notional_per_unit: Decimal) -> Decimal:
        """The largest tradeable quantity not above the one given; zero when that is below a minimum."""
        if self.maximum is not None:
            quantity = min(quantity, self.maximum)
        with localcontext(EXACT):
            cut = max(quantity, ZERO) // self.increment * self.increment
            return ZERO if cut < self.minimum or cut * notional_per_unit < self.minimum_notional else cut


def percent_of_equity(equity: Decimal, size_pct: Decimal, unit_value: Decimal) -> Decimal:
    """Units worth `size_pct` of equity; zero when there is no equity or no price."""
    if equity <= ZERO or unit_value <= ZERO:
        return ZERO
    with localcontext(EXACT):
        return equity * size_pct / unit_value


def volatility_target(
    equity: Decimal, target: Decimal, volatility: Decimal, unit_value: Decimal, max_size_pct: Decimal
) -> Decimal:
    """Units whose yearly standard deviation is `target` of equity, worth `max_size_pct` of equity at most.

    `target` and `volatility` are yearly fractions. A price that has not moved tells nothing: zero.
    """
    if volatility <= ZERO:
        return ZERO
    with localcontext(EXACT):
        return percent_of_equity(equity, min(target / volatility, max_size_pct), unit_value)


def risk_to_stop(
    equity: Decimal, risk_pct: Decimal, distance_pct: Decimal, unit_value: Decimal, max_size_pct: Decimal
) -> Decimal:
    """Units that lose `risk_pct` of equity over `distance_pct` of the price, worth `max_size_pct` of it at most."""
    if distance_pct <= ZERO:
        return ZERO
    with localcontext(EXACT):
        return percent_of_equity(equity, min(risk_pct / distance_pct, max_size_pct), unit_value)


def annual_volatility(closes: Sequence[float], bars_per_year: float) -> Decimal:
    """Standard deviation of the log returns between closes, a year's worth, rounded up to a millionth.

    Sample deviation times the root of `bars_per_year`. Zero, which no target takes, when it cannot be told: fewer than
    two returns, or a close that is not a positive number.
    """
    if len(closes) < 3 or not all(math.isfinite(close) and close > 0 for close in closes):  # noqa: PLR2004
        return ZERO
    returns = [math.log(after / before) for before, after in pairwise(closes)]
    mean = math.fsum(returns) / len(returns)
    variance = math.fsum((r - mean) ** 2 for r in returns) / (len(returns) - 1)
    return Decimal(math.sqrt(variance * bars_per_year)).quantize(VOLATILITY_STEP, rounding=ROUND_CEILING)
