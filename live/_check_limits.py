"""Do the limits of a config fit an account: is an order possible at all, and can the account pay for the worst case?"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters.inspection import Finding
from configs.asked import asked_limits
from risk.changes import shown

if TYPE_CHECKING:
    from adapters.inspection import Inspector, Sized
    from configs.schema import RunConfig
    from risk.limits import RiskConfig

Cap = tuple[str, Decimal]
"""A limit as a person writes it, and what it allows in money."""


def limit_findings(config: RunConfig, inspector: Inspector) -> list[Finding]:
    """Smallest sizes against the limits, and buying power against the worst case; none for an unknown account."""
    if inspector.facts is None:
        return []
    inside = config.venue.mode == "sandbox"
    equity = config.venue.starting_cash if inside else inspector.facts.equity
    power = equity * config.venue.leverage if inside else inspector.facts.buying_power
    limits = asked_limits(config)
    found = [_sizes(limits, equity, inspector.sized)] if inspector.sized else []
    return [*found, _worst_case(limits, equity, power, max(1, len(inspector.sized)))]


def _sizes(limits: RiskConfig, equity: Decimal, sized: Iterable[Sized]) -> Finding:
    cap = min(_order_caps(limits, equity), key=lambda each: each[1], default=None)
    told, too_small = [], []
    for each in sized:
        if each.price is None:
            told.append(f"{each.symbol} has no price")
            continue
        least = each.least * each.price
        told.append(f"{each.least.normalize():f} {each.symbol} is {least:,.2f}")
        if cap is not None and least > cap[1]:
            too_small.append(each.symbol)
    text = ", ".join(told) + ("" if cap is None else f"; an order may be {cap[1]:,.2f} ({cap[0]})")
    if too_small:
        fix = f"every order for {', '.join(too_small)} is refused: another instrument, a higher limit, or fractions"
        return Finding("sizes", "failed", text, fix)
    return Finding("sizes", "ok", text)


def _worst_case(limits: RiskConfig, equity: Decimal, power: Decimal, instruments: int) -> Finding:
    cap = min(_gross_caps(limits, equity, instruments), key=lambda each: each[1], default=None)
    if cap is None:
        return Finding(
            "buying power", "warning", f"{power:,.2f}; the limits allow any exposure", "set risk.max_leverage"
        )
    text = f"{power:,.2f}; the limits allow {cap[1]:,.2f} ({cap[0]})"
    if power <= 0:
        return Finding("buying power", "failed", text, "pay in, or close positions")
    if cap[1] > power:
        fix = "the broker refuses what is beyond; lower risk.max_leverage"
        return Finding("buying power", "warning", text, fix)
    return Finding("buying power", "ok", text)


def _order_caps(limits: RiskConfig, equity: Decimal) -> list[Cap]:
    shares = ("max_order_pct", "max_position_pct", "max_strategy_pct", "max_leverage")
    amounts = ("max_order_notional", "max_position_notional", "max_strategy_notional", "max_gross_notional")
    return _caps(limits, equity, shares, amounts)


def _gross_caps(limits: RiskConfig, equity: Decimal, instruments: int) -> list[Cap]:
    found = _caps(limits, equity, ("max_leverage",), ("max_gross_notional",))
    held = instruments if limits.max_open_positions is None else min(instruments, limits.max_open_positions)
    found += [
        (f"{name}, {held} at once", most * held)
        for name, most in _caps(limits, equity, ("max_position_pct",), ("max_position_notional",))
    ]
    if limits.min_cash_pct is not None:
        found.append((f"min_cash_pct={shown(limits.min_cash_pct)}", equity * (1 - limits.min_cash_pct)))
    return found


def _caps(limits: RiskConfig, equity: Decimal, shares: Iterable[str], amounts: Iterable[str]) -> list[Cap]:
    found = [
        (f"{key}={shown(value)}", equity * value)
        for key in shares
        if (value := getattr(limits, key)) is not None
    ]
    return found + [
        (f"{key}={shown(value)}", value) for key in amounts if (value := getattr(limits, key)) is not None
    ]
