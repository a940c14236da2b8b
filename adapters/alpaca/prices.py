"""What do these symbols cost at this moment, on the feed that the venue uses?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing_data import Row, exact


async def newest_prices(api: AlpacaApi, symbols: Sequence[str], feed: str) -> dict[str, Decimal]:
    """Symbol -> its newest trade's price; a symbol without one is left out. Raises adapters.outcomes.RequestError."""
    shares = [symbol for symbol in symbols if "/" not in symbol]
    pairs = [symbol for symbol in symbols if "/" in symbol]
    rows: dict[str, Row] = {}
    if shares:
        query = {"symbols": ",".join(shares), "feed": feed}
        rows |= (await api.call(api.stocks.get, "/stocks/trades/latest", query))["trades"]
    if pairs:
        query = {"symbols": ",".join(pairs)}
        rows |= (await api.call(api.crypto.get, "/crypto/us/latest/trades", query))["trades"]
    return {symbol: exact(row["p"]) for symbol, row in rows.items() if row and row.get("p")}
