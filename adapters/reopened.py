"""How does the engine's sandbox begin with cash and positions that an earlier node left behind?

The sandbox itself begins with money alone. A second execution client, which no order ever reaches, answers the engine's
question of what the account holds, in the sandbox's name: the engine makes each position by one fill at its average
price. On a cash account that fill costs its price, on a margin account nothing; either way the balance begins as cash
and what the positions cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nautilus_trader.config import ExecutionClientConfig
from nautilus_trader.live.clients import ExecutionClient, ExecutionClientFactory
from nautilus_trader.model import ExecutionMassStatus, OmsType, Venue

from adapters.reports import Reporter, money_of, on_tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nautilus_trader.live import LiveNodeBuilder
    from nautilus_trader.model import (
        AccountId,
        AccountType,
        FillReport,
        Money,
        OrderStatusReport,
        PositionStatusReport,
    )

    from adapters.account import VenueSnapshot

NAME = "REOPENED"
"""Of the second client, and of the venue that it stands for: the real one's name has to lead to the sandbox."""


class Reopened:
    """An account that goes on. `add_to` puts its positions into a node."""

    def __init__(
        self, held: VenueSnapshot, venue: Venue, account_type: AccountType, instruments: Sequence[Any]
    ) -> None:
        """`instruments` are those of all positions."""
        self._instruments = {str(each.id): each for each in instruments}
        self._held = replace(
            held,
            positions=tuple(
                replace(each, average_price=on_tick(each.average_price, self._instruments[each.instrument]))
                for each in held.positions
            ),
        )
        self._venue = venue
        self._account_type = account_type

    @property
    def balance(self) -> Money:
        """What the sandbox begins with: equity is right then, also where an average price lies between two ticks."""
        return money_of(self._held.balance, self._held.currency)

    def add_to(self, builder: LiveNodeBuilder, account_id: AccountId) -> LiveNodeBuilder:
        """Add the client that tells the positions; without any there is nothing to tell."""
        if not self._held.positions:
            return builder
        held, instruments, account_type = self._held, self._instruments, self._account_type

        class Factory(ExecutionClientFactory):
            @staticmethod
            def create(*, name: str, config: Any, cache: Any, clock: Any, trader_id: Any) -> ReopenedClient:
                return ReopenedClient(
                    held=held, instruments=instruments,
                    name=name, config=config, cache=cache, clock=clock, trader_id=trader_id, venue=Venue(NAME),
                    account_id=account_id, account_type=account_type, oms_type=OmsType.NETTING,
                )  # fmt: skip

        return builder.add_exec_client(NAME, Factory(), ExecutionClientConfig())


class ReopenedClient(ExecutionClient):
    """Tells what the account held. It has no connection, and takes no orders."""

    def __init__(self, *, held: VenueSnapshot, instruments: dict[str, Any], **engine: Any) -> None:
        """`engine` is what the engine's own base class takes."""
        super().__init__(**engine)
        self._held = held
        self._instruments = instruments

    async def _connect(self) -> None:
        """There is nothing to connect to."""

    async def _disconnect(self) -> None:
        """There is nothing to hang up."""

    async def _generate_mass_status(self, _lookback_mins: int | None) -> ExecutionMassStatus:
        status = ExecutionMassStatus(self.client_id, self.account_id, Venue(NAME), self.clock.timestamp_ns())
        status.add_position_reports(self._positions())
        return status

    async def _generate_order_status_reports(self, _command: Any) -> list[OrderStatusReport]:
        return []

    async def _generate_fill_reports(self, _command: Any) -> list[FillReport]:
        return []

    async def _generate_position_status_reports(self, _command: Any) -> list[PositionStatusReport]:
        return self._positions()

    def _positions(self) -> list[PositionStatusReport]:
        report, now = Reporter(self.account_id), self.clock.timestamp_ns()
        return [
            report.position(each, self._instruments[each.instrument], now, now)
            for each in self._held.positions
        ]
