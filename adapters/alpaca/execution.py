"""How do orders reach Alpaca, and its news the engine?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from nautilus_trader.model import ClientOrderId, InstrumentId, OrderStatus, PositionSide

from adapters.account import VenueFlow, VenueOrder, VenueSnapshot
from adapters.alpaca._account import AccountReader
from adapters.alpaca._account_feed import AccountFeed, Hearers
from adapters.alpaca._answers import AlpacaRefusedError, RateLimitedError
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._coins import Coins
from adapters.alpaca._lists import Lists, Pending
from adapters.alpaca._names import WireName
from adapters.alpaca._parsing import ENDS, REPLACED, Row, execution_of_update, is_crypto
from adapters.alpaca._past_data import shown_parameters
from adapters.alpaca._reducing import would_not_reduce
from adapters.alpaca._replacing import Replacing
from adapters.alpaca.activities import FlowWatch
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.alpaca.orders import EXTENDED_HOURS, body_of
from adapters.errors import AdapterError
from adapters.execution import Change, Found, KeelExecutionClient, Outgoing
from adapters.outcomes import NotSentError, RefusedError, RequestError, UnknownOutcomeError

FILLS = ("fill", "partial_fill")
UNPROCESSABLE = 422
WRITABLE = Decimal("1E-7")
"""Of a coin: so far the engine, which writes eight decimals, may be from Alpaca's nine after a few fills."""


class AlpacaExecutionClient(KeelExecutionClient):
    """Orders and account of one Alpaca account.

    Orders go by REST, news come by stream; while there is no stream the account is polled. `api` is closed by whoever
    made it.
    """

    def __init__(
        self,
        *,
        venue_config: AlpacaVenueConfig,
        api: AlpacaApi,
        on_flow: Callable[[VenueFlow], None] | None = None,
        **rest: Any,
    ) -> None:
        """`on_flow` hears of money and shares that no order explains; `rest` is what the base class takes."""
        super().__init__(**rest)
        self._config, self._api = venue_config, api
        self._reader = AccountReader(api, self.log.warning)
        self._replacing = Replacing(api, self._reader)
        self._lists = Lists(self._is_filled, self._is_settled)
        self._coins = Coins()
        self._parameters: str | None = None  # those of the command that is looked at
        self._later: list[Row] = []  # news of exits whose names are not known yet
        hearers = Hearers(self._hear_or_ask, self.gap_ended, self._look, self._tell_account)
        self._feed = AccountFeed(api, hearers)
        self._flows = FlowWatch(api, self._flow)
        self._on_flow = on_flow
        self._open = False

    @property
    def ready(self) -> bool:
        """Whether an order can be sent; news come by stream or by polling."""
        return self._open

    @property
    def polling(self) -> bool:
        """Whether the account is polled because the stream is away."""
        return self._feed.polling

    # -- life

    async def open(self) -> None:
        """Connect. Raises AdapterError."""
        try:
            account = await self._api.call(self._api.trading.get_account, urgent=True)
        except RequestError as error:
            raise AdapterError(f"venue={self._config.name}: {error}") from error
        for flag in ("trading_blocked", "account_blocked", "trade_suspended_by_user"):
            if account.get(flag):
                raise AdapterError(
                    f"venue={self._config.name}: the account may not trade: {flag} is set at Alpaca"
                )
        await self._feed.open()
        await self._flows.open()
        self._open = True

    async def close(self) -> None:
        """Hang up."""
        self._open = False
        await self._flows.close()
        await self._feed.close()

    # -- commands

    async def send(self, outgoing: Outgoing) -> VenueOrder:
        """Submit an order, or with its head all orders of a group."""
        name = outgoing.intent["client_order_id"]
        pending = self._lists.pending(name)
        if pending is None:
            body = body_of(outgoing.order, WireName(name), extended_hours=self._config.extended_hours)
            return await self._submit(name, body)
        try:
            if name == pending.head and not pending.answered.done():
                return await self._submit_group(name, pending)
            await asyncio.shield(pending.answered)
            return self._stands(name)
        finally:
            self._lists.drop(name)
            self._hear_later()

    async def change(self, change: Change) -> VenueOrder:
        """Modify an order."""
        order = await self._replacing.change(change)
        self._feed.owe(order.venue_order_id)
        return order

    async def withdraw(self, client_order_id: str | None, venue_order_id: str | None) -> None:
        """Cancel an order, by the id that it has now."""
        name = client_order_id or ""
        if self._replacing.under_way(name):
            raise UnknownOutcomeError("the order is being changed; it is cancelled as soon as that is known")
        tip = self._reader.ledger.tip(name)
        order_id = venue_order_id if tip is None else str(tip["id"])
        if order_id is None:
            found = await self.find(client_order_id, None)
            if found is None:
                raise RefusedError("Alpaca does not know the order")
            order_id = found[0].venue_order_id
        try:
            await self._api.call(self._api.trading.delete, f"/orders/{order_id}", urgent=True)
        except AlpacaRefusedError as refused:
            await self._not_cancelled(order_id, refused)

    async def find(self, client_order_id: str | None, venue_order_id: str | None) -> Found | None:
        """An order with its fills."""
        found = await self._reader.find(client_order_id, venue_order_id)
        if found is not None and found[1]:
            self._feed.moved()  # fills that no update told, perhaps
            held = await self._reader.positions() if self._coins.unseen(found[1]) else None
            found = found[0], self._coins.learned(found[1], held)
        self._hear_later()
        return found

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        """The whole account."""
        account = await self._reader.snapshot(since_ns)
        all_told = since_ns <= self.reconciling.seen_ns
        return replace(
            account, fills=self._coins.learned(account.fills, account.positions, all_told=all_told)
        )

    # -- the engine's hooks

    async def _submit_order(self, command: Any) -> None:
        self._parameters = shown_parameters(command)
        await super()._submit_order(command)

    async def _submit_order_list(self, command: Any) -> None:
        self._parameters = shown_parameters(command)
        orders = [self.cache.order(init.client_order_id) for init in command.order_inits]
        made = self._lists.take([each for each in orders if each is not None])
        await super()._submit_order_list(command)
        for pending in made:
            denied = [name for name in pending.names if name in self._denied]
            if denied:
                why = f"LIST: {denied[0]} was denied, so that nothing of its list is sent"
                pending.fail(NotSentError(why))
                for name in denied:
                    self._lists.drop(name)

    def _why_not(self, order: Any) -> str | None:
        if self._parameters is not None:
            return f"PARAMETERS: {self._parameters}: Alpaca takes none; an order asks by its tags ({EXTENDED_HOURS})"
        return self._lists.why_not(order) or self._would_not_reduce(order) or super()._why_not(order)

    def _would_not_reduce(self, order: Any) -> str | None:
        """Alpaca knows no reduce-only orders, so that it is seen to here; exits sent with their entry are safe."""
        pending = self._lists.pending(str(order.client_order_id))
        if not order.is_reduce_only or (pending is not None and pending.group.order_class != "oco"):
            return None
        return would_not_reduce(order, self.cache, self.book)

    def _is_settled(self, name: str) -> bool:
        order = self.cache.order(ClientOrderId(name))
        return order is None or order.is_closed or self._reader.ledger.tip(name) is not None

    def _is_filled(self, name: str) -> bool:
        order = self.cache.order(ClientOrderId(name))
        return order is not None and order.status == OrderStatus.FILLED

    # -- sending

    async def _submit_group(self, name: str, pending: Pending) -> VenueOrder:
        wire = str(pending.group.name)
        self._reader.sent_as.update(dict.fromkeys(pending.names, wire))
        try:
            order = await self._submit(name, pending.group.body())
            for each in pending.names:
                self._stands(each)
        except BaseException as error:
            if not isinstance(error, NotSentError | RefusedError):
                self._lists.doubt(pending)
            pending.fail(error)
            raise
        else:
            pending.done()
        return order

    async def _submit(self, name: str, body: Row) -> VenueOrder:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._api.answer_secs
        while True:
            try:
                row = await self._api.call(
                    self._api.trading.post,
                    "/orders",
                    body,
                    urgent=True,
                    once=True,
                    at_most_secs=max(0.0, deadline - loop.time()),
                )
            except RateLimitedError as limited:
                found = await self.find(name, None)
                if found is not None:
                    return found[0]
                if loop.time() + limited.wait_secs > deadline:
                    raise RefusedError(f"RATE_LIMIT: {limited}; the order was not taken") from limited
            else:
                self._reader.ledger.note(row)
                self._feed.owe(str(row["id"]))
                return self._stands(name)

    def _stands(self, name: str) -> VenueOrder:
        order = self._reader.ledger.order(name)
        if order is None:
            raise UnknownOutcomeError(f"Alpaca's answer does not tell of {name}")
        return order

    async def _not_cancelled(self, order_id: str, refused: AlpacaRefusedError) -> None:
        """A cancel that is refused because the order is ending anyway is as good as obeyed."""
        if refused.status != UNPROCESSABLE:
            raise refused
        row = await self._reader.row(order_id)
        if row is None:
            raise refused
        name = self._reader.ledger.note(row)
        if row["status"] == REPLACED:
            await self._reader.complete(name, urgent=True)
            order = self._reader.ledger.order(name)
            if order is not None and not order.is_open:
                return
        if row["status"] in ("pending_replace", REPLACED):
            raise UnknownOutcomeError("the order is being changed; it is cancelled as soon as that is known")
        if row["status"] not in (*ENDS, "pending_cancel"):
            raise refused

    # -- news

    def _hear_or_ask(self, update: Row) -> None:
        """A trade update; where it cannot be taken as it is, the broker is asked for the order instead."""
        try:
            self._hear(update)
        except Exception:  # the order must not stay as it was
            self.log.exception("a trade update cannot be taken in")
            row = update["order"]
            self.background(self._ask(None, str(row["id"])), f"ask for {row['id']}")

    def _hear(self, update: Row) -> None:
        """A trade update. News of exits whose names the answer to their entry will tell wait for it."""
        row, ledger = update["order"], self._reader.ledger
        if not self._reader.readable(row):
            return
        if self._lists and ledger.stranger(row):
            self._later.append(update)
            return
        name = ledger.note(row)
        self._replacing.moved(name)
        filled = update["event"] in FILLS
        order = ledger.order(name)
        if order is not None and row.get("notional") is not None and filled:
            self.order_news(order)  # only now it is known how many shares the dollars bought
        if filled:
            execution = execution_of_update(update)
            if ledger.fill(execution):
                self.fill_news(self._coins.charged(ledger.venue_fill(execution), update))
            self._feed.moved()
        if order is None:
            self.background(self._ask(name, None), f"ask for {name}")
        else:
            self.order_news(order)
        self._hear_later()

    def _hear_later(self) -> None:
        if not self._lists and self._later:
            later, self._later = self._later, []
            for update in later:
                self._hear(update)

    async def _ask(self, name: str | None, venue_order_id: str | None) -> None:
        found = await self.find(name, venue_order_id)
        if found is not None:
            self.book.bundle(*found)

    async def _look(self) -> None:
        if self._reconciled:
            await self.reconciling.catch_up()

    async def _tell_account(self) -> None:
        self.account_news(await self._reader.balances())

    def _flow(self, flow: VenueFlow) -> None:
        flow = self._coins.explained(flow)
        if flow.kind == "fee" and flow.moves_shares and is_crypto(flow.instrument or ""):
            self.background(self._coin_fee(flow), f"look at what {flow.id} took")
        else:
            self._tell_flow(flow)

    async def _coin_fee(self, flow: VenueFlow) -> None:
        """A fee in coins whose fill is not known here, such as one of the day before this node.

        Its coins are gone since the fill: where the engine holds what Alpaca says is held, it moves nothing more.
        """
        try:
            held = await self._reader.positions()
        except Exception as error:  # noqa: BLE001 - no answer is no answer: then it is told as it came
            self.log.warning(f"Alpaca does not tell what is held of {flow.instrument}: {error}")
        else:
            there = sum((each.quantity for each in held if each.instrument == flow.instrument), Decimal(0))
            if abs(there - self._engine_holds(str(flow.instrument))) <= WRITABLE:
                flow = replace(flow, quantity=None)
        self._tell_flow(flow)

    def _engine_holds(self, instrument: str) -> Decimal:
        held = Decimal(0)
        for each in self.cache.positions_open(instrument_id=InstrumentId.from_str(instrument)):
            quantity: Decimal = each.quantity.as_decimal()
            held += -quantity if each.side == PositionSide.SHORT else quantity
        return held

    def _tell_flow(self, flow: VenueFlow) -> None:
        self.log.info(f"account activity: {flow}")
        self._feed.moved()
        if flow.moves_shares and self._reconciled:
            self.background(self.reconciling.catch_up(), "look at the account")
        if self._on_flow is not None:
            self._on_flow(flow)
