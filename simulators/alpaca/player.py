"""How does market time pass: at a speed, as fast as the listeners take it, in steps, or not at all?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from typing import Any

from simulators.alpaca.desk import Desk
from simulators.alpaca.tape import Step
from simulators.alpaca.wire import NANOS, iso

LONGEST_WAIT = 900 * NANOS
"""Nights and weekends, when nothing happens, pass as this much market time."""

SETTLE_SECS = 0.005
"""What a listener gets to act on a bar, at speed 0, after it has read it."""


class Player:
    """Plays a desk's tape to the end of a day."""

    def __init__(  # noqa: PLR0913 - a market, its pace and who it waits for
        self, desk: Desk, last: date, speed: float, *, taken: Callable[[], Awaitable[None]], busy: Callable[[], bool],
        paused: bool,
    ) -> None:  # fmt: skip
        """`taken()` waits until all listeners have read, `busy()` tells whether requests are being answered."""
        self.desk = desk
        self._last = last
        self._speed = speed
        self._taken = taken
        self._busy = busy
        self._playing = asyncio.Event()
        self._steps: Iterator[Step] = iter(())
        self._next: Step | None = None
        self._turn = asyncio.Lock()
        self.moved()
        if not paused:
            self._playing.set()

    def moved(self) -> None:
        """The clock was set: what comes next is looked up again."""
        self._steps = self.desk.tape.steps(self.desk.clock.now(), self._last)
        self._next = next(self._steps, None)

    def pause(self) -> None:
        """Stop time."""
        self._playing.clear()
        self.desk.clock.set(self.desk.clock.now())

    def resume(self, speed: Any = None) -> None:
        """Let it run, at another speed if one is given."""
        self._speed = self._speed if speed is None else float(speed)
        self._playing.set()

    async def step(self, bars: int, until: int | None) -> None:
        """Play until so many stamps had minute bars, or up to a time."""
        async with self._turn:
            while self._next is not None:
                if self._next.stamp > until if until is not None else bars <= 0:
                    break
                bars -= bool(self._next.bars)
                self._play_next()
            if until is not None and until > self.desk.clock.now():
                self.desk.advance(until)
                self.desk.flush()

    def state(self) -> dict[str, Any]:
        """Where the market is."""
        now = self.desk.clock.now()
        return {
            "now": iso(now),
            "now_ns": now,
            "ended": self._next is None,
            "playing": self._playing.is_set(),
            "speed": self._speed,
            "next": None if self._next is None else iso(self._next.stamp),
        }

    async def play(self) -> None:
        """Play, as long as nobody pauses it, until cancelled."""
        while True:
            await self._playing.wait()
            if self._next is None:
                await asyncio.sleep(0.05)
                continue
            await self._until_due(self._next)
            async with self._turn:
                if self._playing.is_set() and self._next is not None:
                    had_bars = bool(self._next.bars)
                    self._play_next()
                    if not self._speed and had_bars:
                        await self._until_taken()

    def _play_next(self) -> None:
        if self._next is None:
            return
        self.desk.play(self._next)
        self._next = next(self._steps, None)

    async def _until_due(self, step: Step) -> None:
        """Wait, at the speed there is, until a step is due; nights are short."""
        if not self._speed:
            await asyncio.sleep(0)
            return
        now = self.desk.clock.now()
        gap = step.stamp - now
        if gap > LONGEST_WAIT:
            self.desk.advance(step.stamp - LONGEST_WAIT)
            self.desk.flush()
            gap = LONGEST_WAIT
        self.desk.clock.set(step.stamp - gap, step.stamp, self._speed)
        await asyncio.sleep(max(0.0, gap / NANOS / self._speed))

    async def _until_taken(self) -> None:
        """Wait until all listeners have read, had a moment to act, and their requests are answered."""
        await self._taken()
        await asyncio.sleep(SETTLE_SECS)
        while self._busy():  # noqa: ASYNC110 - requests that come meanwhile count too
            await asyncio.sleep(SETTLE_SECS)
