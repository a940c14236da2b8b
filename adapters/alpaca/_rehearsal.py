"""The local Alpaca of a rehearsal: how is it started, found, asked and ended?

A process of its own, `python -m simulators alpaca`, that nobody else on the machine has to know of. It dies with the
process that started it, whatever ends that one: it reads from a pipe that the system closes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapters.errors import AdapterError

if TYPE_CHECKING:
    from adapters.alpaca.config import AlpacaVenueConfig
    from adapters.clients import Wanted
    from market.source import DataSource

HOST = "127.0.0.1"
ANSWER_SECS = 5.0
LOOK_SECS = 0.1
QUIET_SECS = 0.3
"""Without a bar for so long after the market's end, everything has arrived."""
DATA_SETS = {"UsEquities": "us_equities", "CsvFiles": "csv", "ParquetFiles": "parquet"}
"""Class of a data set -> the option that chooses it."""
_READY = re.compile(rf".*\bon {re.escape(HOST)}:(\d+)\b")


def arguments(config: AlpacaVenueConfig, wanted: Wanted) -> list[str]:
    """What the local Alpaca of a run is started with; its clock stands still until `play`. Raises AdapterError."""
    own = {name: getattr(config, name) for name in ("port", "days", "bars_per_day", "seed")}
    given = {
        **own,
        "instruments": ",".join(wanted.symbols),
        "cash": config.starting_cash,
        "multiplier": 1 if config.account_type == "cash" else max(1, min(4, int(config.leverage))),
        "calls_per_min": 0,
        "paused": "true",
        "stdin": "true",
    }
    if wanted.start is not None:
        given["start"] = wanted.start
    if wanted.end is not None:
        given["end"] = wanted.end - timedelta(days=1)  # a run's end is the day after the last one traded
    return [*(f"{key}={value}" for key, value in given.items()), *_played(config, wanted.data)]


def _played(config: AlpacaVenueConfig, data: DataSource | None) -> list[str]:
    """The data set, as overrides."""
    if data is None:
        return []
    option = DATA_SETS.get(type(data).__name__)
    if option is None:
        raise AdapterError(
            f"venue={config.name}: a rehearsal plays data=us_equities, csv or parquet, not {data.name}"
        )
    set_by_user = data.model_dump(mode="json", exclude_defaults=True, exclude={"source", "symbols", "rates"})
    return [f"data={option}", *(f"data.{key}={_written(value)}" for key, value in set_by_user.items())]


def _written(value: Any) -> str:
    """A value as an override."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{quoted}'"
    return json.dumps(value)


class Rehearsing:
    """A rehearsal under way: has its market come to its end, and has everything of it arrived?"""

    def __init__(self, state: Callable[[], dict[str, Any]]) -> None:
        """`state` asks the local Alpaca; it is asked on a thread of its own."""
        self._state = state
        self._over = threading.Event()
        self._finished = False
        self._quiet: tuple[int, float] | None = None  # (bars so far, since when)
        threading.Thread(target=self._watch, name="rehearsal", daemon=True).start()

    def ended(self, count: int, finish: Callable[[], None]) -> bool:
        """Whether it is over; `finish` is called once, when no more bars come: it hands on what is being built."""
        if not self._over.is_set():
            return False
        now = time.monotonic()
        if self._quiet is None or self._quiet[0] != count:
            self._quiet = (count, now)
        if now - self._quiet[1] < QUIET_SECS:
            return False
        if not self._finished:
            self._finished = True
            finish()
            self._quiet = None
            return False
        return True

    def _watch(self) -> None:
        with suppress(AdapterError):  # it has died, which is told elsewhere
            while not self._state()["ended"]:
                time.sleep(LOOK_SECS)
            self._over.set()


class LocalAlpaca:
    """A local Alpaca that belongs to this process."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Start it and wait until it can be reached. Raises AdapterError with what it said when it cannot."""
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - open for as long as it runs
        command = [sys.executable, "-m", "simulators", "alpaca", *arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,  # Ctrl-C is for the node, which still has orders to cancel here
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        first = self._process.stdout.readline()
        found = _READY.match(first)
        if found is None:
            why = self.stop() or first.strip() or "it said nothing"
            raise AdapterError(f"the local Alpaca of the rehearsal did not start: {why}")
        self.port = int(found[1])

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    @property
    def died(self) -> str | None:
        """What it said before it ended by itself; None while it runs."""
        if self._process.poll() is None:
            return None
        return self._last_words() or f"exit code {self._process.returncode}"

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Ask what only a rehearsal can be asked. Raises AdapterError."""
        body = json.dumps({"op": op, **fields}).encode()
        request = urllib.request.Request(  # noqa: S310 - this machine only
            f"{self.url}/keel/control", body, {"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=ANSWER_SECS) as answer:
                found: dict[str, Any] = json.load(answer)
        except (OSError, ValueError) as error:
            raise AdapterError(f"the local Alpaca does not answer to {op}: {error}") from None
        return found

    def play(self, config: AlpacaVenueConfig) -> Rehearsing:
        """Let the market run. Raises AdapterError."""
        self.ask("market", do="resume", speed=getattr(config, "speed", 0.0))
        return Rehearsing(lambda: self.ask("market", do="state"))

    def stop(self) -> str:
        """End it; answers its last words. Never raises."""
        with suppress(OSError):
            self._process.terminate()
        try:
            self._process.wait(ANSWER_SECS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        said = self._last_words()
        self._said.close()
        return said

    def _last_words(self) -> str:
        if self._said.closed:
            return ""
        self._said.seek(0)
        lines = self._said.read().strip().splitlines()
        return lines[-1].removeprefix("error: ")[:300] if lines else ""
