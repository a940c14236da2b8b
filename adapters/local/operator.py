"""How is the local broker's account read and closed without a node?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.account import VenueOrder, VenueSnapshot
from adapters.errors import AdapterError
from adapters.local._parsing import order_of, snapshot_of
from adapters.local._wire import Row, Wire, unreachable
from adapters.local.config import LocalVenueConfig
from adapters.outcomes import RefusedError, RequestError


class LocalOperator:
    """adapters.account.Operator for the local broker."""

    def __init__(self, config: LocalVenueConfig) -> None:
        """Nothing is connected before `open`."""
        self._config = config
        self._wire = Wire(config.host, config.port, config.answer_secs)

    async def open(self) -> None:
        """Connect. Raises AdapterError."""
        try:
            await self._wire.open()
        except OSError as error:
            raise unreachable(self._config.name, self._config.host, self._config.port) from error

    async def close(self) -> None:
        """Hang up."""
        await self._wire.close()

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        """The account: all open orders, every order touched since with its fills, all positions."""
        row = await self._ask("snapshot", since=since_ns)
        return snapshot_of(row, row["ts"])

    async def order(self, client_order_id: str) -> VenueOrder | None:
        """One order by its client order id; None: the broker never took it."""
        row = await self._ask("order", client_order_id=client_order_id)
        return None if row["order"] is None else order_of(row["order"])

    async def cancel(self, venue_order_id: str) -> None:
        """Cancel an order; one that has ended meanwhile is no error."""
        try:
            await self._wire.request("cancel", venue_order_id=venue_order_id)
        except RefusedError as refused:
            row = await self._ask("order", venue_order_id=venue_order_id)
            if row["order"] is None or order_of(row["order"]).is_open:
                raise self._failed("cancel", refused) from refused
        except RequestError as error:
            raise self._failed("cancel", error) from error

    async def close_position(self, instrument: str, quantity: Decimal, client_order_id: str) -> None:
        """Close a position of `quantity` (signed as held) by a reduce-only market order."""
        await self._ask(
            "submit",
            client_order_id=client_order_id,
            instrument=instrument,
            side="SELL" if quantity > 0 else "BUY",
            type="MARKET",
            quantity=f"{abs(quantity):f}",
            reduce_only=True,
        )

    async def _ask(self, op: str, **fields: Any) -> Row:
        try:
            return await self._wire.request(op, **fields)
        except RequestError as error:
            raise self._failed(op, error) from error

    def _failed(self, op: str, error: Exception) -> AdapterError:
        return AdapterError(f"venue={self._config.name}: {op} failed: {error}")
