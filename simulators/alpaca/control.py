"""How does a test or a rehearsal start a local Alpaca, and steer it from plain code?"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from typing import Any, Self

from simulators.broker.server import HOST
from simulators.errors import SimulatorError
from simulators.process import SimulatorProcess

ANSWER_SECS = 60.0


class Control:
    """Asks the local Alpaca's control. Raises SimulatorError for whatever it refuses."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, op: str, **request: Any) -> dict[str, Any]:
        """Do one operation; answers what the broker says. Amounts may be Decimal."""
        connection = HTTPConnection(HOST, self.port, timeout=ANSWER_SECS)
        try:
            connection.request("POST", "/keel/control", json.dumps({"op": op, **request}, default=_text))
            reply = connection.getresponse()
            answer: dict[str, Any] = json.loads(reply.read())
        except (OSError, HTTPException, ValueError) as error:
            raise SimulatorError(f"no Alpaca answers on {HOST}:{self.port}: {error}") from error
        finally:
            connection.close()
        if reply.status >= 400:  # noqa: PLR2004 - HTTP
            raise SimulatorError(str(answer.get("message", answer)))
        return answer

    def price(self, symbol: str, price: Decimal | str | int, **details: Any) -> dict[str, Any]:
        """A trade and a quote at this price, now."""
        return self.ask("price", symbol=symbol, price=str(price), **details)

    def audit(self) -> dict[str, Any]:
        """The broker's own books."""
        return self.ask("audit")

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AlpacaProcess(SimulatorProcess):
    """A local Alpaca started by another program."""

    kind = "alpaca"
    called = "the local Alpaca"
    ready = re.compile(r"alpaca \(\w+\) on [\d.]+:(\d+) ")

    @property
    def url(self) -> str:
        """Where REST is reached."""
        return f"http://{HOST}:{self.port}"

    @property
    def stream_url(self) -> str:
        """Where the streams begin; add /stream, /v2/iex, /v1beta3/crypto/us or /v1beta1/news."""
        return f"ws://{HOST}:{self.port}"

    def control(self) -> Control:
        """Its control."""
        return Control(self.port)


def _text(value: Any) -> str:
    return str(value)
