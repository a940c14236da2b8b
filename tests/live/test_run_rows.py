"""The rows of a run that come from its journal are those that a run keeps in memory."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow.parquet as pq

from journal.config import JournalConfig
from journal.database import connect
from journal.reader import Reader
from live._run_rows import with_rows
from runs.parquet import FILLS, ORDERS, REFUSALS, rows_to_parquet
from runs.record import RunRecord

TIGHT = ("risk.max_drawdown_pct=0.05",)  # it halts, and what comes later is refused


def test_a_run_is_told_alike_by_its_journal_and_by_memory(tmp_path: Path) -> None:
    """The sandbox keeps its orders in memory, an account does not: one report must not differ from the other."""
    journal = JournalConfig(path=tmp_path / "journal.db")
    subprocess.run(
        [sys.executable, "-m", "live", "run", f"journal.path={journal.path}", f"run.dir={tmp_path / 'run'}",
         "run.plots=false", "run.tearsheet=false", *TIGHT],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    (run,) = Reader(journal).runs()
    engine = connect(journal)
    empty = RunRecord(cast("Any", SimpleNamespace()), Decimal(1), Decimal(1), "USD", halted=False)
    record = with_rows(empty, engine, str(run["run_id"]))
    engine.dispose()
    told = {
        "orders": rows_to_parquet(record.orders, ORDERS),
        "fills": rows_to_parquet(record.fills, FILLS),
        "refusals": rows_to_parquet(record.refusals, REFUSALS),
    }
    for name, rows in told.items():
        (tmp_path / name).write_bytes(rows)
        here = pq.read_table(tmp_path / name).to_pylist()
        kept = pq.read_table(tmp_path / "run" / f"{name}.parquet").to_pylist()
        assert len(kept) > 0, name
        assert len(here) == len(kept), name
        assert here == kept, name
