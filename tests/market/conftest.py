"""Folders, files and rows that the tests of market data share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

DAY = 86_400_000_000_000


@pytest.fixture
def catalog_dir(tmp_path: Path) -> Path:
    return tmp_path / "catalog"


@pytest.fixture
def shared_data() -> Path:
    """Folder of the wider data sets; tests that need it are skipped on machines that do not have it."""
    parent = os.environ.get("KEEL_TEST_DATA")
    if parent is None:
        pytest.skip("KEEL_TEST_DATA does not name the folder with data/*.parquet")
    return Path(parent) / "data"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a text file below the test's folder."""

    def _write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return _write


@pytest.fixture
def bars() -> Callable[..., pd.DataFrame]:
    """Sound daily bars, ending at midnight UTC from 2020-01-02 on, or every `step` nanoseconds."""

    def _bars(count: int = 10, step: int = DAY, seed: int = 1) -> pd.DataFrame:
        noise = np.random.default_rng(seed)
        close = np.round(100 + np.cumsum(noise.normal(0, 0.5, count)), 2)
        opened = np.concatenate([[100.0], close[:-1]])
        return pd.DataFrame(
            {
                "ts": pd.Timestamp("2020-01-02").value + step * np.arange(count),
                "open": opened,
                "high": np.round(np.maximum(opened, close) + 0.25, 2),
                "low": np.round(np.minimum(opened, close) - 0.25, 2),
                "close": close,
                "volume": noise.integers(100, 10_000, count).astype(float),
            }
        )

    return _bars
