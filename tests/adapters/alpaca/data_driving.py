"""Runs a node with Alpaca's data client at a local Alpaca, inside one test, and keeps all that its strategy is told."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.common import Environment, LoggerConfig, LogLevel
from nautilus_trader.config import DataClientConfig
from nautilus_trader.live import LiveNodeBuilder, LiveNodeConfig
from nautilus_trader.live.clients import DataClientFactory
from nautilus_trader.model import Bar, BarType, InstrumentId, StrategyId, TraderId, Venue
from nautilus_trader.trading import Strategy

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._market_feed import Options
from adapters.alpaca._upkeep import Rhythm
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.alpaca.data import AlpacaDataClient
from adapters.alpaca.keys import Keys
from adapters.alpaca.providers import instruments
from simulators.alpaca.control import AlpacaProcess, Control
from tests.adapters.commanding import PlainConfig

KEYS = Keys("PKREHEARSAL0000000000", "rehearsal")
AAPL = InstrumentId.from_str("AAPL.ALPACA")
QUICK = Rhythm(turn=0.05, poll=0.1, down=0.1, silent=60.0, again=0.05)
TEN = "2013-02-01T15:00:00Z"
"""When the clock of a paused local Alpaca stands still: 10:00 in New York."""


def bar_type(text: str, instrument: InstrumentId = AAPL) -> BarType:
    """`1-MINUTE` -> AAPL.ALPACA-1-MINUTE-LAST-EXTERNAL."""
    return BarType.from_str(f"{instrument}-{text}-LAST-EXTERNAL")


def at(clock: str) -> int:
    """`15:01` (UTC) of the first day, in nanoseconds."""
    return int(datetime.fromisoformat(f"2013-02-01T{clock}:00+00:00").timestamp()) * 1_000_000_000


def clock_of(ts: int) -> str:
    """The other way round."""
    return datetime.fromtimestamp(ts // 1_000_000_000, UTC).strftime("%H:%M")


@dataclass
class Broker:
    """A local Alpaca and its control."""

    process: AlpacaProcess
    control: Control

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return self.control.ask(op, **fields)

    def bar(self, clock: str, close: float, *, told: bool = True, symbol: str = "AAPL", **more: Any) -> None:
        """A minute bar that begins at `clock` (UTC)."""
        self.ask("bar", symbol=symbol, start=f"2013-02-01T{clock}:00Z", close=str(close), told=told, **more)

    def config(self, **more: Any) -> AlpacaVenueConfig:
        """A venue config that leads here."""
        own: dict[str, Any] = {
            "name": "alpaca_rehearsal",
            "mode": "rehearsal",
            "config": "a:B",
            "factory": "a:C",
        }
        return AlpacaVenueConfig(**own | {"trading_url": self.process.url, "calls_per_min": 10_000} | more)


@contextmanager
def broker(folder: Path, *arguments: str) -> Iterator[Broker]:
    """A local Alpaca for one test; its clock stands still at 10:00 unless told otherwise."""
    own = [] if any(each.startswith("paused=") for each in arguments) else ["paused=true"]
    process = AlpacaProcess([*own, "calls_per_min=0", *arguments], folder / "alpaca.log")
    try:
        yield Broker(process, process.control())
    finally:
        process.kill()


@contextmanager
def api_of(one: Broker, keys: Keys = KEYS, **config: Any) -> Iterator[AlpacaApi]:
    """The REST side of a broker."""
    api = AlpacaApi(one.config(**config), keys)
    try:
        yield api
    finally:
        api.close()


class Hearer(Strategy):
    """Asks for what the test says when it starts, and keeps what it is told."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.begin: Callable[[Hearer], None] = lambda _: None
        self.began = False
        self.bars: list[Bar] = []
        self.past: list[Any] = []
        self.quotes: list[Any] = []
        self.trades: list[Any] = []
        self.statuses: list[Any] = []
        self.data: list[Any] = []

    def on_start(self) -> None:
        self.begin(self)
        self.began = True

    def on_bar(self, bar: Bar) -> None:
        self.bars.append(bar)

    def on_quote(self, quote: Any) -> None:
        self.quotes.append(quote)

    def on_trade(self, trade: Any) -> None:
        self.trades.append(trade)

    def on_instrument_status(self, status: Any) -> None:
        self.statuses.append(status)

    def on_data(self, data: Any) -> None:
        self.data.append(data)

    def on_historical_bars(self, bars: Any) -> None:
        self.past.append(list(bars))

    def on_historical_quotes(self, quotes: Any) -> None:
        self.past.append(list(quotes))

    def on_historical_trades(self, trades: Any) -> None:
        self.past.append(list(trades))

    def on_historical_data(self, data: Any) -> None:
        self.past.append(data)

    def clocks(self, kind: str = "1-MINUTE") -> list[str]:
        """When the bars of one kind ended."""
        return [clock_of(bar.ts_event) for bar in self.bars if f"-{kind}-" in str(bar.bar_type)]


@dataclass
class Node:
    """A running node: its strategy, and its data client."""

    hearer: Hearer
    clients: list[AlpacaDataClient] = field(default_factory=list)

    @property
    def client(self) -> AlpacaDataClient:
        return self.clients[0]

    async def until(self, condition: Callable[[], bool], secs: float = 60) -> None:
        """Wait for a condition, and fail when it does not come."""
        deadline = time.monotonic() + secs
        while not condition():
            assert time.monotonic() < deadline, (self.said(), self.hearer.clocks())
            await asyncio.sleep(0.01)

    async def subscribed(self, *channels: str, symbols: tuple[str, ...] = ("AAPL",)) -> None:
        """Wait until the server says that it sends these: what it made before is heard by nobody."""

        def given() -> bool:
            lanes = self.client.feed.lanes
            sent = [lane.line.given.get(channel, set()) for lane in lanes for channel in channels]
            return all(sum(symbol in each for each in sent) == len(channels) for symbol in symbols)

        await self.until(given)

    def said(self) -> list[str]:
        """What the data client said."""
        return list(self.client.told.recent)

    def has_said(self, words: str) -> bool:
        """Whether the log holds these words."""
        return any(words in line for line in self.said())


@asynccontextmanager
async def node(
    one: Broker,
    begin: Callable[[Hearer], None],
    *,
    symbols: tuple[str, ...] = ("AAPL",),
    keys: Keys = KEYS,
    lookup: Keys | None = None,
    started: bool = True,
    config: dict[str, Any] | None = None,
    most: int | None = None,
    options: Options | None = None,
) -> AsyncIterator[Node]:
    """A node at a broker; `started`: wait until it runs, and let data flow; `lookup`: keys for the instruments."""
    gc.collect()
    running_node = Node(Hearer(PlainConfig(strategy_id=StrategyId("TEST-001"))))
    running_node.hearer.begin = begin
    own = one.config(**(config or {}))
    api = AlpacaApi(own, keys)
    with api_of(one, lookup or keys) as looking:
        found = await instruments(looking, symbols)

    class Factory(DataClientFactory):
        @staticmethod
        def create(*, name: str, config: Any, cache: Any, clock: Any) -> AlpacaDataClient:
            client = AlpacaDataClient(
                venue_config=own, api=api, instruments=found, most=most,
                options=options or Options(replayed=True, rhythm=QUICK),
                name=name, config=config, cache=cache, clock=clock, venue=Venue("ALPACA"),
            )  # fmt: skip
            running_node.clients.append(client)
            return client

    settings = LiveNodeConfig(
        environment=Environment.SANDBOX,
        trader_id=TraderId("KEEL-001"),
        logging=LoggerConfig(
            stdout_level=LogLevel.OFF,
        ),
        delay_post_stop_secs=0.0,
        timeout_connection_secs=60.0,
    )
    built = (
        LiveNodeBuilder.from_config("TEST", settings)
        .add_data_client("ALPACA", Factory(), DataClientConfig())
        .build()
    )
    built.add_strategy(running_node.hearer)
    handle = built.handle()
    running = asyncio.ensure_future(built.run_async())
    del built
    try:
        while started and not running_node.hearer.began:
            assert not running.done(), running
            await asyncio.sleep(0.005)
        if started:
            running_node.client.begin()
        yield running_node
    finally:
        handle.stop()
        await asyncio.wait([running], timeout=30)
        running.exception() if running.done() else running.cancel()
        del running
        api.close()
        gc.collect()


def drive(
    folder: Path,
    begin: Callable[[Hearer], None],
    work: Callable[[Broker, Node], Any],
    *arguments: str,
    **how: Any,
) -> None:
    """A broker, a node at it, and what the test does with them."""

    async def main(one: Broker) -> None:
        async with node(one, begin, **how) as running:
            await work(one, running)

    with broker(folder, *arguments) as one:
        asyncio.run(main(one))


def decimals(bars: list[Bar]) -> list[Decimal]:
    """Closes."""
    return [bar.close.as_decimal() for bar in bars]
