"""What holds for every test: its own folders for caches and state, no broker's keys, no network but this machine."""

import gc
import ipaddress
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

BROKERS = ("ALPACA_", "APCA_", "BINANCE_", "BYBIT_", "IB_", "KRAKEN_", "OANDA_", "TRADIER_")

# A slow machine is no failure. CI tries the same examples every time, a developer's machine new ones.
settings.register_profile("keel", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("keel")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a shell's background: no child would hear of it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _own_folders_and_no_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(BROKERS)]:
            patch.delenv(name)
        base = tmp_path_factory.getbasetemp()
        shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # one catalog for all workers
        # The ledger of trials is a worker's own: a count must not move between two runs that are compared.
        for name, folder in (("CACHE", shared), ("STATE", base), ("CONFIG", shared), ("DATA", shared)):
            patch.setenv(f"XDG_{name}_HOME", str(_made(folder / f"xdg-{name.lower()}")))
        yield


@pytest.fixture(scope="module", autouse=True)
def _what_engines_left_is_freed_here() -> None:
    """The engine's objects may be freed on their own thread alone: not by a server's, in the middle of a later test."""
    gc.collect()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse a connection that leaves this machine, from whatever code it comes."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise RuntimeError(f"a test tried to connect to {host}: tests stay on this machine")


sys.addaudithook(_stay_here)
