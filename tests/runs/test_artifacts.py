"""Are the files of a run exact, stable in their columns, and openable where there is no network?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runs.analysis import Analysis
from runs.artifacts import write_record, write_reports
from runs.errors import RunError
from runs.folder import RunFolder
from runs.plots import draw
from runs.record import RunRecord
from runs.summary import summarise
from runs.tearsheet import tear_sheet
from tests.runs.pages import own_part
from tests.runs.records import (
    analysis_of,
    fill,
    market_of,
    notice,
    order,
    record_of,
    refusal,
    stamp,
    trip,
)

TABLES = ("orders", "fills", "refusals", "trips", "notices", "positions", "equity")
DRAWN = b"\x89PNG\r\n"


def busy_record() -> RunRecord:
    """A long and a short trade, one left open, refusals of two limits, a trip."""
    return record_of(
        market_of(AAPL=[10.0, 11.0, 12.0, 13.0, 14.0], MSFT=[20.0, 20.5, 21.0, 20.0, 19.0]),
        [
            fill(0, "BUY", "10", "10", fee="1.00"),
            fill(2, "SELL", "20", "12"),
            fill(3, "BUY", "11", "13"),
            fill(1, "SELL", "3", "20.5", symbol="MSFT"),
        ],
        final="1014.50",
        halted=True,
        orders=[order(0), order(2), order(3)],
        refusals=[refusal(1), refusal(2, "DRY_RUN", "MSFT"), refusal(2.5)],
        trips=[trip(3), trip(3, "DAILY_LOSS"), trip(4)],
        notices=[notice(1), notice(2, "PROTECTED", "strategy:EMA-001")],
    )


def write_all(path: Path, record: RunRecord, until_ns: int | None = None) -> Analysis:
    folder = RunFolder(path)
    write_record(folder, record)
    analysis = analysis_of(record, until_ns)
    write_reports(folder, analysis, summarise(analysis, path), "Test")
    return analysis


def rows_of(path: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path / f"{name}.parquet").to_pylist()
    return rows


def test_rows_come_back_exactly_as_they_were(tmp_path: Path) -> None:
    record = busy_record()
    write_all(tmp_path, record)
    for name in ("fills", "orders", "refusals", "notices"):
        rows = getattr(record, name)
        back = rows_of(tmp_path, name)
        assert [row.pop("ts").value for row in back] == [row["ts"] for row in rows]
        assert back == [{key: value for key, value in row.items() if key != "ts"} for row in rows]


def test_equity_on_disk_is_exact(tmp_path: Path) -> None:
    analysis = write_all(tmp_path, busy_record())
    rows = rows_of(tmp_path, "equity")
    assert [row["equity"] for row in rows] == [Decimal(int(unit)) / 100 for unit in analysis.equity.units]
    assert rows[-1]["equity"] == Decimal("1014.50")
    assert [row["ts"].value for row in rows] == [stamp(bar) for bar in range(5)]


def test_positions_on_disk_mark_the_open_one(tmp_path: Path) -> None:
    write_all(tmp_path, busy_record())
    rows = rows_of(tmp_path, "positions")
    assert [(row["side"], row["is_open"], row["pnl"]) for row in rows] == [
        ("LONG", False, Decimal(19)),
        ("SHORT", True, Decimal("4.5")),
        ("SHORT", False, Decimal(-10)),
        ("LONG", True, Decimal(1)),
    ]


def test_columns_are_the_same_without_a_row(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "empty").mkdir()
    write_all(tmp_path / "full", busy_record())
    write_all(tmp_path / "empty", record_of(market_of(AAPL=[10.0])), until_ns=stamp(-1))
    for name in TABLES:
        full, empty = (pq.read_schema(tmp_path / kind / f"{name}.parquet") for kind in ("full", "empty"))
        assert full == empty
        assert pq.read_metadata(tmp_path / "empty" / f"{name}.parquet").num_rows == 0


def test_stamps_and_amounts_have_exact_types(tmp_path: Path) -> None:
    write_all(tmp_path, busy_record())
    schema = pq.read_schema(tmp_path / "fills.parquet")
    assert schema.field("ts").type == pa.timestamp("ns", tz="UTC")
    assert schema.field("price").type == pa.decimal128(38, 16)


def test_a_finished_run_has_every_file(tmp_path: Path) -> None:
    write_all(tmp_path, busy_record())
    expected = {f"{name}.parquet" for name in TABLES} | {"run.png", "tearsheet.html", "summary.json"}
    assert {file.name for file in tmp_path.iterdir()} == expected
    assert json.loads((tmp_path / "summary.json").read_text())["final_equity"] == "1014.50"


def test_pictures_can_be_left_out(tmp_path: Path) -> None:
    analysis = analysis_of(busy_record())
    write_reports(
        RunFolder(tmp_path), analysis, summarise(analysis, tmp_path), "Test", plots=False, tearsheet=False
    )
    assert {"run.png", "tearsheet.html"}.isdisjoint(file.name for file in tmp_path.iterdir())


def test_what_happened_is_on_disk_even_when_it_cannot_be_valued(tmp_path: Path) -> None:
    record = record_of(market_of(AAPL=[10.0]), [fill(0, "BUY", "1", "10")], final="5000")
    with pytest.raises(RunError, match="ledger"):
        write_all(tmp_path, record)
    assert len(rows_of(tmp_path, "fills")) == 1
    assert not (tmp_path / "summary.json").exists()


def test_a_run_without_a_bar_leaves_no_picture(tmp_path: Path) -> None:
    write_all(tmp_path, record_of(market_of(AAPL=[10.0])), until_ns=stamp(-1))
    assert not (tmp_path / "run.png").exists()
    assert (tmp_path / "summary.json").exists()


@pytest.mark.parametrize(
    "record",
    [
        busy_record(),
        record_of(market_of(AAPL=[10.0])),
        record_of(market_of(**{name: [10.0, 11.0] for name in "ABCDEF"})),
        record_of(
            market_of(AAPL=[10.0, 20.0, 10.0, 10.0]),
            [fill(0, "SELL", "200", "10"), fill(2, "BUY", "200", "10")],
        ),
        record_of(market_of(AAPL=np.linspace(1.0, 900.0, 10_000).round(2).tolist())),
    ],
    ids=["busy", "one bar", "six instruments", "below zero", "log scale"],
)
def test_any_run_can_be_drawn(record: RunRecord) -> None:
    analysis = analysis_of(record)
    summary = summarise(analysis, "outputs/x")
    assert draw(analysis, summary, "Test").startswith(DRAWN)
    assert "Test" in tear_sheet(analysis, summary, "Test")


def test_the_tear_sheet_loads_nothing_from_the_network() -> None:
    analysis = analysis_of(busy_record())
    page = tear_sheet(analysis, summarise(analysis, "outputs/x"), "Test")
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?https?:", page)
    assert "plotly.js v" in page


def test_the_tear_sheet_shows_keels_numbers_and_no_nan() -> None:
    analysis = analysis_of(busy_record())
    page = tear_sheet(analysis, summarise(analysis, "outputs/x"), "Test")
    shown = own_part(page)
    assert "1,014.50 USD" in shown
    assert "NaN" not in shown


def test_heavy_libraries_are_loaded_only_for_a_picture() -> None:
    """So that every verb starts fast."""
    code = (
        "import runs.artifacts, runs.analysis, runs.summary, runs.table, sys; "
        "print(sorted({'matplotlib', 'plotly', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
