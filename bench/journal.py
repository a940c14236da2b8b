"""What does the journal cost: a commit that an order waits for, a row, a million rows on disk?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from rich.box import SIMPLE
from rich.table import Table as Shown
from sqlalchemy import Table

from bench.pairs import kept
from bench.process import Measured
from bench.servers import throwaway_database
from bench.sizes import TARGET_COMMIT_MS
from journal import tables
from journal.config import JournalConfig
from journal.database import open_journal
from journal.heads import HeadFile
from journal.place import Place
from journal.writer import Writer

PAUSE_SECS = 0.001  # between two commits: a node has other things to do
RUN = "20260101T000000-abcdef"
FLUSH_SECS = 60.0
Rows = tuple[tuple[Table, dict[str, Any]], ...]


def measure(kind: str, commits: int, rows: int) -> Measured:
    """Milliseconds a commit of two rows, median and 99th percentile; rows a second; bytes a row."""
    with _somewhere(kind) as (config, size):
        engine = open_journal(config, create=True)
        head = HeadFile.of(config.heads_folder, RUN)
        writer = Writer(engine, Place(config), RUN, head)
        writer.start()
        times = sorted(_timed(writer, number) for number in range(commits))
        before = size()
        began = time.perf_counter()
        for number in range(rows // len(_life(0))):
            for row in _life(number):
                writer.add(*row)
        writer.commit()
        secs = time.perf_counter() - began
        left = writer.close(FLUSH_SECS)
        engine.dispose()
        written = writer.written - 2 * commits
        return {
            "p50_ms": 1_000 * times[len(times) // 2],
            "p99_ms": 1_000 * times[len(times) * 99 // 100],
            "rows_per_sec": written / secs,
            "row_bytes": (size() - before) / written,
            "left": left,
        }


def shown(measured: dict[str, Measured]) -> Shown:
    """The table of a part of the bench."""
    table = Shown(
        box=SIMPLE,
        title="The journal: a commit of an intent (two rows, on disk when it returns), and rows off the hot path",
        caption=f"target: median under {TARGET_COMMIT_MS:g} ms with SQLite; rows as an order that fills makes them",
    )
    for column in ("", "commit median ms", "99th percentile", "target", "rows a second", "MB a million rows"):
        table.add_column(column, justify="right" if column else "left")
    for kind, found in measured.items():
        verdict = kept(met=found["p50_ms"] < TARGET_COMMIT_MS) if kind == "sqlite" else ""
        times = (f"{found['p50_ms']:.2f}", f"{found['p99_ms']:.2f}")
        table.add_row(kind, *times, verdict, f"{found['rows_per_sec']:,.0f}", f"{found['row_bytes']:,.0f}")
    return table


def _timed(writer: Writer, number: int) -> float:
    time.sleep(PAUSE_SECS)
    decision, intent, *_ = _life(number)
    began = time.perf_counter()
    writer.commit(decision, intent)
    return time.perf_counter() - began


def _life(number: int) -> Rows:
    """The rows of an order that fills: a decision, six of the order, its fill, the position, and what came of it."""
    now = time.time_ns()
    name = f"O-20260101-000000-001-000-{number}"
    base = {"run_id": RUN, "scope": "paper:bench", "mode": "paper", "venue": "bench", "ts": now}
    about = {"client_order_id": name, "strategy": "EmaCross-001", "instrument": "AAPL.XNAS", "side": "BUY"}
    quantity, price = Decimal(100 + number % 50), Decimal("187.25")
    numbers = '{"equity": "100000.00", "leverage": "0.52", "notional": "18725.00", "position_pct": "0.187"}'
    decision = {
        "verdict": "PASS",
        "reduces": False,
        "price": price,
        "limits_version": "3f2a9c",
        "numbers": numbers,
    }
    order = {
        **base, **about, "type": "MARKET", "quantity": quantity, "tif": "DAY", "reduce_only": False,
        "filled": Decimal(0), "limits_version": "3f2a9c", "source": "gate",
    }  # fmt: skip
    states = ("INTENT", "SENDING", "SUBMITTED", "ACCEPTED", "PARTIALLY_FILLED", "FILLED")
    fill = {
        "trade_id": f"T-{number}", "venue_order_id": f"V-{number}", "quantity": quantity, "price": price,
        "commission": Decimal(1), "currency": "USD", "liquidity": "TAKER", "decision_price": price,
        "slippage": Decimal("0.50"), "source": "engine",
    }  # fmt: skip
    position = {
        "strategy": "EmaCross-001",
        "instrument": "AAPL.XNAS",
        "average_price": price,
        "opened_ns": now,
    }
    return (
        (tables.decisions, {**base, **about, "quantity": quantity, **decision}),
        *((tables.orders, {**order, "event": state, "status": state}) for state in states),
        (tables.fills, {**base, **about, **fill}),
        (tables.positions, {**base, **position, "quantity": quantity, "source": "engine"}),
    )


@contextmanager
def _somewhere(kind: str) -> Iterator[tuple[JournalConfig, Callable[[], int]]]:
    """An empty journal in a new folder, or on this machine's server, and how many bytes it has."""
    with (
        tempfile.TemporaryDirectory() as folder,
        throwaway_database() if kind == "postgres" else nullcontext() as url,
    ):
        if url is None:
            config = JournalConfig(path=Path(folder) / "journal.db")
            yield config, lambda: _file_size(config.file)
        else:
            yield JournalConfig(kind="postgres", url=url), lambda: _database_size(url)


def _file_size(file: Path) -> int:
    return sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*") if each.is_file())


def _database_size(url: str) -> int:
    with psycopg.connect(url) as server:
        found = server.execute("SELECT pg_database_size(current_database())").fetchone()
    return 0 if found is None else int(found[0])
