"""Between which two prices can nothing happen, and is this price to be believed?

Reading equity on every price would cost a quarter of the engine's speed. A `PriceWatch` holds the band of an
instrument's price inside which no breaker can trip or warn, no new peak can form and no jump can hide: comparing two
floats answers most updates, and everything outside the band is read exactly. Floats only decide whether to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import inf, isfinite
from typing import TYPE_CHECKING

from nautilus_trader.model import Bar, QuoteTick, TradeTick

from risk.numbers import ZERO

if TYPE_CHECKING:
    from risk.holding import Instrument
Update = Bar | QuoteTick | TradeTick
SAFETY = 1 - 1e-9  # the band is this much narrower than computed, so rounding can only cause one look more


@dataclass(slots=True)
class PriceWatch:
    """One instrument's newest update, the band in which it needs no look, and a price that waits to be confirmed.

    `held`: a position depends on it. `sells`: the side that counts is the ask, because more was sold than bought.
    """

    instrument: Instrument
    low: float = inf
    high: float = -inf
    held: bool = False
    sells: bool = False
    update: Update | None = None
    before: Update | None = None  # the believed update before it, where `looked` is that update
    looked: Update | None = None  # the newest update that was more than compared with the band
    marked: Update | None = None  # the update the book's mark comes from
    price: float | None = None  # a price known without an update: that of a fill
    paid: Decimal | None = None  # the same, exactly
    seen_at: int = 0  # market time of that price
    trusted: float | None = None
    suspect: float | None = None
    top: float = (
        inf  # the highest price since the last reading, once it lies above the peak's; never without `peaks`
    )
    top_update: Update | None = None  # the update it came from

    def always_look(self) -> None:
        """Empty the band: the next price is read exactly."""
        self.low, self.high, self.top = inf, -inf, inf

    def opened(self, price: Decimal, ts: int) -> None:
        """A position was opened at a price: what came before it does not matter."""
        self.held, self.update, self.before, self.looked, self.marked = True, None, None, None, None
        self.price, self.paid, self.seen_at, self.suspect = float(price), price, ts, None
        self.always_look()

    def left(self) -> None:
        """Nothing depends on this price now, so nothing about it waits to be confirmed."""
        self.held, self.suspect, self.sells = False, None, False
        self.low, self.high, self.top = -inf, inf, inf

    def float_of(self, update: Update) -> float:
        """The price of an update on the side that counts."""
        if isinstance(update, Bar):
            return float(update.close)
        if isinstance(update, TradeTick):
            return float(update.price)
        return float(update.ask_price if self.sells else update.bid_price)

    def last_price(self) -> float | None:
        """The newest price known, believed or not."""
        return self.price if self.update is None else self.float_of(self.update)

    def change(self) -> Decimal:
        """What the newest believed update made of one unit's worth, in the settlement currency."""
        was = self.paid if self.before is None else exact_price(self.before, long=not self.sells)
        if self.looked is not self.update or was is None or was <= ZERO:
            return ZERO
        return self.instrument.unit - self.instrument.value_at(was)

    def older_price(self) -> float | None:
        """The believed price before the newest; None where updates between them were not looked at."""
        if self.looked is not self.update:
            return None
        return self.price if self.before is None else self.float_of(self.before)

    def nearer(self, update: Update) -> Update | None:
        """Of the last two believed updates the one nearer to a new one: a single wrong one is not built on."""
        last, older, price = self.update, self.older_price(), self.float_of(update)
        if last is None or older is None or abs(price - self.float_of(last)) <= abs(price - older):
            return last
        return self.before

    def last_seen(self) -> int:
        """Market time of the newest price."""
        return self.seen_at if self.update is None else int(self.update.ts_event)

    def believes(
        self, price: float, previous: float | None, jump: float | None, older: float | None = None
    ) -> bool:
        """Whether `price` counts. One that jumped waits for a second that agrees, or for the old level to come back.

        Back where it was before the `previous` one (`older`) it has not jumped: that one was wrong, or is over.
        """
        if not isfinite(price) or price <= 0:
            if self.suspect is None:
                self.trusted, self.suspect = previous, price
            return False
        half = None if jump is None else jump / 2  # back where it was is nearer than a jump
        if self.suspect is not None:
            near_suspect = self.suspect > 0 and not jumped(price, self.suspect, jump)
            if near_suspect or (self.trusted is not None and not jumped(price, self.trusted, half)):
                self.suspect = None
                return True
            self.suspect = price
            return False
        back = older is not None and not jumped(price, older, half)
        if previous is not None and jumped(price, previous, jump) and not back:
            self.trusted, self.suspect = previous, price
            return False
        return True

    def band(self, price: float, fall: float, rise: float, jump: float | None) -> None:
        """Set the band around `price`: how far it may fall and rise before somebody must look (not negative)."""
        self.low, self.high = price - SAFETY * fall, price + SAFETY * rise
        if jump is not None:  # any two prices inside are less than one jump apart
            self.low = max(self.low, price * (1 - jump / 3))
            self.high = min(self.high, price * (1 + jump / 3))


def jumped(price: float, previous: float, jump: float | None) -> bool:
    """Whether two prices in a row lie further apart than `jump` (a fraction of the earlier one)."""
    return jump is not None and (previous <= 0 or abs(price / previous - 1.0) > jump)


def exact_price(update: Update, *, long: bool) -> Decimal:
    """The price a position is worth: a bar's close, a trade's price, the bid of a long or the ask of a short."""
    if isinstance(update, Bar):
        price = update.close
    elif isinstance(update, TradeTick):
        price = update.price
    else:
        price = update.bid_price if long else update.ask_price
    exact: Decimal = price.as_decimal()
    return exact


def middle(update: Update) -> Decimal:
    """A bar's close, a trade's price, the middle of a quote."""
    if isinstance(update, QuoteTick):
        return (exact_price(update, long=True) + exact_price(update, long=False)) / 2
    return exact_price(update, long=True)


def moved_by(instrument: Instrument, net: Decimal, price: float, equity_step: float) -> float:
    """How far the price may go until a net position has gained or lost `equity_step`, in price units, not negative.

    Of a linear contract step / (size x multiplier); of an inverse one the nearer of the two ways,
    where value is -size x multiplier / price.
    """
    size = abs(float(net * instrument.multiplier))
    if net == ZERO or equity_step <= 0:
        return 0.0
    if not instrument.inverse:
        return equity_step / size
    return price - 1 / (1 / price + equity_step / size)
