"""How does another program start a simulator, and end it?"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from simulators.errors import SimulatorError

REAP_SECS = 30.0


class SimulatorProcess:
    """A simulator in a process of its own; `kill` is the hard way, `stop` the soft one."""

    kind: ClassVar[str]
    """The word after `python -m simulators`."""
    called: ClassVar[str]
    """How an error names it."""
    ready: ClassVar[re.Pattern[str]]
    """The line that it prints when it can be reached; its first group is the port."""

    def __init__(self, arguments: Sequence[str], log: Path, port: int = 0) -> None:
        """Start it and wait until it can be reached. Raises SimulatorError with what it said when it cannot."""
        command = [sys.executable, "-m", "simulators", self.kind, f"port={port}", *arguments]
        with log.open("ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603 - our own command
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        first = self.process.stdout.readline()
        found = self.ready.match(first)
        if found is None:
            self.process.kill()
            code = self._reap()
            said = log.read_text(encoding="utf-8").strip()[-500:]
            raise SimulatorError(f"{self.called} did not start (exit code {code}): {first.strip()} {said}")
        self.port = int(found[1])

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """SIGTERM; answers the exit code."""
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(REAP_SECS)
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        self.process.stdout.close()
        return code
