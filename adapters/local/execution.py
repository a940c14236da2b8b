"""How do orders reach the local broker, and its answers the engine?"""

from __future__ import annotations

from typing import Any

from adapters.account import VenueOrder, VenueSnapshot
from adapters.execution import Change, Found, KeelExecutionClient, Outgoing
from adapters.local._parsing import fill_of, order_of, snapshot_of
from adapters.local._wire import Row, Wire, unreachable
from adapters.local.config import LocalVenueConfig
from adapters.outcomes import RefusedError


class LocalExecutionClient(KeelExecutionClient):
    """Orders and account of the local broker. It knows orders that belong together, so lists are sent one by one."""

    def __init__(self, *, venue_config: LocalVenueConfig, **rest: Any) -> None:
        """`rest` is what the base class takes."""
        super().__init__(**rest)
        self._config = venue_config
        self._wire = Wire(
            venue_config.host, venue_config.port, venue_config.answer_secs, self._take, self.gap_ended
        )

    @property
    def ready(self) -> bool:
        """Whether the broker is connected."""
        return self._wire.ready

    async def open(self) -> None:
        """Connect. Raises AdapterError."""
        try:
            await self._wire.open()
        except OSError as error:
            raise unreachable(self._config.name, self._config.host, self._config.port) from error

    async def close(self) -> None:
        """Hang up."""
        await self._wire.close()

    async def send(self, outgoing: Outgoing) -> VenueOrder:
        """Submit an order."""
        order, intent = outgoing.order, outgoing.intent
        if intent["tif"] not in ("GTC", "DAY", "IOC"):
            raise RefusedError(f"the local broker knows no {intent['tif']} orders; use GTC, DAY or IOC")
        fields: Row = {key: _text(value) for key, value in intent.items() if key != "strategy"}
        if order.linked_order_ids:
            fields["linked"] = [str(each) for each in order.linked_order_ids]
            fields["contingency"] = None if order.contingency_type is None else order.contingency_type.name
        if order.parent_order_id is not None:
            fields["parent"] = str(order.parent_order_id)
        return order_of((await self._wire.request("submit", **fields))["order"])

    async def change(self, change: Change) -> VenueOrder:
        """Modify an order."""
        fields = {
            "venue_order_id": change.venue_order_id,
            "quantity": _text(change.quantity),
            "price": _text(change.price),
            "trigger_price": _text(change.trigger_price),
        }
        return order_of((await self._wire.request("modify", **fields))["order"])

    async def withdraw(self, client_order_id: str | None, venue_order_id: str | None) -> None:
        """Cancel an order."""
        await self._wire.request("cancel", client_order_id=client_order_id, venue_order_id=venue_order_id)

    async def find(self, client_order_id: str | None, venue_order_id: str | None) -> Found | None:
        """An order with its fills."""
        row = await self._wire.request(
            "order", client_order_id=client_order_id, venue_order_id=venue_order_id
        )
        if row["order"] is None:
            return None
        return order_of(row["order"]), tuple(fill_of(each) for each in row["fills"])

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        """The whole account."""
        row = await self._wire.request("snapshot", since=since_ns)
        return snapshot_of(row, row["ts"])

    def _take(self, event: Row) -> None:
        try:
            match event["event"]:
                case "order":
                    self.order_news(order_of(event["order"]))
                case "fill":
                    self.fill_news(fill_of(event["fill"]))
                case "account":
                    self.account_news(snapshot_of(event["account"], self.clock.timestamp_ns()))
        except Exception:  # news that cannot be read must not end the connection
            self.log.exception(f"news of the broker cannot be read: {event}")


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, bool)) else f"{value:f}"
