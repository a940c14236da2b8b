"""The four Alpaca venues: its account with real or paper money, its prices with simulated fills, and its rehearsal."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nautilus_trader.config import DataClientConfig, ExecutionClientConfig
from nautilus_trader.live.clients import DataClientFactory, ExecutionClientFactory
from nautilus_trader.model import AccountId, OmsType, Venue

from adapters import simulated
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._facts import read_account, refuse_blocked
from adapters.alpaca._market_feed import Options
from adapters.alpaca._rehearsal import LocalAlpaca, arguments
from adapters.alpaca.bars import length_of
from adapters.alpaca.data import AlpacaDataClient
from adapters.alpaca.execution import AlpacaExecutionClient
from adapters.alpaca.inspector import AlpacaInspector
from adapters.alpaca.keys import read_keys
from adapters.alpaca.operator import AlpacaOperator
from adapters.alpaca.providers import VENUE, instruments
from adapters.errors import AdapterError
from adapters.execution import Patience
from adapters.gatekeeper import Gatekeeper, OpenGate
from adapters.simulated import add_sandbox
from market.venue_market import VenueMarket

if TYPE_CHECKING:
    from nautilus_trader.live import LiveNodeBuilder

    from adapters.account import AccountFacts, VenueFlow, VenueSnapshot
    from adapters.alpaca._rehearsal import Rehearsing
    from adapters.alpaca.config import AlpacaVenueConfig
    from adapters.clients import Wanted
    from market.market_data import MarketData
    from risk.gate import RiskGate

REAL_TIME = 1.0


class AlpacaVenue:
    """adapters.clients.MarketVenue for Alpaca; which of the four is the config's `mode`."""

    def __init__(
        self, config: AlpacaVenueConfig, market: MarketData | None = None, max_updates: int | None = None
    ) -> None:
        """Nothing is started or asked before `open`; `max_updates` counts bars."""
        del market  # the venue brings its own
        self.gatekeeper: Gatekeeper = OpenGate()
        self.patience = Patience(answer_secs=config.answer_secs)
        self._config = config
        self._most = max_updates
        self._market: VenueMarket | None = None
        self._facts: AccountFacts | None = None
        self._held: VenueSnapshot | None = None  # what a sandbox begins with
        self._local: LocalAlpaca | None = None
        self._playing: Rehearsing | None = None
        self._api: AlpacaApi | None = None
        self._data: AlpacaDataClient | None = None
        self._execution: AlpacaExecutionClient | None = None
        self.replays = config.tells_time and getattr(config, "speed", 0.0) != REAL_TIME

    # -- before the node

    def open(self, wanted: Wanted) -> VenueMarket:
        """Start the local Alpaca of a rehearsal, look at the account, and name the instruments. Raises AdapterError."""
        config = self._reached(wanted)
        self._market = asyncio.run(self._look(config, wanted))
        return self._market

    def inspector(self, wanted: Wanted) -> AlpacaInspector:
        """Who looks at the venue for a person; `close` ends what it needed. Raises AdapterError."""
        config = self._reached(wanted)
        return AlpacaInspector(config, read_keys(config), wanted.symbols)

    def facts(self) -> AccountFacts | None:
        """The account as `open` found it; None in the sandbox, whose account is the engine's."""
        return self._facts

    def operator(self) -> AlpacaOperator | None:
        """The account without a node; None in the sandbox, and of a rehearsal that does not run."""
        config = self._config
        if config.mode == "sandbox" or (config.mode == "rehearsal" and config.trading_url is None):
            return None
        return AlpacaOperator(config, read_keys(config))

    def close(self) -> None:
        """Hang up, and end the local Alpaca of a rehearsal."""
        api, self._api = self._api, None
        local, self._local = self._local, None
        if api is not None:
            with suppress(Exception):  # what can still be ended has to be
                api.close()
        if local is not None:
            local.stop()

    # -- the node

    def reopen(self, account: VenueSnapshot) -> None:
        """What a sandbox begins with, instead of venue.starting_cash alone."""
        self._held = account

    @property
    def count(self) -> int:
        """Bars that came so far."""
        return 0 if self._data is None else self._data.count

    @property
    def event_time(self) -> Any:
        """A local Alpaca has a market time of its own; else the engine's own stamps are market time."""
        return self._market_time if self._config.tells_time else None

    def add_to(self, builder: LiveNodeBuilder) -> LiveNodeBuilder:
        """Add the clients. Raises AdapterError."""
        self._api = AlpacaApi(self._config, read_keys(self._config))
        builder = builder.add_data_client(VENUE, self._data_factory(), DataClientConfig())
        if self._config.mode == "sandbox":
            return add_sandbox(builder, self._config, Venue(VENUE), self._held, self._known()[0].instruments)
        return builder.add_exec_client(VENUE, self._execution_factory(), ExecutionClientConfig())

    def begin(self) -> None:
        """Every strategy runs: data may flow. Raises RuntimeError when the node has not built the client yet."""
        if self._data is None:
            raise RuntimeError("the node has not built the Alpaca data client")
        self._data.begin()
        if self._local is not None:
            self._playing = self._local.play(self._config)

    def cease(self) -> None:
        """Send no more data."""
        if self._data is not None:
            self._data.cease()

    def ended(self, cache: Any) -> bool:
        """Whether as many bars came as the run wanted, or a rehearsal came to its end; the market itself never ends."""
        if self._data is None:
            return False
        if self._data.ended:
            return True
        if self._playing is None or not self._playing.ended(self._data.count, self._data.finish):
            return False
        return not cache.orders_inflight_count()

    def error(self) -> BaseException | None:
        """What kept a client from connecting, or ended the local Alpaca."""
        found = None if self._data is None else self._data.error
        if found is None and self._execution is not None:
            found = self._execution.failure
        if found is None and self._local is not None and (died := self._local.died) is not None:
            found = AdapterError(f"the local Alpaca of the rehearsal has ended: {died}")
        return found

    # -- below

    def _reached(self, wanted: Wanted) -> AlpacaVenueConfig:
        """The config, with the address of the local Alpaca where one is needed and was started."""
        if self._config.mode == "rehearsal" and self._config.trading_url is None:
            self._local = LocalAlpaca(arguments(self._config, wanted))
            self._config = self._config.model_copy(update={"trading_url": self._local.url})
        return self._config

    async def _look(self, config: AlpacaVenueConfig, wanted: Wanted) -> VenueMarket:
        api = AlpacaApi(config, read_keys(config))
        sandbox = config.mode == "sandbox"
        try:
            if not sandbox:
                self._facts = await read_account(config, api)
                refuse_blocked(config, self._facts)
            found = await instruments(api, wanted.symbols, simulated=sandbox, fractional=config.fractional)
        finally:
            api.close()
        if sandbox:
            simulated.refuse_what_cash_cannot_hold(config, found)
        market = VenueMarket.of(found, wanted.bar, f"alpaca-{config.feed}")
        for bar_type in market.bar_types:
            length_of(bar_type)
        return market

    def _known(self) -> tuple[VenueMarket, AlpacaApi]:
        if self._market is None or self._api is None:
            raise AdapterError(f"venue={self._config.name}: it is not open")
        return self._market, self._api

    def _data_factory(self) -> DataClientFactory:
        (market, api), built, config_of = self._known(), self, self._config
        options = Options(
            replayed=config_of.tells_time,
            adjustment=config_of.adjustment,
            extended_hours=config_of.extended_hours,
        )

        class Data(DataClientFactory):
            @staticmethod
            def create(*, name: str, config: Any, cache: Any, clock: Any) -> AlpacaDataClient:
                built._data = AlpacaDataClient(
                    venue_config=config_of, api=api, instruments=market.instruments, most=built._most,
                    shadows=config_of.mode == "sandbox", options=options,
                    name=name, config=config, cache=cache, clock=clock, venue=Venue(VENUE),
                )  # fmt: skip
                return built._data

        return Data()

    def _execution_factory(self) -> ExecutionClientFactory:
        (_, api), built, config_of = self._known(), self, self._config
        number = "UNKNOWN" if self._facts is None else self._facts.number

        class Execution(ExecutionClientFactory):
            @staticmethod
            def create(
                *, name: str, config: Any, cache: Any, clock: Any, trader_id: Any
            ) -> AlpacaExecutionClient:
                built._execution = AlpacaExecutionClient(
                    venue_config=config_of, api=api, gatekeeper=built.gatekeeper, patience=built.patience,
                    on_flow=built._flow,
                    name=name, config=config, cache=cache, clock=clock, trader_id=trader_id, venue=Venue(VENUE),
                    account_id=AccountId(f"{VENUE}-{number}"),
                    account_type=simulated.account_type(config_of), oms_type=OmsType.NETTING,
                    base_currency=simulated.base_currency(config_of),
                )  # fmt: skip
                return built._execution

        return Execution()

    def _flow(self, flow: VenueFlow) -> None:
        self.gatekeeper.flow(flow)

    def _market_time(self, _gate: RiskGate, _event: Any, last: int) -> int:
        """The newest stamp of the data: the engine stamps what it makes itself with the wall's clock."""
        return max(last, 0 if self._data is None else self._data.market_now())
