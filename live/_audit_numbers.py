"""What did the gate compare with its limits, and how far was each of them?

A decision keeps what it compared; the limits it went by are kept by the name of their version. Only limits that were
on are told, in the words that a refusal would have had.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from live._amounts import money_text, percent_text, price_text


class Compared:
    """The numbers of one decision and the limits they were compared with; a number that is not kept is a KeyError."""

    def __init__(self, numbers: Mapping[str, Any], limits: Mapping[str, Any]) -> None:
        """As the journal keeps them: amounts are text."""
        self._numbers = numbers
        self._limits = limits

    def __getitem__(self, name: str) -> Decimal:
        """A number. Raises KeyError where it is not kept."""
        return _decimal(self._numbers[name], name)

    def limit(self, name: str) -> Decimal:
        """A limit. Raises KeyError where it is off or not kept."""
        return _decimal(self._limits[name], name)

    def text(self, name: str) -> str:
        """A text. Raises KeyError where it is not kept."""
        return str(self._numbers[name])

    def money(self, amount: Decimal) -> str:
        """An amount in the account's currency."""
        currency = self.text("currency")
        return f"{money_text(amount, currency)} {currency}"

    def of_equity(self, amount: Decimal) -> str:
        """An amount, and its share of equity."""
        equity = self["equity"]
        share = f"{amount / equity:.1%} of " if equity > 0 else ""
        return f"{self.money(amount)}, {share}equity {self.money(equity)}"


def _decimal(value: Any, name: str) -> Decimal:
    if value is None or isinstance(value, bool):
        raise KeyError(name)
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise KeyError(name) from None


def _order_notional(seen: Compared) -> str:
    return (
        f"the order is {seen.money(seen['notional'])}; limit {seen.money(seen.limit('max_order_notional'))}"
    )


def _order_pct(seen: Compared) -> str:
    return f"the order is {seen.of_equity(seen['notional'])}; limit {seen.limit('max_order_pct'):.1%}"


def _position_pct(seen: Compared) -> str:
    what = f"{seen.text('instrument')} would be {seen.of_equity(seen['exposure_after'])}"
    return f"{what}; limit {seen.limit('max_position_pct'):.1%}"


def _position_notional(seen: Compared) -> str:
    what = f"{seen.text('instrument')} would be {seen.money(seen['exposure_after'])}"
    return f"{what}; limit {seen.money(seen.limit('max_position_notional'))}"


def _leverage(seen: Compared) -> str:
    gross, equity, limit = seen["gross_after"], seen["equity"], seen.limit("max_leverage")
    times = f"{gross / equity:.2f}x " if equity > 0 else ""
    what = f"gross exposure would be {seen.money(gross)}, {times}equity {seen.money(equity)}"
    return f"{what}; limit {price_text(limit)}x"


def _gross_notional(seen: Compared) -> str:
    limit = seen.money(seen.limit("max_gross_notional"))
    return f"gross exposure would be {seen.money(seen['gross_after'])}; limit {limit}"


def _strategy_pct(seen: Compared) -> str:
    what = f"{seen.text('strategy')} would hold {seen.of_equity(seen['strategy_gross_after'])}"
    return f"{what}; limit {seen.limit('max_strategy_pct'):.1%}"


def _strategy_notional(seen: Compared) -> str:
    what = f"{seen.text('strategy')} would hold {seen.money(seen['strategy_gross_after'])}"
    return f"{what}; limit {seen.money(seen.limit('max_strategy_notional'))}"


def _cash(seen: Compared) -> str:
    free = seen["equity"] - seen["gross_after"]
    return f"{seen.of_equity(free)} would stay free; at least {seen.limit('min_cash_pct'):.1%}"


def _open_positions(seen: Compared) -> str:
    return f"open positions would be {seen['open_after']:,f}; limit {seen.limit('max_open_positions'):,f}"


def _new_positions(seen: Compared) -> str:
    limit = seen.limit("max_new_positions_per_day")
    return f"new positions of the session day before it: {seen['new_today']:,f}; limit {limit:,f}"


def _orders_per_day(seen: Compared) -> str:
    return f"it is order {seen['orders_today'] + 1:,f} of the session day; limit {seen.limit('max_orders_per_day'):,f}"


def _price_age(seen: Compared) -> str:
    limit = seen.limit("max_price_age_secs")
    return f"the price was {price_text(seen['price_age_secs'])} s old; limit {price_text(limit)} s"


def _collar(seen: Compared) -> str:
    limit, reference = seen.limit("price_collar_pct"), seen["reference"]
    away = abs(seen["limit"] - reference) / reference
    return f"its limit price is {percent_text(away)} from {price_text(reference)}; limit {limit:.1%}"


def _slippage(seen: Compared) -> str:
    limit, reference = seen.limit("max_slippage_pct"), seen["reference"]
    away = abs(seen["far_side"] - reference) / reference
    far = price_text(seen["far_side"])
    return f"the market is at {far}, {percent_text(away)} from the middle {price_text(reference)}; limit {limit:.2%}"


TOLD: tuple[Callable[[Compared], str], ...] = (
    _price_age, _collar, _slippage, _order_notional, _order_pct, _position_pct, _position_notional, _open_positions,
    _new_positions, _strategy_pct, _strategy_notional, _leverage, _gross_notional, _cash, _orders_per_day,
)  # fmt: skip
"""In the order in which the gate asks them (risk.checks.CHECKS)."""


def arithmetic(numbers: str, limits: Mapping[str, Any] | None) -> list[str]:
    """What a decision compared, a line a limit that was on; what is not kept is left out."""
    try:
        kept = json.loads(numbers)
    except ValueError:
        return []
    if not isinstance(kept, dict):
        return []
    seen, lines = Compared(kept, limits or {}), []
    for tell in TOLD:
        try:
            lines.append(tell(seen))
        except (KeyError, ArithmeticError):
            continue
    return lines
