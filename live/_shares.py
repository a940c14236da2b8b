"""Whose is what the venue holds when a node starts, and what of a difference that no order of Keel explains?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from journal import tables
from journal.trips import Trip
from risk.foreign import EXTERNAL
from runs.errors import RunError

if TYPE_CHECKING:
    from adapters.account import VenuePosition
    from journal.witness import JournalWitness
    from risk.desk import RiskDesk

ZERO = Decimal(0)
DUST = Decimal("1E-7")
"""Coins: fees that are taken in them are written with eight decimals, rounded up, and a venue counts finer."""
Owned = dict[str, Decimal]
"""Strategy -> signed units."""


class ReconcileError(RunError):
    """Journal and venue do not agree, or the venue cannot tell its state: nothing is traded."""

    exit_code = 2


class Shares:
    """Shares positions out: each strategy gets its own by the journal, EXTERNAL what nobody explains."""

    def __init__(  # noqa: PLR0913 - what it needs to know
        self,
        desk: RiskDesk,
        witness: JournalWitness,
        policy: str,
        traders: Mapping[str, Sequence[str]],
        tell: Callable[[str, str], None],
        now: int,
    ) -> None:
        """`policy` is run.foreign_positions; traders: instrument id -> who trades it; tell: (kind, sentence)."""
        self._desk = desk
        self._witness = witness
        self._policy = policy
        self._traders = traders
        self._tell = tell
        self._now = now

    def share(self, positions: Sequence[VenuePosition]) -> None:
        """Take them into the book. Raises ReconcileError where the policy is to refuse."""
        there = {each.instrument: each for each in positions if each.quantity}
        held: dict[str, Owned] = defaultdict(dict)
        for (strategy, instrument), trip in self._witness.trips.open.items():
            held[instrument][strategy] = trip.position
        for instrument in dict.fromkeys((*there, *held)):
            venue = there.get(instrument)
            for strategy, quantity in self._owned(instrument, venue, held[instrument]).items():
                self._hold(strategy, instrument, quantity)

    def _owned(self, instrument: str, venue: VenuePosition | None, known: Owned) -> Owned:
        own = {strategy: units for strategy, units in known.items() if strategy != EXTERNAL}
        total = ZERO if venue is None else venue.quantity
        rest = total - sum(own.values(), ZERO)
        before = known.get(EXTERNAL, ZERO)
        if not rest and not before:
            return own
        if own and "/" in instrument and ZERO < abs(rest) <= DUST:
            return self._with_dust(instrument, total, rest, known)
        owner = EXTERNAL
        if rest:
            owner = self._unexplained(instrument, total, rest)
        after = {**own, owner: own.get(owner, ZERO) + rest}
        price = None if venue is None else venue.average_price
        for each in (EXTERNAL, owner):
            if after.get(each, ZERO) != known.get(each, ZERO):
                self._adopt(each, instrument, after.get(each, ZERO), price)
        return {strategy: units for strategy, units in after.items() if units}

    def _unexplained(self, instrument: str, total: Decimal, rest: Decimal) -> str:
        """The venue holds something else than orders of Keel explain; answers whose the difference is from now on."""
        text = _said(instrument, total, total - rest)
        if self._policy == "refuse":
            raise ReconcileError(
                f"{text}; run.foreign_positions=refuse: close the difference at the broker, or start with "
                "run.foreign_positions=freeze or adopt"
            )
        traders = self._traders.get(instrument, ())
        if self._policy == "adopt" and len(traders) == 1:
            self._tell("ADOPTED", f"{text}: the difference is {traders[0]}'s from now on")
            return traders[0]
        self._tell("FROZEN", f"{text}: nothing is opened there until it is explained (run.foreign_positions)")
        if instrument in self._desk.book.instruments:
            self._desk.doubts.freeze(instrument, text)
        return EXTERNAL

    def _with_dust(self, instrument: str, total: Decimal, rest: Decimal, known: Owned) -> Owned:
        """What rounded fees left belongs to who holds most of it, at the price of the rest."""
        if known.get(EXTERNAL):
            self._adopt(EXTERNAL, instrument, ZERO, None)
        own = {strategy: units for strategy, units in known.items() if strategy != EXTERNAL}
        owner = max(own, key=lambda each: abs(own[each]))
        trip = self._witness.trips.open[owner, instrument]
        more, before = (rest if trip.side == "BUY" else -rest), trip.entered
        trip.entered += more
        trip.entry_paid += more * trip.entry_paid / before
        trip.entry_value += more * trip.entry_value / before
        said = _said(instrument, total, total - rest)
        self._tell("ADOPTED", f"{said}: the difference is what rounded fees leave, and {owner}'s")
        self._write(owner, instrument, trip.position, trip.average_price)
        return {**own, owner: trip.position}

    def _adopt(self, owner: str, instrument: str, quantity: Decimal, price: Decimal | None) -> None:
        """Write what is held from now on, without the fills that would explain it."""
        trips = self._witness.trips.open
        trips.pop((owner, instrument), None)
        if quantity:
            known = self._desk.book.instruments.get(instrument)
            trip = Trip("BUY" if quantity > 0 else "SELL", self._now, "")
            trip.entered, trip.slippage = abs(quantity), None
            if price is not None:
                trip.entry_paid = trip.entered * price
                trip.entry_value = trip.entered * (price if known is None else known.value_at(price))
            trips[owner, instrument] = trip
        self._write(owner, instrument, quantity, price)

    def _write(self, owner: str, instrument: str, quantity: Decimal, price: Decimal | None) -> None:
        held = self._witness.trips.open.get((owner, instrument))
        self._witness.writer.add(
            tables.positions,
            {
                **self._witness.base,
                "ts": self._now,
                "strategy": owner,
                "instrument": instrument,
                "quantity": quantity,
                "average_price": price if quantity else None,
                "opened_ns": None if held is None else held.opened_ns,
                "trip": None if held is None else held.as_text(),
                "source": "adopted",
            },
        )

    def _hold(self, strategy: str, instrument: str, quantity: Decimal) -> None:
        if instrument not in self._desk.book.instruments or not quantity:
            return
        trip = self._witness.trips.open[strategy, instrument]
        entry = trip.average_price if trip.entry_paid else None
        self._desk.book.adopt(strategy, instrument, quantity, None, self._now, entry=entry)


def _said(instrument: str, total: Decimal, explained: Decimal) -> str:
    return (
        f"{instrument}: the venue holds {total.normalize():f}, the journal explains {explained.normalize():f}"
    )
