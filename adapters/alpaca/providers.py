"""What can be traded at Alpaca, and what does the engine have to know of it?

A share's prices are kept to four decimals, because trades and fills lie between cents, while its increment is what an
order may name: `instrument.make_price` gives cents. Where the engine itself matches orders (`simulated`) the increment
is the last decimal too: it fills nothing at a price between two increments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any
from urllib.parse import quote

from nautilus_trader.model import (
    AssetClass,
    Cfd,
    Currency,
    CurrencyPair,
    Equity,
    InstrumentId,
    Price,
    Quantity,
    Symbol,
)

from adapters.alpaca._answers import AlpacaRefusedError
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing_data import Row, exact
from adapters.errors import AdapterError
from adapters.outcomes import RequestError
from market.errors import did_you_mean
from market.instruments import MARGIN_INIT, MARGIN_MAINT

VENUE = "ALPACA"
SHARE_DECIMALS = 4
FRACTION_DECIMALS = 9
"""How finely Alpaca divides a share."""
CENT, SUB_CENT = Decimal("0.01"), Decimal("0.0001")
SHARES, CRYPTO = "us_equity", "crypto"
MOST_SINGLE = 20
"""Shares that are asked for one by one; for more the whole list is one request."""
NOT_FOUND = 404
OPTION = re.compile(r"[A-Z.]{1,6}\d{6}[CP]\d{8}")
"""How the OCC names an option: AAPL261218C00200000."""
TOLD = (
    "name", "exchange", "class", "fractionable", "shortable", "easy_to_borrow", "marginable",
    "margin_requirement_long", "margin_requirement_short", "attributes",
)  # fmt: skip
"""What of an asset's row an instrument carries in `info`."""

type Instrument = Equity | Cfd | CurrencyPair


def tick_of(price: Decimal) -> Decimal:
    """How finely an order may name a price of a share: cents from one dollar on, below it hundredths of one."""
    return CENT if price >= 1 else SUB_CENT


async def instruments(
    api: AlpacaApi, symbols: Sequence[str], *, simulated: bool = False, fractional: bool = False
) -> list[Instrument]:
    """The instruments of these symbols, in their order; `AAPL` is a share, `BTC/USD` a pair.

    fractional: shares that Alpaca divides get sizes of nine decimals. Raises AdapterError for a symbol that is not
    there or not tradable, with the close match, and when the broker does not answer.
    """
    for symbol in symbols:
        if OPTION.fullmatch(symbol):
            raise AdapterError(
                f"instruments: {symbol} is an option; on Alpaca only shares and crypto can be traded"
            )
    try:
        rows = await _rows(api, symbols)
        below = set() if simulated else await _below_a_dollar(api, rows)
    except RequestError as error:
        raise AdapterError(f"the instruments cannot be asked for: {error}") from error
    return [
        pair_of(row)
        if row["class"] == CRYPTO
        else share_of(
            row,
            increment=SUB_CENT if simulated or row["symbol"] in below else CENT,
            fractional=fractional,
        )
        for row in rows
    ]


async def assets(api: AlpacaApi, asset_class: str | None = None) -> list[Row]:
    """All active assets as the broker lists them, tradable ones first. Raises adapters.outcomes.RequestError."""
    query = {"status": "active"} | ({"asset_class": asset_class} if asset_class else {})
    rows: list[Row] = await api.call(api.trading.get, "/assets", query)
    return sorted(rows, key=lambda row: (not row.get("tradable"), str(row.get("symbol"))))


def share_of(row: Row, *, increment: Decimal = CENT, fractional: bool = False) -> Equity | Cfd:
    """A share; with fractions it is a Cfd of class EQUITY, because the engine's Equity knows whole ones only."""
    given: dict[str, Any] = {
        "margin_init": MARGIN_INIT,
        "margin_maint": _maintenance(row),
        "info": {key: row[key] for key in TOLD if key in row},
    }
    name, symbol = _id_of(row), Symbol(row["symbol"])
    tick = Price.from_decimal(increment.quantize(SUB_CENT))
    dollar = Currency.from_str("USD")
    if fractional and row.get("fractionable"):
        least = Quantity.from_decimal(Decimal(1).scaleb(-FRACTION_DECIMALS))
        return Cfd(
            name, symbol, AssetClass.EQUITY, dollar, SHARE_DECIMALS, FRACTION_DECIMALS, tick, least, 0, 0,
            min_quantity=least, lot_size=least, **given,
        )  # fmt: skip
    whole = Quantity.from_int(1)
    return Equity(
        name, symbol, dollar, SHARE_DECIMALS, tick, 0, 0, lot_size=whole, min_quantity=whole, **given
    )


def pair_of(row: Row) -> CurrencyPair:
    """A pair of crypto and its quote currency, with the increments that the broker gives."""
    base, _, quoted = row["symbol"].partition("/")
    if not quoted:
        raise AdapterError(f"the pair {row['symbol']} cannot be told apart into two currencies")
    tick = _increment(row, "price_increment")
    step = _increment(row, "min_trade_increment")
    return CurrencyPair(
        _id_of(row),
        Symbol(row["symbol"]),
        Currency.from_str(base),
        Currency.from_str(quoted),
        _decimals(tick),
        _decimals(step),
        Price.from_decimal(tick),
        Quantity.from_decimal(step),
        0,
        0,
        min_quantity=Quantity.from_decimal(_at_least(_increment(row, "min_order_size"), step)),
        margin_init=MARGIN_INIT,
        margin_maint=MARGIN_MAINT,
        info={key: row[key] for key in TOLD if key in row},
    )


async def _rows(api: AlpacaApi, symbols: Sequence[str]) -> list[Row]:
    found: dict[str, Row] = {}
    shares = [symbol for symbol in symbols if "/" not in symbol]
    if len(shares) < len(symbols):
        found |= _by_symbol(await assets(api, CRYPTO))
    if len(shares) > MOST_SINGLE:
        found |= _by_symbol(await assets(api, SHARES))
    else:
        for symbol in shares:
            row = await _single(api, symbol)
            if row is not None:
                found[symbol] = row
    missing = next((symbol for symbol in symbols if symbol not in found), None)
    if missing is not None:
        known = [str(row["symbol"]) for row in await assets(api) if row.get("tradable")]
        raise AdapterError(f"instruments: Alpaca has no {missing}; {_suggestion(missing, known)}")
    for symbol in symbols:
        _refuse_untradable(found[symbol])
    return [found[symbol] for symbol in symbols]


async def _single(api: AlpacaApi, symbol: str) -> Row | None:
    try:
        row: Row = await api.call(api.trading.get, f"/assets/{quote(symbol, safe='')}")
    except AlpacaRefusedError as error:
        if error.status == NOT_FOUND:
            return None
        raise
    return row if row["symbol"] == symbol else None  # the broker also takes BTCUSD and small letters


def _refuse_untradable(row: Row) -> None:
    if row.get("status", "active") != "active" or not row.get("tradable"):
        why = "is not active" if row.get("status", "active") != "active" else "cannot be traded"
        raise AdapterError(
            f"instruments: {row['symbol']} ({row.get('name') or 'no name'}) {why} at Alpaca; take another symbol"
        )


async def _below_a_dollar(api: AlpacaApi, rows: Iterable[Row]) -> set[str]:
    """Shares whose last trade was below a dollar; a share that never traded counts as above."""
    shares = [str(row["symbol"]) for row in rows if row["class"] != CRYPTO]
    if not shares:
        return set()
    answer = await api.call(api.stocks.get, "/stocks/trades/latest", {"symbols": ",".join(shares)})
    return {symbol for symbol, trade in (answer.get("trades") or {}).items() if exact(trade["p"]) < 1}


def _by_symbol(rows: Iterable[Row]) -> dict[str, Row]:
    return {str(row["symbol"]): row for row in rows}


def _suggestion(symbol: str, known: Sequence[str]) -> str:
    letters = symbol.upper().replace("-", "").replace("/", "")
    same = next((each for each in known if each.replace("/", "") == letters), None)
    return f"did you mean {same!r}?" if same else did_you_mean(symbol, known)


def _maintenance(row: Row) -> Decimal:
    """What the broker wants to stay as a fraction, never less than what Keel's other instruments have."""
    told = row.get("margin_requirement_long")
    return MARGIN_MAINT if told is None else min(MARGIN_INIT, max(MARGIN_MAINT, exact(told) / 100))


def _increment(row: Row, key: str) -> Decimal:
    """An increment of a pair; a missing one is as fine as Alpaca knows any."""
    value = row.get(key)
    return Decimal(1).scaleb(-FRACTION_DECIMALS) if value is None else exact(value)


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _at_least(least: Decimal, step: Decimal) -> Decimal:
    """The smallest order, as a whole number of steps."""
    steps = (least / step).to_integral_value(ROUND_CEILING)
    return max(Decimal(1), steps) * step


def _id_of(row: Row) -> InstrumentId:
    return InstrumentId.from_str(f"{row['symbol']}.{VENUE}")
