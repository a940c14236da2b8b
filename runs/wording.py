"""How are the numbers of a run written for a person: percentages, ratios and money?"""

from __future__ import annotations

from decimal import Decimal

UNDEFINED = "n/a"


def percent(fraction: float | None, *, signed: bool = False) -> str:
    """Write 0.1234 as `12.3%`, with a plus where asked for."""
    if fraction is None:
        return UNDEFINED
    return f"{fraction:+,.1%}" if signed else f"{fraction:,.1%}"


def ratio(number: float | None) -> str:
    """Write 0.5228 as `0.52`."""
    return UNDEFINED if number is None else f"{number:,.2f}"


def money(amount: Decimal, currency: str, *, signed: bool = False) -> str:
    """Write an amount as `217,340.70 USD`, to the cent as it is."""
    return f"{amount:+,f} {currency}" if signed else f"{amount:,f} {currency}"
