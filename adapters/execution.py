"""What does every broker's execution client have in common? Whatever must never go wrong with an order.

An adapter derives from `KeelExecutionClient` and writes what only its venue knows: `open`, `close`, `ready`, `send`,
`change`, `withdraw`, `find` and `snapshot`; it hands the venue's news to `order_news`, `fill_news` and `account_news`,
and calls `gap_ended` after every reconnect. The rest is here, with these rules:

* The gatekeeper has the last word on every order, also on those born inside the engine.
* A command never waits for another one's answer: the engine calls an adapter's hooks one after the other.
* Every command is answered, every exception caught. An outcome that is unknown is asked for, by client order id, until
  it is known; only the venue's own repeated word that it never received an order ends it.
* A cancel is repeated until the order has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.common import Logger
from nautilus_trader.live.clients import ExecutionClient
from nautilus_trader.model import AccountType, ExecutionMassStatus, InstrumentId

from adapters.account import VenueFill, VenueOrder, VenueSnapshot
from adapters.errors import AdapterError
from adapters.gatekeeper import Gatekeeper, Intent, OpenGate
from adapters.reconciling import Reconciling
from adapters.reports import Reporter, balance_of, decimal_of, intent_of
from adapters.sending import Sending
from adapters.tracking import Listeners, OrderBook, Tracked
from adapters.voices import EventVoice, ReportVoice

if TYPE_CHECKING:
    from nautilus_trader.model import FillReport, OrderStatusReport, PositionStatusReport

NANOS = 1_000_000_000
DAY = 86_400 * NANOS


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a venue, in seconds."""

    answer_secs: float = 5.0
    """For the answer to one request."""
    absent_secs: float = 5.0
    """From the first word that an order never came to believing it: it may still be on its way."""
    absent_answers: int = 3
    """How many such words it takes, at least."""
    first_wait_secs: float = 0.1
    """Before asking again; doubles each time."""
    longest_wait_secs: float = 5.0
    """Between two questions."""
    missing_secs: float = 0.25
    """For a fill that a status announced, before it is asked for."""
    reconcile_secs: float = 60.0
    """Between two looks at the whole account, in case news were lost unnoticed."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An order to send: its plain values, and the engine's own object for what only some venues know."""

    intent: Intent
    order: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change about a working order; None leaves a value as it is."""

    client_order_id: str | None
    venue_order_id: str | None
    quantity: Decimal | None
    price: Decimal | None
    trigger_price: Decimal | None


Found = tuple[VenueOrder, tuple[VenueFill, ...]]
"""An order with all of its fills."""


class KeelExecutionClient(ExecutionClient):
    """The base of every broker adapter's execution client."""

    def __init__(
        self, *, gatekeeper: Gatekeeper | None = None, patience: Patience | None = None, **engine: Any
    ) -> None:
        """`engine` is what the engine's own base class takes."""
        super().__init__(**engine)
        self.gatekeeper: Gatekeeper = gatekeeper or OpenGate()
        self.patience = patience or Patience()
        self.failure: BaseException | None = None
        """What kept the client from connecting."""
        self.log = Logger(type(self).__name__)
        self.reporter = Reporter(self.account_id)
        self.sending = Sending(self)
        self.reconciling = Reconciling(self)
        self.book = OrderBook(
            Listeners(
                foreign=self._foreign,
                foreign_order=lambda order: self.told("foreign_order", order),
                foreign_fill=lambda fill: self.told("foreign_fill", fill),
                own_fill=lambda fill: self.told("own_fill", fill),
                missing=self.reconciling.ask_soon,
                stray=self.reconciling.ask_stray,
                risen=self._risen,
            )
        )
        self._denied: set[str] = set()
        self._reconciled = False
        self._early: list[VenueOrder | VenueFill] = []  # news from before the engine knew the account

    # -- what an adapter writes

    @property
    def ready(self) -> bool:
        """Whether an order can be sent at this moment."""
        raise NotImplementedError

    async def open(self) -> None:
        """Connect. Raises AdapterError, one line, when the venue cannot be used."""
        raise NotImplementedError

    async def close(self) -> None:
        """Hang up."""
        raise NotImplementedError

    async def send(self, outgoing: Outgoing) -> VenueOrder:
        """Send an order; it is on its way before the first await, so that orders leave in their order.

        Raises the errors of adapters.outcomes; anything else counts as an unknown outcome.
        """
        raise NotImplementedError

    async def change(self, change: Change) -> VenueOrder:
        """Change a working order. Raises as `send` does."""
        raise NotImplementedError

    async def withdraw(self, client_order_id: str | None, venue_order_id: str | None) -> None:
        """Ask the venue to cancel an order. Raises as `send` does."""
        raise NotImplementedError

    async def find(self, client_order_id: str | None, venue_order_id: str | None) -> Found | None:
        """An order with its fills; None: the venue says that it never took it. Raises when it cannot tell."""
        raise NotImplementedError

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        """All open orders, orders touched since, the fills of these, all positions. Raises when it cannot tell."""
        raise NotImplementedError

    # -- what an adapter calls

    def order_news(self, order: VenueOrder) -> None:
        """The venue says where an order stands."""
        self._news(order)

    def fill_news(self, fill: VenueFill) -> None:
        """The venue tells a fill."""
        self._news(fill)

    def account_news(self, account: VenueSnapshot) -> None:
        """The venue says what the account holds."""
        margin = self.account_type == AccountType.MARGIN
        balance = balance_of(account.balance if margin else account.cash, account.currency)
        self.generate_account_state([balance], [], reported=True, ts_event=account.ts)

    def gap_ended(self) -> None:
        """The connection is back: whatever was missed is asked for."""
        if self._reconciled:
            self.background(self.reconciling.catch_up(), "reconcile")

    # -- what the helpers use

    def background(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Go on with something beside the engine's commands; what it raises is logged, never lost."""
        self.create_task(self._guarded(work, name), name)

    def told(self, what: str, *values: Any) -> None:
        """Tell the gatekeeper something; that it raises changes nothing here."""
        try:
            getattr(self.gatekeeper, what)(*values)
        except Exception:  # an order in flight must not hang on who keeps the record
            self.log.exception(f"the gatekeeper raised in {what}")

    def instrument_of(self, name: str) -> Any:
        """The engine's instrument; None when the node does not know it."""
        return self.cache.instrument(InstrumentId.from_str(name))

    # -- the engine's hooks: life

    async def _connect(self) -> None:
        try:
            await self.open()
            self.account_news(await self.snapshot(self.clock.timestamp_ns()))
        except Exception as error:
            self.failure = error
            raise
        self.background(self.reconciling.look_now_and_then(), "look now and then")

    async def _disconnect(self) -> None:
        try:
            await asyncio.wait_for(self.close(), self.patience.answer_secs)
        except Exception:  # the node has to stop all the same
            self.log.exception("hanging up failed")

    async def _guarded(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Do it in a task of its own: the engine cancels its tasks once, and takes a timeout inside for that once."""
        try:
            await asyncio.ensure_future(work)
        except Exception:  # a task that dies unseen would leave an order unanswered
            self.log.exception(f"{name} failed")

    # -- the engine's hooks: commands

    async def _submit_order(self, command: Any) -> None:
        self._pass(command.client_order_id)

    async def _submit_order_list(self, command: Any) -> None:
        for init in command.order_inits:
            self._pass(init.client_order_id)

    async def _modify_order(self, command: Any) -> None:
        change = Change(
            str(command.client_order_id),
            None if command.venue_order_id is None else str(command.venue_order_id),
            decimal_of(command.quantity),
            decimal_of(command.price),
            decimal_of(command.trigger_price),
        )
        self.background(self.sending.modify(change), f"modify {command.client_order_id}")

    async def _cancel_order(self, command: Any) -> None:
        venue_order_id = None if command.venue_order_id is None else str(command.venue_order_id)
        self._cancel(str(command.client_order_id), venue_order_id)

    async def _cancel_all_orders(self, command: Any) -> None:
        side = None if command.order_side is None else command.order_side.name
        for tracked in list(self.book):
            here = tracked.instrument == str(command.instrument_id) and not tracked.closed
            if here and side in (None, "NO_ORDER_SIDE", tracked.side):
                self._cancel(tracked.client_order_id, tracked.venue_order_id)

    async def _query_order(self, command: Any) -> None:
        tracked = self.book.find(str(command.client_order_id))
        if tracked is not None:
            self.reconciling.ask_soon(tracked)

    async def _query_account(self, _command: Any) -> None:
        self.background(self.reconciling.catch_up(), "query account")

    def _cancel(self, client_order_id: str | None, venue_order_id: str | None) -> None:
        self.background(self.sending.cancel(client_order_id, venue_order_id), f"cancel {client_order_id}")

    def _pass(self, client_order_id: Any) -> None:
        """Let one order through the gatekeeper and send it, or deny it."""
        name, order = str(client_order_id), self.cache.order(client_order_id)
        if order is None or order.is_closed or self.book.find(name) is not None:
            self.log.error(f"order {name} is not sent: unknown here, closed, or sent before")
            return
        try:
            why = self._why_not(order)
        except Exception as error:  # noqa: BLE001 - a doubt is a refusal: the order has not left yet
            why = f"GATEKEEPER: {type(error).__name__}: {error}"
        if why is not None:
            self._denied.add(name)
            self.generate_order_denied(order, why)
            return
        intent = intent_of(order)
        tracked = Tracked(
            voice=EventVoice(self, order, self.instrument_of(intent["instrument"])),
            own=True,
            client_order_id=name,
            instrument=intent["instrument"],
            side=intent["side"],
            quantity=intent["quantity"],
            price=intent["price"],
            trigger_price=intent["trigger_price"],
        )
        self.book.add(tracked)
        self.generate_order_submitted(order)
        self.background(self.sending.submit(tracked, Outgoing(intent, order)), f"submit {name}")

    def _why_not(self, order: Any) -> str | None:
        if not self.ready:
            return "NOT_CONNECTED: the venue cannot be reached; nothing was sent"
        if order.parent_order_id is not None and str(order.parent_order_id) in self._denied:
            return f"PARENT_DENIED: {order.parent_order_id} was not sent"
        return self.gatekeeper.before_send(intent_of(order))

    # -- the engine's hooks: reports

    async def _generate_mass_status(self, lookback_mins: int | None) -> ExecutionMassStatus:
        now = self.clock.timestamp_ns()
        since = now - (DAY if lookback_mins is None else lookback_mins * 60 * NANOS)
        try:
            account = await self.snapshot(since)
        except Exception as error:
            self.failure = error
            raise
        if self.venue is None:
            raise AdapterError("an execution client needs a venue")
        for order, its_fills in account.by_order():
            if self.book.find(order.client_order_id, order.venue_order_id) is None:
                self.book.seed(order, its_fills)
        status = ExecutionMassStatus(self.client_id, self.account_id, self.venue, now)
        orders, _, positions = self._reports(replace(account, orders=_open(account)))
        status.add_order_reports(orders)
        status.add_position_reports(positions)
        self.reconciling.seen_ns = account.ts
        self._reconciled = True
        early, self._early = self._early, []
        for news in early:
            self._news(news)
        return status

    def _reports(
        self, account: VenueSnapshot
    ) -> tuple[list[OrderStatusReport], list[FillReport], list[PositionStatusReport]]:
        now, known = self.clock.timestamp_ns(), self._known
        report = self.reporter
        return (
            [
                report.order(rest, one, now)
                for each in account.orders
                if (rest := self._rest(each)).quantity and (one := known(each.instrument))
            ],
            [report.fill(each, one, now) for each in account.fills if (one := known(each.instrument))],
            [
                report.position(each, one, account.ts, now)
                for each in account.positions
                if (one := known(each.instrument))
            ],
        )

    def _rest(self, order: VenueOrder) -> VenueOrder:
        """An order as the engine knows it: what was filled before this node is in its positions only."""
        tracked = self.book.find(order.client_order_id, order.venue_order_id)
        if tracked is None or not tracked.before:
            return order
        rest = tracked.rest(order, order.filled)
        return replace(rest, status="ACCEPTED") if order.is_open and not rest.filled else rest

    def _known(self, name: str) -> Any:
        found = self.instrument_of(name)
        if found is None:
            self.log.warning(f"the account has orders or positions in {name}, which this node does not trade")
        return found

    async def _generate_order_status_report(self, command: Any) -> OrderStatusReport | None:
        name = None if command.client_order_id is None else str(command.client_order_id)
        venue_name = None if command.venue_order_id is None else str(command.venue_order_id)
        found = await self.find(name, venue_name)
        instrument = None if found is None else self._known(found[0].instrument)
        if found is None or instrument is None:
            return None
        rest = self._rest(found[0])
        return self.reporter.order(rest, instrument, self.clock.timestamp_ns()) if rest.quantity else None

    async def _generate_order_status_reports(self, command: Any) -> list[OrderStatusReport]:
        reports, _, _ = self._reports(await self.snapshot(command.start or 0))
        return [each for each in reports if _about(command, each) and (each.is_open or not command.open_only)]

    async def _generate_fill_reports(self, command: Any) -> list[FillReport]:
        _, reports, _ = self._reports(await self.snapshot(command.start or 0))
        return [each for each in reports if _about(command, each)]

    async def _generate_position_status_reports(self, command: Any) -> list[PositionStatusReport]:
        _, _, reports = self._reports(await self.snapshot(self.clock.timestamp_ns()))
        return [each for each in reports if _about(command, each)]

    # -- below

    def _news(self, news: VenueOrder | VenueFill) -> None:
        if not self._reconciled:
            self._early.append(news)
        elif isinstance(news, VenueOrder):
            self.book.order(news)
        else:
            self.book.fill(news)

    def _foreign(self, order: VenueOrder) -> Tracked:
        return Tracked(
            voice=ReportVoice(self, self.reporter, self.instrument_of(order.instrument)),
            own=False,
            client_order_id=order.client_order_id,
            instrument=order.instrument,
            side=order.side,
            quantity=order.quantity,
            price=order.price,
            trigger_price=order.trigger_price,
            venue_order_id=order.venue_order_id,
            last=order,
        )

    def _risen(self, order: VenueOrder) -> None:
        self.log.error(
            f"order {order.client_order_id} came to the venue after it had said that it never received it; "
            "what is left of it is cancelled"
        )
        if order.is_open:
            self._cancel(None, order.venue_order_id)


def _open(account: VenueSnapshot) -> tuple[VenueOrder, ...]:
    """The orders that the engine is told of at the start. Fills of the past it gets as positions alone.

    Given both, it works the average price of a position out by itself, and refuses to start where that differs from the
    venue's, as it does after a position was turned round or an order was filled in parts.
    """
    return tuple(each for each in account.orders if each.is_open)


def _about(command: Any, report: Any) -> bool:
    return command.instrument_id is None or command.instrument_id == report.instrument_id
