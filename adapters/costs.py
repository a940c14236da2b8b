"""What does trading cost, and how are orders filled, where the engine and not a broker decides it?

The part of a venue's config that a preset of `configs/costs/` sets. Nothing of it is asked where a broker fills orders.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from risk.numbers import Number


def _yearly(rate: Decimal) -> Decimal:
    if rate > 1:
        raise ValueError(
            f"{rate} is above 1, but this is a fraction a year: 0.05 is 5% (did you mean {rate / 100}?)"
        )
    return rate


def _at_most(bound: Decimal, why: str) -> AfterValidator:
    def check(number: Decimal) -> Decimal:
        if number > bound:
            raise ValueError(f"must be at most {bound:,}: {why}")
        return number

    return AfterValidator(check)


FeeRate = Annotated[Number, Field(gt=-1, lt=1)]
AtLeastZero = Annotated[Number, Field(ge=0)]
Fraction = Annotated[Number, Field(ge=0, lt=1)]
AnnualRate = Annotated[Number, Field(ge=0), AfterValidator(_yearly)]
Spread = Annotated[
    AtLeastZero, _at_most(Decimal(2_000), "it is in basis points, and 100 of them are 1% of the price")
]
Multiple = Annotated[
    AtLeastZero, _at_most(Decimal(10), "it multiplies the volatility of a day, and 1 is a whole day's move")
]
AssetClass = Literal["equity", "fx", "crypto"]
Probability = Annotated[float, Field(strict=True, ge=0, le=1)]

ZERO = Decimal(0)
BORROW, INTEREST = "BORROW", "INTEREST"
"""What a night may cost: shares that were borrowed, cash below zero."""


class Costs(BaseModel):
    """Fees, prices worse than the data's, delays and financing. Rates are fractions unless a name says otherwise.

    Amounts a unit and an order are in the currency of the instrument.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    costs: Annotated[str, Field(max_length=64)] = "own"
    """Whose costs these are: the preset chosen with `costs=NAME`, or `own`, those of the venue's file."""
    costs_for: tuple[AssetClass, ...] = ()
    """What they were gathered for; empty: anything. A backtest of anything else says a doubt."""
    maker_fee: FeeRate = Decimal("0.0005")
    """Fee of a resting order as a fraction of the notional: 0.0005 is 5 basis points; below 0 is a rebate."""
    taker_fee: FeeRate = Decimal("0.0005")
    """Fee of an order that takes liquidity, as a fraction of the notional."""
    fee_per_unit: AtLeastZero = ZERO
    """Fee of each share (or unit), beside the fraction."""
    min_fee: AtLeastZero = ZERO
    """Least that an order costs, maker_fee, taker_fee and fee_per_unit together, once it is filled at all."""
    max_fee_pct: Fraction = ZERO
    """Most that those may be, as a fraction of what was filled: 0.01 is 1%; 0 is no such bound. It beats min_fee."""
    sale_fee: Fraction = ZERO
    """Levy on sales, as a fraction of the notional, above all else."""
    sale_fee_per_unit: AtLeastZero = ZERO
    """Levy on sales a unit, above all else."""
    sale_fee_per_unit_max: AtLeastZero = ZERO
    """Most that an order pays of the levy a unit; 0 is no such bound."""
    spread_bps: Spread = ZERO
    """Spread between bid and ask in basis points of the price: an order that takes liquidity pays half of it. Data that
    has a bid and an ask has its own."""
    slippage_vol: Multiple = ZERO
    """How much worse such an order fills, as a multiple of the instrument's daily volatility of late."""
    impact: Multiple = ZERO
    """How much it moves the price: this x daily volatility x (quantity / average volume of a bar) ** 0.6."""
    slippage_ticks: Literal[0, 1] = 0
    """1 moves every simulated fill one tick against the order; the engine moves resting limit orders too."""
    fill_probability: Probability = 1.0
    """How likely a resting limit order fills when the price touches it and does not go through it."""
    fill_seed: Annotated[int, Field(strict=True, ge=0)] = 1
    """Of the draws that decide it, and which tick a price between two ticks becomes."""
    latency_ms: Annotated[int, Field(strict=True, ge=0)] = 0
    """Milliseconds from sending an order to its arrival at the venue."""
    borrow_rate: AnnualRate = ZERO
    """What a short position costs a year, as a fraction of its value: charged for each night, 360 nights a year."""
    margin_rate: AnnualRate = ZERO
    """What cash below zero costs a year, charged likewise."""

    @property
    def plain_fees(self) -> bool:
        """Whether commission is a fraction of the notional and nothing else."""
        others = (self.fee_per_unit, self.min_fee, self.max_fee_pct, self.sale_fee, self.sale_fee_per_unit)
        return not any(others)

    @property
    def free(self) -> bool:
        """Whether trading costs nothing at all: no fee (a rebate is none), no spread, no slippage."""
        fees = self.maker_fee > 0 or self.taker_fee > 0 or self.fee_per_unit or self.min_fee
        levies = self.sale_fee or self.sale_fee_per_unit
        return not (fees or levies or self.moves_prices or self.slippage_ticks)

    @property
    def moves_prices(self) -> bool:
        """Whether orders that take liquidity fill at prices that the data does not have."""
        return bool(self.spread_bps or self.slippage_vol or self.impact)

    @property
    def scaled_by_market(self) -> bool:
        """Whether slippage depends on past volatility and volume, so that bars are needed."""
        return bool(self.slippage_vol or self.impact)

    @property
    def fills_differently(self) -> bool:
        """Whether fills are not those of the engine's own fill model."""
        return self.moves_prices or self.fill_probability < 1

    @property
    def financed(self) -> bool:
        """Whether holding costs something."""
        return bool(self.borrow_rate or self.margin_rate)

    @property
    def only_in_backtests(self) -> dict[str, str]:
        """Key -> the value that switches it off, of what a sandbox cannot simulate and this config asks for."""
        off = dict.fromkeys(("spread_bps", "slippage_vol", "impact", "borrow_rate", "margin_rate"), "0")
        off["fill_probability"] = "1.0"
        return {
            name: value
            for name, value in off.items()
            if getattr(self, name) != type(self).model_fields[name].default
        }
