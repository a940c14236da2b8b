"""How does a test or a rehearsal talk to the local broker from plain code, and start one?"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from simulators.broker.server import HOST
from simulators.errors import SimulatorError

ANSWER_SECS = 10.0
_READY = re.compile(r"broker on [\d.]+:(\d+) ")


class Control:
    """A connection that asks and waits. Raises SimulatorError for whatever the broker refuses."""

    def __init__(self, port: int) -> None:
        """Connect to the broker on this machine."""
        try:
            self._socket = socket.create_connection((HOST, port), ANSWER_SECS)
        except OSError as error:
            raise SimulatorError(f"no broker answers on {HOST}:{port}") from error
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._id = 0

    def ask(self, op: str, **request: Any) -> dict[str, Any]:
        """Ask one thing; answers what the broker says."""
        self._id += 1
        self._socket.sendall(json.dumps({"id": self._id, "op": op, **request}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._lines.readline() or '{"error": "the broker hung up"}')
        if "error" in answer:
            raise SimulatorError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class BrokerProcess:
    """A broker started by another program; `kill` is the hard way, `stop` the soft one."""

    def __init__(self, arguments: Sequence[str], log: Path, port: int = 0) -> None:
        """Start it and wait until it can be reached. Raises SimulatorError with what it said when it cannot."""
        command = [sys.executable, "-m", "simulators", "broker", f"port={port}", *arguments]
        with log.open("ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603 - our own command
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        first = self.process.stdout.readline()
        found = _READY.match(first)
        if found is None:
            self.process.kill()
            code = self._reap()
            said = log.read_text(encoding="utf-8").strip()[-500:]
            raise SimulatorError(f"the broker did not start (exit code {code}): {first.strip()} {said}")
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
        code = self.process.wait(ANSWER_SECS)
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        self.process.stdout.close()
        return code
