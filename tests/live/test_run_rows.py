"""The rows of a run that come from its journal are those that a run keeps in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow.parquet as pq
import pytest

from journal.config import JournalConfig
from journal.database import connect
from journal.reader import Reader
from live._run_rows import with_rows
from runs.parquet import FILLS, ORDERS, REFUSALS, rows_to_parquet
from runs.record import RunRecord
from tests.live.nodes import ROOT

TIGHT = ("risk.max_drawdown_pct=0.05",)  # it halts, and what comes later is refused


TRAILING = """
from decimal import Decimal
from nautilus_trader.model import OrderSide, TimeInForce, TrailingOffsetType
from nautilus_trader.trading import Strategy

class Trailing(Strategy):
    \"""Buys, and wants a trailing stop, which the engine denies as long as it knows no trade.\"""

    def __init__(self, config):
        super().__init__(config)
        self.wanted, self.bars = config, 0

    def on_start(self):
        self.subscribe_bars(self.wanted.bar_types[0])

    def on_bar(self, bar):
        self.bars += 1
        one, make = bar.bar_type.instrument_id, self.order_factory
        size = self.cache.instrument(one).make_qty(1)
        if self.bars % 50 == 1:
            self.submit_order(make.market(one, OrderSide.BUY, size))
        elif self.bars % 50 == 3:
            self.submit_order(
                make.trailing_stop_market(
                    one, OrderSide.SELL, size, Decimal("0.5"), trailing_offset_type=TrailingOffsetType.PRICE,
                    reduce_only=True, time_in_force=TimeInForce.GTC,
                )
            )
"""
DENIED = ("strategy=trailing", "risk.max_order_notional=100")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with the strategy above."""
    (tmp_path / "strategy").mkdir()
    text = "strategy_path: trailing_desk:Trailing\nconfig_path: tests.driving:PlainConfig\n"
    (tmp_path / "strategy" / "trailing.yaml").write_text(text)
    (tmp_path / "trailing_desk.py").write_text(TRAILING)
    return tmp_path


@pytest.mark.parametrize(("words", "by"), [(TIGHT, "HALTED"), (DENIED, "ENGINE")])
def test_a_run_is_told_alike_by_its_journal_and_by_memory(
    words: tuple[str, ...], by: str, mine: Path, tmp_path: Path
) -> None:
    """The sandbox keeps its orders in memory, an account does not: one report must not differ from the other."""
    journal = JournalConfig(path=tmp_path / "journal.db")
    subprocess.run(
        [sys.executable, "-m", "live", "run", f"journal.path={journal.path}", f"run.dir={tmp_path / 'run'}",
         "run.plots=false", "run.tearsheet=false", "--config-dir", str(mine), *words],
        check=True, capture_output=True, timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(mine)))},
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
    assert by in {row["limit"] for row in record.refusals}
