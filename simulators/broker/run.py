"""`python -m simulators broker`: which port, which account, which market?"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from configs.closest import closest
from configs.errors import ConfigError
from configs.load import compose
from market.catalog import open_market
from simulators.arguments import number, switch, whole
from simulators.broker.account import Account
from simulators.broker.desk import Desk
from simulators.broker.exchange import Exchange, Listed
from simulators.broker.playback import Playback
from simulators.broker.record import Record
from simulators.broker.server import HOST, Server

OK, INTERRUPTED = 0, 130
HELP = """\
usage: python -m simulators broker [KEY=VALUE] ...

A paper account in a process of its own: it goes on while no node runs, and node and broker may be killed and started
again. Trade on it with venue=local_paper, of the same data, instruments and bar.

  python -m simulators broker instruments=[AAPL] bars_per_sec=20 state=broker.jsonl

  port          where it is reached, on this machine only; 0 takes a free one (8770)
  bars_per_sec  bars played in a second, to the end of the data, then backwards, and so on (20)
  state         a file that keeps the account over a restart of the broker (none)
  cash          what a new account starts with (100000)
  currency      of the account (USD)
  commission    a fraction of each fill's notional (0.0005)
  partial       the share of what is left of an order that one fill takes at most, such as 0.5 (off)
  paused        true: no bar is played before it is asked for (false)
  data, instruments, bar, run.start, run.end: what is played, as for every run
"""
MARKET_KEYS = ("data", "instruments", "bar", "run.start", "run.end")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a broker is started with."""

    port: int = 8770
    bars_per_sec: float = 20.0
    state: Path | None = None
    cash: Decimal = Decimal(100_000)
    currency: str = "USD"
    commission: Decimal = Decimal("0.0005")
    partial: Decimal | None = None
    paused: bool = False


def run(argv: Sequence[str]) -> int:
    """The verb: read the arguments, open the market, serve. Answers the exit code."""
    if any(word in ("--help", "-h", "help") for word in argv):
        print(HELP, end="")  # noqa: T201 - what a person asked to read
        return OK
    settings, overrides = parse(argv)
    config = compose("live", overrides).config
    market = open_market(config.data, config.symbols, config.bar, config.run.start, config.run.end)
    if market.kind != "bars":
        raise ConfigError(f"data={config.data.name}: the local broker plays bars, not {market.kind}")
    playback = Playback(market.bars())
    listed = {
        str(one.id): Listed(Decimal(str(one.size_increment)), Decimal(str(one.price_increment)))
        for one in market.instruments
    }
    server = _server(settings, listed, playback)

    def on_ready(port: int) -> None:
        names, pace = " ".join(map(str, market.bar_types)), f"{settings.bars_per_sec:g} bars a second"
        print(f"broker on {HOST}:{port} plays {names}, {pace}", flush=True)  # noqa: T201 - tells that it is ready

    return asyncio.run(_serve(server, settings, on_ready))


def parse(argv: Sequence[str]) -> tuple[Settings, list[str]]:
    """Settings, and the overrides that say what is played. Raises ConfigError."""
    given: dict[str, Any] = {}
    overrides = []
    known = (*_READERS, *MARKET_KEYS)
    for argument in argv:
        key, found, text = argument.partition("=")
        if not found:
            raise ConfigError(f"{argument}: broker takes key=value arguments: {', '.join(known)}")
        if key in _READERS:
            given[key] = _READERS[key](key, text)
        elif key in MARKET_KEYS or key.startswith("data."):
            overrides.append(argument)
        else:
            near = closest(key, known)
            raise ConfigError(
                f"unknown key {key}; " + (f"did you mean {near}?" if near else f"there is {', '.join(known)}")
            )
    return Settings(**given), overrides


def _server(settings: Settings, listed: dict[str, Listed], playback: Playback) -> Server:
    record = Record(settings.state)
    lines = list(record.read())
    account = Account("LOCAL", settings.currency, settings.cash)
    exchange = Exchange(listed, account, settings.commission, settings.partial)

    def make_desk(news: Callable[[str, dict[str, Any]], None]) -> Desk:
        desk = Desk(exchange, playback, record, news)
        desk.playing = not settings.paused
        desk.restore(lines)
        return desk

    server = Server(make_desk)
    started_with = next((Decimal(line["cash"]) for line in lines if "cash" in line), settings.cash)
    record.rewrite(server.desk.history(started_with))
    return server


async def _serve(server: Server, settings: Settings, on_ready: Callable[[int], None]) -> int:
    """Serve until a signal comes."""
    loop = asyncio.get_running_loop()
    serving = asyncio.ensure_future(server.serve(settings.port, settings.bars_per_sec, on_ready))
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        serving.cancel()

    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop, each)
    try:
        await serving
    except asyncio.CancelledError:
        if not caught:
            raise
    return INTERRUPTED if signal.SIGINT in caught else OK


_READERS: dict[str, Callable[[str, str], Any]] = {
    "port": whole(0, 65_535),
    "bars_per_sec": lambda key, text: float(number("0.001", "100000")(key, text)),
    "state": lambda _key, text: Path(text).expanduser(),
    "cash": number("1", "1000000000000"),
    "currency": lambda _key, text: text,
    "commission": number("0", "0.1"),
    "partial": number("0.01", "1"),
    "paused": switch,
}
