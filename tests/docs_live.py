"""What do the commands of `live` and `simulators` on our pages need around them: a journal, a broker, a halt?"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from journal import tables
from journal.config import JournalConfig
from journal.database import open_journal, writing
from market._store import Holding, Store
from risk.breaker import RiskState, TradingState
from simulators.broker.control import BrokerProcess
from tests.journal.filled import fill
from tests.live.alpaca_here import keys, local_alpaca

HALTED = RiskState(
    state=TradingState.HALTED,
    breaker="DRAWDOWN",
    reason="DRAWDOWN: equity 89,990.00 is 10.01% below peak 100,000.00; trips at 90,000.00",
    peak=Decimal("100000.00"),
    day="2026-03-02",
    day_start=Decimal("91200.00"),
    equity=Decimal("89990.00"),
)
"""What the account of the runbook was left in."""
ASKS_A_NODE = ("approve", "reject", "resolve", "cancel", "close", "flatten", "limits")
"""Verbs that say, in one line, that no node runs, where they need one."""
AT_ALPACA = ("run", "check", "assets", "stream")
"""Verbs that go to the broker: on our pages they go to a local Alpaca."""
ANY_END = frozenset({0, 1, 2})
STORY_VENUE, STORY_SCOPE = "alpaca_paper", "paper:alpaca_paper"


def is_live_verb(words: list[str]) -> bool:
    """Whether it is a verb of `live` that reads or writes the journal of another run."""
    verb = words[3] if words[1:3] == ["-m", "live"] and len(words) > 3 else None
    return verb is not None and verb not in AT_ALPACA and "--help" not in words


def lay_out_journal(words: list[str], folder: Path, *, halted: bool) -> list[str]:
    """A journal with a story, of the venue that the command names; answers what to add to the command."""
    config = JournalConfig(path=folder / "journal.db")
    fill(config)
    given = dict(word.partition("=")[::2] for word in words)
    engine = writing(open_journal(config, create=False))
    venue = given.get("venue", STORY_VENUE)
    with engine.begin() as connection:
        if venue not in (STORY_VENUE, "replay", "alpaca"):
            for table in tables.metadata.tables.values():
                if {"venue", "scope"} <= set(table.c.keys()):
                    moved = update(table).where(table.c.scope == STORY_SCOPE)
                    connection.execute(moved.values(venue=venue, scope=f"paper:{venue}"))
        if halted:
            scope = STORY_SCOPE if venue == "replay" else f"paper:{venue}"
            connection.execute(delete(tables.risk_states).where(tables.risk_states.c.scope == scope))
            row = {
                "scope": scope,
                "run_id": "paper-2",
                "ts": 1,
                "at": 1,
                "state": json.dumps(HALTED.as_row()),
            }
            connection.execute(insert(tables.risk_states), row)
    engine.dispose()
    extra = [f"journal.path={config.file}"] if not any(word.startswith("journal") for word in words) else []
    return [*extra, *(["once=true"] if words[3] == "monitor" else [])]


def lay_out_downloads(folder: Path) -> None:
    """What `python -m backtests data fetch` would have brought."""
    for kind, symbols in (("iex-all", ("AAPL", "SPY")), ("crypto", ("BTC/USD",))):
        for symbol in symbols:
            store, holding = Store(folder / "downloads" / kind), Holding(symbol, 2, 2)
            opened = 1_357_914_600_000_000_000  # 2013-01-11T14:30Z
            wave = [100 + number % 7 for number in range(390)]
            rows = [
                (opened + at * 60_000_000_000, price, price, price, price, 1_000)
                for at, price in enumerate(wave, start=1)
            ]
            store.add(holding, "1m", opened, rows[-1][0], rows)


def ends(words: list[str], code: int) -> frozenset[int]:
    """The exit codes that are right for a command: one, or what a missing node or server makes of it."""
    if words[1:3] == ["-m", "live"] and words[3:4] and words[3] in AT_ALPACA and "venue=alpaca" in words:
        return frozenset({2})  # real money: no test has keys of it
    if is_live_verb(words) and words[3] in ASKS_A_NODE:
        return ANY_END
    return ANY_END if "journal=postgres" in words else frozenset({code})


@contextmanager
def broker_for(words: list[str], folder: Path) -> Iterator[list[str]]:
    """A broker where a run is to trade at one; answers what to add to the command."""
    at_alpaca = next((word for word in words if word in ("venue=alpaca_paper", "venue=alpaca_sandbox")), None)
    if at_alpaca and words[1:3] == ["-m", "live"] and words[3] in AT_ALPACA:
        with (
            local_alpaca(folder, "paused=false", "instruments=AAPL,SPY,BTC/USD") as alpaca,
            pytest.MonkeyPatch.context() as patch,
        ):
            for name, value in keys().items():
                patch.setenv(name, value)
            short = ["run.max_minutes=0.02"] if words[3] == "stream" else []
            yield [f"venue.trading_url={alpaca.url}", *short]
        return
    if words[1:5] == ["-m", "backtests", "data", "fetch"]:
        with (
            local_alpaca(folder, "paused=true", "instruments=AAPL,SPY,BTC/USD") as alpaca,
            pytest.MonkeyPatch.context() as patch,
        ):
            for name, value in keys().items():
                patch.setenv(name, value)
            local = [f"venue.trading_url={alpaca.url}", "venue.calls_per_min=10000"]
            yield [*local, f"folder={folder / 'downloads'}"]
        return
    if "venue=local_paper" not in words or words[3] != "run":
        yield []
        return
    market = [word for word in words if word.startswith(("instruments=", "bar=", "data="))]
    broker = BrokerProcess([*market, "bars_per_sec=20"], folder / "broker.log")
    try:
        yield [f"venue.port={broker.port}"]
    finally:
        broker.kill()


def broker_starts_and_stops(words: list[str], folder: Path) -> None:
    """`python -m simulators NAME ...`: it says where it can be reached, and SIGINT ends it."""
    arguments = [word for word in words[1:] if not word.startswith("port=")]
    process = subprocess.Popen(
        [sys.executable, *arguments, "port=0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert re.match(rf"{words[3]}( \(\w+\))? on 127\.0\.0\.1:", process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=240)
    assert "Traceback" not in said
