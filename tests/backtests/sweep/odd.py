"""A strategy for sweeps that misbehaves where a test asks it to: it raises, or takes its time."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from nautilus_trader.model import Bar

from strategies.ema_cross import EmaCross, EmaCrossConfig


class OddConfig(EmaCrossConfig):
    """At which value of `fast` it raises, how many seconds it takes, a folder it leaves its process id in."""

    def __init__(
        self,
        raises_at: int = 0,
        secs: float = 0.0,
        told: str | None = None,
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self.raises_at = raises_at
        self.secs = secs
        self.told = told


class Odd(EmaCross):
    """As EmaCross otherwise."""

    def __init__(self, config: OddConfig) -> None:
        super().__init__(config)
        self._odd = config
        self._seen = 0

    def on_bar(self, bar: Bar) -> None:
        """Do it at the tenth bar."""
        self._seen += 1
        if self._seen == 10:
            time.sleep(self._odd.secs)
            if self._odd.told is not None:
                (Path(self._odd.told) / str(os.getpid())).touch()
            if self._odd.raises_at == self._odd.fast:
                raise RuntimeError("odd, as it was asked to be")
        super().on_bar(bar)
