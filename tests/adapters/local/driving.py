"""Runs a node at a broker process, from inside one test: commands go in, events and the gatekeeper's notes come out."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nautilus_trader.model import (
    Bar,
    BarType,
    ClientOrderId,
    InstrumentId,
    OrderSide,
    Price,
    Quantity,
    StrategyId,
    TimeInForce,
)

from adapters.execution import Patience
from adapters.local.config import LocalVenueConfig
from adapters.local.execution import LocalExecutionClient
from adapters.local.factories import LocalVenue
from configs.load import compose
from market.catalog import open_market
from market.market_data import MarketData
from simulators.broker.control import BrokerProcess, Control
from tests.adapters.commanding import QUICK, SLOW_SECS, Notes, PlainConfig, Recording, quiet_builder

AAPL = InstrumentId.from_str("AAPL.XNAS")
WINDOW = ["instruments=[AAPL]", "run.end=2000-09-01"]
HASTY_SECS = 0.5
"""For an answer: a test whose answer never comes does not want to wait."""


def market() -> MarketData:
    """What the broker of these tests plays."""
    config = compose("live", WINDOW).config
    return open_market(config.data, config.symbols, config.bar, config.run.start, config.run.end)


@dataclass
class Broker:
    """A broker process whose market stands still unless it is told otherwise, with a connection to it."""

    folder: Path
    arguments: list[str] = field(default_factory=list)
    process: BrokerProcess | None = None
    control: Control | None = None
    port: int = 0

    def start(self) -> None:
        """Start it, again after a kill; it goes on where it was."""
        own = [*WINDOW, "paused=true", "commission=0", f"state={self.folder / 'broker.jsonl'}"]
        self.process = BrokerProcess([*own, *self.arguments], self.folder / "broker.log", self.port)
        self.port = self.process.port
        self.control = Control(self.port)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        assert self.control is not None
        self.control.close()
        self.process.kill()
        self.process = None

    def ask(self, op: str, **request: Any) -> Any:
        assert self.control is not None
        return self.control.ask(op, **request)

    def price(self, price: float) -> None:
        """Move the market; whatever that fills is filled now."""
        self.ask("market", do="price", instrument=str(AAPL), price=str(price))

    def fault(self, **faults: Any) -> None:
        self.ask("fault", **faults)

    @property
    def received(self) -> dict[str, int]:
        """Client order id -> how often it arrived."""
        found: dict[str, int] = self.ask("audit")["received"]
        return found


@contextmanager
def broker(folder: Path, *arguments: str) -> Iterator[Broker]:
    """A broker for one test, at 100.00."""
    one = Broker(folder, list(arguments))
    one.start()
    try:
        one.price(100)
        yield one
    finally:
        if one.process is not None:
            one.kill()


class Commanded(Recording):
    """Does what the test says, and keeps the events."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.bars: list[Bar] = []

    def on_start(self) -> None:
        self.began = True
        self.subscribe_bars(BarType.from_str(f"{AAPL}-1-DAY-LAST-EXTERNAL"))

    def on_bar(self, bar: Bar) -> None:
        self.bars.append(bar)

    def buy(self, quantity: int = 10, *, side: OrderSide = OrderSide.BUY, **more: Any) -> str:
        """A market order; answers its id."""
        return self.send(self.order_factory.market(AAPL, side, Quantity(quantity, 0), **more))

    def limit(self, price: float, quantity: int = 10, *, side: OrderSide = OrderSide.BUY, **more: Any) -> str:
        """A limit order; answers its id."""
        return self.send(self.order_factory.limit(AAPL, side, Quantity(quantity, 0), Price(price, 4), **more))

    def trades(self, name: str) -> list[str]:
        """The trade ids of an order's fills."""
        return [str(each.trade_id) for each in self.fills_of(name)]

    @property
    def position(self) -> int:
        return sum(int(each.signed_qty) for each in self.cache.positions_open())


@dataclass
class Node:
    """A running node: its strategy, its venue, and how to wait for something."""

    strategy: Commanded
    venue: LocalVenue
    notes: Notes

    async def until(self, condition: Callable[[], bool], secs: float = 60) -> None:
        """Wait for a condition, and fail when it does not come."""
        deadline = time.monotonic() + secs
        while not condition():
            assert time.monotonic() < deadline, [
                (type(each).__name__, str(each.client_order_id)) for each in self.strategy.events
            ][-20:]
            await asyncio.sleep(0.01)

    def order(self, name: str) -> Any:
        """The engine's order."""
        return self.strategy.cache.order(ClientOrderId(name))

    def hasten(self) -> None:
        """An answer that has not come soon does not come any more."""
        self._execution._wire._answer_secs = HASTY_SECS  # noqa: SLF001 - nobody else asks for less than the config

    @property
    def connected(self) -> bool:
        """Whether orders can be sent."""
        return self._execution.ready

    @property
    def _execution(self) -> LocalExecutionClient:
        found = self.venue._execution  # noqa: SLF001 - a run never asks its venue for it
        assert found is not None
        return found

    async def settle(self, secs: float = 0.3) -> None:
        """Let whatever is on its way arrive."""
        await asyncio.sleep(secs)


@asynccontextmanager
async def node(
    broker: Broker,
    *,
    notes: Notes | None = None,
    patience: Patience = QUICK,
    config: dict[str, Any] | None = None,
    most: int | None = None,
    price: float | None = 100,
) -> AsyncIterator[Node]:
    """A node at a broker, connected and with data flowing; `price` is the first one it sees."""
    gc.collect()
    own = LocalVenueConfig(
        name="local_paper", config="a:B", factory="a:C", port=broker.port, answer_secs=SLOW_SECS,
        **(config or {}),
    )  # fmt: skip
    venue = LocalVenue(own, market(), most)
    venue.gatekeeper = kept = notes or Notes()
    venue.patience = patience
    built = venue.add_to(quiet_builder()).build()
    strategy = Commanded(PlainConfig(strategy_id=StrategyId("TEST-001"), use_uuid_client_order_ids=True))
    built.add_strategy(strategy)
    handle = built.handle()
    running = asyncio.ensure_future(built.run_async())
    del built
    one = Node(strategy, venue, kept)
    try:
        while not strategy.began:
            assert not running.done(), running
            await asyncio.sleep(0.005)
        venue.begin()
        if price is not None:
            await one.until(lambda: _heard(broker, price, strategy.bars))
        yield one
    finally:
        handle.stop()
        await asyncio.wait([running], timeout=30)
        running.exception() if running.done() else running.cancel()
        del running
        gc.collect()


def _heard(broker: Broker, price: float, bars: list[Bar]) -> bool:
    """Whether a bar came; else the price is told again: what was before the node listened is heard by nobody."""
    if not bars:
        broker.price(price)
    return bool(bars)


def drive(folder: Path, work: Callable[[Broker, Node], Any], *arguments: str, **how: Any) -> None:
    """A broker, a node at it, and what the test does with them."""

    async def main() -> None:
        async with node(one, **how) as running:
            await work(one, running)

    with broker(folder, *arguments) as one:
        asyncio.run(main())


DAY_ORDER = TimeInForce.DAY
