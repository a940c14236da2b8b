"""What does a strategy's clock tell, and who catches what its timers raise?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from risk.gate import RiskGate

NANOS = 1_000_000_000


class NotReplayableError(Exception):
    """A strategy asked for something that a replay faster or slower than real time cannot do in the market's time."""

    def __init__(self, what: str) -> None:
        """`what` names the thing asked for, as a noun."""
        super().__init__(
            f"{what} cannot be replayed: the live engine runs it on wall time, the data has its own; "
            "run this strategy with venue.speed=1 or in a backtest"
        )


class GateClock:
    """The engine's clock, with the gate's care around callbacks; on replay its time is the market's."""

    __slots__ = ("_clock", "_gate")

    def __init__(self, clock: Any, gate: RiskGate) -> None:
        """`clock` is the engine's, `gate` the strategy it belongs to."""
        self._clock = clock
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        """Everything that is not about callbacks or the present is the engine's clock itself."""
        return getattr(self._clock, name)

    def timestamp_ns(self) -> int:
        """UTC nanoseconds of market time."""
        desk = self._gate.desk
        return desk.market_now() if desk.replays else int(self._clock.timestamp_ns())

    def timestamp_us(self) -> int:
        """UTC microseconds of market time."""
        return self.timestamp_ns() // 1_000

    def timestamp_ms(self) -> int:
        """UTC milliseconds of market time."""
        return self.timestamp_ns() // 1_000_000

    def timestamp(self) -> float:
        """UTC seconds of market time."""
        return self.timestamp_ns() / NANOS

    def utc_now(self) -> datetime:
        """Market time with its zone."""
        return datetime.fromtimestamp(self.timestamp(), tz=UTC)

    def set_time_alert(
        self,
        name: str,
        alert_time: Any,
        callback: Any = None,
        allow_past: bool | None = None,  # noqa: FBT001 - the engine's
    ) -> None:
        """One alert; without a callback it arrives at on_time_event."""
        self._clock.set_time_alert(name, alert_time, self._watched(callback, name), allow_past)

    def set_time_alert_ns(
        self,
        name: str,
        alert_time_ns: int,
        callback: Any = None,
        allow_past: bool | None = None,  # noqa: FBT001 - the engine's
    ) -> None:
        """One alert at UTC nanoseconds; without a callback it arrives at on_time_event."""
        self._clock.set_time_alert_ns(name, alert_time_ns, self._watched(callback, name), allow_past)

    def set_timer(  # noqa: PLR0913 - the engine's signature
        self,
        name: str,
        interval: Any,
        start_time: Any = None,
        stop_time: Any = None,
        callback: Any = None,
        allow_past: bool | None = None,  # noqa: FBT001 - the engine's signature
        fire_immediately: bool | None = None,  # noqa: FBT001 - the engine's signature
    ) -> None:
        """A repeating timer; without a callback it arrives at on_time_event."""
        watched = self._watched(callback, name)
        self._clock.set_timer(name, interval, start_time, stop_time, watched, allow_past, fire_immediately)

    def set_timer_ns(  # noqa: PLR0913 - the engine's signature
        self,
        name: str,
        interval_ns: int,
        start_time_ns: int | None = None,
        stop_time_ns: int | None = None,
        callback: Any = None,
        allow_past: bool | None = None,  # noqa: FBT001 - the engine's signature
        fire_immediately: bool | None = None,  # noqa: FBT001 - the engine's signature
    ) -> None:
        """A repeating timer in nanoseconds; without a callback it arrives at on_time_event."""
        watched = self._watched(callback, name)
        self._clock.set_timer_ns(
            name, interval_ns, start_time_ns, stop_time_ns, watched, allow_past, fire_immediately
        )

    def _watched(self, callback: Callable[[Any], None] | None, name: str) -> Callable[[Any], None] | None:
        if self._gate.desk.replays:
            raise NotReplayableError(f"the timer {name!r}")
        return None if callback is None else self._gate.watched(callback, f"timer {name!r}")
