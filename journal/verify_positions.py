"""Do positions and round trips follow from the fills?

Each fill makes one row of positions, and ends a round trip at most. Both are worked out again and compared with what
is in the journal. What a unit is worth at a price is not in a fill: it is taken from the positions' own rows, has to be
the same for all rows of an instrument, and what was earned in another currency than the account's is not worked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any

from journal.tables import CONTROL, plain
from journal.trips import DIGITS, FINEST, Trip, Trips
from journal.verify_findings import Findings
from risk.coins import netted_row
from risk.foreign import EXTERNAL

ZERO = Decimal(0)
NAMES = ("strategy", "instrument")
OF_TRIP = (
    "side", "quantity", "entry_price", "exit_price", "opened_ns", "closed_ns", "holding_ns",
    "entry_order", "exit_order",
)  # fmt: skip
OF_VALUE = ("pnl", "pnl_pct", "commission", "slippage")
Row = Mapping[str, Any]
Key = tuple[str, str]


class Ahead:
    """Rows of a table, one after the other, with a look at the next one."""

    def __init__(self, rows: Iterator[Row | None]) -> None:
        """Nothing is read before it is asked for; None of `rows` says that there are no more yet."""
        self._rows = rows
        self._next: Row | None = None
        self._ended = False

    def peek(self, *, again: bool = False) -> Row | None:
        """The next row; None behind the last one. `again` asks whether one was written meanwhile."""
        if self._next is None and (again or not self._ended):
            self._next = next(self._rows, None)
            self._ended = self._next is None
        return self._next

    def take(self) -> None:
        """Go on to the one after it."""
        self._next = None


class Positions:
    """Positions and round trips of one account, by its fills in the order of their rows."""

    def __init__(
        self, findings: Findings, positions: Iterator[Row | None], round_trips: Iterator[Row | None]
    ) -> None:
        """`positions`, `round_trips`: the account's rows in the order they were written."""
        self.findings = findings
        self._positions = Ahead(positions)
        self._round_trips = Ahead(round_trips)
        self._trips = Trips()
        self._units = Units()
        self._off: dict[Key, Decimal] = {}  # by how much the newest row of a position differs from its fills
        self._waiting: list[
            tuple[str, str, str]
        ] = []  # (run, table, text): what the newest fill should have made
        self._adopted: list[tuple[Key, Decimal]] = []
        self.unvalued = 0  # round trips in another currency

    def fill(self, row: Row, currency: str) -> None:
        """A fill that is in the chain, of a run that counts in `currency`. Raises what changed values raise."""
        fill = {
            **row,
            **{name: Decimal(row[name]) for name in ("quantity", "price", "commission")},
            "slippage": None if row["slippage"] is None else Decimal(row["slippage"]),
        }
        key = (str(row["strategy"]), str(row["instrument"]))
        written = self._row_of(fill)
        foreign = netted_row(fill)["currency"] != currency
        self._tell_waiting()
        if written is not None and written["trip"] is not None:
            self._units.learn(key[1], Trip.from_text(written["trip"]), fill["price"])
        trip, ended = self._trips.filled(
            fill, lambda price: self._units.worth(key[1], price), currency, lambda amount, _: amount
        )
        unvalued = written is not None and row["run_id"] == CONTROL and written["trip"] is None
        if ended is not None:
            self._check_trip(
                str(row["run_id"]), key, {**ended, "currency": currency}, foreign=foreign, needed=not unvalued
            )
        if written is not None:
            self._check_position(key, written, trip, foreign=foreign, unvalued=unvalued)
            if unvalued:
                self._set(key, written)
        elif not foreign and key[0] != EXTERNAL:
            after = f"after fill {fill['trade_id']} of {fill['client_order_id']}"
            text = f"the position of {key[0]} in {key[1]} {after} is missing"
            self._waiting.append((str(row["run_id"]), "positions", text))

    def take_adopted(self) -> list[tuple[Key, Decimal]]:
        """Positions, by strategy and instrument, that were taken over since the last call."""
        if not self._adopted:
            return []
        found, self._adopted = self._adopted, []
        return found

    def end_run(self, *, ended: bool) -> None:
        """No more fills of a run come; one that was cut off may lack what its last fill made."""
        if not ended:
            for _, _, text in self._waiting:
                self.findings.note(f"{text}: the run was cut off there, or is not that far yet")
            self._waiting.clear()
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        for run, table, text in self._waiting:
            self.findings.add("DISAGREES", run, text, table=table)
        self._waiting.clear()

    def adopted_before(self, at: int) -> None:
        """Take over what was adopted, or made flat without a fill, until a moment of the wall clock."""
        while (row := self._positions.peek()) is not None and _stands_alone(row) and row["at"] <= at:
            self._alone(row)
            self._positions.take()

    def finish(self, until: int | None) -> None:
        """No more fills come: what is left belongs to none, but for rows a node wrote since `until` (wall clock)."""
        while (row := self._positions.peek()) is not None and (until is None or row["at"] < until):
            self._alone(row)
            self._positions.take()
        while (row := self._round_trips.peek()) is not None and (until is None or row["at"] < until):
            self.findings.row("DISAGREES", "round_trips", row, "no fills make this round trip")
            self._round_trips.take()

    # -- positions -------------------------------------------------------------------------------------------------

    def _row_of(self, fill: Row) -> Row | None:
        """The row of positions that was written with a fill; those before it belong to no fill."""
        while (row := self._positions.peek(again=True)) is not None:
            if _was_made_by(row, fill):
                self._positions.take()
                return row
            if not _stands_alone(row) and (row["ts"] >= fill["ts"] or row["run_id"] != fill["run_id"]):
                return None
            self._alone(row)
            self._positions.take()
        return None

    def _alone(self, row: Row) -> None:
        if _stands_alone(row):
            self._set((str(row["strategy"]), str(row["instrument"])), row)
        else:
            self.findings.row("DISAGREES", "positions", row, "no fill made it")

    def _set(self, key: Key, row: Row) -> None:
        """Go on from what a row says, as the next run does (live/_reconcile.py)."""
        quantity = Decimal(row["quantity"])
        self._trips.open.pop(key, None)
        self._off.pop(key, None)
        self._adopted.append((key, quantity))
        if row["trip"] is not None:
            trip = self._trips.open[key] = Trip.from_text(row["trip"])
            self._units.learn(key[1], trip, trip.entry_paid / trip.entered if trip.entered else ZERO)
        elif quantity and row["average_price"] is not None:
            price = Decimal(row["average_price"])
            trip = self._trips.open[key] = Trip(
                "BUY" if quantity > 0 else "SELL", row["opened_ns"] or row["ts"], "", entered=abs(quantity)
            )
            trip.entry_paid = trip.entered * price
            trip.entry_value = trip.entered * self._units.worth(key[1], price)

    def _check_position(
        self, key: Key, row: Row, trip: Trip | None, *, foreign: bool, unvalued: bool
    ) -> None:
        quantity, expected = Decimal(row["quantity"]), ZERO if trip is None else trip.position
        off = quantity - expected
        if off != self._off.get(key, ZERO):
            text = f"it says {plain(quantity)}, the fills make {plain(expected)}"
            self.findings.row("DISAGREES", "positions", row, text)
        self._off[key] = off
        if off or unvalued:
            return
        wanted: dict[str, Any] = {
            "average_price": None if trip is None else trip.average_price,
            "opened_ns": None if trip is None else trip.opened_ns,
        }
        if not foreign:
            wanted["trip"] = None if trip is None else trip.as_text()
        wrong = [name for name, value in wanted.items() if not _same(row[name], value)]
        if wrong:
            told = "; ".join(
                f"{name} is {row[name]}, the fills make {_shown(wanted[name])}" for name in wrong
            )
            self.findings.row("DISAGREES", "positions", row, told)

    # -- round trips -----------------------------------------------------------------------------------------------

    def _check_trip(self, run: str, key: Key, ended: Row, *, foreign: bool, needed: bool) -> None:
        while (row := self._round_trips.peek(again=True)) is not None:
            if all(row[name] == ended[name] for name in (*NAMES, "closed_ns", "exit_order")):
                self._round_trips.take()
                if not self._off.get(key):
                    self._compare(row, ended, foreign=foreign)
                return
            if row["closed_ns"] >= ended["closed_ns"]:
                break
            self.findings.row("DISAGREES", "round_trips", row, "no fills make this round trip")
            self._round_trips.take()
        if needed and not self._off.get(key):
            text = f"the round trip of {key[0]} in {key[1]} that order {ended['exit_order']} ended is missing"
            self._waiting.append((run, "round_trips", text))

    def _compare(self, row: Row, ended: Row, *, foreign: bool) -> None:
        known = not foreign and self._units.known(row["instrument"])
        self.unvalued += not known
        names = (*OF_TRIP, *OF_VALUE, "currency") if known else OF_TRIP
        wrong = [name for name in names if not _same(row[name], ended[name])]
        if wrong:
            told = "; ".join(f"{name} is {row[name]}, the fills make {_shown(ended[name])}" for name in wrong)
            self.findings.row("DISAGREES", "round_trips", row, told)


class Units:
    """What a unit of each instrument is worth at a price: learned from the first row of positions that tells."""

    def __init__(self) -> None:
        """Nothing is known: a unit is worth its price."""
        self._of: dict[
            str, tuple[bool, Decimal] | None
        ] = {}  # instrument -> (inverse, multiplier); None: neither fits

    def learn(self, instrument: str, trip: Trip, price: Decimal) -> None:
        """A round trip as it stood after its newest fill, which was at `price`."""
        if instrument in self._of or not trip.entered or not trip.entry_paid:
            return
        with localcontext(prec=DIGITS):
            inverse = trip.entry_value < ZERO < trip.entry_paid
            found = (
                -trip.entry_value * price / trip.entered if inverse else trip.entry_value / trip.entry_paid
            )
            multiplier = found.quantize(FINEST).normalize()
            worth = trip.entered * (-multiplier / price) if inverse else multiplier * trip.entry_paid
            self._of[instrument] = (inverse, multiplier) if worth == trip.entry_value else None

    def known(self, instrument: str) -> bool:
        """Whether a unit's worth follows from its price."""
        return self._of.get(instrument, (False, Decimal(1))) is not None

    def worth(self, instrument: str, price: Decimal) -> Decimal:
        """What a unit is worth."""
        inverse, multiplier = self._of.get(instrument) or (False, Decimal(1))
        return -multiplier / price if inverse and price else multiplier * price


def _stands_alone(row: Row) -> bool:
    """Whether a row of positions may say something that no fill made: it was adopted, or a verb wrote it."""
    return bool(row["source"] == "adopted" or row["run_id"] == CONTROL)


def _was_made_by(row: Row, fill: Row) -> bool:
    """Whether a row of positions was written with a fill; a verb stamps both with the time of its own."""
    if any(row[name] != fill[name] for name in (*NAMES, "run_id")):
        return False
    if row["run_id"] == CONTROL:
        return bool(row["at"] >= fill["at"])
    return bool(row["ts"] == fill["ts"])


def _same(one: Any, other: Any) -> bool:
    if isinstance(other, Decimal):
        return one is not None and Decimal(one) == other
    return bool(one == other)


def _shown(value: Any) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
