"""What do the commands of `live` and `simulators` on our pages need around them: a journal, a broker, a halt?"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from sqlalchemy import delete, insert, update

from journal import tables
from journal.config import JournalConfig
from journal.database import open_journal, writing
from risk.breaker import RiskState, TradingState
from simulators.broker.control import BrokerProcess
from tests.journal.filled import fill

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
ANY_END = frozenset({0, 1, 2})
STORY_VENUE, STORY_SCOPE = "alpaca_paper", "paper:alpaca_paper"


def is_live_verb(words: list[str]) -> bool:
    """Whether it is a verb of `live` that reads or writes the journal of another run."""
    return words[1:3] == ["-m", "live"] and len(words) > 3 and words[3] != "run" and "--help" not in words


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


def ends(words: list[str], code: int) -> frozenset[int]:
    """The exit codes that are right for a command: one, or what a missing node or server makes of it."""
    if is_live_verb(words) and words[3] in ASKS_A_NODE:
        return ANY_END
    return ANY_END if "journal=postgres" in words else frozenset({code})


@contextmanager
def broker_for(words: list[str], folder: Path) -> Iterator[list[str]]:
    """A broker where a run is to trade at one; answers what to add to the command."""
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
    """`python -m simulators broker ...`: it says where it can be reached, and SIGINT ends it."""
    arguments = [word for word in words[1:] if not word.startswith("port=")]
    process = subprocess.Popen(
        [sys.executable, *arguments, "port=0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("broker on 127.0.0.1:")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert "Traceback" not in said
