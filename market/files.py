"""How are the user's own CSV and Parquet files read as market data?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from market import _tables
from market._columns import Columns
from market._files import Files

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Columns", "CsvFiles", "ParquetFiles"]


class CsvFiles(Files):
    """CSV with a header line, plain or compressed (.csv.gz); the header counts as row 1."""

    source: str = "market.files:CsvFiles"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","

    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz")
    header_rows: ClassVar[int] = 1

    @property
    def name(self) -> str:
        """As in `data=csv`."""
        return "csv"

    def read(self, file: Path, columns: dict[str, str]) -> pa.Table:
        """Rows of one CSV file."""
        return _tables.read_csv(file, columns, self.delimiter)


class ParquetFiles(Files):
    """Parquet; rows count from 1."""

    source: str = "market.files:ParquetFiles"

    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    @property
    def name(self) -> str:
        """As in `data=parquet`."""
        return "parquet"

    def read(self, file: Path, columns: dict[str, str]) -> pa.Table:
        """Rows of one Parquet file."""
        return _tables.read_parquet(file, columns)
