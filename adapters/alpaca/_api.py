"""Where is Alpaca, and how is it asked without blocking anybody?

The only file that knows URLs. Requests go through alpaca-py, which is synchronous and has no timeout, and which sends
a request again by itself after a 504, although that request may have been obeyed: here it runs on threads of its own,
every request has a timeout, nothing is repeated behind our back, and all calls share one budget, orders first.

Answers are the broker's own JSON (`raw_data`): amounts as the strings they are, stamps with their nanoseconds.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from alpaca.common.enums import BaseURL
from alpaca.common.rest import RESTClient
from alpaca.data.historical.crypto import CryptoHistoricalDataClient
from alpaca.data.historical.news import NewsClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.trading.client import TradingClient
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from adapters.alpaca._answers import RateLimitedError, outcome_of
from adapters.alpaca._budget import Budget, wait_by_headers
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.alpaca.keys import Keys
from adapters.errors import AdapterError
from adapters.outcomes import NotSentError, RequestError, UnknownOutcomeError

URGENT_THREADS, OTHER_THREADS = 6, 4
MOST_READS = 3
"""How often a read is tried that the broker answers with 429."""
GRACE_SECS = 1.0
"""After the timeout of a request until its thread is given up: a server may drip an answer byte by byte."""
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where each part of Alpaca is; REST without the version, which the SDK adds; streams in full."""

    trading: str
    data: str
    trade_stream: str
    stock_stream: str
    crypto_stream: str
    news_stream: str
    local: bool
    """Whether all of it is on this machine."""


def endpoints_of(config: AlpacaVenueConfig, keys: Keys | None = None) -> Endpoints:
    """The endpoints of a venue; a sandbox asks where its keys belong.

    Raises AdapterError where a rehearsal would reach the real Alpaca.
    """
    if config.trading_url is not None:
        trading, data = config.trading_url, config.data_url or config.trading_url
        stream = "ws" + trading.removeprefix("http") + "/stream"
        data_stream = "ws" + data.removeprefix("http")
    elif config.mode == "rehearsal":
        raise AdapterError(f"venue={config.name}: a rehearsal needs its local Alpaca (venue.trading_url)")
    elif config.data_url is not None:
        raise AdapterError("venue.data_url: give venue.trading_url too, or neither")
    else:
        foreign = config.mode == "sandbox" and keys is not None and keys.prefix == "AK"
        live, data = config.mode == "live" or foreign, BaseURL.DATA.value
        trading = (BaseURL.TRADING_LIVE if live else BaseURL.TRADING_PAPER).value
        stream = (BaseURL.TRADING_STREAM_LIVE if live else BaseURL.TRADING_STREAM_PAPER).value
        data_stream = BaseURL.MARKET_DATA_STREAM.value
    return Endpoints(
        trading=trading,
        data=data,
        trade_stream=stream,
        stock_stream=f"{data_stream}/v2/{config.feed}",
        crypto_stream=f"{data_stream}/v1beta3/crypto/us",
        news_stream=f"{data_stream}/v1beta1/news",
        local=config.trading_url is not None,
    )


class AlpacaApi:
    """One account's REST side.

    `.trading`, `.stocks`, `.crypto` and `.news` are alpaca-py's own clients; `call` runs one of their methods. Beside
    the typed methods every client has `get(path, params)`, `post`, `patch` and `delete` for what the SDK lacks.
    """

    def __init__(self, config: AlpacaVenueConfig, keys: Keys, budget: Budget | None = None) -> None:
        """Connects nothing. Raises AdapterError for endpoints that do not belong to the venue's mode."""
        self.endpoints = endpoints_of(config, keys)
        self.keys = keys
        self.answer_secs = config.answer_secs
        self.budget = budget or Budget(config.calls_per_min)
        self._prepaid = threading.local()
        self._urgent = ThreadPoolExecutor(URGENT_THREADS, "alpaca-orders")
        self._others = ThreadPoolExecutor(OTHER_THREADS, "alpaca")
        signed: dict[str, Any] = {
            "api_key": keys.key,
            "secret_key": keys.secret,
            "oauth_token": keys.token,
            "raw_data": True,
        }
        trading, data = self.endpoints.trading, self.endpoints.data
        self.trading = self._made(TradingClient(**signed, paper=config.mode != "live", url_override=trading))
        self.stocks = self._made(StockHistoricalDataClient(**signed, url_override=data))
        self.crypto = self._made(CryptoHistoricalDataClient(**signed, url_override=data))
        self.news = self._made(NewsClient(**signed, url_override=data))

    async def call(
        self,
        method: Callable[..., Any],
        *arguments: Any,
        urgent: bool = False,
        once: bool = False,
        at_most_secs: float | None = None,
    ) -> Any:
        """Run a method of one of the clients and answer what it answers.

        `urgent` calls (orders, and questions about them) go first. A 429 waits as long as the broker asks and tries
        again, except for what must happen `once`: then it raises RateLimitedError. Raises NotSentError when nothing
        left, also when the budget gave no leave within `at_most_secs`; AlpacaRefusedError; UnknownOutcomeError.
        """
        for attempt in range(MOST_READS):
            if not await self.budget.take(urgent=urgent, at_most_secs=at_most_secs):
                raise NotSentError(f"RATE_LIMIT: {self.budget.calls_per_min} calls a minute are used up")
            try:
                return await self._on_a_thread(partial(method, *arguments), urgent=urgent)
            except RateLimitedError:
                if once or attempt == MOST_READS - 1:
                    raise
        raise AssertionError  # the last attempt returned or raised

    def close(self) -> None:
        """Give up what is under way and hang up; never waits."""
        for pool in (self._urgent, self._others):
            pool.shutdown(wait=False, cancel_futures=True)
        for client in (self.trading, self.stocks, self.crypto, self.news):
            client._session.close()  # noqa: SLF001 - the SDK has no other way to hang up

    def cleaned(self, text: str) -> str:
        """A text with every part of the credentials taken out, on one line."""
        for secret in (self.keys.key, self.keys.secret, self.keys.token):
            if secret:
                text = text.replace(secret, "***")
        return " ".join(text.split())

    # -- below

    async def _on_a_thread(self, work: Callable[[], Any], *, urgent: bool) -> Any:
        pool = self._urgent if urgent else self._others
        began = threading.Event()
        try:
            running = pool.submit(self._run, work, began)
        except RuntimeError:
            raise NotSentError("the connection to Alpaca is closed") from None
        waited = asyncio.wrap_future(running)
        patience = None if not urgent else self.answer_secs + GRACE_SECS  # others may fetch many pages
        try:
            return await asyncio.wait_for(waited, patience)
        except TimeoutError:
            if not began.is_set():
                raise NotSentError("all connections to Alpaca are busy; nothing was sent") from None
            raise UnknownOutcomeError(f"no answer within {self.answer_secs:g} s") from None
        except RequestError as error:
            error.args = (self.cleaned(str(error)), *error.args[1:])
            raise

    def _run(self, work: Callable[[], Any], began: threading.Event) -> Any:
        began.set()
        self._prepaid.call = True
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - each becomes one of three outcomes; the SDK's text may hold anything
            raise outcome_of(error) from None
        finally:
            self._prepaid.call = False

    def _made[Client: RESTClient](self, client: Client) -> Client:
        client._retry = 0  # noqa: SLF001 - or the SDK sends an order again after a 504
        session = client._session  # noqa: SLF001 - the SDK takes no timeout
        session.trust_env = not self.endpoints.local  # a proxy has no business between here and this machine
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Transport(self))
        return client

    def before_request(self) -> None:
        """Count a request: the first one of a call was counted before it came to its thread."""
        if getattr(self._prepaid, "call", False):
            self._prepaid.call = False
        else:
            self.budget.take_blocking()

    def after_request(self, response: Response) -> None:
        """Heed what the broker says about the budget."""
        if response.status_code == TOO_MANY:
            wait = wait_by_headers(response.headers, time.time())
            self.budget.hold(wait)
            response.close()  # nobody will read it
            raise RateLimitedError(wait)


class _Transport(HTTPAdapter):
    """Requests' own, with a timeout and a budget."""

    def __init__(self, api: AlpacaApi) -> None:
        super().__init__(pool_connections=2, pool_maxsize=URGENT_THREADS + OTHER_THREADS, max_retries=0)
        self._api = api

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        self._api.before_request()
        options["timeout"] = self._api.answer_secs
        response = super().send(request, **options)
        self._api.after_request(response)
        return response
