"""The replay venue: shadows before bars, pace by market time, all data sent before the end."""

from __future__ import annotations

import time
from typing import Any

import pytest
from nautilus_trader.model import BarType

from adapters.replay.data import shadow_type
from tests.driving import Scripted, bars, drive

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("bar", "shadow"),
    [("1-DAY", "1-HOUR"), ("1-HOUR", "1-MINUTE"), ("15-MINUTE", "1-SECOND"), ("1-SECOND", "1-MILLISECOND")],
)
def test_a_shadow_is_shorter_than_its_bar(bar: str, shadow: str) -> None:
    bar_type = BarType.from_str(f"AAPL.XNAS-{bar}-LAST-EXTERNAL")
    assert str(shadow_type(bar_type)) == f"AAPL.XNAS-{shadow}-LAST-EXTERNAL"


class Watches(Scripted):
    def at_bar(self, n: int, bar: Any) -> None:
        self.seen = [*getattr(self, "seen", []), (n, bar.ts_event, self.clock.timestamp_ns())]


@pytest.mark.parametrize("speed", [0, 1_000])
def test_every_bar_arrives_once_with_its_own_stamp_and_the_clock_tells_market_time(speed: float) -> None:
    rows = bars([100.0] * 200, step=SECOND)
    driven = drive("live", Watches, rows, venue={"speed": speed})
    assert driven.strategies[0].seen == [
        (n, row.ts_event, row.ts_event) for n, row in enumerate(rows, start=1)
    ]


def test_speed_is_market_seconds_a_second() -> None:
    began = time.monotonic()
    drive("live", Watches, bars([100.0] * 21, step=SECOND), venue={"speed": 20})
    assert time.monotonic() - began >= 1.0  # twenty seconds of market time at twenty a second


class NeedsTimers(Scripted):
    def on_start(self) -> None:
        super().on_start()
        self.clock.set_timer_ns("soon", SECOND // 10, None, None, self.ring)

    def ring(self, _event: Any) -> None:
        self.rung = True


def test_timers_work_in_real_time() -> None:
    driven = drive("live", NeedsTimers, bars([100.0] * 3, step=SECOND // 2), venue={"speed": 1})
    assert driven.strategies[0].rung


def test_a_strategys_timers_end_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    """One that ran on would log an error for ever, and stop every later engine of the process with it."""
    drive("live", NeedsTimers, bars([100.0] * 3, step=SECOND // 2), venue={"speed": 1})
    time.sleep(0.5)
    assert "channel closed" not in "".join(capfd.readouterr())
