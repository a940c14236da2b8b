"""How are the numbers of a run written for a person: percentages, ratios and money?"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runs.summary import Summary

UNDEFINED = "n/a"


def percent(fraction: float | None, *, signed: bool = False) -> str:
    """Write 0.1234 as `12.3%`, with a plus where asked for."""
    if fraction is None:
        return UNDEFINED
    return f"{fraction:+,.1%}" if signed else f"{fraction:,.1%}"


def ratio(number: float | None) -> str:
    """Write 0.5228 as `0.52`."""
    return UNDEFINED if number is None else f"{number:,.2f}"


def span(low: float | None, high: float | None, written: Callable[[float | None], str]) -> str:
    """Write two numbers as `0.26 to 1.15`, each as `written` writes it."""
    return UNDEFINED if low is None or high is None else f"{written(low)} to {written(high)}"


def money(amount: Decimal, currency: str, *, signed: bool = False) -> str:
    """Write an amount as `217,340.70 USD`, to the cent as it is."""
    return f"{amount:+,f} {currency}" if signed else f"{amount:,f} {currency}"


def held_told(total_return: float | None, share: float | None) -> str:
    """What a curve of buy-and-hold is called. share: of the money, where it is drawn with a part of it; None: all."""
    told = f"buy and hold {percent(total_return, signed=True)}"
    return told if share is None else f"{told}, drawn at equal volatility (with {share:.0%} of the money)"


def trading(summary: Summary) -> list[tuple[str, str]]:
    """The account and its trades, as name and value."""
    return [
        ("Starting equity", money(summary.starting_equity, summary.currency)),
        ("Final equity", money(summary.final_equity, summary.currency)),
        ("Fees", money(summary.fees, summary.currency)),
        ("Orders / fills / refusals", f"{summary.orders:,} / {summary.fills:,} / {summary.refusals:,}"),
        ("Trades closed / open", f"{summary.trades:,} / {summary.open_trades:,}"),
        ("Win rate", percent(summary.win_rate)),
        ("Profit factor", ratio(summary.profit_factor)),
        (
            "Turnover, a year",
            UNDEFINED if summary.turnover is None else f"{ratio(summary.turnover)} x equity",
        ),
        ("Exposure, average / highest", f"{percent(summary.exposure)} / {percent(summary.max_exposure)}"),
        ("Time in the market", percent(summary.time_in_market)),
        ("Halted at the end", "yes" if summary.halted else "no"),
    ]
