"""One local Alpaca for the tests that only ask, one each for those that trade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulators.alpaca.control import AlpacaProcess

type Start = Callable[..., AlpacaProcess]
STILL = ("paused=true", "calls_per_min=0")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts local Alpacas, whose clock stands still, and ends them after the test."""
    started: list[AlpacaProcess] = []

    def one(*arguments: str, port: int = 0) -> AlpacaProcess:
        given = {each.partition("=")[0] for each in arguments}
        usual = [each for each in (*STILL, "instruments=AAPL") if each.partition("=")[0] not in given]
        started.append(AlpacaProcess([*usual, *arguments], tmp_path / "alpaca.log", port))
        return started[-1]

    yield one
    for each in started:
        if each.process.poll() is None:
            each.stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlpacaProcess]:
    """A local Alpaca whose clock stands still, with everything it lists."""
    process = AlpacaProcess(STILL, tmp_path_factory.mktemp("alpaca") / "log")
    yield process
    process.stop()
