"""How are a strategy's questions about the past answered? Always: whoever asks waits for ever without an answer."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from nautilus_trader.live import (
    BarsResponse,
    BookDeltasResponse,
    BookDepthResponse,
    CustomDataResponse,
    FundingRatesResponse,
    InstrumentResponse,
    InstrumentsResponse,
    QuotesResponse,
    TradesResponse,
)

from adapters.alpaca import news
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._told import Told
from adapters.alpaca.bars import bucket_of, length_of
from adapters.alpaca.calendar import DAY_NANOS
from adapters.alpaca.history import is_pair
from adapters.errors import AdapterError
from adapters.outcomes import RequestError

if TYPE_CHECKING:
    from adapters.alpaca.data import AlpacaDataClient

MOST_TICKS = 10_000
"""Answered where neither a limit nor a start is given."""
NO_SUCH_DATA = "Alpaca has no such data; it has quotes, trades, bars, status and news"
ENGINES = frozenset({"start_ns", "end_ns"})
"""Parameters that the engine itself adds to a subscription."""
EMPTY: dict[str, Any] = {
    "BookDeltas": BookDeltasResponse, "BookDepth": BookDepthResponse, "FundingRates": FundingRatesResponse,
}  # fmt: skip
UNANSWERABLE = (RequestError, AdapterError, KeyError, ValueError, TypeError, ArithmeticError)


def no_parameters(command: Any) -> str | None:
    """Why a subscription or a request is refused that has parameters of its own; None for one without."""
    given = shown_parameters(command)
    return None if given is None else f"{type(command).__name__}: {given}: Alpaca takes no parameters"


def shown_parameters(command: Any) -> str | None:
    """The parameters that came with a command, beside the engine's own; None when there are none."""
    given = {key: value for key, value in (command.params or {}).items() if key not in ENGINES}
    return ", ".join(f"{key}={value}" for key, value in given.items()) or None


class PastData:
    """Answers the engine's requests for a data client. What goes wrong is told in the log and answered by nothing."""

    def __init__(self, client: AlpacaDataClient, api: AlpacaApi, log: Told) -> None:
        """For one client."""
        self._client, self._api, self._log = client, api, log

    async def bars(self, request: Any) -> None:
        """Complete bars, the last of them where only a limit is given."""
        kind, now = request.bar_type, self._client.market_now()
        instrument = self._instrument(request, kind.instrument_id)
        found: list[Any] = []
        if instrument is not None:
            found = await self._tried(
                f"bars {kind}",
                self._client.feed.history.bars(
                    instrument,
                    kind,
                    now_ns=now,
                    start_ns=request.start_ns,
                    end_ns=request.end_ns,
                    limit=request.limit,
                ),
            )
            self._served(kind, instrument, now if request.end_ns is None else min(now, request.end_ns), found)
        self._client.answer(BarsResponse(data=found, bar_type=kind, **self._about(request)))

    async def ticks(self, channel: str, request: Any) -> None:
        """Quotes or trades of a window; of the last day where no start is given."""
        instrument, now = self._instrument(request, request.instrument_id), self._client.market_now()
        found: list[Any] = []
        if instrument is not None:
            until = now if request.end_ns is None else request.end_ns
            start = until - DAY_NANOS if request.start_ns is None else request.start_ns
            history = self._client.feed.history
            ask = history.quotes if channel == "quotes" else history.trades
            found = await self._tried(
                f"{channel} of {request.instrument_id}",
                ask(instrument, start, until, request.limit or MOST_TICKS),
            )
        kind = QuotesResponse if channel == "quotes" else TradesResponse
        self._client.answer(kind(data=found, instrument_id=request.instrument_id, **self._about(request)))

    async def instrument(self, request: Any) -> None:
        """An instrument of the run; any other is not answered by a made-up one but told."""
        found = self._instrument(request, request.instrument_id)
        if found is not None:
            self._client.answer(
                InstrumentResponse(data=found, instrument_id=request.instrument_id, **self._about(request))
            )

    async def instruments(self, request: Any) -> None:
        """All instruments of the run."""
        found = list(self._client.feed.instruments.values())
        venue: Any = request.venue or self._client.venue
        self._client.answer(InstrumentsResponse(data=found, venue=venue, **self._about(request)))

    async def news(self, request: Any) -> None:
        """Articles, oldest first; the last 50 where neither a start nor a limit is given."""
        kind, now = request.data_type, self._client.market_now()
        found: list[Any] = []
        if kind.type_name == news.NAME:
            symbols = news.wanted_symbols(kind, list(self._client.feed.instruments))
            until = now if request.end_ns is None else request.end_ns
            rows = await self._tried(
                "news", news.past_news(self._api, symbols, request.start_ns, until, request.limit)
            )
            found = [news.news_of(row, kind, now) for row in rows]
        else:
            self._log.error(f"custom data {kind.type_name}: Alpaca has no such data, only {news.NAME}")
        self._client.answer(
            CustomDataResponse(data=found, data_type=kind, venue=self._client.venue, **self._about(request))
        )

    def nothing(self, request: Any) -> None:
        """What Alpaca does not have: told in the log, and answered by nothing."""
        kind = type(request).__name__.removeprefix("Request")
        self._log.error(f"{kind}: {NO_SUCH_DATA}")
        if kind in EMPTY:
            answer = EMPTY[kind](data=[], instrument_id=request.instrument_id, **self._about(request))
            self._client.answer(answer)

    # -- below

    def _instrument(self, request: Any, instrument_id: Any) -> Any:
        refused = no_parameters(request)
        if refused is not None:
            self._log.error(refused)
            return None
        found = self._client.feed.instruments.get(str(instrument_id.symbol))
        if found is None:
            self._log.error(f"{instrument_id} is not one of the run's instruments; its past is not asked for")
        return found

    def _served(self, bar_type: Any, instrument: Any, until: int, found: list[Any]) -> None:
        """Remember how far the answer reaches: what came after it is missing until the stream begins."""
        if not found:
            return
        length = length_of(bar_type)
        crypto = is_pair(instrument)
        known = found[-1].ts_event if length.is_daily else bucket_of(until, length, is_crypto=crypto)[0]
        self._client.feed.desk.served(bar_type, known)

    async def _tried(self, what: str, asked: Awaitable[list[Any]]) -> list[Any]:
        try:
            return await asked
        except UNANSWERABLE as error:
            self._log.error(f"{what} cannot be asked for: {error}")
            return []

    def _about(self, request: Any) -> dict[str, Any]:
        return {
            "client_id": self._client.client_id,
            "correlation_id": request.request_id,
            "ts_init": int(self._client.clock.timestamp_ns()),
            "start": getattr(request, "start_ns", None),
            "end": getattr(request, "end_ns", None),
            "params": request.params,
        }
