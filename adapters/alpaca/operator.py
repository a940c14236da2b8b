"""How is an Alpaca account read and closed without a node?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from adapters.account import VenueFlow, VenueOrder, VenueSnapshot
from adapters.alpaca._account import AccountReader
from adapters.alpaca._answers import AlpacaRefusedError, DuplicateError, RateLimitedError
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing import (
    ENDS,
    REPLACED,
    Row,
    instrument_of,
    is_crypto,
    is_exit,
    position_of,
    symbol_of,
)
from adapters.alpaca.activities import flows
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.alpaca.keys import Keys
from adapters.alpaca.orders import text_of
from adapters.errors import AdapterError
from adapters.execution import Found
from adapters.outcomes import RequestError

ENDING = (*ENDS, "pending_cancel")
NOT_FOUND = 404


class AlpacaOperator:
    """adapters.account.Operator for Alpaca; it has a connection and a budget of its own."""

    def __init__(self, config: AlpacaVenueConfig, keys: Keys) -> None:
        """Nothing is connected before `open`."""
        self._config, self._keys = config, keys
        self._api: AlpacaApi | None = None
        self._reader: AccountReader | None = None
        self._ended: dict[str, Found] = {}  # orders that were asked for by name and had ended

    async def open(self) -> None:
        """Connect, and see whether the keys are accepted. Raises AdapterError."""
        self._api = AlpacaApi(self._config, self._keys)
        self._reader = AccountReader(self._api)
        try:
            await self._api.call(self._api.trading.get_account, urgent=True)
        except RequestError as error:
            raise self._failed("connecting", error) from error

    async def close(self) -> None:
        """Hang up."""
        if self._api is not None:
            self._api.close()

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        """The account: all open orders, every order touched since with its fills, all positions.

        With every order that `order` found to have ended, however long ago that was.
        """
        try:
            found = await self._asked()[1].snapshot(since_ns)
        except RequestError as error:
            raise self._failed("reading the account", error) from error
        told = {each.client_order_id for each in found.orders}
        ended = [each for name, each in self._ended.items() if name not in told]
        orders = (*found.orders, *(order for order, _ in ended))
        return replace(
            found, orders=orders, fills=(*found.fills, *(fill for _, fills in ended for fill in fills))
        )

    async def order(self, client_order_id: str) -> VenueOrder | None:
        """One order by its client order id; None: Alpaca never took it."""
        try:
            found = await self._asked()[1].find(client_order_id, None)
        except RequestError as error:
            raise self._failed(f"asking for {client_order_id}", error) from error
        if found is None:
            return None
        if not found[0].is_open:
            self._ended[client_order_id] = found
        return found[0]

    async def flows(self, since_ns: int) -> list[VenueFlow]:
        """Money and shares that came or went without an order since then, oldest first."""
        try:
            return await flows(self._asked()[0], since_ns)
        except RequestError as error:
            raise self._failed("reading the activities", error) from error

    async def cancel(self, venue_order_id: str) -> None:
        """Cancel an order; one that has ended meanwhile is no error, and one that was changed is cancelled as it is."""
        api, reader = self._asked()
        try:
            row = await reader.row(venue_order_id)
            while row is not None and row["status"] == REPLACED and row.get("replaced_by"):
                before, row = row, await reader.row(str(row["replaced_by"]))
                if row is not None and _is_other_exit(before, row):
                    return
            if row is None or row["status"] in ENDING or (row["status"] == REPLACED and is_exit(row)):
                return
            await self._cancelled(api, reader, str(row["id"]))
        except RequestError as error:
            raise self._failed(f"cancelling {venue_order_id}", error) from error

    async def close_position(self, instrument: str, quantity: Decimal, client_order_id: str) -> None:
        """Close a position of `quantity` (signed as held) by a market order, never more than Alpaca says is held."""
        api, reader = self._asked()
        try:
            held = await self._held(api, instrument)
            if held * quantity <= 0 or abs(held) < abs(quantity):
                raise AdapterError(
                    f"venue={self._config.name}: {instrument} is not closed: {text_of(quantity)} were to be closed, "
                    f"but the account holds {text_of(held)}"
                )
            body: Row = {
                "symbol": symbol_of(instrument),
                "side": "sell" if quantity > 0 else "buy",
                "type": "market",
                "time_in_force": "gtc" if is_crypto(instrument) else "day",
                "qty": text_of(abs(quantity)),
                "client_order_id": client_order_id,
            }
            await self._sent(api, reader, body)
        except RequestError as error:
            raise self._failed(f"closing {instrument}", error) from error

    # -- below

    @staticmethod
    async def _cancelled(api: AlpacaApi, reader: AccountReader, order_id: str) -> None:
        try:
            await api.call(api.trading.delete, f"/orders/{order_id}", urgent=True)
        except AlpacaRefusedError:
            row = await reader.row(order_id)
            if row is None or row["status"] not in ENDING:
                raise

    @staticmethod
    async def _sent(api: AlpacaApi, reader: AccountReader, body: Row) -> None:
        """Send an order once; one that the broker has already is the same one, sent before."""
        try:
            await api.call(api.trading.post, "/orders", body, urgent=True, once=True)
        except (DuplicateError, RateLimitedError):
            if await reader.find(str(body["client_order_id"]), None) is None:
                raise

    @staticmethod
    async def _held(api: AlpacaApi, instrument: str) -> Decimal:
        rows = await api.call(api.trading.get_all_positions, urgent=True)
        found = [position_of(row).quantity for row in rows if instrument_of(row) == instrument]
        return found[0] if found else Decimal(0)

    def _asked(self) -> tuple[AlpacaApi, AccountReader]:
        if self._api is None or self._reader is None:
            raise AdapterError(f"venue={self._config.name}: not connected")
        return self._api, self._reader

    def _failed(self, what: str, error: Exception) -> AdapterError:
        return AdapterError(f"venue={self._config.name}: {what} failed: {error}")


def _is_other_exit(one: Row, other: Row) -> bool:
    """Whether they are the two exits of a group: the stop replaces the take-profit, which has ended with that."""
    return is_exit(one) and is_exit(other) and one["group_role"] != other["group_role"]
