"""Updates that come in chunks are the updates, in their order, and a run over them is the same run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from market import MarketData, open_market
from market._spans import spans
from market.instruments import equity
from market.source import DataSource, Instrument

MINUTE = 60_000_000_000
START = 1_704_205_800_000_000_000  # 2024-01-02T14:30Z
ROWS = 1_200


class ManySource(DataSource):
    """Shares whose rows begin at different times and have gaps, so that chunks are uneven."""

    source: str = "test_chunks:ManySource"
    symbols: tuple[str, ...] = ("A", "B", "C")
    recipe: ClassVar[tuple[str, ...]] = ()

    def available(self) -> tuple[str, ...]:
        return ("A", "B", "C")

    def raw_version(self) -> str:
        return hashlib.sha256(b"many").hexdigest()

    def instrument(self, symbol: str) -> Instrument:
        return equity(symbol, "TEST", "USD", 2)

    def frame(self, symbol: str, bar: str) -> pd.DataFrame:  # noqa: ARG002 - one length
        noise = np.random.default_rng(ord(symbol))
        number = "ABC".index(symbol)
        ts = START + MINUTE * (np.arange(ROWS) + 100 * number)
        ts[ROWS // 2 :] += MINUTE * 60 * 17  # a night
        close = np.round(100 + np.cumsum(noise.normal(0, 0.5, ROWS)), 2)
        if self.kind == "quotes":
            sizes = {"bid_size": 10_000.0, "ask_size": 10_000.0}
            return pd.DataFrame({"ts": ts - ts % (3 * MINUTE), "bid": close, "ask": close + 0.01, **sizes})
        return pd.DataFrame(
            {"ts": ts, "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 9_000.0}
        )


@pytest.fixture
def market(catalog_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., MarketData]:
    """Open the rows in groups of a hundred."""
    monkeypatch.setattr("market._parquet.GROUP", 100)

    def _open(kind: Any = "bars", **window: Any) -> MarketData:
        return open_market(ManySource(kind=kind, catalog_dir=catalog_dir), None, "1m", **window)

    return _open


@pytest.mark.parametrize("kind", ["bars", "quotes"])
@pytest.mark.parametrize("rows", [90, 500, 3 * ROWS, 10**9])
def test_chunks_are_the_updates_in_their_order(
    market: Callable[..., MarketData], kind: str, rows: int
) -> None:
    opened = market(kind)
    chunks = list(opened.chunks(rows))
    assert list(chain(*chunks)) == opened.updates()
    assert len(chunks) == 1 if rows >= 3 * ROWS else len(chunks) > 1
    filled = [chunk for chunk in chunks if chunk]
    assert all(a[-1].ts_init < b[0].ts_init for a, b in pairwise(filled))


def test_chunks_are_about_as_long_as_asked(market: Callable[..., MarketData]) -> None:
    lengths = [len(chunk) for chunk in market().chunks(300)]
    assert max(lengths) < 2 * 300
    assert len(lengths) == 12


def test_a_window_is_kept(market: Callable[..., MarketData]) -> None:
    opened = market(start="2024-01-03")
    assert opened.start_ns > START
    assert list(chain(*opened.chunks(200))) == opened.updates()
    past = [bar for kind in opened.bar_types for bar in opened.past(kind)]
    assert sorted(past, key=lambda bar: bar.ts_init) == opened.history()


def test_a_window_without_a_row_is_one_stretch(market: Callable[..., MarketData]) -> None:
    opened = replace(market(), start_ns=5, end_ns=9)
    assert spans(opened.files, 5, 9, 10) == [(5, 9)]
    assert list(opened.chunks(10)) == [[]]
