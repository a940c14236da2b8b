"""What became of the orders that are sent to Alpaca as one? One request, an answer for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from adapters.alpaca.groups import Group, sort, tied_alone
from adapters.alpaca.orders import why_not
from adapters.outcomes import RequestError


class Pending:
    """A group under way: its head's request answers for all."""

    def __init__(self, group: Group) -> None:
        """Not sent yet."""
        self.group = group
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answered.add_done_callback(lambda done: done.cancelled() or done.exception())

    @property
    def head(self) -> str:
        """The name of the order that is sent."""
        return str(self.group.head.client_order_id)

    @property
    def names(self) -> list[str]:
        """The names of all of its orders."""
        return [str(each.client_order_id) for each in self.group.members]

    def fail(self, error: BaseException) -> None:
        """None of them was taken, or nobody knows."""
        if not self.answered.done():
            self.answered.set_exception(error)

    def done(self) -> None:
        """All of them were taken."""
        if not self.answered.done():
            self.answered.set_result(None)


class Lists:
    """The lists of one client."""

    def __init__(self, filled: Callable[[str], bool], settled: Callable[[str], bool]) -> None:
        """Of an order, `filled(name)` tells whether it was filled, `settled(name)` whether Alpaca's side is known."""
        self._filled, self._settled = filled, settled
        self._doubted: set[str] = set()
        self._pending: dict[str, Pending] = {}
        self._refused: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Whether the answer to any is still to come, or nobody knows what became of it."""
        self._doubted = {name for name in self._doubted if not self._settled(name)}
        return bool(self._doubted) or any(not each.answered.done() for each in self._pending.values())

    def take(self, orders: Sequence[Any]) -> list[Pending]:
        """Take a list apart; what belongs together is sent as one from now on."""
        found = sort(orders)
        self._refused.update(found.refused)
        made = []
        for group in found.groups:
            why = self._group_refused(group)
            if why is not None:
                self._refused.update({str(each.client_order_id): why for each in group.members})
                continue
            pending = Pending(group)
            made.append(pending)
            self._pending.update(dict.fromkeys(pending.names, pending))
        return made

    def pending(self, name: str) -> Pending | None:
        """The group that an order is sent with."""
        return self._pending.get(name)

    def drop(self, name: str) -> None:
        """An order of a group is answered."""
        self._pending.pop(name, None)

    def doubt(self, pending: Pending) -> None:
        """Nobody knows what became of a group: Alpaca may have made its exits, and tell of them by its own names."""
        self._doubted.update(pending.names)

    def why_not(self, order: Any) -> str | None:
        """Why an order cannot be sent, by itself or with its list."""
        name = str(order.client_order_id)
        if name in self._refused:
            return self._refused.pop(name)
        return None if name in self._pending else (why_not(order) or tied_alone(order, self._filled))

    def _group_refused(self, group: Group) -> str | None:
        exits = group.members[1:] if group.order_class != "oco" else group.members
        asked = ((each, any(each is one for one in exits)) for each in group.members)
        found = [why for each, is_exit in asked if (why := why_not(each, is_exit=is_exit)) is not None]
        parents = {str(each.parent_order_id) for each in group.members if each.parent_order_id is not None}
        waits = [each for each in parents - {str(group.head.client_order_id)} if not self._filled(each)]
        found += [f"LINKED: {each} has not been filled; send it and its exits in one list" for each in waits]
        try:
            group.body()
        except RequestError as error:
            found.append(str(error))
        return found[0] if found else None
