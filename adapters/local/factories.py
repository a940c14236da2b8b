"""The local paper venue: data, orders and account of a broker process on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.config import DataClientConfig, ExecutionClientConfig
from nautilus_trader.live.clients import DataClientFactory, ExecutionClientFactory
from nautilus_trader.model import AccountId, OmsType

from adapters import simulated
from adapters.errors import AdapterError
from adapters.execution import Patience
from adapters.gatekeeper import Gatekeeper, OpenGate
from adapters.local._wire import ask_once
from adapters.local.data import LocalDataClient
from adapters.local.execution import LocalExecutionClient
from adapters.local.operator import LocalOperator

if TYPE_CHECKING:
    from nautilus_trader.live import LiveNodeBuilder

    from adapters.local.config import LocalVenueConfig
    from market.catalog import MarketData


class LocalVenue:
    """Trades at the broker that `python -m simulators broker` runs."""

    event_time = None
    """The engine's own stamps are market time: the broker stamps its prices with the wall clock."""
    replays = False

    def __init__(self, config: LocalVenueConfig, market: MarketData, max_updates: int | None = None) -> None:
        """Trade the instruments of `market`, for `max_updates` bars at most. Raises AdapterError for quotes."""
        if market.kind != "bars":
            raise AdapterError(
                f"venue={config.name}: the local broker plays bars; choose data that holds bars"
            )
        self.gatekeeper: Gatekeeper = OpenGate()
        self.patience = Patience(answer_secs=config.answer_secs)
        self._config = config
        self._market = market
        self._most = max_updates
        self._data: LocalDataClient | None = None
        self._execution: LocalExecutionClient | None = None

    @property
    def count(self) -> int:
        """Bars that came so far."""
        return 0 if self._data is None else self._data.count

    def operator(self) -> LocalOperator:
        """The account without a node."""
        return LocalOperator(self._config)

    def add_to(self, builder: LiveNodeBuilder) -> LiveNodeBuilder:
        """Add both clients. Raises AdapterError when no broker answers or it plays something else."""
        config, built = self._config, self
        hello = ask_once(config.name, config.host, config.port, config.answer_secs, "hello")
        self._check(hello)
        venue = self._market.instruments[0].id.venue

        class Data(DataClientFactory):
            @staticmethod
            def create(*, name: str, config: Any, cache: Any, clock: Any) -> LocalDataClient:
                built._data = LocalDataClient(
                    venue_config=built._config, instruments=built._market.instruments, most=built._most,
                    name=name, config=config, cache=cache, clock=clock, venue=venue,
                )  # fmt: skip
                return built._data

        class Execution(ExecutionClientFactory):
            @staticmethod
            def create(
                *, name: str, config: Any, cache: Any, clock: Any, trader_id: Any
            ) -> LocalExecutionClient:
                built._execution = LocalExecutionClient(
                    venue_config=built._config, gatekeeper=built.gatekeeper,
                    patience=built.patience,
                    name=name, config=config, cache=cache, clock=clock, trader_id=trader_id, venue=venue,
                    account_id=AccountId(f"{venue}-{hello['account']}"),
                    account_type=simulated.account_type(built._config), oms_type=OmsType.NETTING,
                    base_currency=simulated.base_currency(built._config),
                )  # fmt: skip
                return built._execution

        return builder.add_data_client(str(venue), Data(), DataClientConfig()).add_exec_client(
            str(venue), Execution(), ExecutionClientConfig()
        )

    def begin(self) -> None:
        """Let data flow. Raises RuntimeError when the node has not built the client yet."""
        if self._data is None:
            raise RuntimeError("the node has not built the local venue's data client")
        self._data.begin()

    def cease(self) -> None:
        """Send no more data."""
        if self._data is not None:
            self._data.cease()

    def ended(self, _cache: Any) -> bool:
        """Whether as many bars came as the run wanted; the broker itself never ends."""
        return self._data is not None and self._data.ended

    def error(self) -> BaseException | None:
        """What kept a client from connecting or reading."""
        found = None if self._data is None else self._data.error
        return found or (None if self._execution is None else self._execution.failure)

    def _check(self, hello: dict[str, Any]) -> None:
        config = self._config
        missing = [str(kind) for kind in self._market.bar_types if str(kind) not in hello["bar_types"]]
        if missing:
            raise AdapterError(
                f"venue={config.name}: the broker does not play {', '.join(missing)}; start it with the same data, "
                f"instruments and bar as the run (it plays {', '.join(hello['bar_types'])})"
            )
        if hello["currency"] != config.currency:
            raise AdapterError(
                f"venue.currency={config.currency}: the broker's account is in {hello['currency']}; start it with "
                f"currency={config.currency}"
            )
