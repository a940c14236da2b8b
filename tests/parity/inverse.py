"""A perpetual that is quoted in dollars and settled in coins, with the coin's rate from its own prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from nautilus_trader.model import (
    Bar,
    BarType,
    CryptoPerpetual,
    Currency,
    InstrumentId,
    Price,
    Quantity,
    Symbol,
)

from market.rates import NO_RATES, Rates, RateSeries, exact_rate
from tests.driving import DAY, T0, USD, FixedMarket

BTC = Currency.from_str("BTC")
NAME = "XBTUSD.SIM"


@dataclass(frozen=True)
class InverseMarket(FixedMarket):
    """One inverse contract of a dollar each."""

    symbols: tuple[str, ...] = ("XBTUSD",)

    @property
    def instruments(self) -> tuple[Any, ...]:
        return (
            CryptoPerpetual(
                InstrumentId.from_str(NAME), Symbol("XBTUSD"), BTC, USD, BTC, True, 1, 0,  # noqa: FBT003 - is_inverse
                Price(0.5, 1), Quantity(1, 0), 0, 0, margin_init=Decimal(1), margin_maint=Decimal("0.5"),
            ),
        )  # fmt: skip

    @property
    def bar_types(self) -> tuple[BarType, ...]:
        return (BarType.from_str(f"{NAME}-1-DAY-LAST-EXTERNAL"),)

    def frame(self, _symbol: str) -> pd.DataFrame:
        """What the reports read."""
        return pd.DataFrame(
            {"ts": [row.ts_event for row in self.rows], "close": [float(row.close) for row in self.rows]}  # type: ignore[union-attr]
        )


def inverse_market(closes: Sequence[float], account: str = "USD") -> InverseMarket:
    """Flat daily bars; in a dollar account the coin's rate is each close, told with it."""
    kind = BarType.from_str(f"{NAME}-1-DAY-LAST-EXTERNAL")
    stamps = [T0 + number * DAY for number in range(len(closes))]
    prices = [Price(close, 1) for close in closes]
    rows = [
        Bar(kind, price, price, price, price, Quantity(10**9, 0), stamp, stamp)
        for price, stamp in zip(prices, stamps, strict=True)
    ]
    series = RateSeries(
        "BTC", np.array(stamps, np.int64), tuple(exact_rate(price.as_decimal()) for price in prices), NAME
    )
    rates = Rates("USD", "SIM", {"BTC": series}) if account == "USD" else NO_RATES
    return InverseMarket(tuple(rows), rates=rates)
