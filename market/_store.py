"""What was downloaded so far, of which stretch of time, and is it still what was written?

A folder a symbol: files of rows, each for a stretch of time, and `store.json`, which names them and is written last.
A stretch without a row counts too: it was asked for and there was nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from market.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

FILE = "store.json"
LAYOUT = 1
COLUMNS = ("ts", "open", "high", "low", "close", "volume")
"""`ts` is the END of a bar, UTC nanoseconds."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that begin from `start` on and end until `until`, UTC nanoseconds; no file where there were none."""

    start: int
    until: int
    rows: int
    file: str | None
    digest: str


@dataclass
class Holding:
    """One symbol: its decimals, and by length of bar (`1m`, `1d`) what is there of it."""

    symbol: str
    price_precision: int
    size_precision: int
    stretches: dict[str, list[Stretch]] = field(default_factory=dict)
    layout: int = LAYOUT

    def missing(self, bar: str, start: int, until: int) -> list[tuple[int, int]]:
        """What of a window was never asked for."""
        found, at = [], start
        for each in self.stretches.get(bar, ()):
            if each.until <= at or each.start >= until:
                continue
            if each.start > at:
                found.append((at, each.start))
            at = each.until
        return found + ([(at, until)] if at < until else [])

    @property
    def rows(self) -> dict[str, int]:
        """Length of bar -> how many there are."""
        return {bar: sum(each.rows for each in found) for bar, found in self.stretches.items()}


class Store:
    """Downloads of one feed and adjustment. Two processes may not add to the same symbol at a time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet; the folder need not be there."""
        self.folder = folder

    def symbols(self) -> tuple[str, ...]:
        """What there is anything of."""
        found = (self._read(file) for file in sorted(self.folder.glob(f"*/{FILE}")))
        return tuple(each.symbol for each in found if each is not None)

    def holding(self, symbol: str) -> Holding | None:
        """What there is of a symbol; None for nothing, or for nothing that this program can read."""
        return self._read(self.place(symbol) / FILE)

    def add(self, holding: Holding, bar: str, start: int, until: int, rows: Sequence[Sequence[Any]]) -> None:
        """Keep the rows of a stretch (see COLUMNS). Raises CatalogError when they cannot be written."""
        place = self.place(holding.symbol)
        try:
            place.mkdir(parents=True, exist_ok=True)
            name = f"{bar}_{start}_{until}.parquet" if rows else None
            digest = "" if name is None else _write(place / name, rows)
            kept = [*holding.stretches.get(bar, ()), Stretch(start, until, len(rows), name, digest)]
            holding.stretches[bar] = sorted(kept, key=lambda each: each.start)
            draft = place / f".{FILE}.{os.getpid()}"
            draft.write_text(json.dumps(asdict(holding), indent=1), encoding="utf-8")
            draft.replace(place / FILE)
        except OSError as error:
            raise CatalogError(
                f"{place} cannot be written ({error.strerror or error}); set folder to a place that can"
            ) from None

    def forget(self, symbol: str) -> None:
        """Drop all there is of a symbol."""
        shutil.rmtree(self.place(symbol), ignore_errors=True)

    def frame(self, symbol: str, bar: str) -> pd.DataFrame:
        """All rows of a symbol, oldest first. Raises CatalogError for a file that is gone or was changed."""
        import pandas as pd  # noqa: PLC0415 - slow to import; a ready catalog never comes here

        holding, parts = self.holding(symbol), []
        for each in [] if holding is None else holding.stretches.get(bar, ()):
            if each.file is None:
                continue
            file = self.place(symbol) / each.file
            if not file.is_file() or _digest(file) != each.digest:
                raise CatalogError(
                    f"{file} is gone or was changed; remove {file.parent} and download {symbol} again"
                )
            parts.append(pd.read_parquet(file))
        whole = pd.concat(parts) if parts else pd.DataFrame(columns=list(COLUMNS))
        return whole.drop_duplicates("ts").sort_values("ts").reset_index(drop=True)

    def version(self) -> str:
        """Digest of all that was downloaded; no file of rows is read for it."""
        total = hashlib.sha256()
        for file in sorted(self.folder.glob(f"*/{FILE}")):
            total.update(file.read_bytes())
        return total.hexdigest()

    def place(self, symbol: str) -> Path:
        """The folder of a symbol: BTC/USD is BTC-USD."""
        return self.folder / symbol.replace("/", "-")

    @staticmethod
    def _read(file: Path) -> Holding | None:
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
            if raw["layout"] != LAYOUT:
                return None
            stretches = {bar: [Stretch(**each) for each in found] for bar, found in raw["stretches"].items()}
            return Holding(**(raw | {"stretches": stretches}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


def _write(file: Path, rows: Sequence[Sequence[Any]]) -> str:
    import pyarrow as pa  # noqa: PLC0415 - only a download needs it
    from pyarrow import parquet  # noqa: PLC0415 - as above

    kinds = (pa.int64(), *(pa.float64(),) * (len(COLUMNS) - 1))
    columns = [
        pa.array([int(row[at]) if not at else float(row[at]) for row in rows], kind)
        for at, kind in enumerate(kinds)
    ]
    draft = file.with_suffix(f".{os.getpid()}.tmp")
    parquet.write_table(pa.table(columns, names=list(COLUMNS)), draft, compression="zstd")
    draft.replace(file)
    return _digest(file)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
