"""What the tests of a venue's orders share: a strategy that keeps its events, a gatekeeper's notes, a quiet node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nautilus_trader.common import Environment, LoggerConfig, LogLevel
from nautilus_trader.live import (
    LiveExecutionEngineConfig,
    LiveNodeBuilder,
    LiveNodeConfig,
    LiveRiskEngineConfig,
    SubmissionRecoveryPolicy,
)
from nautilus_trader.model import ClientOrderId, TraderId
from nautilus_trader.trading import Strategy, StrategyConfig

from adapters.account import VenueFill, VenueFlow, VenueOrder
from adapters.execution import Patience
from adapters.gatekeeper import Intent

SLOW_SECS = 30.0
"""For an answer: a machine under load needs long."""
QUICK = Patience(
    answer_secs=5.0, absent_secs=0.4, first_wait_secs=0.05, longest_wait_secs=0.2, missing_secs=0.1
)


@dataclass
class Notes:
    """A gatekeeper that keeps what it is told, and denies for `reason` while there is one."""

    reason: str | None = None
    told: list[tuple[str, ...]] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    orders: list[VenueOrder] = field(default_factory=list)
    fills: list[VenueFill] = field(default_factory=list)
    flows: list[VenueFlow] = field(default_factory=list)

    def before_send(self, order: Intent) -> str | None:
        self.intents.append(order)
        return self.reason

    def sent(self, client_order_id: str, venue_order_id: str | None) -> None:
        self.told.append(("sent", client_order_id, str(venue_order_id)))

    def unknown(self, client_order_id: str, why: str) -> None:
        self.told.append(("unknown", client_order_id, why))

    def resolved(self, client_order_id: str, outcome: str) -> None:
        self.told.append(("resolved", client_order_id, outcome))

    def own_fill(self, fill: VenueFill) -> None: ...

    def foreign_order(self, order: VenueOrder) -> None:
        self.orders.append(order)

    def foreign_fill(self, fill: VenueFill) -> None:
        self.fills.append(fill)

    def flow(self, flow: VenueFlow) -> None:
        self.flows.append(flow)

    @property
    def kinds(self) -> list[str]:
        return [each[0] for each in self.told]


class PlainConfig(StrategyConfig):
    """Nothing of its own."""

    def __init__(self, **_: object) -> None: ...


class Recording(Strategy):
    """Keeps the events of its orders."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.events: list[Any] = []
        self.began = False

    def on_order_event(self, event: Any) -> None:
        self.events.append(event)

    def send(self, order: Any) -> str:
        """Submit it; answers its id."""
        self.submit_order(order)
        return str(order.client_order_id)

    def cancel(self, name: str) -> None:
        self.cancel_order(ClientOrderId(name))

    def events_of(self, name: str) -> list[Any]:
        """The events of one order."""
        return [each for each in self.events if str(each.client_order_id) == name]

    def of(self, name: str) -> list[str]:
        """The kinds of events of one order."""
        return [type(each).__name__.removeprefix("Order") for each in self.events_of(name)]

    def fills_of(self, name: str) -> list[Any]:
        """The fills of one order."""
        return [each for each in self.events_of(name) if type(each).__name__ == "OrderFilled"]

    def status(self, name: str) -> str:
        """How the engine has an order."""
        order = self.cache.order(ClientOrderId(name))
        return "NONE" if order is None else str(order.status.name)


def quiet_builder() -> LiveNodeBuilder:
    """Of a node that reconciles, limits no rate and logs nothing."""
    rate = "100000/00:00:01"
    return LiveNodeBuilder.from_config(
        "TEST",
        LiveNodeConfig(
            environment=Environment.LIVE,
            trader_id=TraderId("KEEL-001"),
            logging=LoggerConfig(stdout_level=LogLevel.OFF),
            delay_post_stop_secs=0.0,
            timeout_connection_secs=60.0,
            risk_engine=LiveRiskEngineConfig(max_order_submit_rate=rate, max_order_modify_rate=rate),
            exec_engine=LiveExecutionEngineConfig(
                reconciliation=True,
                reconciliation_startup_delay_secs=0.0,
                submission_recovery_policy=SubmissionRecoveryPolicy.RETAIN_UNRESOLVED,
            ),
        ),
    )
