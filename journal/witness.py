"""What of all that the desk sees goes into the journal, and as which rows?

`JournalWitness` hears what the run's own record hears, and puts intents on disk before an order is handed on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from journal import tables
from journal.errors import JournalDownError
from journal.limits_version import limits_text, limits_version
from journal.tables import plain
from journal.trips import Trip, Trips
from risk.checks import Proposal
from risk.intents import Intent, IntentError
from risk.orders import STATUS_OF
from risk.state import Notice, RiskState
from risk.state import Trip as Tripped

if TYPE_CHECKING:
    from nautilus_trader.model import OrderInitialized
    from sqlalchemy import Table

    from journal.writer import Writer
    from risk.book import Book
    from risk.limits import RiskConfig

ZERO = Decimal(0)
NUMBERS = tuple(each.name for each in fields(Proposal))
OVER = frozenset({"FILLED", "CANCELED", "REJECTED", "DENIED", "EXPIRED", "NOT_SENT"})
Row = dict[str, Any]


class JournalWitness:
    """Writes the rows of one run. `base` are the values that all of them share: run_id, scope, mode, venue."""

    def __init__(self, writer: Writer, base: Mapping[str, str], currency: str) -> None:
        """`book` has to be set before anything happens; amounts in the account's currency are in `currency`.

        proposal_of: client order id -> what the limits were compared with in the newest decision.
        """
        self.writer = writer
        self.base = dict(base)
        self.currency = currency
        self.book: Book | None = None
        self.proposal_of: Callable[[str], Proposal | None] = _nothing
        self.trips = Trips()
        self.orders: dict[
            str, Row
        ] = {}  # client order id -> the values of its newest row, while it may change
        self.hold_problem: Callable[[], str | None] = _no_problem
        self.before_trip: Callable[[], None] = _no_more
        self.owner_of: Callable[[Any], str] = _sender
        self.former: set[str] = (
            set()
        )  # orders of earlier runs: the venue's client tells of these, not the engine
        self.decision_prices: dict[str, Decimal | None] = {}
        self._trades: set[tuple[str, str]] = set()  # (client order id, trade id): a fill counts once
        self._versions: dict[int, tuple[RiskConfig, str]] = {}
        self._state: object = None
        self.closed: list[Row] = []  # the round trips of this run that ended
        self.alarms: list[str] = []  # what a person should be told, in one line each; emptied by who tells it

    # -- intents: risk.intents.Intents ------------------------------------------------------------------------------

    def commit(self, ts: int, intents: Sequence[Intent]) -> None:
        """Put them on disk. Raises IntentError when that fails and one of them adds exposure."""
        rows = []
        for intent in intents:
            order = self._begun(ts, intent)
            if intent.adds:
                rows.append((tables.decisions, self._passed(ts, intent, order)))
            rows.append((tables.orders, dict(order)))
        try:
            self.writer.commit(*rows)
        except JournalDownError as error:
            if any(intent.adds for intent in intents):
                for intent in intents:
                    self._changed(ts, str(intent.order.client_order_id), "NOT_SENT", "NOT_SENT", str(error))
                raise IntentError(str(error)) from error

    def problem(self) -> str | None:
        """Why nothing can be written now, or the account may be another node's."""
        return self.writer.problem or self.hold_problem()

    def _begun(self, ts: int, intent: Intent) -> Row:
        event = intent.order
        name = str(event.client_order_id)
        self.decision_prices[name] = intent.price
        self.orders[name] = row = {
            **self.base,
            "ts": ts,
            "client_order_id": name,
            "venue_order_id": None,
            "event": "INTENT",
            "status": "INTENDED",
            "strategy": self.owner_of(event),
            "instrument": str(event.instrument_id),
            "side": event.order_side.name,
            "type": event.order_type.name,
            "quantity": event.quantity.as_decimal(),
            "price": None if event.price is None else event.price.as_decimal(),
            "trigger_price": None if event.trigger_price is None else event.trigger_price.as_decimal(),
            "tif": event.time_in_force.name,
            "reduce_only": bool(event.reduce_only),
            "filled": ZERO,
            "reason": None,
            "limits_version": self.version(intent.limits),
            "source": "gate",
        }
        return row

    def _passed(self, ts: int, intent: Intent, order: Row) -> Row:
        return {
            **self._decided(ts, order),
            "verdict": "PASS",
            "code": None,
            "reason": None,
            "reduces": not intent.adds,
            "price": intent.price,
            "limits_version": order["limits_version"],
            "numbers": _numbers(intent.proposal),
        }

    def _decided(self, ts: int, order: Mapping[str, Any]) -> Row:
        keys = ("client_order_id", "strategy", "instrument", "side", "quantity")
        return {**self.base, "ts": _moment(ts), **{key: order[key] for key in keys}}

    def version(self, limits: RiskConfig) -> str:
        """The name of these limits; what it stands for is written the first time."""
        found = self._versions.get(id(limits))
        if found is None or found[0] is not limits:
            found = self._versions[id(limits)] = (limits, limits_version(limits))
            values = {"version": found[1], "at": time.time_ns(), "limits": limits_text(limits)}
            self.writer.keep(tables.limit_sets, found[1], values)
        return found[1]

    # -- the desk's witness -----------------------------------------------------------------------------------------

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """An order passed: its intent is on disk already."""

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """An order, or a change of one, was refused."""
        code, _, _ = reason.partition(":")
        values: Row = {
            "client_order_id": str(order.client_order_id),
            "strategy": str(order.strategy_id),
            "instrument": str(order.instrument_id),
            "side": order.order_side.name,
            "quantity": order.quantity.as_decimal(),
        }
        known = self.book.instruments.get(values["instrument"]) if self.book is not None else None
        self.writer.add(
            tables.decisions,
            {
                **self._decided(ts, values),
                "verdict": "REFUSE",
                "code": code,
                "reason": reason,
                "reduces": False,
                "price": None if known is None else known.mark,
                "limits_version": self.newest_version,
                "numbers": _numbers(self.proposal_of(values["client_order_id"])),
            },
        )

    @property
    def newest_version(self) -> str:
        """The limits of the run as they are now."""
        return next(reversed(self._versions.values()))[1] if self._versions else ""

    def event(self, ts: int, event: Any) -> None:
        """An order changed."""
        kind, name = type(event).__name__, str(event.client_order_id)
        if kind == "OrderFilled":
            self._filled(ts, name, event)
        elif kind == "OrderUpdated":
            row = self.orders.get(name)
            if row is not None:
                row["quantity"] = event.quantity.as_decimal()
                for key in ("price", "trigger_price"):
                    value = getattr(event, key)
                    row[key] = row[key] if value is None else value.as_decimal()
                self._changed(ts, name, "UPDATED", row["status"], None, event)
        elif kind in STATUS_OF:
            self._changed(ts, name, STATUS_OF[kind], STATUS_OF[kind], getattr(event, "reason", None), event)
        elif kind != "OrderInitialized":
            word = _word(kind)
            status = self.orders[name]["status"] if name in self.orders else ""
            self._changed(ts, name, word, status, getattr(event, "reason", None), event)

    def _changed(  # noqa: PLR0913 - what a change is made of
        self,
        ts: int,
        name: str,
        event: str,
        status: str,
        reason: object,
        source: Any = None,
        *,
        by: str = "engine",
    ) -> None:
        for table, row in self._change(ts, name, event, status, reason, source, by=by):
            self.writer.add(table, row)

    def _change(  # noqa: PLR0913 - what a change is made of
        self, ts: int, name: str, event: str, status: str, reason: object, source: Any = None, *, by: str
    ) -> list[tuple[Table, Row]]:
        """The row of a change; none for an order nobody knows, or that has ended already."""
        row = self.orders.get(name)
        if row is None or (row["status"] in OVER and row["status"] != "NOT_SENT" and status in OVER):
            return []
        venue_order_id = getattr(source, "venue_order_id", None)
        if venue_order_id is not None:
            row["venue_order_id"] = str(venue_order_id)
        row.update(
            ts=ts, event=event, status=status, reason=None if reason is None else str(reason), source=by
        )
        if status in OVER:
            del self.orders[name]
        return [(tables.orders, dict(row))]

    def noted(self, ts: int, name: str, event: str, status: str, reason: str | None = None) -> Row | None:
        """The row of a change that the execution client tells, not the engine; None for an order nobody knows."""
        row = self.orders.get(name)
        if row is None:
            return None
        row.update(ts=_moment(ts), event=event, status=status, reason=reason, source="client")
        return dict(row)

    def _filled(self, ts: int, name: str, event: Any) -> None:
        trade = str(event.trade_id)
        if (name, trade) in self._trades:
            return
        self._trades.add((name, trade))
        commission = event.commission
        self.fill(
            {
                **self.base,
                "ts": ts,
                "trade_id": trade,
                "client_order_id": name,
                "venue_order_id": None if event.venue_order_id is None else str(event.venue_order_id),
                "strategy": self.owner_of(event),
                "instrument": str(event.instrument_id),
                "side": event.order_side.name,
                "quantity": event.last_qty.as_decimal(),
                "price": event.last_px.as_decimal(),
                "commission": ZERO if commission is None else commission.as_decimal(),
                "currency": str(event.currency) if commission is None else commission.currency.code,
                "liquidity": event.liquidity_side.name,
                "source": "engine",
            },
            reconciled=bool(getattr(event, "reconciliation", False)),
        )

    def known_trade(self, client_order_id: str, trade_id: str) -> None:
        """A fill that is in the journal already: told again, it is not written again."""
        self._trades.add((client_order_id, trade_id))

    def fill(self, row: Row, *, reconciled: bool = False) -> None:
        """Write a fill, the order it is of, the position it makes and the round trip it ends: all of it or nothing."""
        name = row["client_order_id"]
        self._trades.add((name, row["trade_id"]))
        price = self.decision_prices.get(name)
        row["decision_price"], row["slippage"] = price, self._slippage(row, price)
        if reconciled:
            row["source"] = "reconciled"
        rows: list[tuple[Table, Row]] = [(tables.fills, row)]
        order = self.orders.get(name)
        if order is not None:
            order["filled"] += row["quantity"]
            status = "FILLED" if order["filled"] >= order["quantity"] else "PARTIALLY_FILLED"
            order["venue_order_id"] = row["venue_order_id"] or order["venue_order_id"]
            rows += self._change(row["ts"], name, status, status, None, by=row["source"])
            if status == "FILLED":
                self.decision_prices.pop(name, None)
        self.writer.together(*rows, *self._move(row))

    def _slippage(self, row: Row, price: Decimal | None) -> Decimal | None:
        """What the fill cost against the price it was decided at, in the instrument's currency; a gain is below 0."""
        known = None if self.book is None else self.book.instruments.get(row["instrument"])
        if price is None or known is None or not price or not row["price"]:
            return None
        cost: Decimal = (known.value_at(row["price"]) - known.value_at(price)) * row["quantity"]
        return cost if row["side"] == "BUY" else -cost

    def _move(self, row: Row) -> list[tuple[Table, Row]]:
        """The rows of the position that a fill makes, and of the round trip it ends."""
        book = self.book
        if book is None:
            return []
        known = book.instruments.get(row["instrument"])
        try:
            if known is None:
                trip, ended = self.trips.filled(row, self._worth_of(row), row["currency"], book.in_base)
            else:
                trip, ended = self.trips.filled(row, known.value_at, known.currency, book.in_base)
        except LookupError:  # no rate between two currencies: the trip cannot be valued
            self.alarms.append(
                f"no rate of {row['currency']} for {row['instrument']}: a round trip is not valued"
            )
            return []
        base, rows = {**self.base, "ts": row["ts"]}, []
        if ended is not None:
            self.closed.append(ended)
            rows.append((tables.round_trips, {**base, **ended, "currency": self.currency}))
        return [*rows, (tables.positions, {**base, **position_values(row, trip), "source": row["source"]})]

    def _worth_of(self, row: Row) -> Callable[[Decimal], Decimal]:
        """What a unit of an instrument that this run does not trade is worth at a price: as when it was entered."""
        trip = self.trips.open.get((row["strategy"], row["instrument"]))
        unit = trip.entry_value / trip.entry_paid if trip is not None and trip.entry_paid else Decimal(1)
        return lambda price: price * unit

    def tripped(self, trip: Tripped) -> None:
        """A breaker went off; on disk with the halt it means before anything else happens, where the disk lets it."""
        self.before_trip()
        try:
            self.writer.commit(
                (tables.risk_events, self._risk_event(trip.ts, "TRIP", trip.reason, trip=trip))
            )
        except JournalDownError as error:  # it waits to be written; the halt is in force meanwhile
            self.alarms.append(f"a halt is not on disk yet: {error}")

    def noticed(self, notice: Notice) -> None:
        """A person should see this."""
        self.writer.add(
            tables.risk_events, self._risk_event(notice.ts, notice.kind, notice.reason, scope=notice.scope)
        )

    def waits(  # noqa: PLR0913 - the desk's witness
        self,
        ts: int,
        event: str,
        orders: Sequence[OrderInitialized],
        why: str,
        until: int | None,
        price: Decimal | None,
    ) -> None:
        """Orders wait for a person, or no longer do. That they are held is a verdict of the gate, too."""
        for order in orders:
            values: Row = {
                "client_order_id": str(order.client_order_id),
                "strategy": self.owner_of(order),
                "instrument": str(order.instrument_id),
                "side": order.order_side.name,
                "quantity": order.quantity.as_decimal(),
            }
            row = self._decided(ts, values)
            waiting = {"event": event, "price": price, "until_ns": until, "reason": why}
            self.writer.add(tables.approvals, {**row, **waiting})
            if event == "HELD":
                self.writer.add(
                    tables.decisions,
                    {
                        **row, "verdict": "HOLD", "code": "APPROVAL", "reason": why, "reduces": False, "price": price,
                        "limits_version": self.newest_version,
                        "numbers": _numbers(self.proposal_of(values["client_order_id"])),
                    },
                )  # fmt: skip

    def failed(self, strategy: str, where: str, error: BaseException) -> None:
        """A strategy's callback raised."""
        text = f"{strategy} raised in {where}: {type(error).__name__}: {error}"
        self.alert(time.time_ns(), "critical", "STRATEGY_ERROR", text)

    def alert(self, ts: int, level: str, kind: str, text: str) -> None:
        """Write what somebody should be told."""
        self.writer.add(
            tables.alerts, {**self.base, "ts": _moment(ts), "level": level, "kind": kind, "text": text}
        )

    def risk_event(self, ts: int, kind: str, reason: str, scope: str = "book") -> None:
        """Write something that happened to the account as a whole."""
        self.writer.add(tables.risk_events, self.risk_event_row(ts, kind, reason, scope))

    def risk_event_row(self, ts: int, kind: str, reason: str, scope: str = "book") -> Row:
        """The row of it, for who writes it together with others."""
        return self._risk_event(ts, kind, reason, scope=scope)

    def _risk_event(
        self, ts: int, kind: str, reason: str, *, trip: Tripped | None = None, scope: str = "book"
    ) -> Row:
        return {
            **self.base,
            "ts": _moment(ts),
            "kind": kind,
            "breaker": None if trip is None else trip.breaker,
            "risk_scope": scope if trip is None else trip.scope,
            "reason": reason,
            "equity": None if trip is None else trip.equity,
            "reference": None if trip is None else trip.reference,
        }

    # -- what must survive a restart --------------------------------------------------------------------------------

    def keep_state(self, ts: int, state: RiskState) -> None:
        """Let the breakers' state be written when anything in it changed."""
        row = state.as_row()
        if row == self._state:
            return
        self._state = row
        scope = self.base["scope"]
        values = {"scope": scope, "run_id": self.base["run_id"], "ts": ts, "at": time.time_ns()}
        self.writer.keep(tables.risk_states, scope, {**values, "state": json.dumps(row, sort_keys=True)})


def position_values(row: Mapping[str, Any], trip: Trip | None) -> Row:
    """The values of a position row after a fill."""
    return {
        "strategy": row["strategy"],
        "instrument": row["instrument"],
        "quantity": ZERO if trip is None else trip.position,
        "average_price": None if trip is None else trip.average_price,
        "opened_ns": None if trip is None else trip.opened_ns,
        "trip": None if trip is None else trip.as_text(),
    }


def _moment(ts: int) -> int:
    """Market time, or the clock's where no price has told it yet: a row of 1970 is in no period."""
    return ts or time.time_ns()


def _numbers(proposal: Proposal | None) -> str:
    if proposal is None:
        return "{}"
    return json.dumps({name: _plain(getattr(proposal, name)) for name in NUMBERS}, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _no_problem() -> str | None:
    return None


def _no_more() -> None:
    pass


def _sender(event: Any) -> str:
    return str(event.strategy_id)


def _nothing(_client_order_id: str) -> Proposal | None:
    return None


def _word(kind: str) -> str:
    """OrderPendingUpdate -> PENDING_UPDATE."""
    name = kind.removeprefix("Order")
    return "".join(
        f"_{letter}" if letter.isupper() and place else letter for place, letter in enumerate(name)
    ).upper()
