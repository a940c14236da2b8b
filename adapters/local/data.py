"""How do the local broker's prices reach a node?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nautilus_trader.live.clients import MarketDataClient

from adapters.errors import AdapterError
from adapters.local._parsing import bar_of, quote_of
from adapters.local._wire import Row, Wire, unreachable
from adapters.local.config import LocalVenueConfig


class LocalDataClient(MarketDataClient):
    """Hands on the bars of the run's instruments, stamped with the wall clock; quotes too where they are asked for.

    Nothing is handed on before `begin`, and nothing after `cease` or after `most` bars.
    """

    def __init__(
        self, *, venue_config: LocalVenueConfig, instruments: Sequence[Any], most: int | None, **engine: Any
    ) -> None:
        """`engine` is what the engine's own base class takes."""
        super().__init__(**engine)
        self._config = venue_config
        self._instruments = {str(one.id): one for one in instruments}
        self._wire = Wire(venue_config.host, venue_config.port, venue_config.answer_secs, self._take)
        self._quoted: set[str] = set()
        self._flowing = False
        self._most = most
        self.count = 0
        """Bars handed on so far."""
        self.error: BaseException | None = None
        """What the broker sent that cannot be read."""

    def begin(self) -> None:
        """Hand on what comes from now on."""
        self._flowing = True

    def cease(self) -> None:
        """Hand on nothing more."""
        self._flowing = False

    @property
    def ended(self) -> bool:
        """Whether as many bars were handed on as the run wanted."""
        return self._most is not None and self.count >= self._most

    async def _connect(self) -> None:
        for instrument in self._instruments.values():
            self._handle_instrument(instrument)
        try:
            await self._wire.open()
        except OSError as error:
            raise self._unreachable() from error

    async def _disconnect(self) -> None:
        self.cease()
        await self._wire.close()

    async def _subscribe_bars(self, command: Any) -> None:
        """All bars of the run are handed on anyway: the engine takes them to whom they concern."""

    _subscribe_trades = _subscribe_instrument = _subscribe_instruments = _subscribe_bars
    _unsubscribe_bars = _unsubscribe_trades = _subscribe_bars
    _unsubscribe_instrument = _unsubscribe_instruments = _subscribe_bars

    async def _subscribe_quotes(self, command: Any) -> None:
        self._quoted.add(str(command.instrument_id))

    async def _unsubscribe_quotes(self, command: Any) -> None:
        self._quoted.discard(str(command.instrument_id))

    def _take(self, event: Row) -> None:
        if event["event"] != "bar" or not self._flowing or self.ended:
            return
        row = event["bar"]
        instrument = self._instruments.get(row["instrument"])
        if instrument is None:
            return
        now = self.clock.timestamp_ns()
        try:
            if row["instrument"] in self._quoted:
                self._handle_data(quote_of(row, instrument, now))
            self._handle_data(bar_of(row, instrument, now))
        except Exception as error:  # noqa: BLE001 - the node is told through `error`, the engine would only log it
            self.error = error
        self.count += 1

    def _unreachable(self) -> AdapterError:
        return unreachable(self._config.name, self._config.host, self._config.port)
