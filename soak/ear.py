"""When does what happen at the broker? Listens, so that a kill can follow an order or a fill within milliseconds."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

from simulators.broker.server import HOST


class Ear:
    """Counts the broker's news, on a thread of its own."""

    def __init__(self, port: int) -> None:
        """Listen from now on. Raises OSError."""
        self._socket = socket.create_connection((HOST, port), 10)
        self._socket.settimeout(None)
        self._socket.sendall(b'{"id": 1, "op": "listen"}\n')
        self._counts: Counter[str] = Counter()
        self._heard = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def count(self, kind: str) -> int:
        """How many of a kind came: order, fill, account, bar; taken: orders that are new there."""
        return self._counts[kind]

    def wait(self, kind: str, count: int, secs: float) -> bool:
        """Wait until so many came; answers whether they did."""
        until = time.monotonic() + secs
        with self._heard:
            while self._counts[kind] < count:
                if not self._heard.wait(max(0.0, until - time.monotonic())):
                    return False
        return True

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _listen(self) -> None:
        known: set[str] = set()
        with suppress(OSError, ValueError), self._socket.makefile("rb") as lines:
            for line in lines:
                row = json.loads(line)
                kind = row.get("event")
                if kind is None:
                    continue
                with self._heard:
                    self._counts[kind] += 1
                    if kind == "order" and row["order"]["venue_order_id"] not in known:
                        known.add(row["order"]["venue_order_id"])
                        self._counts["taken"] += 1
                    self._heard.notify_all()
