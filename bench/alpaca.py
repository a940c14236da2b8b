"""From a bar's arrival to its order's request leaving, and from a fill's arrival to the strategy: how much is ours?

A paper account at a local Alpaca, a real node, alpaca-py, a journal on disk. What the SDK takes for the same request
and the same message is measured alone, in the same process, and taken off.
"""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from alpaca.trading.client import TradingClient
from alpaca.trading.stream import TradingStream
from requests.adapters import HTTPAdapter
from rich.box import SIMPLE
from rich.table import Table

from adapters.alpaca import _data_stream, _trade_stream
from adapters.alpaca.keys import REHEARSAL
from bench import everything_on
from bench.latency import Toggling
from bench.made import CONFIGS
from bench.pairs import kept
from configs.load import compose
from live.run import trade
from simulators.alpaca.control import AlpacaProcess, Control

NANOS_A_MICRO = 1_000
WARM_UP = 20  # orders that are not counted: connections and what is imported once
PAUSE_SECS = 0.03  # between two bars, so that each order is answered before the next
FIRST_BAR_SECS = 30.0
SYMBOL = "AAPL"
KEY, SECRET = str(REHEARSAL.key), str(REHEARSAL.secret)
BODY = {
    "symbol": SYMBOL, "qty": "10", "side": "buy", "type": "market", "time_in_force": "gtc",
    "client_order_id": "0b5b4c0e-7bbf-4b7c-9d3a-0c5e4f1f2a3b",
}  # fmt: skip


class LeftError(Exception):
    """A request was about to leave."""


class Times:
    """Nanoseconds of the machine's clock."""

    def __init__(self) -> None:
        """Nothing timed yet."""
        self.bar_came = 0
        self.update_came = 0
        self.to_request: list[int] = []
        self.to_strategy: list[int] = []
        self.updates: list[str | bytes] = []
        """Messages of the stream, as they came."""


class Noting(Toggling):
    """Turns round at every bar, and notes when it hears of a fill."""

    times = Times()

    def on_order_filled(self, event: Any) -> None:  # noqa: ARG002 - the engine's signature
        """It has arrived."""
        if self.times.update_came:
            self.times.to_strategy.append(time.perf_counter_ns() - self.times.update_came)
            self.times.update_came = 0


def measure(orders: int) -> dict[str, Any]:
    """One node, so many orders. Median and 99th percentile in microseconds, with and without what the SDK takes."""
    Noting.times = times = Times()
    with TemporaryDirectory() as root:
        broker = AlpacaProcess(
            [f"instruments={SYMBOL}", "paused=true", "calls_per_min=0"], Path(root) / "alpaca.log"
        )
        try:
            with _timed(times), redirect_stdout(io.StringIO()):
                over = Event()
                driver = Thread(target=_drive, args=(broker.port, over, times), daemon=True)
                driver.start()
                trade(_composed(broker.url, orders + WARM_UP, root))
                over.set()
                driver.join()
        finally:
            broker.kill()
    request, update = times.to_request[WARM_UP:], times.to_strategy[WARM_UP:]
    return {
        "orders": len(request),
        "fills": len(update),
        "request": _shown(request),
        "request_sdk": median(_sdk_request(300)) / NANOS_A_MICRO,
        "update": _shown(update),
        "update_sdk": median(_sdk_update(times.updates)) / NANOS_A_MICRO,
    }


def shown(got: dict[str, Any], target_us: float) -> Table:
    """Both ways as a table."""
    table = Table(
        box=SIMPLE,
        title=f"Microseconds between Alpaca and the strategy, {got['orders']:,} orders, journal on SQLite",
        caption="added: the median without what alpaca-py takes alone",
    )
    for column in ("", "median", "99th percentile", "SDK alone", "added", "target"):
        table.add_column(column, justify="right" if column else "left")
    for name, key in (("bar to request leaving", "request"), ("trade update to strategy", "update")):
        middle, late = got[key]
        sdk = got[f"{key}_sdk"]
        added = middle - sdk
        cells = (f"{each:,.0f}" for each in (middle, late, sdk, added))
        table.add_row(name, *cells, kept(met=added < target_us))
    return table


def _composed(url: str, bars: int, root: str) -> Any:
    os.environ["ALPACA_API_KEY"], os.environ["ALPACA_API_SECRET"] = KEY, SECRET
    limits = everything_on.overrides(
        "Noting",
        (SYMBOL,),
        "alpaca_paper",
        max_orders_per_day="1000000",
        trading_hours="off",
        require_approval="false",
    )
    return compose(
        "live",
        [
            "venue=alpaca_paper", f"venue.trading_url={url}", "venue.calls_per_min=10000", "strategy=noting",
            f"instruments=[{SYMBOL}]", "bar=1m", f"run.max_bars={bars}", f"run.dir={root}/run",
            f"journal.path={root}/journal.db", "output=json", "log.level=warning", *limits,
        ],
        CONFIGS,
    )  # fmt: skip


def _drive(port: int, over: Event, times: Times) -> None:
    """Play one bar after the other as soon as the node listens."""
    control, deadline = Control(port), time.monotonic() + FIRST_BAR_SECS
    while not control.ask("audit")["subscribed"]["stocks"] and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    number = 0
    while not over.is_set():
        number += 1
        before = len(times.to_strategy)
        control.ask("bar", symbol=SYMBOL, close="100.10" if number % 2 else "100.00")
        until = time.monotonic() + 1.0
        while len(times.to_strategy) == before and not over.is_set() and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(PAUSE_SECS)


@contextmanager
def _timed(times: Times) -> Iterator[None]:
    """Note when bars and updates come, and when requests leave."""
    receive: Any = _data_stream._Socket.receive  # noqa: SLF001 - where frames come in
    read, send = _trade_stream.read_frame, HTTPAdapter.send

    async def received(self: Any) -> Any:
        rows = await receive(self)
        times.bar_came = time.perf_counter_ns()
        return rows

    def read_frame(frame: str | bytes) -> dict[str, Any]:
        came = time.perf_counter_ns()
        row = read(frame)
        if (row.get("data") or {}).get("event") == "fill":
            times.update_came = came
            times.updates.append(frame)
        return row

    def leaving(self: HTTPAdapter, request: Any, **options: Any) -> Any:
        if request.method == "POST" and times.bar_came:
            times.to_request.append(time.perf_counter_ns() - times.bar_came)
            times.bar_came = 0
        return send(self, request, **options)

    with (
        _in_place(_data_stream._Socket, "receive", received),  # noqa: SLF001 - as above
        _in_place(_trade_stream, "read_frame", read_frame),
        _in_place(HTTPAdapter, "send", leaving),
    ):
        yield


@contextmanager
def _in_place(owner: Any, name: str, other: Callable[..., Any]) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _sdk_request(times: int) -> list[int]:
    """Nanoseconds from alpaca-py's `post` to its request leaving."""
    taken: list[int] = []
    began = 0

    def leaving(*_: Any, **__: Any) -> Any:
        taken.append(time.perf_counter_ns() - began)
        raise LeftError

    client = TradingClient(KEY, SECRET, url_override="http://127.0.0.1:9")
    with _in_place(HTTPAdapter, "send", leaving):
        for _ in range(times):
            began = time.perf_counter_ns()
            try:
                client.post("/orders", BODY)
            except LeftError:
                continue
    return taken


def _sdk_update(frames: list[str | bytes]) -> list[int]:
    """Nanoseconds from a message to the handler in alpaca-py's own stream."""
    taken: list[int] = []
    began = 0

    async def heard(_: Any) -> None:
        taken.append(time.perf_counter_ns() - began)

    async def all_of_them() -> None:
        nonlocal began
        stream: Any = TradingStream(KEY, SECRET, url_override="ws://127.0.0.1:9")
        stream._trade_updates_handler = heard  # noqa: SLF001 - else it wants to connect
        for frame in frames:
            began = time.perf_counter_ns()
            await stream._dispatch(_json(frame))  # noqa: SLF001 - what its loop calls

    asyncio.run(all_of_them())
    return taken


_json = partial(_trade_stream.read_frame)


def _shown(nanos: list[int]) -> tuple[float, float]:
    return median(nanos) / NANOS_A_MICRO, quantiles(nanos, n=100)[98] / NANOS_A_MICRO
