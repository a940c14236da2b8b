"""How do Alpaca's prices reach a node?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from nautilus_trader.live.clients import MarketDataClient

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._handover import Handover
from adapters.alpaca._market_feed import Around, MarketFeed, Options
from adapters.alpaca._news_desk import NewsDesk
from adapters.alpaca._past_data import NO_SUCH_DATA, PastData, no_parameters
from adapters.alpaca._told import Told
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.errors import AdapterError
from adapters.outcomes import RequestError


class AlpacaDataClient(MarketDataClient):
    """Streams quotes, trades, bars, statuses and news of the run's instruments; REST where the stream cannot.

    Nothing is handed on before `begin`, and nothing after `cease` or after `most` bars; what comes between connecting
    and `begin` is kept until then. What cannot be given is refused in one line of the log, never by an exception.
    """

    def __init__(  # noqa: PLR0913 - what a venue has to say about its data
        self,
        *,
        venue_config: AlpacaVenueConfig,
        api: AlpacaApi,
        instruments: Sequence[Any],
        most: int | None = None,
        shadows: bool = False,
        options: Options | None = None,
        **engine: Any,
    ) -> None:
        """`shadows`: the engine's sandbox fills the orders; `engine` is what the engine's own base class takes."""
        super().__init__(**engine)
        self._config = venue_config
        self.told = self._log = Told()
        """What was said of streams, gaps and refusals."""
        self._handover = Handover(self._handle_data, most, shadows=shadows)
        around = Around(self._wall, self.create_task, self._log)
        self.feed = MarketFeed(venue_config, api, instruments, self._handover, around, options or Options())
        """Streams, gaps and time."""
        self._news = NewsDesk(
            api,
            list(self.feed.instruments),
            self._handover,
            self.market_now,
            self._log,
            venue_config.answer_secs,
        )
        self._past = PastData(self, api, self._log)
        self.error: BaseException | None = None
        """What keeps the data from coming at all."""

    def begin(self) -> None:
        """Hand on what came so far, and what comes from now on."""
        self._handover.begin()

    def cease(self) -> None:
        """Hand on nothing more."""
        self._handover.cease()

    def finish(self) -> None:
        """Nothing more will come: hand on the bars that are still being built."""
        self.feed.finish()

    @property
    def ended(self) -> bool:
        """Whether as many bars were handed on as the run wanted."""
        return self._handover.ended

    @property
    def count(self) -> int:
        """Bars handed on so far."""
        return self._handover.count

    @property
    def streaming(self) -> dict[str, bool]:
        """Stream -> whether it is up; where it is not, REST is polled."""
        return {lane.name: lane.is_up for lane in self.feed.lanes}

    def market_now(self) -> int:
        """Market time, UTC nanoseconds: the wall's, or that of the newest stamp in a rehearsal."""
        return self.feed.market_now()

    async def _connect(self) -> None:
        for instrument in self.feed.instruments.values():
            self._handle_instrument(instrument)
        try:
            await self.feed.open()
        except (RequestError, AdapterError) as error:
            self.error = AdapterError(f"venue={self._config.name}: no market data from Alpaca: {error}")
            raise self.error from error
        for trade in await self.feed.last_trades():
            self._handle_data(trade)

    async def _disconnect(self) -> None:
        self.cease()
        await self._news.close()
        await self.feed.close()

    # -- the engine's subscriptions

    async def _subscribe_bars(self, command: Any) -> None:
        instrument = self._known(command.bar_type.instrument_id)
        if instrument is not None and self._plain(command):
            try:
                await self.feed.want_bars(command.bar_type, instrument)
            except AdapterError as error:
                self._log.error(str(error))

    async def _unsubscribe_bars(self, command: Any) -> None:
        self.feed.desk.remove(command.bar_type)

    async def _subscribe_quotes(self, command: Any) -> None:
        await self._ticks("quotes", command, wanted=True)

    async def _unsubscribe_quotes(self, command: Any) -> None:
        await self._ticks("quotes", command, wanted=False)

    async def _subscribe_trades(self, command: Any) -> None:
        await self._ticks("trades", command, wanted=True)

    async def _unsubscribe_trades(self, command: Any) -> None:
        await self._ticks("trades", command, wanted=False)

    async def _ticks(self, channel: str, command: Any, *, wanted: bool) -> None:
        instrument = self._known(command.instrument_id)
        if instrument is not None and (self._plain(command) or not wanted):
            await self.feed.want_ticks(channel, instrument, wanted=wanted)

    async def _subscribe_instrument_status(self, command: Any) -> None:
        instrument = self._known(command.instrument_id)
        if instrument is not None and self._plain(command):
            await self.feed.want_status(instrument)

    async def _unsubscribe_instrument_status(self, command: Any) -> None:
        self.feed.statuses.discard(str(command.instrument_id.symbol))

    async def _subscribe(self, command: Any) -> None:
        with suppress(AdapterError):  # told in the log
            await self._news.want(command.data_type)

    async def _unsubscribe(self, command: Any) -> None:
        await self._news.want_no_more(command.data_type)

    async def _subscribe_instrument(self, command: Any) -> None:
        """Instruments do not change while a run lasts: whoever subscribes is told once."""
        instrument = self._known(command.instrument_id)
        if instrument is not None:
            self._handle_instrument(instrument)

    async def _subscribe_instruments(self, _command: Any) -> None:
        for instrument in self.feed.instruments.values():
            self._handle_instrument(instrument)

    async def _refuse_subscription(self, command: Any) -> None:
        kind = type(command).__name__.removeprefix("Subscribe")
        self._log.error(f"{kind}: {NO_SUCH_DATA}")

    _subscribe_book_deltas = _subscribe_book_depth = _subscribe_mark_prices = _refuse_subscription
    _subscribe_index_prices = _subscribe_funding_rates = _subscribe_instrument_close = _refuse_subscription
    _subscribe_option_greeks = _refuse_subscription

    async def _end_nothing(self, command: Any) -> None:
        """There is nothing to end."""

    _unsubscribe_book_deltas = _unsubscribe_book_depth = _unsubscribe_mark_prices = _end_nothing
    _unsubscribe_index_prices = _unsubscribe_funding_rates = _unsubscribe_instrument_close = _end_nothing
    _unsubscribe_option_greeks = _unsubscribe_instrument = _unsubscribe_instruments = _end_nothing

    # -- the engine's requests: each is answered, if only by nothing

    async def _request_bars(self, request: Any) -> None:
        await self._past.bars(request)

    async def _request_quotes(self, request: Any) -> None:
        await self._past.ticks("quotes", request)

    async def _request_trades(self, request: Any) -> None:
        await self._past.ticks("trades", request)

    async def _request_instrument(self, request: Any) -> None:
        await self._past.instrument(request)

    async def _request_instruments(self, request: Any) -> None:
        await self._past.instruments(request)

    async def _request_data(self, request: Any) -> None:
        await self._past.news(request)

    async def _request_book_snapshot(self, request: Any) -> None:
        self._past.nothing(request)

    _request_book_deltas = _request_book_depth = _request_funding_rates = _request_book_snapshot
    _request_option_chain_reference_price = _request_book_snapshot

    def answer(self, response: Any) -> None:
        """Give the engine the answer to a request."""
        self._handle_response(response)

    def _known(self, instrument_id: Any) -> Any:
        """The instrument; None, which is told, when the run has no such."""
        found = self.feed.instruments.get(str(instrument_id.symbol))
        if found is None:
            have = ", ".join(self.feed.instruments)
            self._log.error(
                f"{instrument_id} is not one of the run's instruments ({have}): nothing will come of it"
            )
        return found

    def _plain(self, command: Any) -> bool:
        """Whether it comes without parameters of its own: Alpaca knows none, so nobody shall think they count."""
        refused = no_parameters(command)
        if refused is not None:
            self._log.error(refused)
        return refused is None

    def _wall(self) -> int:
        return int(self.clock.timestamp_ns())
