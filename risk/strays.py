"""Which working orders would do more than was agreed to, because what they were to close is gone?

A plain limit order that takes a profit passes unasked, since it only reduces. Once the position is gone by another way,
a stop or a close, it would open one that no limit was asked about. So after every fill that nobody was asked about, the
orders on its side are judged again. One that does not pass is made as small as what is left of the position, or
cancelled, after the strategy had its own chance to.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from risk.numbers import ZERO
from risk.state import Notice

if TYPE_CHECKING:
    from risk.book import Book
    from risk.holding import Holding, WorkingOrder
    from risk.watch import Update

Key = tuple[str, str]


class Look(NamedTuple):
    """What to look at: orders of this side; those of the group, which their venue cancels, only after `update`."""

    buys: bool
    group: str
    update: Update | None


class Strays:
    """Looks after the working orders of holdings that got smaller."""

    def __init__(
        self,
        book: Book,
        *,
        judge: Callable[[WorkingOrder], str | None],
        cut: Callable[[WorkingOrder, Decimal], None],
        notify: Callable[[Notice], None],
    ) -> None:
        """`judge` says why a working order would not pass now, None when it would; `cut` leaves it so many units."""
        self._book = book
        self._judge = judge
        self._cut = cut
        self._notify = notify
        self._shrunk: dict[str, Decimal] = {}  # client order id -> what it was to keep; at most once
        self.waiting: dict[Key, Look] = {}  # (strategy id, instrument id) of holdings to look at

    def filled(
        self, holding: Holding, order: WorkingOrder | None, *, buys: bool, update: Update | None
    ) -> str | None:
        """Answers what is wrong when an order that was only to reduce opened something; else None.

        `update` is the newest price anybody got.
        """
        if order is not None and not order.spared and not order.reduce_only:
            return None  # the limits were asked, and counted all that worked on its side
        if any(not other.reduce_only for other in holding.working.values()):
            group = "" if order is None else order.group
            self.waiting[holding.strategy, holding.instrument.instrument] = Look(buys, group, update)
        if order is None or not order.spared or not holding.position or buys is not (holding.position > ZERO):
            return None
        made = f"{holding.position.normalize():+f} {holding.instrument.instrument}"
        return f"{order.client_order_id} of {order.strategy} passed because it only reduced, and made {made}"

    def settle(self, ts: int, update: Update | None) -> None:
        """Shrink or cancel what is astray; what is being changed or cancelled already is looked at once more."""
        for key, look in tuple(self.waiting.items()):
            del self.waiting[key]
            for order, room in tuple(self._book.holdings[key].excess()):
                if order.is_buy is not look.buys or order.reduce_only or order.parent in self._book.orders:
                    continue
                if order.changing or (order.group == look.group and update is look.update):
                    self.waiting[key] = look
                else:
                    self._look_at(order, room, ts)

    def _look_at(self, order: WorkingOrder, room: Decimal, ts: int) -> None:
        why = self._judge(order)
        if why is None:
            order.spared = False
            return
        kept = room if order.client_order_id not in self._shrunk else ZERO
        if kept:
            self._shrunk[order.client_order_id] = kept
            self.waiting[order.strategy, order.instrument] = Look(order.is_buy, "", None)
        done = f"cut to {kept.normalize():f}" if kept else "cancelled"
        reason = f"{order.client_order_id} has {room.normalize():f} {order.instrument} left to reduce: {done} ({why})"
        self._notify(Notice("STRAY", reason, ts, f"strategy:{order.strategy}"))
        self._cut(order, kept)
