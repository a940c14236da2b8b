"""Between which two prices can nothing happen, and is this price to be believed?

Reading equity on every price would cost a quarter of the engine's speed. A `PriceWatch` holds the band of an
instrument's price inside which no breaker can trip, no new peak can form and no jump can hide: comparing two floats
answers most updates, and everything outside the band is read exactly. Floats only decide whether to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import inf, isfinite

from nautilus_trader.model import Bar, QuoteTick, TradeTick

from risk.book import Instrument

SAFETY = 1 - 1e-9  # the band is this much narrower than computed, so rounding can only cause one look more


@dataclass(slots=True)
class PriceWatch:
    """One instrument's last price, the band in which it needs no look, and a price that waits to be confirmed."""

    instrument: Instrument
    low: float = inf
    high: float = -inf
    price: float | None = None
    update: Bar | QuoteTick | TradeTick | None = None
    trusted: float | None = None
    suspect: float | None = None

    def always_look(self) -> None:
        """Empty the band: the next price is read exactly."""
        self.low, self.high = inf, -inf

    def never_look(self) -> None:
        """Nothing depends on this price now."""
        self.low, self.high = -inf, inf
        self.suspect = None

    def believes(self, price: float, previous: float | None, jump: float | None) -> bool:
        """Whether `price` counts. One that jumped waits for a second that agrees, or for the old level to come back."""
        if not isfinite(price) or price <= 0:
            self.trusted, self.suspect = self.trusted or previous, self.suspect or price
            return False
        if self.suspect is not None:
            near_suspect = self.suspect > 0 and not jumped(price, self.suspect, jump)
            if near_suspect or (self.trusted is not None and not jumped(price, self.trusted, jump)):
                self.suspect = None
                return True
            self.suspect = price
            return False
        if previous is not None and jumped(price, previous, jump):
            self.trusted, self.suspect = previous, price
            return False
        return True

    def band(self, price: float, sensitivity: float, fall: float, rise: float, jump: float | None) -> None:
        """Set the band around `price`.

        `sensitivity` is equity gained per unit of price (signed), `fall` and `rise` how much equity this instrument
        alone may lose or gain before somebody must look (account currency, not negative).
        """
        below, above = (fall, rise) if sensitivity > 0 else (rise, fall)
        size = abs(sensitivity)
        self.low = price - SAFETY * below / size if size else -inf
        self.high = price + SAFETY * above / size if size else inf
        if jump is not None:  # any two prices inside are less than one jump apart
            self.low = max(self.low, price * (1 - jump / 3))
            self.high = min(self.high, price * (1 + jump / 3))


def jumped(price: float, previous: float, jump: float | None) -> bool:
    """Whether two prices in a row lie further apart than `jump` (a fraction of the earlier one)."""
    return jump is not None and abs(price / previous - 1.0) > jump


def exact_price(update: Bar | QuoteTick | TradeTick, *, long: bool) -> Decimal:
    """The price a position is worth: a bar's close, a trade's price, the bid of a long or the ask of a short."""
    if isinstance(update, Bar):
        price = update.close
    elif isinstance(update, TradeTick):
        price = update.price
    else:
        price = update.bid_price if long else update.ask_price
    return price.as_decimal()
