"""Which of Alpaca's orders are one order of ours, and what is it called here?

At Alpaca a changed order is another order with another id, and the exits of a bracket have names that Alpaca made up.
Here an order keeps one name for life: rows that replace each other are told as one, with all of their fills. Nothing
is asked here and nothing is told twice: rows in, plain values out.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice

from adapters.account import VenueFill, VenueOrder
from adapters.alpaca._links import Known, average, older, standing
from adapters.alpaca._names import WireName, read
from adapters.alpaca._parsing import (
    ENDS,
    REPLACED,
    TIFS,
    TYPES,
    ZERO,
    Execution,
    Row,
    amount,
    amount_or_zero,
    fill_of,
    instrument_of,
    is_exit,
    nanos,
    status_of,
)

MOST_ROWS = 1_000
"""Rows that are remembered, 5 KB each; beyond it those of the older orders that have ended are not."""
PENDING = ("accepted", "pending_new", "pending_replace", "accepted_for_bidding")
"""A successor in such a state may yet be rejected, while its predecessor fills."""


class Ledger:
    """All rows that were seen."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._known: dict[str, Known] = {}
        self._legs: dict[str, str] = {}  # id of an exit -> its name here
        self._groups: dict[str, WireName] = {}  # group id -> the name of its head
        self._tips: dict[str, str] = {}  # name -> id of the row that stands for it now
        self._heads: dict[str, str] = {}  # name of an exit -> the name of its group's head
        self.changing: set[str] = set()
        """Names of orders of which nobody knows yet what became of a change."""

    # -- names

    def name_of(self, row: Row) -> str:
        """What an order is called here; exits of groups that were not ours keep what Alpaca calls them."""
        found = self._legs.get(row["id"])
        if found is not None:
            return found
        wire = read(str(row["client_order_id"]))
        group = self._groups.get(str(row.get("group_id")))
        if group is not None and wire.root != group.root and is_exit(row):
            name = group.target if row["group_role"] == "take_profit" else group.stop
            if name is not None and not wire.revision:
                return name
        return wire.root

    def stranger(self, row: Row) -> bool:
        """Whether it may be an exit of a group whose names are not known yet."""
        if row["id"] in self._legs or str(row.get("group_id")) in self._groups:
            return False
        return is_exit(row) or row.get("order_class") in ("bracket", "oco", "oto")

    def tip(self, name: str) -> Row | None:
        """The row that stands for an order of ours now."""
        found = self._known.get(self._tips.get(name, ""))
        return None if found is None else found.row

    def head(self, name: str, row: Row) -> str | None:
        """The name of the head of the group of an order that is one of a group; None: it is not known."""
        if (found := self._heads.get(name)) is not None:
            return found
        leads = row.get("group_role") in (None, "entry") or (
            row.get("order_class") == "oco" and row["group_role"] == "take_profit"
        )
        return name if leads else None

    def exits(self, head: str) -> list[str]:
        """The names of the exits that were seen with the head of their group."""
        return [name for name, its_head in self._heads.items() if its_head == head]

    def known(self, order_id: str) -> Known | None:
        """A row with its fills, by Alpaca's id."""
        return self._known.get(order_id)

    # -- what comes in

    def note(self, row: Row, *, confirmed: bool | None = None) -> str:
        """Take down a row, with its exits if it holds them; answers what it is called here. Older news is dropped.

        `confirmed` False: it is the answer to a change, which does not say yet that the change was made.
        """
        order_id = str(row["id"])
        wire = read(str(row["client_order_id"]))
        if (group := row.get("group_id")) is not None and (wire.target or wire.stop):
            self._groups[str(group)] = wire
        name = self.name_of(row)
        for leg in row.get("legs") or ():
            self._name_leg(wire, leg)
            self._heads[self.note(leg)] = name
        known = self._known.get(order_id)
        if known is None:
            known = self._known[order_id] = Known(row, name)
            known.carried = ZERO if row.get("replaces") is None else None
            known.confirmed = row.get("replaces") is None
        elif not older(row, known.row):
            known.row = row
        known.name = name
        if confirmed or (confirmed is None and known.row["status"] not in (*PENDING, "rejected")):
            known.confirmed = True
        self._settle(known)
        return name

    def fill(self, execution: Execution) -> bool | None:
        """Take down a fill: True it follows on those known, False it was known, None others are missing before it."""
        known = self._known.get(execution.order_id)
        if known is None:
            return None
        if execution.cum in known.executions:
            return False
        follows = execution.start == known.told or self._begins(known, execution)
        if follows:
            known.executions[execution.cum] = execution
        return True if follows else None

    def fills(self, order_id: str, executions: Iterable[Execution]) -> None:
        """Take down all fills of an order, as the activities tell them. They may lag behind: then it is asked again."""
        known = self._known.get(order_id)
        if known is not None:
            found = {each.cum: each for each in executions}
            known.executions.update(found)
            if found and known.row.get("replaces") is not None:
                known.carried = min(each.start for each in known.executions.values())
            elif known.carried is None:  # no fill of its own: all of it was its predecessor's
                known.carried = amount_or_zero(known.row.get("filled_qty"))
            self._settle(known)

    def prune(self) -> None:
        """Forget the older orders that have ended, each with all rows that it had, when there are too many.

        Not to be called between `note` and what is asked about the row afterwards.
        """
        if len(self._known) <= MOST_ROWS:
            return
        older = islice(self._known.values(), len(self._known) - MOST_ROWS // 2)
        over = {name for name in {each.name for each in older} if self._is_over(name)}
        for key, gone in list(self._known.items()):
            if gone.name in over:
                del self._known[key]
                self._legs.pop(key, None)
        for name in over:
            self._tips.pop(name, None)
            self._heads.pop(name, None)
        groups = {str(each.row.get("group_id")) for each in self._known.values()}
        self._groups = {key: wire for key, wire in self._groups.items() if key in groups}

    # -- what comes out

    def order(self, name: str) -> VenueOrder | None:
        """An order of ours as it stands; None: nothing is known, or not yet for sure."""
        known = self._known.get(self._tips.get(name, ""))
        chain = None if known is None else self._chain(known)
        if known is None or chain is None:
            return None
        row, before = known.row, chain[:-1]
        earlier = sum(
            (amount_or_zero(each.row.get("filled_qty")) - (each.carried or ZERO) for each in before), ZERO
        )
        if known.carried is None and earlier:
            return None
        own = amount_or_zero(row.get("filled_qty")) - (known.carried or ZERO)
        quantity = amount(row.get("qty"))
        if quantity is None:
            quantity = own if status_of(row) == "FILLED" else amount_or_zero(row.get("notional"))
        else:
            quantity += earlier - (known.carried or ZERO)
        return VenueOrder(
            client_order_id=name,
            venue_order_id=str(row["id"]),
            instrument=instrument_of(row),
            side=str(row["side"]).upper(),
            type=TYPES.get(str(row["type"]), "MARKET"),
            quantity=quantity,
            filled=earlier + own,
            average_price=average(chain),
            price=amount(row.get("limit_price")),
            trigger_price=amount(row.get("stop_price")),
            tif=TIFS.get(str(row["time_in_force"]), "GTC"),
            status="CANCELED" if self._gave_way(known) else standing(row, earlier + own),
            reduce_only=is_exit(row) or str(row["id"]) in self._legs,
            ts=max(nanos(str(each.row["updated_at"])) for each in chain),
            reason="rejected by the exchange" if row["status"] == "rejected" else None,
        )

    def venue_fills(self, name: str) -> tuple[VenueFill, ...]:
        """The fills of an order of ours that are known, through all of its changes."""
        known = self._known.get(self._tips.get(name, ""))
        chain = None if known is None else self._chain(known)
        if known is None or chain is None:
            return ()
        each_fill = [(one, link) for link in chain for one in link.executions.values()]
        each_fill.sort(key=lambda pair: (pair[0].ts, pair[0].cum))
        return tuple(fill_of(one, name, str(known.row["id"]), link.row) for one, link in each_fill)

    def venue_fill(self, execution: Execution) -> VenueFill:
        """A fill that `fill` took down."""
        known = self._known[execution.order_id]
        return fill_of(execution, known.name, self._tips.get(known.name, execution.order_id), known.row)

    def chain(self, name: str) -> list[Known]:
        """The rows of an order that are known, oldest first."""
        known = self._known.get(self._tips.get(name, ""))
        return [] if known is None else self._chain(known) or [known]

    def successor(self, name: str) -> str | None:
        """The id of what took an order's place and has to be asked for; None: nothing, or an order of another name."""
        known = self._known.get(self._tips.get(name, ""))
        if known is None or known.row["status"] != REPLACED or known.row.get("replaced_by") is None:
            return None
        later = self._known.get(str(known.row["replaced_by"]))
        return (
            None if later is not None and self.name_of(later.row) != name else str(known.row["replaced_by"])
        )

    def missing(self, name: str) -> str | None:
        """The id of a predecessor that has to be asked for before an order can be told; None: none."""
        known = self._known.get(self._tips.get(name, ""))
        while known is not None and (before := known.row.get("replaces")) is not None:
            if before not in self._known:
                return str(before)
            earlier = self._known[str(before)]
            known = earlier if self._is_one(earlier, known) else None
        return None

    # -- below

    def _name_leg(self, wire: WireName, leg: Row) -> None:
        role = leg.get("group_role") or ("take_profit" if leg["type"] == "limit" else "stop_loss")
        name = wire.target if role == "take_profit" else wire.stop
        if name is not None and name != wire.root:
            self._legs[str(leg["id"])] = name

    def _settle(self, known: Known) -> None:
        """Which row stands for an order now, and what of its fills is its predecessor's."""
        row = known.row
        earlier = self._known.get(str(row["replaces"])) if row.get("replaces") is not None else None
        later = self._known.get(str(row["replaced_by"])) if row["status"] == REPLACED else None
        if known.carried is None:
            known.carried = self._carried(earlier, known)
        if earlier is not None and earlier.row["status"] == REPLACED and row["status"] != "rejected":
            known.confirmed = True
        tip = self._known.get(self._tips.get(known.name, ""))
        steps_back = tip is not None and not tip.confirmed and self._follows(tip, known)
        if tip is None or steps_back or (known.confirmed and self._follows(known, tip)):
            self._tips[known.name] = str(row["id"])
        if later is not None and later is not known and not later.confirmed:
            self._settle(later)

    @staticmethod
    def _carried(earlier: Known | None, known: Known) -> Decimal | None:
        """What of its fills an order took over from its predecessor, where the numbers tell."""
        filled = amount_or_zero(known.row.get("filled_qty"))
        if not filled:
            return ZERO
        if earlier is None:
            return None
        done = amount_or_zero(earlier.row.get("filled_qty"))
        return ZERO if not done or filled < done else None

    def _begins(self, known: Known, execution: Execution) -> bool:
        """Whether it is the first fill of an order that took over the fills of its predecessor, or began anew."""
        earlier = self._known.get(str(known.row.get("replaces")))
        if known.executions or known.carried is not None or earlier is None:
            return False
        if execution.start not in (ZERO, amount_or_zero(earlier.row.get("filled_qty"))):
            return False
        known.carried = execution.start
        return True

    def _follows(self, known: Known, tip: Known) -> bool:
        step: Known | None = known
        while step is not None and (before := step.row.get("replaces")) is not None:
            if before == tip.row["id"]:
                return True
            step = self._known.get(str(before))
        return bool(tip.row["status"] == REPLACED and tip.row.get("replaced_by") == known.row["id"])

    def _chain(self, known: Known) -> list[Known] | None:
        """The rows of one order, oldest first; None while one of them is unknown."""
        chain = [known]
        while (before := chain[0].row.get("replaces")) is not None:
            earlier = self._known.get(str(before))
            if earlier is None:
                return None
            if not self._is_one(earlier, chain[0]):
                break
            chain.insert(0, earlier)
        return chain

    def _is_one(self, earlier: Known, later: Known) -> bool:
        """Whether two rows that replace each other are one order: the stop of a pair replaces its take-profit.

        A change of ours has our name, also where what it changed is an exit that has Alpaca's own name still.
        """
        if self.name_of(earlier.row) == self.name_of(later.row):
            return True
        alpacas = earlier.name == str(earlier.row["client_order_id"])
        return alpacas and read(str(later.row["client_order_id"])).revision > 0

    def _gave_way(self, known: Known) -> bool:
        """Whether an exit was replaced by the other exit of its group, or by none: nothing more can fill of it.

        One that was changed goes on; while its successor is unknown, or a change of it is in doubt, it is not dead.
        """
        if known.row["status"] != REPLACED or not self._is_exit(known):
            return False
        after = known.row.get("replaced_by")
        if after is None:
            return known.name not in self.changing or self._is_closed_by_other(known)
        later = self._known.get(str(after))
        return later is not None and self._is_other_exit(known, later)

    def _is_exit(self, known: Known) -> bool:
        named = known.name in self._legs.values()
        return is_exit(known.row) or named or known.row.get("order_class") == "oco"

    def _is_other_exit(self, known: Known, other: Known) -> bool:
        """Whether it is the other exit of the group of an exit: another name alone may be a change by somebody else."""
        name = self.name_of(other.row)
        if name == known.name:
            return False
        roles = known.row.get("group_role"), other.row.get("group_role")
        return name in self._legs.values() if None in roles else roles[0] != roles[1]

    def _is_closed_by_other(self, known: Known) -> bool:
        group = known.row.get("group_id")
        return group is not None and any(
            each.row.get("group_id") == group
            and each.row["status"] == "filled"
            and is_exit(each.row)
            and self._is_other_exit(known, each)
            for each in self._known.values()
        )

    def _is_over(self, name: str) -> bool:
        tip = self._known.get(self._tips.get(name, ""))
        return tip is None or tip.row["status"] in ENDS or self._gave_way(tip)
