"""Alpaca's venues against a local Alpaca, with keys of its own, for tests of `python -m live`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from adapters.alpaca.config import AlpacaVenueConfig
from simulators.alpaca.control import AlpacaProcess
from simulators.alpaca.settings import KEYS

SECRET = "rehearsal"  # noqa: S105 - of a broker that holds no money
REAL = """
defaults:
  - alpaca
config: tests.live.alpaca_here:HereConfig
name: alpaca_here
trading_url: {url}
"""
QUICK = ["instruments=AAPL", "days=2", "calls_per_min=0"]


class HereConfig(AlpacaVenueConfig):
    """Real money's rules at a local Alpaca, which the venue that ships does not allow."""

    may_be_local: ClassVar[frozenset[str]] = frozenset({"paper", "live"})


@contextmanager
def local_alpaca(folder: Path, *arguments: str) -> Iterator[AlpacaProcess]:
    """A local Alpaca of a test; its clock stands still unless the arguments say otherwise."""
    broker = AlpacaProcess(["paused=true", *QUICK, *arguments], folder / "alpaca.log")
    try:
        yield broker
    finally:
        broker.kill()


def keys(kind: str = "paper") -> dict[str, str]:
    """What the environment has to hold for it."""
    return {"ALPACA_API_KEY": KEYS[kind], "ALPACA_API_SECRET": SECRET}


def real_money(folder: Path, broker: AlpacaProcess) -> list[str]:
    """Arguments that choose a venue of real money at a local Alpaca."""
    venues = folder / "mine" / "venue"
    venues.mkdir(parents=True, exist_ok=True)
    (venues / "alpaca_here.yaml").write_text(REAL.format(url=broker.url))
    return ["--config-dir", str(folder / "mine"), "venue=alpaca_here"]
