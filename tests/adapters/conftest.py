"""What every test of an adapter needs."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _nothing_of_the_engine_is_left_for_other_threads() -> Iterator[None]:
    """Some of its objects may only be freed on the thread that made them, which adapters' own threads are not."""
    yield
    gc.collect()
