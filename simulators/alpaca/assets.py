"""What can be traded at the local Alpaca?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulators.alpaca.refusal import not_found
from simulators.alpaca.wire import amount, identity

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset and its rules."""

    symbol: str
    name: str
    exchange: str
    asset_class: str = "us_equity"
    tradable: bool = True
    marginable: bool = True
    shortable: bool = True
    fractionable: bool = True
    easy_to_borrow: bool = True
    price_increment: Decimal = CENT
    min_trade_increment: Decimal = Decimal(1)
    min_order_size: Decimal = Decimal(1)
    maintenance_pct: int = 30
    walk_from: Decimal = Decimal(100)
    """Where its made-up path starts when there are no data of it."""

    @property
    def id(self) -> str:
        """Its UUID."""
        return identity("asset", self.symbol)

    @property
    def is_crypto(self) -> bool:
        """Whether it trades around the clock."""
        return self.asset_class == "crypto"

    def row(self) -> dict[str, Any]:
        """As on the wire."""
        margin = "50" if self.marginable else "100"
        row: dict[str, Any] = {
            "id": self.id,
            "class": self.asset_class,
            "cusip": None,
            "exchange": self.exchange,
            "symbol": self.symbol,
            "name": self.name,
            "status": "active" if self.tradable else "inactive",
            "tradable": self.tradable,
            "marginable": self.marginable,
            "shortable": self.shortable,
            "easy_to_borrow": self.easy_to_borrow,
            "borrow_status": "easy_to_borrow" if self.easy_to_borrow else "hard_to_borrow",
            "fractionable": self.fractionable,
            "maintenance_margin_requirement": self.maintenance_pct,
            "margin_requirement_long": margin,
            "margin_requirement_short": margin if self.shortable else "100",
            "attributes": ["fractional_eh_enabled"] if self.fractionable and not self.is_crypto else [],
        }
        if self.is_crypto:
            row |= {
                "min_order_size": amount(self.min_order_size),
                "min_trade_increment": amount(self.min_trade_increment),
                "price_increment": amount(self.price_increment),
            }
        return row


def _crypto(symbol: str, name: str, increment: str, least: str, walk_from: int) -> Asset:
    return Asset(
        symbol, f"{name} / US Dollar", "CRYPTO", "crypto", marginable=False, shortable=False,
        easy_to_borrow=False, price_increment=Decimal(increment), min_trade_increment=Decimal("0.000000001"),
        min_order_size=Decimal(least), maintenance_pct=100, walk_from=Decimal(walk_from),
    )  # fmt: skip


LISTED = (
    Asset("AAPL", "Apple Inc. Common Stock", "NASDAQ"),
    Asset("MSFT", "Microsoft Corporation Common Stock", "NASDAQ"),
    Asset("IBM", "International Business Machines Corporation Common Stock", "NYSE"),
    Asset("GOOG", "Alphabet Inc. Class C Capital Stock", "NASDAQ"),
    Asset("SPY", "SPDR S&P 500 ETF Trust", "ARCA", walk_from=Decimal(150)),
    Asset("HARD", "Hard to Borrow Inc. Common Stock", "NYSE", shortable=False, easy_to_borrow=False,
          fractionable=False, marginable=False, maintenance_pct=100, walk_from=Decimal(20)),
    Asset("GONE", "Delisted Inc. Common Stock", "NYSE", tradable=False, shortable=False, fractionable=False),
    _crypto("BTC/USD", "Bitcoin", "0.01", "0.0001", 20_000),
    _crypto("ETH/USD", "Ethereum", "0.01", "0.001", 1_500),
)  # fmt: skip


class Assets:
    """The assets by symbol and by id; `BTCUSD` finds `BTC/USD` too."""

    def __init__(self, listed: Iterable[Asset] = LISTED) -> None:
        self._by_name: dict[str, Asset] = {}
        self.all = tuple(listed)
        for one in self.all:
            self._by_name |= {one.symbol: one, one.id: one, one.symbol.replace("/", ""): one}

    def find(self, name: str) -> Asset | None:
        """By symbol or id."""
        return self._by_name.get(name)

    def get(self, name: str) -> Asset:
        """By symbol or id. Raises RefusedError 404."""
        found = self.find(name)
        if found is None:
            raise not_found(f"asset not found for {name}")
        return found
