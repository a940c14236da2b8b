"""Runs a node's execution side at a local Alpaca, from inside one test: commands go in, events come out."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.config import DataClientConfig, ExecutionClientConfig
from nautilus_trader.live.clients import DataClientFactory, ExecutionClientFactory, MarketDataClient
from nautilus_trader.model import (
    AccountId,
    AccountType,
    AggressorSide,
    ClientOrderId,
    Currency,
    InstrumentId,
    OmsType,
    OrderSide,
    QuoteTick,
    StrategyId,
    TradeId,
    TradeTick,
    Venue,
)

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.alpaca.execution import AlpacaExecutionClient
from adapters.alpaca.keys import REHEARSAL
from adapters.alpaca.operator import AlpacaOperator
from adapters.alpaca.providers import instruments
from adapters.execution import Patience
from adapters.reports import price_of, quantity_of
from simulators.alpaca.control import AlpacaProcess, Control
from tests.adapters.commanding import QUICK, SLOW_SECS, Notes, PlainConfig, Recording, quiet_builder

AAPL = InstrumentId.from_str("AAPL.ALPACA")
BTC = InstrumentId.from_str("BTC/USD.ALPACA")
HASTY_SECS = 1.0
"""For an answer: a test whose answer never comes does not want to wait."""


def config_of(url: str, **more: Any) -> AlpacaVenueConfig:
    """A paper account at a local Alpaca."""
    given: dict[str, Any] = {
        "name": "alpaca_paper", "mode": "paper", "config": "a:B", "factory": "a:C", "trading_url": url,
        "calls_per_min": 10_000, "answer_secs": SLOW_SECS,
    }  # fmt: skip
    return AlpacaVenueConfig(**(given | more))


@dataclass
class Broker:
    """A local Alpaca whose clock stands still unless it is told otherwise."""

    folder: Path
    arguments: list[str] = field(default_factory=list)
    process: AlpacaProcess | None = None
    port: int = 0

    def start(self) -> None:
        """Start it, again after a kill; it goes on where it was."""
        own = ["paused=true", "calls_per_min=0", f"state={self.folder / 'alpaca.state'}"]
        if not any(each.startswith("instruments=") for each in self.arguments):
            own.append("instruments=AAPL,BTC/USD")
        self.process = AlpacaProcess([*own, *self.arguments], self.folder / "alpaca.log", self.port)
        self.port = self.process.port
        self.control = Control(self.port)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, op: str, **request: Any) -> Any:
        return self.control.ask(op, **request)

    def price(self, price: float | str, symbol: str = "AAPL", **more: Any) -> None:
        """Move the market; whatever that fills is filled now."""
        self.control.price(symbol, str(price), **more)

    def fault(self, kind: str | None = None, **faults: Any) -> None:
        self.ask("fault", **({} if kind is None else {"kind": kind}), **faults)

    def audit(self) -> Any:
        return self.control.audit()

    @property
    def received(self) -> dict[str, int]:
        """Client order id -> how often it arrived."""
        found: dict[str, int] = self.audit()["received"]
        return found

    def order(self, client_order_id: str) -> Any:
        """The broker's row of an order."""
        return next(row for row in self.audit()["orders"] if row["client_order_id"] == client_order_id)


class Commanded(Recording):
    """Does what the test says, and keeps the events."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.quotes = 0
        self.traded: list[InstrumentId] = []

    def on_start(self) -> None:
        self.began = True
        for each in self.traded:
            self.subscribe_quotes(each)
            self.subscribe_trades(each)

    def on_quote(self, _quote: QuoteTick) -> None:
        self.quotes += 1

    def size(self, quantity: Any, instrument: InstrumentId) -> Any:
        return quantity_of(Decimal(str(quantity)), self.cache.instrument(instrument))

    def price(self, price: Any, instrument: InstrumentId) -> Any:
        return price_of(Decimal(str(price)), self.cache.instrument(instrument))

    def market(
        self, quantity: Any = 10, side: OrderSide = OrderSide.BUY, of: InstrumentId = AAPL, **more: Any
    ) -> str:
        """A market order; answers its id."""
        return self.send(self.order_factory.market(of, side, self.size(quantity, of), **more))

    def limit(
        self,
        price: Any,
        quantity: Any = 10,
        side: OrderSide = OrderSide.BUY,
        of: InstrumentId = AAPL,
        **more: Any,
    ) -> str:
        """A limit order; answers its id."""
        return self.send(
            self.order_factory.limit(of, side, self.size(quantity, of), self.price(price, of), **more)
        )

    def change(self, name: str, quantity: Any = None, price: Any = None, trigger: Any = None) -> None:
        """Modify an order."""
        self.modify_order(
            ClientOrderId(name),
            None if quantity is None else self.size(quantity, AAPL),
            None if price is None else self.price(price, AAPL),
            None if trigger is None else self.price(trigger, AAPL),
        )

    def bracket(
        self, target: Any, stop: Any, quantity: Any = 10, side: OrderSide = OrderSide.BUY, **more: Any
    ) -> Any:
        """A bracket; answers the names of entry, stop-loss and take-profit."""
        orders = self.order_factory.bracket(
            instrument_id=AAPL, order_side=side, quantity=self.size(quantity, AAPL),
            tp_price=self.price(target, AAPL), sl_trigger_price=self.price(stop, AAPL), **more,
        )  # fmt: skip
        listed = list(getattr(orders, "orders", orders))
        self.submit_order_list(orders)
        return [str(each.client_order_id) for each in listed]

    def reason(self, name: str) -> str:
        """Of the last event of an order that gives one."""
        found = [each.reason for each in self.events_of(name) if getattr(each, "reason", None)]
        return str(found[-1]) if found else ""

    @property
    def position(self) -> Decimal:
        return sum((Decimal(str(each.signed_qty)) for each in self.cache.positions_open()), Decimal(0))


class PlainData(MarketDataClient):
    """Tells one quote of each instrument that is asked for: the engine wants a price before it trades."""

    known: tuple[Any, ...] = ()

    async def _connect(self) -> None:
        for each in self.known:
            self._handle_instrument(each)

    async def _disconnect(self) -> None: ...

    async def _subscribe_quotes(self, command: Any) -> None:
        one = next(each for each in self.known if each.id == command.instrument_id)
        now = self.clock.timestamp_ns()
        price, size = price_of(Decimal(100), one), quantity_of(Decimal(1000), one)
        self._handle_data(QuoteTick(one.id, price, price, size, size, now, now))

    async def _subscribe_trades(self, command: Any) -> None:
        one = next(each for each in self.known if each.id == command.instrument_id)
        now = self.clock.timestamp_ns()
        price, size = price_of(Decimal(100), one), quantity_of(Decimal(100), one)
        self._handle_data(TradeTick(one.id, price, size, AggressorSide.BUY, TradeId("1"), now, now))

    async def _unsubscribe_quotes(self, command: Any) -> None: ...

    _unsubscribe_trades = _unsubscribe_quotes


@dataclass
class Node:
    """A running node: its strategy, its client, and how to wait for something."""

    strategy: Commanded
    client: AlpacaExecutionClient
    notes: Notes
    api: AlpacaApi
    broker: Broker

    async def until(self, condition: Callable[[], bool], secs: float = 60) -> None:
        """Wait for a condition, and fail when it does not come."""
        deadline = time.monotonic() + secs
        while not condition():
            assert time.monotonic() < deadline, [
                (type(each).__name__, str(each.client_order_id), getattr(each, "reason", ""))
                for each in self.strategy.events
            ][-12:]
            await asyncio.sleep(0.01)

    async def status(self, name: str, *wanted: str, secs: float = 60) -> None:
        """Wait until an order stands like that."""
        await self.until(lambda: self.strategy.status(name) in wanted, secs)

    def engine_order(self, name: str) -> Any:
        return self.strategy.cache.order(ClientOrderId(name))

    async def settle(self, secs: float = 0.4) -> None:
        """Let whatever is on its way arrive."""
        await asyncio.sleep(secs)

    def hasten(self) -> None:
        """An answer that has not come soon does not come any more."""
        self.api.answer_secs = HASTY_SECS

    async def books_agree(self) -> None:
        """Our position and the broker's are the same, and each of its orders reached it once."""
        await self.settle()
        await self.until(lambda: self.strategy.position == self._held())
        assert all(times == 1 for times in self.broker.received.values())

    def _held(self) -> Decimal:
        positions = self.broker.audit()["positions"].values()
        return sum((Decimal(each["qty"]) for each in positions), Decimal(0))


@asynccontextmanager
async def node(
    broker: Broker, *, notes: Notes | None = None, patience: Patience = QUICK, symbols: tuple[str, ...] = ("AAPL",),
    **config: Any,
) -> AsyncIterator[Node]:  # fmt: skip
    """A node at a broker, connected."""
    gc.collect()
    own = config_of(broker.url, **config)
    api = AlpacaApi(own, REHEARSAL)
    kept, venue, made = notes or Notes(), Venue("ALPACA"), {}
    known = tuple(await instruments(api, symbols))

    class Data(DataClientFactory):
        @staticmethod
        def create(*, name: str, config: Any, cache: Any, clock: Any) -> PlainData:
            client = PlainData(name=name, config=config, cache=cache, clock=clock, venue=venue)
            client.known = known
            return client

    class Execution(ExecutionClientFactory):
        @staticmethod
        def create(
            *, name: str, config: Any, cache: Any, clock: Any, trader_id: Any
        ) -> AlpacaExecutionClient:
            made["client"] = AlpacaExecutionClient(
                venue_config=own, api=api, gatekeeper=kept, patience=patience, on_flow=kept.flow,
                name=name, config=config, cache=cache, clock=clock, trader_id=trader_id, venue=venue,
                account_id=AccountId("ALPACA-PA1"), account_type=AccountType.MARGIN, oms_type=OmsType.NETTING,
                base_currency=Currency.from_str("USD"),
            )  # fmt: skip
            return made["client"]

    builder = quiet_builder().add_data_client("ALPACA", Data(), DataClientConfig())
    built = builder.add_exec_client("ALPACA", Execution(), ExecutionClientConfig()).build()
    strategy = Commanded(PlainConfig(strategy_id=StrategyId("TEST-001")))
    strategy.traded = [each.id for each in known]
    built.add_strategy(strategy)
    handle = built.handle()
    running = asyncio.ensure_future(built.run_async())
    del built, builder
    try:
        while not (strategy.began and strategy.quotes >= len(known)):
            if running.done():
                running.result()
            await asyncio.sleep(0.005)
        yield Node(strategy, made["client"], kept, api, broker)
    finally:
        handle.stop()
        await asyncio.wait([running], timeout=30)
        with suppress(Exception):
            running.result() if running.done() else running.cancel()
        api.close()
        del running
        gc.collect()


Work = Callable[[Broker, Node], Coroutine[Any, Any, None]]


def drive(folder: Path, work: Work, *arguments: str, **how: Any) -> None:
    """A broker at 100.00, a node at it, and what the test does with them."""
    broker = Broker(folder, list(arguments))
    broker.start()

    async def main() -> None:
        async with node(broker, **how) as running:
            await work(broker, running)

    try:
        broker.price(100)
        asyncio.run(main())
    finally:
        if broker.process is not None:
            broker.kill()


@asynccontextmanager
async def operator(broker: Broker, **config: Any) -> AsyncIterator[AlpacaOperator]:
    """The account without a node."""
    one = AlpacaOperator(config_of(broker.url, **config), REHEARSAL)
    await one.open()
    try:
        yield one
    finally:
        await one.close()
