"""A user's own folder, outside the repository: strategy, data set and venue, each a class and a YAML."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULE = """
from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from nautilus_trader.model import InstrumentId, OrderSide
from nautilus_trader.trading import Strategy, StrategyConfig
from pydantic import Field

from adapters.venue import VenueConfig
from market.source import DataSource


class MineConfig(StrategyConfig):
    def __init__(
        self,
        instrument_ids: list[InstrumentId],
        bar_types: list[object],
        fast: Annotated[int, Field(gt=0)] = 10,
        slow: int = 20,
        size: Decimal = Decimal(1),
        weight: float = 1.0,
        sides: Literal["long", "both"] = "long",
        hedge: InstrumentId | None = None,
        side: OrderSide = OrderSide.BUY,
        copy: bool = False,
        plain=3,
        **_: object,
    ) -> None:
        self.fast = fast


class DerivedConfig(MineConfig):
    def __init__(self, extra: int = 1, **more: object) -> None:
        super().__init__(**more)


class NeedsConfig(StrategyConfig):
    def __init__(self, period: int, **_: object) -> None:
        self.period = period


class OddConfig(StrategyConfig):
    def __init__(self, period: Nowhere = 1, **_: object) -> None:
        self.period = period


class Mine(Strategy):
    pass


class MySource(DataSource):
    def available(self): return ("AAPL", "MSFT")
    def raw_version(self): return "0"
    def instrument(self, symbol): raise NotImplementedError
    def frame(self, symbol, bar): raise NotImplementedError


class MyVenueConfig(VenueConfig):
    account: str = "A1"


not_a_class = 1
"""

PATHS = "strategy_path: my_desk:Mine\nconfig_path: my_desk:MineConfig\n"

FILES = {
    "my_desk.py": MODULE,
    "my_broken.py": "import json\nvalue = undefined_name\n",
    "my_syntax.py": "def f(:\n",
    "my_exit.py": "raise SystemExit(7)\n",
    "my_import.py": "import no_such_package_anywhere\n",
    "my_slow.py": "import time\nprint('importing', flush=True)\ntime.sleep(60)\n",
    "mine/strategy/mine.yaml": f"{PATHS}fast: 10\n",
    "mine/strategy/other.yaml": f"{PATHS}slow: 7\n",
    "mine/strategy/needy.yaml": f"{PATHS.replace('MineC', 'NeedsC')}period: ???\n",
    "mine/strategy/broken.yaml": "strategy_path: [\n",
    "mine/data/mine.yaml": "source: my_desk:MySource\nsymbols: [AAPL, MSFT]\n",
    "mine/venue/mine.yaml": (
        "config: my_desk:MyVenueConfig\nfactory: my_desk:Mine\nname: mine\nmode: paper\naccount: U7\n"
    ),
    "mine/experiment/mine.yaml": (
        "# @package _global_\ndefaults:\n  - override /venue: mine\n\nbar: 15m\nstrategy:\n  fast: 33\n"
    ),
}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's folder, on Python's path as the current folder is with `python -m`."""
    folder = tmp_path_factory.mktemp("home")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def mine(home: Path) -> list[str]:
    """Arguments that take strategy and data from the user's folder."""
    return [f"--config-dir={home / 'mine'}", "strategy=mine", "data=mine"]
