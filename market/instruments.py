"""What does a symbol of a data set trade as: which instrument, in which currency, to which precision?

Margins are always set: an instrument without them lets the engine fill any size on a margin account. At
an initial margin of 1 the leverage of the venue alone decides how much can be bought; half of it must
stay.
"""

from __future__ import annotations

import re
from decimal import Decimal

from nautilus_trader.model import Currency, CurrencyPair, Equity, InstrumentId, Price, Quantity, Symbol

from market.errors import SourceError

MARGIN_INIT = Decimal(1)
MARGIN_MAINT = Decimal("0.5")

FX_JUMP = 0.12
"""A move of a currency pair, from close to close, that deserves a doubt."""

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_SEPARATORS = re.compile(r"[-_./]")


def instrument_id(symbol: str, venue: str) -> InstrumentId:
    """`AAPL`, `XNAS` -> AAPL.XNAS. Raises SourceError for a symbol no file or engine could carry."""
    if not _SYMBOL.fullmatch(symbol):
        raise SourceError(
            f"{symbol!r} cannot be a symbol: use letters, digits and . _ - (at most 32), as in AAPL"
        )
    return InstrumentId.from_str(f"{symbol}.{venue}")


def equity(symbol: str, venue: str, currency: str, price_precision: int) -> Equity:
    """A share, traded in whole pieces, priced to `price_precision` decimals."""
    return Equity(
        instrument_id(symbol, venue),
        Symbol(symbol),
        Currency.from_str(currency),
        price_precision,
        Price.from_mantissa_exponent(1, -price_precision, price_precision),
        0,
        0,
        lot_size=Quantity.from_int(1),
        margin_init=MARGIN_INIT,
        margin_maint=MARGIN_MAINT,
    )


def pair(  # noqa: PLR0913 - an instrument has that many properties
    symbol: str,
    venue: str,
    currencies: tuple[str, str],
    price_precision: int,
    size_precision: int,
    multiplier: Decimal = Decimal(1),
    *,
    spelled: bool = False,
) -> CurrencyPair:
    """Two currencies (base, quote): so many quote units for one base unit.

    spelled: the symbol is the venue's own, BTC/USD, which no file of a user's could be called.
    """
    base, quote = currencies
    return CurrencyPair(
        InstrumentId.from_str(f"{symbol}.{venue}") if spelled else instrument_id(symbol, venue),
        Symbol(symbol),
        Currency.from_str(base),
        Currency.from_str(quote),
        price_precision,
        size_precision,
        Price.from_mantissa_exponent(1, -price_precision, price_precision),
        Quantity.from_mantissa_exponent(1, -size_precision, size_precision),
        0,
        0,
        multiplier=Quantity.from_decimal(multiplier),
        margin_init=MARGIN_INIT,
        margin_maint=MARGIN_MAINT,
    )


def split_pair(symbol: str, quote: str) -> tuple[str, str]:
    """`EURUSD`, `BTC-USDT`, `BTCUSDT` or `BTC-PERP` (the last two with `quote`) -> base and quote currency.

    Raises SourceError where neither spelling nor `quote` tells the two apart.
    """
    text = symbol.upper()
    base, *rest = _SEPARATORS.split(text)
    if rest and base:
        return base, rest[0] if is_currency(rest[0]) else quote
    if text.endswith(quote) and text != quote:
        return text.removesuffix(quote), quote
    if len(text) == 6 and is_currency(text[:3]) and is_currency(text[3:]):  # noqa: PLR2004 - EURUSD
        return text[:3], text[3:]
    raise SourceError(
        f"cannot tell the two currencies of {symbol!r} apart: write it as in BTC-USDT, "
        f"or set currency to its second half (it is {quote})"
    )


def is_currency(code: str) -> bool:
    """Whether the engine knows a currency of this code."""
    try:
        Currency.from_str(code, strict=True)
    except ValueError:
        return False
    return True
