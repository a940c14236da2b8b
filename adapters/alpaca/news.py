"""How does an article reach a strategy? As custom data of the engine's, of a type that strategies name by a word.

self.subscribe_data(DataType("AlpacaNews"), client_id=ClientId("ALPACA"))   # on_data gets every article of the run
self.subscribe_data(DataType("AlpacaNews", {"symbols": "*"}), ...)          # of the whole market
self.request_data(DataType("AlpacaNews"), ClientId("ALPACA"), start=..., limit=50)   # on_historical_data
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from nautilus_trader.model import CustomData, DataType, register_custom_data_class
from nautilus_trader.model.custom import customdataclass

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing_data import Row, nanos_of, text_of

NAME = "AlpacaNews"
ALL = "*"
PAGE = 50
_TAGS = re.compile(r"<[^>]+>")


@customdataclass
class AlpacaNews:
    """One article; `symbols` are those it is about, joined by commas, and texts carry no markup.

    `ts_event` is when it was last changed: an article that is corrected comes again under the same id.
    """

    id: int
    headline: str
    summary: str
    content: str
    author: str
    source: str
    url: str
    symbols: str
    created_ns: int

    @property
    def symbol_list(self) -> list[str]:
        """The symbols it is about; none for news of the whole market."""
        return [symbol for symbol in self.symbols.split(",") if symbol]


@cache
def known_to_engine() -> None:
    """Tell the engine of the type, once a process."""
    register_custom_data_class(AlpacaNews)


def news_of(row: Row, data_type: DataType, now: int) -> CustomData:
    """An article. Raises KeyError or ValueError for a row that cannot be read."""
    article: Any = AlpacaNews(  # type: ignore[call-arg]  # the decorator adds the stamps
        ts_event=nanos_of(row["updated_at"]),
        ts_init=now,
        id=int(row["id"]),
        headline=plain(row["headline"]),
        summary=plain(row.get("summary")),
        content=plain(row.get("content")),
        author=str(row.get("author") or ""),
        source=str(row.get("source") or ""),
        url=str(row.get("url") or ""),
        symbols=",".join(row.get("symbols") or ()),
        created_ns=nanos_of(row["created_at"]),
    )
    return CustomData(data_type, article)


def plain(text: Any) -> str:
    """A text without its markup, on one line."""
    return " ".join(html.unescape(_TAGS.sub(" ", str(text or ""))).split())


def wanted_symbols(data_type: DataType, run: Sequence[str]) -> list[str]:
    """The symbols a subscription names in its metadata; those of the run where it names none."""
    named = str((data_type.metadata or {}).get("symbols") or "")
    return [symbol.strip() for symbol in named.split(",") if symbol.strip()] or list(run)


async def past_news(
    api: AlpacaApi, symbols: Sequence[str], start_ns: int | None, until_ns: int, limit: int | None
) -> list[Row]:
    """Articles up to a stamp, oldest first; the last `limit` (50 where none is given and no start either).

    Raises adapters.outcomes.RequestError.
    """
    most = limit or (PAGE if start_ns is None else None)
    query: dict[str, Any] = {
        "end": text_of(until_ns),
        "sort": "desc",
        "limit": min(PAGE, most or PAGE),
        "include_content": "true",
    }
    if start_ns is not None:
        query["start"] = text_of(start_ns)
    if ALL not in symbols:
        query["symbols"] = ",".join(symbols)
    found: list[Row] = []
    while True:
        answer = await api.call(api.news.get, "/news", query)
        found += answer.get("news") or []
        token = answer.get("next_page_token")
        if not token or (most is not None and len(found) >= most):
            return found[:most][::-1]
        query["page_token"] = token
