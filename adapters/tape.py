"""What was each instrument's volatility and volume of late, and where did its newest bar open?

Fed with every bar before the simulated venue sees it; the newest one is no part of what `of late` means.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
from nautilus_trader.model import Bar

from risk.sessions import SessionDays

DAYS = 20
"""Session days that volatility is measured over, and bars that volume is averaged over."""
FEWEST_DAYS = 5
"""Days with a return below which volatility is not known yet."""
ASSUMED_VOLATILITY = 0.02
"""A day's volatility until it is known: that of a middling share."""


@dataclass(slots=True)
class _Track:
    ts: int
    open: Any
    close: float
    volume: float
    day_ends: int
    day_closes: deque[float] = field(default_factory=lambda: deque(maxlen=DAYS + 1))
    volumes: deque[float] = field(default_factory=lambda: deque(maxlen=DAYS))
    volatility: float | None = None


class Tape:
    """The bars of a backtest as they pass, by instrument. Nothing of it is known in advance."""

    def __init__(self, zone: str) -> None:
        """`zone` is the IANA zone whose midnight ends a session day."""
        self._days = SessionDays.of(zone, "00:00")
        self._tracks: dict[Any, _Track] = {}

    def see(self, data: object) -> None:
        """Take a bar that is about to be traded in; anything else is let pass."""
        if not isinstance(data, Bar):
            return
        ts, key = data.ts_event, data.bar_type.instrument_id
        track = self._tracks.get(key)
        if track is None:
            ends = self._days.day_of(ts - 1)[1]
            self._tracks[key] = _Track(ts, data.open, data.close.as_double(), data.volume.as_double(), ends)
            return
        track.volumes.append(track.volume)
        if ts - 1 >= track.day_ends:
            track.day_closes.append(track.close)
            track.day_ends = self._days.day_of(ts - 1)[1]
            track.volatility = None
        track.ts, track.open = ts, data.open
        track.close, track.volume = data.close.as_double(), data.volume.as_double()

    def opened(self, instrument_id: Any, after: int) -> Any | None:
        """Price at which the newest bar opened; None without one, or where it is not later than `after` (UTC ns)."""
        track = self._tracks.get(instrument_id)
        return None if track is None or track.ts <= after else track.open

    def last_volume(self, instrument_id: Any) -> float | None:
        """Volume of the newest bar; None without a bar."""
        track = self._tracks.get(instrument_id)
        return None if track is None else track.volume

    def volatility(self, instrument_id: Any) -> float:
        """Standard deviation of the log returns of the last 20 session days that are over: a fraction a day.

        ASSUMED_VOLATILITY until five returns are known.
        """
        track = self._tracks.get(instrument_id)
        if track is None or len(track.day_closes) <= FEWEST_DAYS or min(track.day_closes) <= 0:
            return ASSUMED_VOLATILITY
        if track.volatility is None:
            track.volatility = float(np.std(np.diff(np.log(track.day_closes)), ddof=1))
        return track.volatility

    def volume(self, instrument_id: Any) -> float:
        """Average volume of the last 20 bars before the newest, units; of the newest where it is the first."""
        track = self._tracks.get(instrument_id)
        if track is None:
            return 0.0
        return fmean(track.volumes) if track.volumes else track.volume
