"""What does one strategy hold in one instrument, and what may its working orders make of it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from risk.numbers import ZERO

if TYPE_CHECKING:
    from risk.ledger import Ledger


@dataclass(slots=True)
class WorkingOrder:
    """An order that may still fill. `leaves` is what is left of it, in units of the instrument.

    `price` is what a fill may cost at worst where that is above the mark; `limit` and `trigger` are the order's own.
    While a modification is on its way, `leaves` and `price` are the worse of old and new; `settled` is what the venue
    last confirmed, `changing` whether its answer is awaited. Orders of which only one can fill (OCO, OUO) carry the
    same `group`, one that stands alone its own id. `spared`: it only reduces, so no limit was asked. `if_touched`: its
    trigger is a better price, so it is no stop. `sent_at` is market time.
    """

    client_order_id: str
    strategy: str
    instrument: str
    is_buy: bool
    leaves: Decimal
    price: Decimal | None
    reduce_only: bool
    group: str
    limit: Decimal | None = None
    trigger: Decimal | None = None
    sent_at: int = 0
    parent: str | None = None
    settled: tuple[Decimal, Decimal | None] = (ZERO, None)
    changing: bool = False
    spared: bool = False
    if_touched: bool = False

    def __post_init__(self) -> None:
        self.settled = (self.leaves, self.price)


@dataclass(slots=True)
class Instrument:
    """An instrument's worth: its multiplier, the currency it settles in and its last trusted price (`mark`).

    `unit` is what one unit adds to equity at the mark, in that currency: multiplier x mark, and of an inverse contract
    -multiplier / mark, so that a long gains when the price rises in both; zero without a mark. `step` is the smallest
    step of a quantity.
    """

    instrument: str
    multiplier: Decimal
    currency: str = ""
    inverse: bool = False
    venue: str = ""
    step: Decimal = ZERO
    mark: Decimal | None = None
    unit: Decimal = ZERO
    open_holdings: int = 0
    holdings: list[Holding] = field(default_factory=list)

    def value_at(self, price: Decimal) -> Decimal:
        """What one unit is worth at a price, in the settlement currency; below zero for an inverse contract."""
        return -self.multiplier / price if self.inverse else self.multiplier * price

    def set_mark(self, price: Decimal) -> Decimal:
        """Take a trusted price; answers the new `unit`."""
        self.mark = price
        self.unit = self.value_at(price)
        return self.unit


@dataclass(slots=True)
class ClosedTrade:
    """A round trip from flat to flat: P&L after commissions and what was put in, in the settlement currency."""

    pnl: Decimal
    base: Decimal


class Holding:
    """One strategy's signed position in one instrument and the orders that may change it."""

    __slots__ = (
        "_base",
        "_buys",
        "_flow",
        "_groups",
        "_sells",
        "average_entry",
        "instrument",
        "ledgers",
        "opened_at",
        "position",
        "strategy",
        "trades",
        "working",
        "worst",
    )

    def __init__(self, strategy: str, instrument: Instrument, ledgers: tuple[Ledger, ...] = ()) -> None:
        """Nothing held, nothing working."""
        self.strategy = strategy
        self.instrument = instrument
        self.ledgers = ledgers
        self.position = ZERO
        self.average_entry: Decimal | None = None  # of what is held; None while flat
        self.opened_at = 0  # market time of the fill that opened the position
        self.working: dict[str, WorkingOrder] = {}
        self.worst = ZERO  # worst-case exposure as the book last worked it out, settlement currency
        self.trades: list[ClosedTrade] = []  # closed since somebody last took them
        self._flow, self._base = ZERO, ZERO  # of the round trip that is open
        self._buys, self._sells = ZERO, ZERO  # units that working orders may still fill
        self._groups: dict[tuple[str, bool], dict[str, Decimal]] = {}  # of orders of which only one can fill

    def is_open(self) -> bool:
        """Whether anything is held or working."""
        return bool(self.position or self.working)

    # -- orders -----------------------------------------------------------------------------------------------------

    def add(self, order: WorkingOrder) -> None:
        """Count an order."""
        self.working[order.client_order_id] = order
        self._commit(order, ZERO, order.leaves)

    def remove(self, order: WorkingOrder) -> None:
        """Forget an order."""
        if self.working.pop(order.client_order_id, None) is not None:
            self._commit(order, order.leaves, None)

    def set_leaves(self, order: WorkingOrder, leaves: Decimal) -> None:
        """Take what is left of an order."""
        before, order.leaves = order.leaves, leaves
        if order.client_order_id in self.working:
            self._commit(order, before, leaves)

    def _commit(self, order: WorkingOrder, before: Decimal, after: Decimal | None) -> None:
        if order.group == order.client_order_id:
            step = (after or ZERO) - before
        else:
            members = self._groups.setdefault((order.group, order.is_buy), {})
            largest = max(members.values(), default=ZERO)
            if after is None:
                members.pop(order.client_order_id, None)
                if not members:
                    del self._groups[order.group, order.is_buy]
            else:
                members[order.client_order_id] = after
            step = max(members.values(), default=ZERO) - largest
        if order.is_buy:
            self._buys += step
        else:
            self._sells += step

    def committed(self, *, buys: bool, without: WorkingOrder | None = None) -> Decimal:
        """Units that working orders of one side may still fill; of a group that fills once, the largest."""
        total = self._buys if buys else self._sells
        if without is None or without.is_buy is not buys:
            return total
        if without.group == without.client_order_id:
            return total - without.leaves
        members = self._groups.get((without.group, buys), {})
        others = max((q for name, q in members.items() if name != without.client_order_id), default=ZERO)
        return total - max(members.values(), default=ZERO) + others

    def reduces(
        self, *, is_buy: bool, quantity: Decimal, reduce_only: bool, without: WorkingOrder | None = None
    ) -> bool:
        """Whether an order only lowers the absolute position, counting those already working.

        A reduce-only order can never flip a position at the venue, so what else is working does not count against it.
        """
        if self.position == ZERO or is_buy == (self.position > ZERO):
            return False
        taken = ZERO if reduce_only else self.committed(buys=is_buy, without=without)
        return quantity + taken <= abs(self.position)

    def extremes(
        self, extra: WorkingOrder | None = None, without: WorkingOrder | None = None
    ) -> tuple[Decimal, Decimal]:
        """The highest and the lowest position that working orders (and `extra`) can lead to."""
        high = self.position + self.committed(buys=True, without=without)
        low = self.position - self.committed(buys=False, without=without)
        if extra is not None:
            high, low = (high + extra.leaves, low) if extra.is_buy else (high, low - extra.leaves)
        return high, low

    def exposure(self, extra: WorkingOrder | None = None, without: WorkingOrder | None = None) -> Decimal:
        """The largest absolute value the position can reach, at the mark or what an order may cost if that is more.

        In the settlement currency. Raises LookupError when the instrument has no trusted price yet.
        """
        of = self.instrument
        if of.mark is None:
            raise LookupError(f"no trusted price of {of.instrument} yet")
        high, low = self.extremes(extra, without)
        unit = abs(of.unit)
        total = max(abs(high), abs(low)) * unit
        for order in self.working.values():
            if order.price is not None and order is not without:
                total += order.leaves * max(ZERO, abs(of.value_at(order.price)) - unit)
        if extra is not None and extra.price is not None:
            total += extra.leaves * max(ZERO, abs(of.value_at(extra.price)) - unit)
        return total

    def adding(self) -> Iterator[WorkingOrder]:
        """Working orders that could add exposure: all but reductions, which are kept up to the position's size."""
        for order, _ in self.excess():
            yield order

    def excess(self) -> Iterator[tuple[WorkingOrder, Decimal]]:
        """The same, each with the units of it that would still only reduce."""
        budget = abs(self.position)
        taken: dict[str, Decimal] = {}  # group -> units of the position its orders close
        for order in tuple(self.working.values()):
            if self.position == ZERO or order.is_buy == (self.position > ZERO):
                yield order, ZERO
                continue
            before = taken.get(order.group, ZERO)
            more = ZERO if order.reduce_only else max(ZERO, order.leaves - before)
            if more > budget:
                yield order, before + budget
                continue
            budget -= more
            taken[order.group] = before + more

    # -- fills ------------------------------------------------------------------------------------------------------

    def trade(self, signed_quantity: Decimal, price: Decimal, fee: Decimal, ts: int) -> None:
        """Apply a fill to position, average entry and the round trip; a flip closes one trip and opens the next."""
        before = self.position
        after = self.position = before + signed_quantity
        if not before or (before > ZERO) == (signed_quantity > ZERO):
            self._opened(before, signed_quantity, price, fee, ts)
            return
        closing = -before if abs(signed_quantity) > abs(before) else signed_quantity
        share = fee if closing == signed_quantity else fee * closing / signed_quantity
        self._flow -= closing * self.instrument.value_at(price) + share
        if not after or (after > ZERO) != (before > ZERO):
            self.trades.append(ClosedTrade(self._flow, self._base))
            self._flow, self._base, self.average_entry = ZERO, ZERO, None
        if after and (after > ZERO) != (before > ZERO):
            self._opened(ZERO, after, price, fee - share, ts)

    def take_over(self, position: Decimal, price: Decimal | None, ts: int) -> None:
        """Hold a position whose fills are not known; its round trip counts from `price`."""
        self.position, self.average_entry, self.opened_at = position, price, ts
        if price is not None:
            value = position * self.instrument.value_at(price)
            self._flow, self._base = -value, abs(value)

    def _opened(self, before: Decimal, quantity: Decimal, price: Decimal, fee: Decimal, ts: int) -> None:
        value = quantity * self.instrument.value_at(price)
        self._flow -= value + fee
        self._base += abs(value)
        if not before or self.average_entry is None:
            self.average_entry, self.opened_at = price, ts
        else:
            self.average_entry = (self.average_entry * before + price * quantity) / (before + quantity)
