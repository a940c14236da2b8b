"""A strategy that takes its time, so that a run is still going when a test interrupts it."""

from __future__ import annotations

import time

from nautilus_trader.model import Bar

from tests.driving import Scripted


class Slow(Scripted):
    """Twenty milliseconds a bar."""

    def on_bar(self, bar: Bar) -> None:
        time.sleep(0.02)
        super().on_bar(bar)
