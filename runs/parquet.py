"""In which columns are the rows of a run kept on disk?

The columns of a file never depend on what happened in the run: without a row they are the same.
Kinds: time is timestamp[ns, UTC]; amount is decimal128(38, 16), exact and as fine as the engine's own;
count is int64, number float64, flag bool, text string.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from risk import measures

if TYPE_CHECKING:
    from runs.analysis import Analysis
    from runs.prices import IntArray

_DIGITS, _SCALE = 38, 16
_STEP = Decimal(1).scaleb(-_SCALE)

ORDERS = {
    "ts": "time",
    "strategy": "text",
    "instrument": "text",
    "client_order_id": "text",
    "side": "text",
    "type": "text",
    "quantity": "amount",
    "price": "amount",
    "trigger_price": "amount",
    "tif": "text",
    "reduce_only": "flag",
    "status": "text",
    "filled": "amount",
}
FILLS = {
    "ts": "time",
    "strategy": "text",
    "instrument": "text",
    "client_order_id": "text",
    "trade_id": "text",
    "side": "text",
    "quantity": "amount",
    "price": "amount",
    "commission": "amount",
    "currency": "text",
    "liquidity": "text",
}
REFUSALS = {
    "ts": "time",
    "strategy": "text",
    "instrument": "text",
    "client_order_id": "text",
    "side": "text",
    "quantity": "amount",
    "limit": "text",
    "reason": "text",
}
TRIPS = {
    "ts": "time",
    "breaker": "text",
    "scope": "text",
    "reason": "text",
    "equity": "amount",
    "reference": "amount",
}
NOTICES = {
    "ts": "time",
    "kind": "text",
    "scope": "text",
    "reason": "text",
}
POSITIONS = {
    "strategy": "text",
    "instrument": "text",
    "side": "text",
    "quantity": "amount",
    "entry_ts": "time",
    "entry_price": "amount",
    "exit_ts": "time",
    "exit_price": "amount",
    "pnl": "amount",
    "pnl_pct": "number",
    "commission": "amount",
    "bars": "count",
    "holding_ns": "count",
    "is_open": "flag",
}
EQUITY = {
    "ts": "time",
    "equity": "amount",
    "gross_exposure": "number",
    "drawdown": "number",
    "buy_and_hold": "number",
}


def rows_to_parquet(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> bytes:
    """Write rows as a Parquet file of these columns (name -> kind); keys without a column are left out."""
    kept = list(rows)
    arrays = [pa.array([_stored(row[name]) for row in kept], _type(kind)) for name, kind in columns.items()]
    return _file(pa.table(arrays, names=list(columns)))


def equity_to_parquet(analysis: Analysis) -> bytes:
    """Write equity after every bar stamp, beside its drawdown and buy-and-hold, as a Parquet file."""
    equity = analysis.equity
    drawdowns = measures.drawdowns(analysis.by_bar)
    columns = {
        "ts": equity.ts,
        "equity": _exact(equity.units, equity.precision),
        "gross_exposure": equity.gross,
        "drawdown": None if drawdowns is None else drawdowns[1:],
        "buy_and_hold": analysis.benchmark,
    }
    length = len(equity.ts)
    arrays = [
        pa.nulls(length, _type(kind)) if columns[name] is None else pa.array(columns[name], _type(kind))
        for name, kind in EQUITY.items()
    ]
    return _file(pa.table(arrays, names=list(EQUITY)))


def _stored(value: object) -> object:
    """Round the rare product that is finer than the column; everything else is kept as it is."""
    if isinstance(value, Decimal) and -int(value.as_tuple().exponent) > _SCALE:
        with localcontext(prec=_DIGITS):
            return value.quantize(_STEP)
    return value


def _exact(units: IntArray, precision: int) -> pa.Array:
    """Read integers as decimals with `precision` digits after the point, without a float between."""
    whole = pa.array(units).cast(pa.decimal128(_DIGITS, 0))
    kind = pa.decimal128(_DIGITS, precision)
    return pa.Array.from_buffers(kind, len(whole), whole.buffers()).cast(_type("amount"))


def _type(kind: str) -> pa.DataType:
    return {
        "time": pa.timestamp("ns", tz="UTC"),
        "amount": pa.decimal128(_DIGITS, _SCALE),
        "number": pa.float64(),
        "count": pa.int64(),
        "flag": pa.bool_(),
        "text": pa.string(),
    }[kind]


def _file(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
