"""What are cash and positions worth together, when they are in several currencies?"""

from __future__ import annotations

from decimal import Decimal

from risk.numbers import ZERO


class Ledger:
    """Cash and the value of positions, by currency. Every step is exact; nothing is ever summed anew."""

    __slots__ = ("_cash", "_rates", "_worth")

    def __init__(self, rates: dict[str, Decimal | None]) -> None:
        """`rates`: currency -> base units for one of it, shared with the book that sets them."""
        self._rates = rates
        self._cash: dict[str, Decimal] = {}
        self._worth: dict[str, Decimal] = {}  # cash and positions together

    def pay(self, currency: str, amount: Decimal) -> None:
        """Money in (above zero) or out."""
        self._cash[currency] = self._cash.get(currency, ZERO) + amount
        self._worth[currency] = self._worth.get(currency, ZERO) + amount

    def trade(self, currency: str, flow: Decimal, value: Decimal) -> None:
        """A fill: cash of `flow` against a position now worth `value` more."""
        self._cash[currency] = self._cash.get(currency, ZERO) + flow
        self._worth[currency] = self._worth.get(currency, ZERO) + flow + value

    def revalue(self, currency: str, step: Decimal) -> None:
        """Positions are worth `step` more."""
        self._worth[currency] = self._worth.get(currency, ZERO) + step

    def cash(self) -> Decimal:
        """Cash in the base currency. Raises LookupError without the rate of a currency it holds."""
        return self._in_base(self._cash)

    def worth(self) -> Decimal:
        """Cash and positions in the base currency. Raises LookupError without the rate of a currency it holds."""
        return self._in_base(self._worth)

    def holds_other_than(self, base: str) -> bool:
        """Whether anything is left in another currency, so that rates move its worth though nothing is held."""
        return any(amount for currency, amount in self._worth.items() if currency != base)

    def balances(self) -> dict[str, Decimal]:
        """Currency -> cash in it."""
        return dict(self._cash)

    def worths(self) -> dict[str, Decimal]:
        """Currency -> cash and positions in it."""
        return dict(self._worth)

    def _in_base(self, amounts: dict[str, Decimal]) -> Decimal:
        total = ZERO
        for currency, amount in amounts.items():
            if amount:
                rate = self._rates.get(currency)
                if rate is None:
                    raise LookupError(f"no rate of {currency} yet")
                total += amount if rate == 1 else amount * rate
        return total
