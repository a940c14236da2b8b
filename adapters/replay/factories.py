"""The replay venue: recorded data through a data client, fills by the engine's sandbox. No keys, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.config import DataClientConfig
from nautilus_trader.live.clients import DataClientFactory
from nautilus_trader.model import Bar, BarType, InstrumentId

from adapters import simulated
from adapters.errors import AdapterError
from adapters.gatekeeper import Gatekeeper, OpenGate
from adapters.replay.data import Replay, ReplayDataClient, shadow_types

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nautilus_trader.live import LiveNodeBuilder
    from nautilus_trader.model import QuoteTick

    from adapters.replay.config import ReplayVenueConfig
    from market.catalog import MarketData
    from risk.gate import RiskGate

REAL_TIME = 1.0


class ReplayVenue:
    """Streams a market's data into a node and fills orders against it."""

    def __init__(self, config: ReplayVenueConfig, market: MarketData, max_updates: int | None = None) -> None:
        """Replay the window of `market`, or its first `max_updates` updates.

        Raises AdapterError for a latency at another speed than real time: the engine would wait in wall time; for
        costs that only a backtest can simulate; and for what a cash account cannot hold.
        """
        simulated.refuse_what_a_sandbox_cannot_do(config)
        simulated.refuse_what_cash_cannot_hold(config, market.instruments)
        if config.latency_ms and config.speed != REAL_TIME:
            raise AdapterError(
                f"venue.latency_ms={config.latency_ms} cannot be replayed at venue.speed={config.speed:g}: the delay "
                "would pass in wall time while the data runs ahead; set venue.latency_ms=0 or venue.speed=1"
            )
        self._config = config
        self._market = market
        self._max_updates = max_updates
        self._client: ReplayDataClient | None = None
        self._ended = False
        self._last: Bar | QuoteTick | None = None
        self._all = 0
        self._error: BaseException | None = None
        keys: dict[InstrumentId, BarType | InstrumentId] = {one.id: one.id for one in market.instruments}
        keys.update({bar_type.instrument_id: bar_type for bar_type in market.bar_types})
        self._shadows = {
            name: tuple(dict.fromkeys((*shadow_types(key), *shadow_types(name))))
            for name, key in keys.items()
        }
        self.replays = config.speed != REAL_TIME
        self.gatekeeper: Gatekeeper = OpenGate()

    @property
    def count(self) -> int:
        """All of the updates once the last was handed over; nothing is counted before."""
        return self._all if self._ended else 0

    def operator(self) -> None:
        """The sandbox and its account end with the node."""

    def add_to(self, builder: LiveNodeBuilder) -> LiveNodeBuilder:
        """Add the data client and the sandbox."""
        venue = self._market.instruments[0].id.venue
        replay = Replay(
            venue=venue,
            instruments=[*self._market.instruments, *self._market.rates.pairs.values()],
            updates=self._updates,
            speed=self._config.speed,
            on_end=self._end,
            on_error=self._fail,
        )
        built = self

        class Factory(DataClientFactory):
            @staticmethod
            def create(*, name: str, config: Any, cache: Any, clock: Any) -> ReplayDataClient:
                built._client = ReplayDataClient(
                    name=name, config=config, cache=cache, clock=clock, replay=replay
                )
                return built._client

        builder = builder.add_data_client(str(venue), Factory(), DataClientConfig())
        return simulated.add_sandbox(builder, self._config, venue)

    def begin(self) -> None:
        """Start the stream. Raises RuntimeError when the node has not built the client yet."""
        if self._client is None:
            raise RuntimeError("the node has not built the replay's data client")
        self._client.begin()

    def cease(self) -> None:
        """Send no more data."""
        if self._client is not None:
            self._client.cease()

    def ended(self, cache: Any) -> bool:
        """Whether all data was sent and the engine, whose cache this is, has seen the last of it."""
        if not self._ended or self._last is None:
            return self._ended
        last = self._last
        seen = cache.bar(last.bar_type) if isinstance(last, Bar) else cache.quote(last.instrument_id)
        return seen is not None and seen.ts_event >= last.ts_event

    def error(self) -> BaseException | None:
        """What stopped the stream, if anything did."""
        return self._error

    def event_time(self, gate: RiskGate, event: Any, last: int) -> int:
        """The stamp of the data that an event came from: the sandbox stamps its events with wall time.

        The newest shadow the engine has seen of the instrument tells it, wherever the cache can be read.
        """
        try:
            seen = [gate.cache.bar(shadow) for shadow in self._shadows.get(event.instrument_id, ())]
        except RuntimeError:  # engine.md 1: in some handlers the cache is borrowed
            return last
        return max(last, *(int(bar.ts_event) for bar in seen if bar is not None), last)

    def _updates(self) -> Iterable[Bar | QuoteTick]:
        updates = self._market.updates()[: self._max_updates]
        self._last = updates[-1] if updates else None
        self._all = len(updates)
        return self._market.rates.told(updates)

    def _end(self) -> None:
        self._ended = True

    def _fail(self, error: BaseException) -> None:
        self._error = error
