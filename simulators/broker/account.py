"""What does the local broker's account hold? Cash and net positions, no margin and no interest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(slots=True)
class Position:
    """A net position: signed quantity, and the average price it was opened at."""

    quantity: Decimal = ZERO
    average_price: Decimal = ZERO

    def add(self, signed: Decimal, price: Decimal) -> None:
        """Trade `signed` units at `price`: averages while it grows, keeps the average while it shrinks."""
        after = self.quantity + signed
        if self.quantity * signed >= 0:
            self.average_price = (self.average_price * self.quantity + price * signed) / after
        elif after * self.quantity < 0:
            self.average_price = price
        self.quantity = after
        if not after:
            self.average_price = ZERO


@dataclass(slots=True)
class Account:
    """Cash, in one currency, and net positions by instrument."""

    number: str
    currency: str
    cash: Decimal
    positions: dict[str, Position] = field(default_factory=dict)

    def trade(self, instrument: str, signed: Decimal, price: Decimal, commission: Decimal) -> None:
        """Book one fill."""
        self.positions.setdefault(instrument, Position()).add(signed, price)
        self.cash -= signed * price + commission

    def held(self, instrument: str) -> Decimal:
        """Signed quantity held."""
        position = self.positions.get(instrument)
        return ZERO if position is None else position.quantity

    def equity(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Cash and positions, these at the newest prices, or what they cost where none is known."""
        return self.cash + sum(
            (each.quantity * prices.get(name, each.average_price) for name, each in self.positions.items()),
            ZERO,
        )

    def row(self, prices: Mapping[str, Decimal]) -> dict[str, object]:
        """As on the wire: amounts are text."""
        return {
            "account": self.number,
            "currency": self.currency,
            "cash": f"{self.cash:f}",
            "equity": f"{self.equity(prices):f}",
            "positions": [
                {
                    "instrument": name,
                    "quantity": f"{each.quantity:f}",
                    "average_price": f"{each.average_price:f}",
                }
                for name, each in sorted(self.positions.items())
                if each.quantity
            ],
        }
