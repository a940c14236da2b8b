"""A source for tests that other processes run: it notes each symbol it is asked for and can take its time."""

from __future__ import annotations

import hashlib
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from market import open_market
from market.instruments import equity
from market.source import DataSource, Instrument


class CountingSource(DataSource):
    """Three shares; `seed` is the raw data, `secs` how long one takes, `notes` a file that gets its name."""

    source: str = "counting_source:CountingSource"
    symbols: tuple[str, ...] = ("A", "B", "C")
    seed: int = 1
    rows: int = 2000
    secs: float = 0.0
    notes: Path | None = None

    unversioned: ClassVar[frozenset[str]] = DataSource.unversioned | {"secs", "notes"}

    def available(self) -> tuple[str, ...]:
        """A, B and C."""
        return ("A", "B", "C")

    def raw_version(self) -> str:
        """What the rows are made from."""
        return hashlib.sha256(f"{self.seed} {self.rows}".encode()).hexdigest()

    def instrument(self, symbol: str) -> Instrument:
        """A share in cents."""
        return equity(symbol, "TEST", "USD", 2)

    def frame(self, symbol: str, bar: str) -> pd.DataFrame:
        """Random bars of whatever length is asked for."""
        if self.notes is not None:
            with self.notes.open("a", encoding="utf-8") as notes:
                notes.write(f"{symbol} {bar}\n")
        time.sleep(self.secs)
        step = {"1d": 86_400, "1h": 3600}[bar] * 10**9
        close = 50 + np.random.default_rng([self.seed, ord(symbol)]).integers(0, 100, self.rows) / 100
        ts = 10**18 + step * np.arange(1, self.rows + 1)
        return pd.DataFrame(
            {"ts": ts, "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 7.0}
        )


def main() -> None:
    """Open the catalog in the folder named first, slowly; say so before and after."""
    source = CountingSource(catalog_dir=Path(sys.argv[1]), notes=Path(sys.argv[2]), secs=float(sys.argv[3]))
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    market = open_market(source)
    print(f"opened {market.version} {len(market.bars())}", flush=True)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    # Under the name by which the test imports it: the version knows modules by name.
    import_module("counting_source").main()
