"""How are the stitched tests kept: a Parquet table with a row a session day?"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from backtests.windows.result import equity_of

if TYPE_CHECKING:
    from backtests.windows.result import Walked


def equity_table(result: Walked) -> bytes:
    """The stitched tests: a row a session day."""
    chosen, held = equity_of(result)
    table = pa.table(
        {
            "ts": pa.array(result.days, pa.timestamp("ns", tz="UTC")),
            "window": np.repeat(
                [each.number for each in result.windows], [len(each.returns) for each in result.windows]
            ),
            "return": result.returns,
            "equity": chosen[1:],
            "buy_and_hold": held[1:],
        }
    )
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
