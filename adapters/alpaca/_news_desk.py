"""Who wants which news, and how do they come: over a stream of their own, or polled where it cannot be had?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from adapters.alpaca import news
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._data_stream import DataLine, Listener
from adapters.alpaca._handover import Handover
from adapters.alpaca._parsing_data import Row, nanos_of
from adapters.alpaca._told import Told
from adapters.errors import AdapterError
from adapters.outcomes import RequestError

POLL_SECS = 30.0
MOST_REMEMBERED = 5_000


class NewsDesk:
    """News of one run, each version of an article once. After a gap what was missed is asked for."""

    def __init__(  # noqa: PLR0913 - what news need of the client around them
        self,
        api: AlpacaApi,
        symbols: Sequence[str],
        handover: Handover,
        now: Callable[[], int],
        log: Told,
        answer_secs: float,
    ) -> None:
        """Nothing is connected before somebody wants news; `symbols` are the run's."""
        news.known_to_engine()
        self._api, self._run, self._handover = api, symbols, handover
        self._now, self._log, self._answer_secs = now, log, answer_secs
        self._wanted: dict[str, tuple[Any, set[str]]] = {}  # topic -> data type, symbols
        self._seen: dict[tuple[int, int], None] = {}  # (id, changed at)
        self._newest = 0
        self._line: DataLine | None = None
        self._poll: asyncio.Task[None] | None = None

    async def want(self, data_type: Any) -> None:
        """Ask for news. Raises AdapterError, which is told, for another type of data."""
        if data_type.type_name != news.NAME:
            refusal = f"custom data {data_type.type_name}: Alpaca has no such data, only {news.NAME}"
            self._log.error(refusal)
            raise AdapterError(refusal)
        symbols = news.wanted_symbols(data_type, self._run)
        self._wanted[data_type.topic] = (data_type, set(symbols))
        self._newest = self._newest or self._now()
        if self._line is None:
            listener = Listener(
                on_row=self._take,
                on_up=self._catch_up,
                on_down=self._down,
                on_refused=self._refused,
                on_over=self._down,
            )
            self._line = DataLine(
                "news",
                self._api.endpoints.news_stream,
                self._api.keys,
                listener,
                answer_secs=self._answer_secs,
            )
            await self._line.add(["news"], *symbols)
            with suppress(AdapterError):  # told by _down, and polled then
                await self._line.start()
        else:
            await self._line.add(["news"], *symbols)

    async def want_no_more(self, data_type: Any) -> None:
        """Ask for them no more."""
        _, gone = self._wanted.pop(data_type.topic, (None, set()))
        kept = {symbol for _, symbols in self._wanted.values() for symbol in symbols}
        if self._line is not None:
            await self._line.remove("news", *(gone - kept))

    async def close(self) -> None:
        """Hang up."""
        if self._poll is not None:
            self._poll.cancel()
        if self._line is not None:
            await self._line.stop()

    # -- below

    def _take(self, row: Row) -> None:
        try:
            self._give(row)
        except (KeyError, ValueError, TypeError) as error:
            self._log.error(f"an article cannot be read: {type(error).__name__}: {error}")

    def _give(self, row: Row) -> None:
        changed = nanos_of(row["updated_at"])
        version = (int(row["id"]), changed)
        if version in self._seen:
            return
        self._seen[version] = None
        while len(self._seen) > MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._newest = max(self._newest, changed)
        about = set(row.get("symbols") or ())
        for data_type, symbols in self._wanted.values():
            if news.ALL in symbols or about & symbols:
                self._handover.give(news.news_of(row, data_type, max(self._now(), changed)))

    async def _catch_up(self) -> None:
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
            self._log.info("the news stream is back; polling stops")
        try:
            await self._ask()
        except RequestError as error:
            self._log.error(f"the news that the stream missed cannot be asked for: {error}")

    async def _ask(self) -> None:
        symbols = {symbol for _, wanted in self._wanted.values() for symbol in wanted}
        if symbols:
            rows = await news.past_news(
                self._api, sorted(symbols), self._newest, max(self._now(), self._newest), None
            )
            for row in rows:
                self._take(row)

    def _down(self, why: str) -> None:
        self._begin_polling(why)

    def _begin_polling(self, why: str) -> None:
        if self._poll is None:
            self._log.warning(f"there is no news stream ({why}); polling every {POLL_SECS:g} s instead")
            self._poll = asyncio.get_running_loop().create_task(
                self._keep_polling(), name="alpaca news polling"
            )

    async def _keep_polling(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECS)
            try:
                await self._ask()
            except RequestError as error:
                self._log.error(f"polling news failed: {error}")

    def _refused(self, why: str) -> None:
        self._log.error(f"the news stream: {why}")
