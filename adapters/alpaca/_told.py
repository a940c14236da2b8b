"""What has the data client to say? It goes to the engine's log, and the last of it can be read back."""

from __future__ import annotations

from collections import deque

from nautilus_trader.common import Logger

COMPONENT = "DataClient-ALPACA"
"""What the engine's log calls it, so that Keel's log knows an error of data when it reads one."""
MOST_KEPT = 200


class Told:
    """Says one line at a time; on the node's loop only, as the engine's own logger."""

    def __init__(self) -> None:
        """Nothing was said."""
        self._log = Logger(COMPONENT)
        self.recent: deque[str] = deque(maxlen=MOST_KEPT)
        """The last lines, oldest first."""

    def info(self, line: str) -> None:
        """All is well again."""
        self.recent.append(line)
        self._log.info(line)

    def warning(self, line: str) -> None:
        """Something is wrong and is being repaired."""
        self.recent.append(line)
        self._log.warning(line)

    def error(self, line: str) -> None:
        """Data is missing, or cannot be had."""
        self.recent.append(line)
        self._log.error(line)
