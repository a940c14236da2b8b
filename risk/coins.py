"""What does a fee do that is taken in the coins that are traded?

Of 0.01 BTC bought for BTC/USD a venue may hand over 0.009975: as the engine counts it, that much is held. So it is
fewer units, and it costs what they are worth at the fill's price, in the pair's other currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def netted(
    instrument: str, signed_quantity: Decimal, price: Decimal, commission: Decimal, currency: str
) -> tuple[Decimal, Decimal, str]:
    """Of a fill: the units that came (above zero) or went, its commission, and the commission's currency.

    instrument: as BTC/USD.ALPACA; one without a stroke is no pair of coins, and answers what was given.
    """
    coin, stroke, other = instrument.rpartition(".")[0].partition("/")
    if not stroke or currency != coin or not commission:
        return signed_quantity, commission, currency
    return signed_quantity - commission, commission * price, other


def netted_row(fill: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a fill (instrument, side, quantity, price, commission, currency) as `netted` counts it."""
    quantity: Decimal = fill["quantity"]
    buys = fill["side"] == "BUY"
    units, commission, currency = netted(
        fill["instrument"],
        quantity if buys else -quantity,
        fill["price"],
        fill["commission"],
        fill["currency"],
    )
    return {**fill, "quantity": units if buys else -units, "commission": commission, "currency": currency}
