"""What must every venue do? The cases of the engine's own specification, and how each is run at a venue's simulator.

A case is a function marked `@case("TC-E01", ...)` in `contract_*.py`; `TC-E` and `TC-D` are numbers of the maintainers'
spec_exec_testing.md and spec_data_testing.md, `KEEL` are our own faults. A venue plugs in with a `Site`, its simulator
and what it refuses, and with one test file that runs every case: tests/adapters/alpaca/test_contract.py is the
pattern. docs/contract.md is the table of all of them.

Cases with `tester` or `data` are driven by the engine's own ExecTester or DataTester, the others by `Hand`, a strategy
that does what the case says. Where a site's `refuses` names a case, the same orders are tried, and what is checked is
that the user is told exactly this, and that nothing was sent.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from nautilus_trader.common import Environment, FileWriterConfig, LoggerConfig, LogLevel
from nautilus_trader.live import (
    LiveExecutionEngineConfig,
    LiveNode,
    LiveNodeBuilder,
    LiveNodeConfig,
    LiveRiskEngineConfig,
    SubmissionRecoveryPolicy,
)
from nautilus_trader.model import InstrumentId, Quantity, StrategyId, TraderId
from nautilus_trader.testkit import DataTesterConfig, ExecTesterConfig

from adapters.clients import VenueClients
from tests.adapters.commanding import PlainConfig
from tests.adapters.contract_hand import Hand

SIZE = 10
"""How much an order of a case asks for."""
WAIT_SECS = 60.0
STOP_SECS = 30.0
"""A node that ends in time has ended by then."""
LOOKBACK_MINS = 60 * 24 * 366 * 50
"""A simulator's clock may stand in the past."""
END_SECS = 3.0
"""What a tester sends at the end is answered within this."""
NEVER_SECS = 86_400
"""The DataTester's own timer outlives its node and logs an error at each turn."""
_TAGS = itertools.count(1)


FAULTS: Mapping[str, str] = {
    "lose_answer": "done, never answered", "lose_request": "never done, never answered",
    "cut_after": "done, then the line is cut", "cut_before": "the line is cut, nothing done",
    "fail_before": "5xx, nothing done", "fail_after": "done, then 5xx, as of a gateway that timed out",
    "garbage": "done, an answer nobody can read", "too_many": "429, nothing done", "late": "done, answered late",
}  # fmt: skip
"""What can go wrong with a request -> what that means."""


@dataclass(frozen=True, slots=True)
class There:
    """An order as the simulator's own books have it, in the engine's words."""

    side: str
    type: str
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    trigger: Decimal | None
    tif: str
    status: str


class Site(Protocol):
    """A venue's simulator, for the suite. Prices are set by the case: the market stands still in between."""

    logs: Path
    """Where the engine writes its log."""
    instrument: InstrumentId
    """What is traded: in whole units, and short as well."""
    tick: Decimal
    """The least step of its order prices."""
    refuses: Mapping[str, str]
    """Case -> what the user is told, word for word."""
    strangers: Mapping[str, str]
    """Symbol of a kind that the venue does not trade -> what the user is told before a node is built."""

    def clean(self) -> None:
        """No orders, no position, no faults, the market open at 100.00."""

    def clients(self, symbol: str | None = None) -> VenueClients:
        """The venue's clients for one node, opened. Raises AdapterError."""

    def release(self, clients: VenueClients) -> None:
        """Let go of them."""

    def price(self, price: str, bid: str | None = None, ask: str | None = None) -> None:
        """A trade and a quote; whatever that fills is filled now."""

    def bar(self, close: str) -> None:
        """A bar of `bar_type` ends."""

    bar_type: Any
    """Bars that the venue streams."""

    def after_close(self) -> None:
        """Let the trading day end."""

    def halt(self) -> None:
        """Trading is halted."""

    def fill(self, name: str, quantity: str) -> None:
        """Fill a part of a resting order by hand."""

    def fault(self, kind: str, on: str) -> None:
        """The next request `on` submit, replace, cancel or one of `asks` goes wrong: one of FAULTS."""

    def news(self, **faults: Any) -> None:
        """How news of orders come from now on: delay_ms, duplicate, reorder, drop."""

    def cut(self, which: str = "all") -> None:
        """Cut the streams."""

    def deafen(self) -> None:
        """Leave the streams open and silent."""

    def skew(self, secs: float) -> None:
        """The venue's clock is wrong."""

    def race(self, on: str) -> None:
        """The next replace or cancel comes too late; on=reject: the next order is rejected after it was accepted."""

    asks: Sequence[str]
    """Names of requests that only read, for `fault`."""
    own_tags: list[str]
    """Tags by which an order asks for what only this venue has."""

    def has_own(self, name: str) -> bool:
        """Whether the order that was sent with `own_tags` got it."""

    def refuse_next(self) -> None:
        """The next order is refused."""

    def orders(self) -> Mapping[str, There]:
        """Client order id -> the order."""

    def received(self) -> Mapping[str, int]:
        """Name as it came -> how often."""

    def held(self) -> Decimal:
        """The position."""

    def cash(self) -> Decimal:
        """Of the account."""

    def listeners(self) -> int:
        """Streams that are open."""


Work = Callable[["Running"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its numbers in the specification, and the work."""

    numbers: tuple[str, ...]
    name: str
    work: Work
    tester: Mapping[str, Any] | None
    data: Mapping[str, Any] | None
    ask: Callable[[Hand], None] | None


CASES: dict[str, Case] = {}
"""Number -> case."""
ELSEWHERE: dict[str, tuple[str, str]] = {}
"""Number -> (what is checked, function), of cases that take more than one node, or none; a venue's tests call it."""


def case(
    *numbers: str,
    tester: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    ask: Callable[[Hand], None] | None = None,
) -> Callable[[Work], Work]:
    """Mark a case.

    tester, data: what the engine's ExecTester or DataTester is told to do; ask: what Hand asks when it starts.
    """

    def mark(work: Work) -> Work:
        made = Case(numbers, getattr(work, "__name__", "?"), work, tester, data, ask)
        assert not CASES.keys() & set(numbers), numbers
        CASES.update(dict.fromkeys(numbers, made))
        return work

    return mark


def elsewhere[Driver: Callable[..., None]](**names: str) -> Callable[[Driver], Driver]:
    """Mark a function that runs these cases: TC_E84="what is checked"."""

    def mark(driver: Driver) -> Driver:
        made = {number.replace("_", "-"): (name, driver.__name__) for number, name in names.items()}
        assert not {*CASES, *ELSEWHERE} & made.keys(), made
        ELSEWHERE.update(made)
        return driver

    return mark


@dataclass
class Running:
    """A node at a site, for one case."""

    site: Site
    clients: VenueClients
    hand: Hand
    cache: Any
    handle: Any
    since: str
    task: asyncio.Future[None] | None = None
    kept: list[Any] = field(default_factory=list)

    async def until(self, condition: Callable[[], Any], what: str = "", secs: float = WAIT_SECS) -> Any:
        """Wait for a condition; fails with all orders when it does not come."""
        deadline = time.monotonic() + secs
        while not (found := condition()):
            assert time.monotonic() < deadline, (
                what,
                [(told(each), reason(each)) for each in self.orders()],
                self.said()[-5:],
            )
            await asyncio.sleep(0.01)
        return found

    def orders(self) -> list[Any]:
        """All orders that the engine knows, in the order of their making."""
        found = {str(each.client_order_id): each for each in self.cache.orders()}
        return sorted(found.values(), key=lambda each: each.ts_init)

    def order(self, name: str | None = None) -> Any:
        """An order by name; the only one without."""
        if name is None:
            (found,) = self.orders()
            return found
        return next(each for each in self.orders() if str(each.client_order_id) == name)

    async def status(self, wanted: str, name: str | None = None, count: int = 1) -> list[Any]:
        """Wait until so many orders stand like that; answers these."""

        def those() -> list[Any]:
            found = [each for each in self.orders() if name in (None, str(each.client_order_id))]
            return [each for each in found if each.status.name == wanted]

        await self.until(lambda: len(those()) >= count, f"{count} {wanted}")
        return those()

    @property
    def held(self) -> Decimal:
        """The position, by the engine."""
        return sum((Decimal(str(each.signed_qty)) for each in self.cache.positions_open()), Decimal(0))

    def account(self) -> Any:
        """The engine's account at the site."""
        return self.cache.account_for_venue(self.site.instrument.venue)

    def there(self, order: Any) -> There:
        """An order in the simulator's books."""
        return self.site.orders()[str(order.client_order_id)]

    async def stop(self) -> None:
        """Stop the node, so that the testers do what they do at the end; the cache can still be read."""
        if self.task is not None and not self.task.done():
            self.handle.stop()
            await asyncio.wait([self.task], timeout=STOP_SECS)

    async def settle(self, secs: float = 0.3) -> None:
        """Let whatever is on its way arrive."""
        await asyncio.sleep(secs)

    async def agree(self) -> None:
        """The engine's position is the simulator's, and no order came twice."""
        await self.until(lambda: self.held == self.site.held(), "positions agree")
        assert all(times == 1 for times in self.site.received().values())

    def said(self, component: str = "") -> list[str]:
        """The engine's log, of components that begin so."""
        lines = [
            line
            for file in self.site.logs.glob("*.json*")
            for line in file.read_text().splitlines(keepends=True)
        ]
        rows = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [
            row["message"]
            for row in rows
            if row["timestamp"] >= self.since and row["component"].startswith(component)
        ]


def told(order: Any) -> list[str]:
    """The events of an order, without those that only say that a command is under way."""
    names = [type(each).__name__.removeprefix("Order") for each in order.events()]
    return [each for each in names if not each.startswith("Pending")]


def reason(order: Any) -> str:
    """What the user is told, by the last event that gives one."""
    found = [each.reason for each in order.events() if getattr(each, "reason", None)]
    return str(found[-1]) if found else ""


@asynccontextmanager
async def node(
    site: Site,
    *,
    tester: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    begin: Callable[[Hand], None] | None = None,
    gatekeeper: Any = None,
    quote: bool = True,
) -> AsyncIterator[Running]:
    """A node at a site with real clients; `quote`: the strategy hears quotes and has got one."""
    gc.collect()
    logs = site.logs
    since = datetime.now(UTC).isoformat()
    clients = await asyncio.to_thread(site.clients)
    if gatekeeper is not None:
        clients.gatekeeper = gatekeeper
    ends = any((tester or {}).get(key) for key in ("cancel_orders_on_stop", "close_positions_on_stop"))
    built = clients.add_to(_builder(logs, END_SECS if ends else 0.0)).build()
    tag = f"{next(_TAGS):03d}"
    hand = Hand(PlainConfig(strategy_id=StrategyId(f"HAND-{tag}"), use_uuid_client_order_ids=True))
    hand.prepare(site.instrument, begin, quote=quote)
    built.add_strategy(hand)
    _add_testers(built, site, tester, data, tag)
    one = Running(site, clients, hand, built.cache, built.handle(), since)
    one.task = asyncio.ensure_future(built.run_async())
    del built
    try:
        await one.until(lambda: hand.began or (one.task is not None and one.task.done()), "started")
        assert not one.task.done(), (one.task.exception(), clients.error())
        clients.begin()
        if quote:
            await _quoted(one)
        yield one
    finally:
        await one.stop()
        with suppress(Exception):  # what went wrong is told by the case
            one.task.exception() if one.task.done() else one.task.cancel()
        one.task = None
        await asyncio.to_thread(site.release, clients)
        gc.collect()


async def _quoted(one: Running) -> None:
    """Wait for a quote, giving new ones: the first may come before the stream listens."""
    deadline = time.monotonic() + WAIT_SECS
    while time.monotonic() < deadline:
        one.site.price("100", "99.99", "100.01")
        for _ in range(10):
            if one.hand.quotes:
                return
            await asyncio.sleep(0.01)
    raise AssertionError(("no quote came", one.said()[-10:]))


def _add_testers(
    built: LiveNode, site: Site, tester: Mapping[str, Any] | None, data: Mapping[str, Any] | None, tag: str
) -> None:
    if tester is not None:
        given: dict[str, Any] = {
            "strategy_id": StrategyId(f"TESTER-T{tag}"), "use_uuid_client_order_ids": True,
            "instrument_id": site.instrument, "order_qty": Quantity.from_int(SIZE), "log_data": False,
            "open_position_on_first_quote": True, "enable_limit_buys": False, "enable_limit_sells": False,
            "cancel_orders_on_stop": False, "close_positions_on_stop": False,
        }  # fmt: skip
        built.add_builtin_strategy("ExecTester", ExecTesterConfig(**given | dict(tester)))
    if data is not None:
        given = {"instrument_ids": [site.instrument], "log_data": True, "stats_interval_secs": NEVER_SECS}
        if data.get("subscribe_bars") or data.get("request_bars"):
            given["bar_types"] = [site.bar_type]
        built.add_builtin_actor("DataTester", DataTesterConfig(**given | dict(data)))


def _builder(logs: Path, end_secs: float) -> LiveNodeBuilder:
    rate = "100000/00:00:01"
    config = LiveNodeConfig(
        environment=Environment.LIVE,
        trader_id=TraderId("KEEL-001"),
        logging=LoggerConfig(
            stdout_level=LogLevel.OFF,
            fileout_level=LogLevel.INFO,
            file_config=FileWriterConfig(directory=str(logs), file_name="engine", file_format="json"),
        ),
        delay_post_stop_secs=end_secs,
        timeout_connection_secs=60.0,
        risk_engine=LiveRiskEngineConfig(max_order_submit_rate=rate, max_order_modify_rate=rate, bypass=True),
        exec_engine=LiveExecutionEngineConfig(
            reconciliation=True,
            reconciliation_startup_delay_secs=0.0,
            reconciliation_lookback_mins=LOOKBACK_MINS,
            submission_recovery_policy=SubmissionRecoveryPolicy.RETAIN_UNRESOLVED,
        ),
    )
    return LiveNodeBuilder.from_config("CONTRACT", config)


def run(number: str, site: Site) -> None:
    """Run one case, as the venue supports or refuses it."""
    site.clean()
    one = CASES[number]
    refusal, before = site.refuses.get(number), site.received()

    async def work() -> None:
        async with node(site, tester=one.tester, data=one.data, begin=one.ask) as running:
            await (one.work(running) if refusal is None else _refused(running, one, refusal, before))

    asyncio.run(work())


async def _refused(running: Running, one: Case, refusal: str, before: Mapping[str, int]) -> None:
    """The user is told so, and nothing was sent."""
    if one.data is not None or one.ask is not None:
        await running.until(lambda: any(refusal in line for line in running.said()), refusal)
        return
    orders = await running.until(lambda: [each for each in running.orders() if each.is_closed], refusal)
    await running.settle(0.1)
    await running.until(lambda: all(each.is_closed for each in running.orders()), "all are refused")
    for order in running.orders():
        assert told(order)[-1] in ("Denied", "Rejected"), told(order)
    assert reason(orders[0]) == refusal
    assert running.site.received() == before


def numbers_of(spec: str) -> Sequence[str]:
    """All numbers of one specification in order: `TC-E`, `TC-D`, or `KEEL` for our own."""
    return sorted(
        (each for each in CASES if each.startswith(spec)), key=lambda each: int(each[4:].lstrip("-"))
    )
