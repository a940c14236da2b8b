"""How is a live node started, killed and asked, as a person would do it?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONFIGS = Path(__file__).parent / "configs"
ROOT = Path(__file__).parent.parent
VERB_SECS = 240.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the processes of one trial live: a folder of its own for journal, results and logs."""

    folder: Path
    keys: Mapping[str, str] = field(default_factory=dict)
    """Variables that open an account."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Their own state folder, and nothing that was meant for somebody else's."""
        own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return {**own, **self.keys, "XDG_STATE_HOME": str(self.folder / "state")}


class Node:
    """One life of `python -m live run`."""

    def __init__(
        self, place: Place, number: int, overrides: Sequence[str], *, configs: Path = CONFIGS
    ) -> None:
        """Start it, with the YAML of a folder besides Keel's own."""
        self.log = place.folder / f"life-{number}.log"
        folder = place.folder / "runs" / str(number)
        command = [
            sys.executable, "-m", "live", "run", f"--config-dir={configs}", f"run.dir={folder}",
            "run.tearsheet=false", "run.plots=false", *overrides,
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdout=log, stderr=subprocess.STDOUT, env=place.environment, cwd=ROOT
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, below 0 after a signal; None while it runs."""
        return self._process.poll()

    @property
    def said(self) -> str:
        """What it said, without empty lines."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(line for line in lines if line.strip())

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def wait(self, secs: float) -> int | None:
        """Its exit code once it ended; None when it still runs after so long."""
        try:
            return self._process.wait(secs)
        except subprocess.TimeoutExpired:
            return None

    def pause(self, secs: float) -> None:
        """Let it run for so long, or until it ends."""
        until = time.monotonic() + secs
        while self.code is None and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.01))


def verb(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One verb of `python -m live`, to its end."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "live", *arguments],
        capture_output=True, text=True, check=False, timeout=VERB_SECS, env=place.environment, cwd=ROOT,
    )  # fmt: skip
