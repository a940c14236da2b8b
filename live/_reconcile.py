"""Do journal and venue agree when a node starts, and what is done where they do not?

`ask` asks the venue before the node is built; `Restart.apply` then brings journal, book and doubts in line, so that no
order and no fill is lost, none is counted twice, and what nobody knows is asked of a person.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adapters.errors import AdapterError
from journal import tables
from journal.trips import Trip
from journal.witness import OVER
from live._order_rows import again, fill_row, take_values
from live._shares import ReconcileError, Shares
from risk.doubts import Unknown
from risk.holding import WorkingOrder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.account import Operator, VenueFill, VenueOrder, VenueSnapshot
    from journal.witness import JournalWitness
    from live._past import Past
    from risk.desk import RiskDesk

GRACE_SECS = 2.0
"""An order that the venue does not know is asked for again after so long: bytes of a dead process may still arrive."""
ZERO = Decimal(0)


@dataclass(slots=True)
class Answer:
    """What the venue said: its account, and every order of the journal's that had not ended (None: never taken)."""

    snapshot: VenueSnapshot
    orders: dict[str, VenueOrder | None] = field(default_factory=dict)

    @property
    def equity(self) -> Decimal:
        """What the account is worth; with no word of the venue's on it, cash and what its positions cost."""
        return self.snapshot.balance if self.snapshot.equity is None else self.snapshot.equity


async def ask(operator: Operator, past: Past) -> Answer:
    """Ask the venue. Raises ReconcileError when it cannot tell: nobody trades on a guess."""
    try:
        await operator.open()
        try:
            return await _asked(operator, past)
        finally:
            await operator.close()
    except AdapterError as error:
        raise ReconcileError(f"the venue cannot tell its state, so nothing is started: {error}") from error


async def _asked(operator: Operator, past: Past) -> Answer:
    since = past.since_ns(time.time_ns())
    snapshot = await operator.snapshot(since)
    found: dict[str, VenueOrder | None] = {
        each.client_order_id: each for each in snapshot.orders if each.client_order_id in past.orders
    }
    missing = [name for name in past.orders if name not in found and name in past.sending]
    for name in missing:
        found[name] = await operator.order(name)
    absent = [name for name in missing if found[name] is None]
    if absent:
        await asyncio.sleep(GRACE_SECS)
        for name in absent:
            found[name] = await operator.order(name)
    if missing:  # with the fills of those that ended
        snapshot = await operator.snapshot(since)
        found.update({o.client_order_id: o for o in snapshot.orders if o.client_order_id in past.orders})
    return Answer(snapshot, found)


class Restart:
    """Carries on with an account. `told` is what a person should read, in one line each."""

    def __init__(
        self,
        desk: RiskDesk,
        witness: JournalWitness,
        past: Past,
        policy: str,
        traders: Mapping[str, Sequence[str]],
    ) -> None:
        """`policy` is run.foreign_positions: freeze, adopt or refuse; `traders`: instrument id -> who trades it."""
        self._traders = traders
        self._desk = desk
        self._witness = witness
        self._past = past
        self._policy = policy
        self._now = time.time_ns()
        self._ended: dict[str, str] = {}  # orders that had ended when another fill of theirs was found -> how
        self.told: list[str] = []

    def apply(self, answer: Answer) -> None:
        """Bring everything in line. Raises ReconcileError where the policy is to refuse."""
        self._carry_on()
        for name, row in self._past.orders.items():
            self._witness.orders[name] = again(row, self._witness.base)
        for fill in sorted(answer.snapshot.fills, key=lambda each: each.ts):
            self._add_fill(fill.name, fill)
        found = {**{order.name: order for order in answer.snapshot.orders}, **answer.orders}
        for name in list(self._witness.orders):
            self._settle_order(name, found.get(name))
        for order in answer.snapshot.orders:
            if order.is_open and (
                order.client_order_id is None or order.client_order_id not in self._past.orders
            ):
                self._foreign_order(order)
        Shares(self._desk, self._witness, self._policy, self._traders, self._tell, self._now).share(
            answer.snapshot.positions
        )

    # -- what the journal knew --------------------------------------------------------------------------------------

    def _carry_on(self) -> None:
        """Positions and round trips go on where the journal left them."""
        trips = self._witness.trips.open
        for (strategy, instrument), row in self._past.positions.items():
            if row["trip"] is not None:
                trips[strategy, instrument] = Trip.from_text(row["trip"])
            elif row["average_price"] is not None:
                side = "BUY" if row["quantity"] > 0 else "SELL"
                trip = Trip(side, row["opened_ns"] or row["ts"], "")
                trip.entered = abs(row["quantity"])
                trip.entry_paid = trip.entered * row["average_price"]
                known = self._desk.book.instruments.get(instrument)
                worth = row["average_price"] if known is None else known.value_at(row["average_price"])
                trip.entry_value = trip.entered * worth
                trips[strategy, instrument] = trip
        self._witness.decision_prices.update(self._past.decision_prices)

    # -- orders -----------------------------------------------------------------------------------------------------

    def _add_fill(self, name: str, fill: VenueFill) -> None:
        self._desk.book.known_trade(name, fill.trade_id)  # positions and cash of the snapshot hold it already
        if self._past.knows_trade(name, fill.trade_id):
            self._witness.known_trade(name, fill.trade_id)
            return
        row = self._witness.orders.get(name) or self._past.newest_row(name)
        if row is None:  # nobody's here: its position is what counts
            return
        owner = str(row["strategy"])
        self._witness.orders.setdefault(
            name, again(row, self._witness.base)
        )  # it had ended, but for this fill
        self._witness.fill(fill_row(self._witness.base, fill, name, owner, fill.ts), reconciled=True)
        self._tell(
            "RECONCILED",
            f"a fill was missed and is added: {fill.side} {fill.quantity} {fill.instrument} at {fill.price} "
            f"of {name} ({owner})",
        )

    def _settle_order(self, name: str, order: VenueOrder | None) -> None:
        row = self._witness.orders.get(name)
        if row is None:  # its fills ended it
            return
        if name in self._past.orders and name not in self._past.sending:
            self._note(name, "RECONCILED", "NOT_SENT", "it never left: no sending of it is on record")
            return
        if order is None and name not in self._past.orders:
            self._note(name, "RECONCILED", self._ended[name], None)
            return
        if order is None and row["venue_order_id"] is None and not row["filled"]:
            self._note(
                name, "RECONCILED", "ABSENT",
                f"the venue says, asked twice {GRACE_SECS:g} s apart, that it never took it",
            )  # fmt: skip
            self._tell("RECONCILED", f"{name} never reached the venue")
            return
        if order is None:
            self._ask_person(name, row)
            return
        row["venue_order_id"] = order.venue_order_id
        if take_values(row, order) or order.status != row["status"]:
            self._note(name, "RECONCILED", order.status, order.reason)
        if order.is_open:
            self._goes_on(row, order)
        else:
            self._witness.orders.pop(name, None)

    def _ask_person(self, name: str, row: dict[str, Any]) -> None:
        """The venue took it once and knows nothing of it now: a person has to look."""
        why = "the venue took it and says now that it does not know it"
        self._note(name, "UNKNOWN", "UNKNOWN", why)
        self._desk.doubts.block(Unknown(name, row["instrument"], why, self._now))
        self._tell(
            "UNKNOWN_ORDER",
            f"{name} in {row['instrument']}: {why}; look at the broker's page, then: "
            f'python -m live resolve order={name} outcome=... reason="..."',
        )

    def _goes_on(self, row: dict[str, Any], order: VenueOrder) -> None:
        """An order that still works counts in the worst case, and its fills are nobody's surprise."""
        if order.instrument not in self._desk.book.instruments:
            return
        leaves = order.quantity - order.filled
        prices = [each for each in (order.price, order.trigger_price) if each is not None]
        working = WorkingOrder(
            client_order_id=row["client_order_id"],
            strategy=row["strategy"],
            instrument=order.instrument,
            is_buy=order.side == "BUY",
            leaves=leaves,
            price=max(prices, default=None),
            reduce_only=order.reduce_only,
            group=row["client_order_id"],
            limit=order.price,
            trigger=order.trigger_price,
            sent_at=self._now,
            parent=None,
            if_touched=False,
        )
        working.spared = order.reduce_only
        self._desk.book.submitted(working)
        self._desk.events.approved(row["client_order_id"])
        self._tell("RECONCILED", f"{row['client_order_id']} of {row['strategy']} still works at the venue")

    def _foreign_order(self, order: VenueOrder) -> None:
        text = (
            f"order {order.venue_order_id} ({order.side} {order.quantity} {order.instrument}) works at the venue "
            "and is nobody's here"
        )
        self._tell("FOREIGN_ORDER", text)
        if order.instrument in self._desk.book.instruments and not order.reduce_only:
            self._desk.doubts.freeze(order.instrument, text)

    # -- telling ----------------------------------------------------------------------------------------------------

    def _tell(self, kind: str, text: str) -> None:
        self.told.append(text)
        self._witness.risk_event(self._now, kind, text)

    def _note(self, name: str, event: str, status: str, reason: str | None) -> None:
        row = self._witness.noted(self._now, name, event, status, reason)
        if row is not None:
            row["source"] = "reconciled"
            self._witness.writer.add(tables.orders, row)
            if status in {*OVER, "ABSENT"}:
                self._witness.orders.pop(name, None)
