"""`python -m simulators alpaca`: put the local Alpaca together and serve it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from functools import partial
from typing import Any

from market.sessions import DAY_NANOS
from simulators.alpaca.assets import CENT, Assets
from simulators.alpaca.calendar import EPOCH, Calendar, moment
from simulators.alpaca.desk import Clock, Desk
from simulators.alpaca.gateway import Access
from simulators.alpaca.history import HISTORY_DAYS, MADE_UP_FROM, days_of, last_day, reach
from simulators.alpaca.ledger import Ledger
from simulators.alpaca.refusal import RefusedError
from simulators.alpaca.server import Server
from simulators.alpaca.settings import HELP, KEYS, Settings, parse
from simulators.alpaca.tape import Tape
from simulators.alpaca.wire import identity, loads
from simulators.broker.record import Record
from simulators.broker.server import HOST
from simulators.errors import SimulatorError

OK, INTERRUPTED = 0, 130


def run(argv: Sequence[str]) -> int:
    """The verb: read the arguments, open the market, serve. Answers the exit code."""
    if any(word in ("--help", "-h", "help") for word in argv):
        print(HELP, end="")  # noqa: T201 - what a person asked to read
        return OK
    return asyncio.run(_serve(parse(argv)))


async def _serve(settings: Settings) -> int:
    """Serve until a signal comes."""
    server, first, last = make_server(settings)
    await _do_script(server, settings)

    def on_ready(port: int) -> None:
        pace = "the clock stands still" if settings.paused else f"{settings.speed:g} market seconds a second"
        what = f"{' '.join(settings.instruments)} from {first} to {last}, {pace}"
        print(f"alpaca ({settings.kind}) on {HOST}:{port} plays {what}", flush=True)  # noqa: T201 - tells it is ready

    loop = asyncio.get_running_loop()
    serving = asyncio.ensure_future(server.serve(settings.port, on_ready))
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        serving.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    if settings.stdin:
        loop.add_reader(sys.stdin.fileno(), _at_its_end, loop, partial(stop, signal.SIGTERM))
    try:
        await serving
    except asyncio.CancelledError:
        if not caught:
            raise
    return INTERRUPTED if signal.SIGINT in caught else OK


def _at_its_end(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """End when standard input does; what stands in it is nobody's business."""
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin.fileno())
        stop()


def make_server(settings: Settings) -> tuple[Server, date, date]:
    """A server of these settings, and the first and last day it plays. Raises ConfigError, SimulatorError."""
    assets, last = Assets(), last_day(settings)
    first_possible = settings.start.date() if settings.start else last - reach(settings.days)
    early = min(MADE_UP_FROM, first_possible - timedelta(days=HISTORY_DAYS))
    calendar = Calendar(_days(early) * DAY_NANOS, _days(last) * DAY_NANOS)
    sessions = calendar.between(first_possible, last)
    if not sessions:
        raise SimulatorError(f"start={first_possible} end={last}: no session in between; choose other days")
    chosen = sessions[: settings.days] if settings.start else sessions[-settings.days :]
    first, last = chosen[0].day, settings.end or chosen[-1].day
    days, minutes = days_of(settings, assets, calendar, (first, last))
    tape = Tape(assets, days, calendar, settings.seed, settings.bars_per_day)
    tape.recorded = minutes
    begin = _begin(settings, first)
    desk = _desk(settings, assets, calendar, tape, begin)
    access = Access(
        settings.key or KEYS[settings.kind], settings.secret, settings.token, settings.calls_per_min,
        frozenset(settings.feeds), settings.most_symbols, settings.token_streams,
    )  # fmt: skip
    return Server(desk, access, last, settings.speed, paused=settings.paused), first, last


def _desk(settings: Settings, assets: Assets, calendar: Calendar, tape: Tape, begin: int) -> Desk:
    record = Record(settings.state)
    lines: list[dict[str, Any]] = list(record.read())
    number = ("PA" if settings.kind == "paper" else "12") + "3KEEL0SIM"
    created = begin - 30 * DAY_NANOS
    ledger = Ledger(
        number, identity("account", settings.kind), settings.cash, created, settings.crypto_fee, settings.fees
    )
    desk = Desk(assets, calendar, tape, ledger, Clock(begin), record, CENT if settings.spread else CENT * 0)
    desk.exchange.multiplier, desk.exchange.partial = settings.multiplier, settings.partial
    desk.exchange.stopped_target = settings.stopped_target
    reached = desk.restore(lines)
    desk.start_at(begin if reached is None else reached)
    record.rewrite(desk.history())
    return desk


def _begin(settings: Settings, first: date) -> int:
    """When the clock starts: ten minutes before the open of the first day, or as asked."""
    if settings.start is not None and settings.start.time() != time():
        return moment(settings.start.date(), settings.start.strftime("%H:%M"))
    return moment(first, "10:00") if settings.paused else moment(first, "09:20")


async def _do_script(server: Server, settings: Settings) -> None:
    if settings.script is None:
        return
    try:
        lines = settings.script.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SimulatorError(f"script={settings.script}: cannot be read ({error.strerror})") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                await server.operations.do(loads(line))
            except (RefusedError, ValueError) as error:
                raise SimulatorError(f"script={settings.script} line {number}: {error}") from error


def _days(day: date) -> int:
    return (day - EPOCH).days
