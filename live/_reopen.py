"""What does an account hold that the journal alone keeps, and how does a run carry on with it?

The fills of a sandbox are simulated inside the node and end with it. Cash and positions are in the journal: the newest
snapshot of the account and the fills after it. What worked when the node ended is nowhere any more.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import desc, select

from adapters.account import VenueOrder, VenuePosition, VenueSnapshot
from journal import tables
from journal.trips import Trip
from live._reconcile import Answer
from live._shares import ReconcileError
from risk.coins import netted_row
from risk.state import RiskState, TradingState

if TYPE_CHECKING:
    from sqlalchemy import Row

    from adapters.venue import VenueConfig
    from live._journal import RunJournal
    from live._past import Past
    from risk.desk import RiskDesk

ZERO = Decimal(0)
BETWEEN_EVENTS = ("start", "time", "day", "stop")
"""Snapshots taken while no fill was being booked: what a breaker writes may hold a fill whose row comes after it."""
DIED = "its fills were simulated inside the node, and ended with it"
FRESH, REOPENED = "FRESH", "REOPENED"
"""Kinds of the risk events that tell how a run began."""
AFRESH = "use venue.reopen=false for a new account"


class KeptAccount:
    """An account of the journal's. `answer` is what it holds, `told` what a person should read, in one line each."""

    def __init__(
        self, past: Past, venue: VenueConfig, instruments: Sequence[Any], traders: Mapping[str, Sequence[str]]
    ) -> None:
        """`instruments`: those of the run; traders: instrument id -> who trades it.

        Positions that go on under another strategy, or not at all, leave `past`. Raises ReconcileError for one that
        this run could not carry on with.
        """
        self._past = past
        self._venue = venue
        self._multipliers = {str(each.id): each.multiplier.as_decimal() for each in instruments}
        self._closed: list[Mapping[str, Any]] = []  # rows of positions that end here
        self.told: list[str] = []
        begun = _begun(past)
        kept = self._kept(begun)
        if venue.starts_afresh:
            self._kind = FRESH
            self._close(list(past.positions))
            cash = venue.starting_cash
            self.answer = Answer(self._snapshot(cash, (), cash), _ended(past))
            if begun is not None:
                wanted = f"a new account, as venue.reopen=false says: {_amount(cash, venue.currency)}"
                self.told = [f"{wanted}; closed in the journal: {_holdings(kept)}"]
        else:
            self._kind = REOPENED
            self._check(traders)
            self.answer = Answer(kept, _ended(past))
            if begun is not None:
                self.told = [f"re-opened from the journal: {_holdings(kept)}"]
            self._hand_over(traders)
        if past.orders:
            self.told.append(
                "working orders ended with the node that simulated them: "
                + ", ".join(_order(row) for row in past.orders.values())
            )

    def state(self, state: RiskState | None) -> RiskState | None:
        """The risk state to go on with. A new account begins anew, but no halt is lifted: that takes a `resume`."""
        if state is None or not self._venue.starts_afresh:
            return state
        halted = {name: each for name, each in state.copy().scopes.items() if each.halted}
        if state.state is TradingState.ACTIVE and not halted:
            return None
        cash = self._venue.starting_cash
        return RiskState(
            state=state.state, breaker=state.breaker, reason=state.reason, peak=cash, day_start=cash, equity=cash,
            begun=True, scopes=halted,
        )  # fmt: skip

    def record(self, journal: RunJournal, desk: RiskDesk) -> None:
        """Have on disk what it begins with, before anything is traded. Raises JournalDownError."""
        witness, now = journal.witness, time.time_ns()
        events = [(tables.risk_events, witness.risk_event_row(now, self._kind, text)) for text in self.told]
        witness.keep_state(desk.market_now(), desk.breakers.state)
        witness.writer.commit(
            *((tables.positions, _flat(row, witness.base)) for row in self._closed), *events
        )

    # -- inside -----------------------------------------------------------------------------------------------------

    def _kept(self, begun: Row[Any] | None) -> VenueSnapshot:
        """What the journal has: cash by its newest snapshot and the fills after it, positions by their rows."""
        if begun is None:
            return self._snapshot(self._venue.starting_cash, (), None)
        newest = _newest_snapshot(self._past, begun.started_at)
        fills = _fills_since(self._past, begun.started_at if newest is None else newest.at)
        cash: Decimal = begun.starting_equity if newest is None else newest.cash
        for fill in fills:
            cash += self._flow(fill)
        equity = None if newest is None or fills else newest.equity
        return self._snapshot(cash, _positions(self._past), equity)

    def _snapshot(
        self, cash: Decimal, positions: tuple[VenuePosition, ...], equity: Decimal | None
    ) -> VenueSnapshot:
        return VenueSnapshot(
            account="", currency=self._venue.currency, cash=cash, equity=equity, buying_power=None, orders=(), fills=(),
            positions=positions, ts=time.time_ns(),
        )  # fmt: skip

    def _flow(self, fill: Mapping[str, Any]) -> Decimal:
        """What a fill did to the cash."""
        fill = netted_row(fill)
        paid: Decimal = (
            fill["quantity"] * fill["price"] * self._multipliers.get(fill["instrument"], Decimal(1))
        )
        return (-paid if fill["side"] == "BUY" else paid) - Decimal(fill["commission"])

    def _check(self, traders: Mapping[str, Sequence[str]]) -> None:
        for instrument in sorted({instrument for _, instrument in self._past.positions}):
            owners = traders.get(instrument, ())
            if not owners:
                raise ReconcileError(
                    f"the journal has a position in {instrument}, which this run does not trade, so it would have no "
                    f"price: put {_symbol(instrument)} into instruments, or {AFRESH}"
                )
            if len(owners) > 1:
                raise ReconcileError(
                    f"the journal has a position in {instrument}, which {' and '.join(owners)} trade: the engine gives "
                    f"a position back to one strategy only; let one of them trade it, or {AFRESH}"
                )

    def _hand_over(self, traders: Mapping[str, Sequence[str]]) -> None:
        """What strategies held that are no more goes to the one that trades it now: the engine gives it that one."""
        for strategy, instrument in list(self._past.positions):
            owner = traders[instrument][0]
            if strategy != owner:
                self._close([(strategy, instrument)])
                self.told.append(
                    f"what {strategy} held of {_symbol(instrument)} goes to {owner}, which trades it now"
                )

    def _close(self, keys: Sequence[tuple[str, str]]) -> None:
        self._closed += [self._past.positions.pop(key) for key in keys]


# -- what the journal has ---------------------------------------------------------------------------------------------


def _begun(past: Past) -> Row[Any] | None:
    """The run that the account began with, flat: the last one that started afresh, else the first; None before it."""
    runs, events = tables.runs, tables.risk_events
    afresh = (
        select(events.c.run_id)
        .where(events.c.scope == past.scope, events.c.kind == FRESH)
        .order_by(desc(events.c.id))
        .limit(1)
    )
    wanted = select(runs).where(runs.c.scope == past.scope)
    with past.engine.connect() as connection:
        name = connection.execute(afresh).scalar()
        if name is not None:
            return connection.execute(wanted.where(runs.c.run_id == name)).first()
        return connection.execute(wanted.order_by(runs.c.started_at).limit(1)).first()


def _newest_snapshot(past: Past, since: int) -> Row[Any] | None:
    table = tables.account_snapshots
    wanted = select(table).where(
        table.c.scope == past.scope, table.c.why.in_(BETWEEN_EVENTS), table.c.at >= since
    )
    with past.engine.connect() as connection:
        return connection.execute(wanted.order_by(desc(table.c.id)).limit(1)).first()


def _fills_since(past: Past, at: int) -> list[Mapping[str, Any]]:
    table = tables.fills
    wanted = select(table).where(table.c.scope == past.scope, table.c.at > at)
    with past.engine.connect() as connection:
        return [dict(row) for row in connection.execute(wanted).mappings()]


def _positions(past: Past) -> tuple[VenuePosition, ...]:
    held: dict[str, Decimal] = defaultdict(Decimal)
    cost: dict[str, Decimal] = defaultdict(Decimal)
    for (_, instrument), row in past.positions.items():
        trip = None if row["trip"] is None else Trip.from_text(row["trip"])
        price = row["average_price"] if trip is None else trip.average_price
        held[instrument] += row["quantity"]
        cost[instrument] += row["quantity"] * (price or ZERO)
    return tuple(
        VenuePosition(instrument, quantity, cost[instrument] / quantity)
        for instrument, quantity in held.items()
        if quantity
    )


def _ended(past: Past) -> dict[str, VenueOrder | None]:
    """Client order id -> an order that worked, as it ended."""
    now = time.time_ns()
    return {
        name: VenueOrder(
            client_order_id=name,
            venue_order_id=row["venue_order_id"],
            instrument=row["instrument"],
            side=row["side"],
            type=row["type"],
            quantity=row["quantity"],
            filled=row["filled"],
            average_price=None,
            price=row["price"],
            trigger_price=row["trigger_price"],
            tif=row["tif"],
            status="CANCELED",
            reduce_only=row["reduce_only"],
            ts=now,
            reason=DIED,
        )
        for name, row in past.orders.items()
    }


def _flat(row: Mapping[str, Any], base: Mapping[str, str]) -> dict[str, Any]:
    return {
        **base,
        "ts": time.time_ns(),
        "strategy": row["strategy"],
        "instrument": row["instrument"],
        "quantity": ZERO,
        "average_price": None,
        "opened_ns": None,
        "trip": None,
        "source": "adopted",
    }


def _holdings(account: VenueSnapshot) -> str:
    held = [
        f"{each.quantity.normalize():f} {_symbol(each.instrument)} at {each.average_price:,.2f}"
        for each in account.positions
    ]
    return f"{_amount(account.cash, account.currency)}, {', '.join(held) or 'no position'}"


def _amount(cash: Decimal, currency: str) -> str:
    return f"{cash:,.2f} {currency} cash"


def _order(row: Mapping[str, Any]) -> str:
    left = row["quantity"] - row["filled"]
    price = row["price"] if row["price"] is not None else row["trigger_price"]
    at = "" if price is None else f" at {price.normalize():f}"
    return f"{row['side']} {left.normalize():f} {_symbol(row['instrument'])}{at} ({row['client_order_id']})"


def _symbol(instrument: str) -> str:
    return instrument.rsplit(".", 1)[0]
