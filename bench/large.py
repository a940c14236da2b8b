"""Do bars of many instruments stream through in bounded memory, and how fast are they made, read and run?"""

from __future__ import annotations

import hashlib
import resource
import sys
import time
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from bench.made import CONFIGS, SEED, STEP, stamps
from bench.pairs import kept
from market.instruments import equity
from market.source import DataSource, Instrument

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from bench.process import Measured

SESSION_BARS = 390
_KIB = 1024
_VOLUME = 100_000.0


class LargeSource(DataSource):
    """One-minute bars of many shares over many sessions, made from a seed: `data=large`."""

    source: str = "bench.large:LargeSource"
    zone: str = "America/New_York"
    calendar: str = "XNYS"
    number: int = 500
    """How many instruments."""
    days: int = 252
    """How many sessions, half days too."""
    seed: int = SEED

    lengths: ClassVar[tuple[str, ...]] = ("1m",)

    def available(self) -> tuple[str, ...]:
        """S000, S001 and so on."""
        return tuple(f"S{number:03}" for number in range(self.number))

    def raw_version(self) -> str:
        """What the rows are made from."""
        return hashlib.sha256(f"{self.seed}".encode()).hexdigest()

    def instrument(self, symbol: str) -> Instrument:
        """A share in cents."""
        return equity(symbol, "SIM", "USD", 2)

    def frame(self, symbol: str, bar: str) -> pd.DataFrame:  # noqa: ARG002 - there is one length
        """A random walk from 500.00, a stream of its own for each symbol."""
        import pandas as pd  # noqa: PLC0415 - as in every source

        ts = _moments(self.days * SESSION_BARS)
        noise = np.random.default_rng([self.seed, int(symbol[1:])])
        close = np.round(500 * np.exp(np.cumsum(noise.normal(0, 0.0004, len(ts)))), 2)
        opened = np.concatenate([[500.0], close[:-1]])
        return pd.DataFrame(
            {
                "ts": ts,
                "open": opened,
                "high": np.round(np.maximum(opened, close) + 0.02, 2),
                "low": np.round(np.minimum(opened, close) - 0.02, 2),
                "close": close,
                "volume": _VOLUME,
            }
        )


@lru_cache(maxsize=1)
def _moments(count: int) -> NDArray[np.int64]:
    return np.array(stamps(count, STEP["bars"]), np.int64)


def measure(number: int, days: int, chunk_rows: int, catalog: str | None = None) -> Measured:
    """Make the bars (unless `catalog` has them), then read and run them, each with its seconds and peak memory in MiB.

    A strategy listens to every instrument and trades each a few times a month.
    """
    from backtests._engine import run_backtest  # noqa: PLC0415 - so that what making takes is seen apart
    from backtests.api import result_of  # noqa: PLC0415 - as above
    from configs.load import compose  # noqa: PLC0415 - as above
    from runs.prepare import prepare  # noqa: PLC0415 - as above

    with TemporaryDirectory() as root:
        config = compose(
            "backtest",
            [
                "data=large", f"data.number={number}", f"data.days={days}", "bar=1m", f"run.chunk_rows={chunk_rows}",
                f"data.catalog_dir={catalog or root}", f"trials.path={root}/trials.db", "strategy=ema_cross",
                "strategy.fast=200", "strategy.slow=600", "risk=off_for_research", "log.level=warning",
            ],
            CONFIGS,
        ).config  # fmt: skip
        got: Measured = {"rows": number * days * SESSION_BARS}
        with _timed(got, "make"):
            ready = prepare(config)
        with _timed(got, "read"):
            got["read"] = sum(len(chunk) for chunk in ready.market.chunks(chunk_rows))
        with _timed(got, "run"):
            done = run_backtest(config, Path(root), ready)
        with _timed(got, "tell"):
            result = result_of(config, done)
        return got | {"bars": result.summary.bars, "orders": len(done.record.orders)}


@contextmanager
def _timed(got: Measured, name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    got[f"{name}_secs"] = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    got[f"{name}_mib"] = peak / (_KIB if sys.platform != "darwin" else _KIB * _KIB)


def shown(short: Measured, long: Measured, most: float) -> Table:
    """A share of the year beside one of several times as many days: `most` is how much more memory it may take."""
    growth = long["tell_mib"] / short["tell_mib"] - 1
    table = Table(
        box=SIMPLE,
        title="One-minute bars of many instruments, in chunks",
        caption=f"peak memory {growth:+.1%} with {long['rows'] / short['rows']:.0f} times as many bars; "
        f"target: within {most:.0%} {kept(met=growth <= most)}",
    )
    columns = ("bars", "orders", "made a second", "read a second", "run a second", "results, s", "peak MiB")
    for column in columns:
        table.add_column(column, justify="right")
    for got in (short, long):
        speeds: list[Any] = [f"{got['rows'] / got[f'{name}_secs']:,.0f}" for name in ("make", "read", "run")]
        table.add_row(
            f"{got['rows']:,}",
            f"{got['orders']:,}",
            *speeds,
            f"{got['tell_secs']:.1f}",
            f"{got['tell_mib']:,.0f}",
        )
    return table
