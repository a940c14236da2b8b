"""Which files does a run leave in its folder, and when is each written?"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from runs.folder import SUMMARY, RunFolder
from runs.parquet import (
    FILLS,
    NOTICES,
    ORDERS,
    POSITIONS,
    REFUSALS,
    TRIPS,
    equity_to_parquet,
    rows_to_parquet,
)

if TYPE_CHECKING:
    from runs.analysis import Analysis
    from runs.record import RunRecord
    from runs.summary import Summary
    from runs.trades import Trade

PICTURE = "run.png"
TEARSHEET = "tearsheet.html"


def write_record(folder: RunFolder, record: RunRecord) -> None:
    """Write what happened, exactly: orders, fills, refusals, trips, notices; before anything is valued."""
    folder.write("orders.parquet", rows_to_parquet(record.orders, ORDERS))
    folder.write("fills.parquet", rows_to_parquet(record.fills, FILLS))
    folder.write("refusals.parquet", rows_to_parquet(record.refusals, REFUSALS))
    folder.write("trips.parquet", rows_to_parquet(record.trips, TRIPS))
    folder.write("notices.parquet", rows_to_parquet(record.notices, NOTICES))


def write_reports(  # noqa: PLR0913 - what was found, and by name which pictures to make of it
    folder: RunFolder,
    analysis: Analysis,
    summary: Summary,
    title: str,
    *,
    plots: bool = True,
    tearsheet: bool = True,
) -> None:
    """Write what it adds up to: positions, equity, run.png and tearsheet.html where wanted.

    summary.json comes last: a folder that has one holds a finished run. Without a bar there is nothing to
    draw, so no picture and no tear sheet.
    """
    folder.write("positions.parquet", rows_to_parquet(map(_row, analysis.trades), POSITIONS))
    folder.write("equity.parquet", equity_to_parquet(analysis))
    seen = len(analysis.equity.ts) > 0
    if plots and seen:
        from runs.plots import draw  # noqa: PLC0415 - matplotlib takes 0.4 s that only a plot is worth

        folder.write(PICTURE, draw(analysis, summary, title))
    if tearsheet and seen:
        from runs.tearsheet import tear_sheet  # noqa: PLC0415 - only a page needs it

        folder.write(TEARSHEET, tear_sheet(analysis, summary, title, folder.path))
    folder.write(SUMMARY, summary.to_json() + "\n")


def _row(trade: Trade) -> dict[str, Any]:
    row = {field.name: getattr(trade, field.name) for field in fields(trade)}
    return {**row, "is_open": trade.is_open}
