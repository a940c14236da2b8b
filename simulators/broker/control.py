"""How does a test or a rehearsal talk to the local broker from plain code, and start one?"""

from __future__ import annotations

import json
import re
import socket
from typing import Any, Self

from simulators.broker.server import HOST
from simulators.errors import SimulatorError
from simulators.process import SimulatorProcess

ANSWER_SECS = 60.0


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


class BrokerProcess(SimulatorProcess):
    """A broker started by another program."""

    kind = "broker"
    called = "the broker"
    ready = re.compile(r"broker on [\d.]+:(\d+) ")
