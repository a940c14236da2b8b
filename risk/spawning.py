"""How does an execution algorithm cut children out of an order it was given?

The engine's own methods do it; around them the values are checked first, because the engine ends the process over those
it cannot use, and what was cut out is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    ClientOrderId,
    LimitOrder,
    MarketOrder,
    MarketToLimitOrder,
    Quantity,
    TimeInForce,
)
from nautilus_trader.trading import ExecutionAlgorithm

if TYPE_CHECKING:
    from risk.primaries import Primaries, Primary

NANOS = 1_000_000_000


class Spawning(ExecutionAlgorithm):
    """The spawn methods of an algorithm behind its gate.

    Children of a reduce-only order are reduce-only. Of an order that this algorithm does not hold nothing is cut out:
    the engine would change the size of an order at the venue on its own side only. Such a child is refused when sent.
    """

    known_as: str

    @property
    def primaries(self) -> Primaries:
        """The orders that the algorithms of this desk work."""
        raise NotImplementedError

    def held(self, order: Any) -> Primary | None:
        """The primary that this order is, while this algorithm holds it."""
        held = self.primaries.held(str(order.client_order_id))
        return held if held is not None and held.algorithm == self.known_as else None

    def spawn_market(  # noqa: PLR0913 - the engine's signature
        self,
        primary: Any,
        quantity: Quantity,
        time_in_force: TimeInForce = TimeInForce.GTC,
        reduce_only: bool = False,  # noqa: FBT001, FBT002 - the engine's signature
        tags: Sequence[str] | None = None,
        reduce_primary: bool = True,  # noqa: FBT001, FBT002 - the engine's signature
    ) -> MarketOrder:
        """A market order cut out of a primary; reduce-only when that is. Raises ValueError for impossible values."""
        _possible(MarketOrder, primary, quantity, UUID4(), 0, time_in_force, False, False)  # noqa: FBT003 - by place
        reduces = reduce_only or primary.is_reduce_only
        spawn = partial(super().spawn_market, primary, quantity, time_in_force, reduces, tags)
        child: MarketOrder = self._cut(primary, spawn, wanted=reduce_primary)
        return child

    def spawn_limit(  # noqa: PLR0913 - the engine's signature
        self,
        primary: Any,
        quantity: Quantity,
        price: Any,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expire_time: datetime | None = None,
        post_only: bool = False,  # noqa: FBT001, FBT002 - the engine's signature
        reduce_only: bool = False,  # noqa: FBT001, FBT002 - the engine's signature
        display_qty: Quantity | None = None,
        emulation_trigger: Any = None,
        tags: Sequence[str] | None = None,
        reduce_primary: bool = True,  # noqa: FBT001, FBT002 - the engine's signature
    ) -> LimitOrder:
        """A limit order cut out of a primary; reduce-only when that is. Raises ValueError for impossible values."""
        _possible(
            LimitOrder, primary, quantity, price, time_in_force, post_only, False, False, UUID4(), 0,  # noqa: FBT003
            expire_time=_stamp(expire_time), display_qty=display_qty,
        )  # fmt: skip
        reduces = reduce_only or primary.is_reduce_only
        spawn = partial(
            super().spawn_limit, primary, quantity, price, time_in_force, expire_time, post_only, reduces,
            display_qty, emulation_trigger, tags,
        )  # fmt: skip
        child: LimitOrder = self._cut(primary, spawn, wanted=reduce_primary)
        return child

    def spawn_market_to_limit(  # noqa: PLR0913 - the engine's signature
        self,
        primary: Any,
        quantity: Quantity,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expire_time: datetime | None = None,
        reduce_only: bool = False,  # noqa: FBT001, FBT002 - the engine's signature
        display_qty: Quantity | None = None,
        emulation_trigger: Any = None,
        tags: Sequence[str] | None = None,
        reduce_primary: bool = True,  # noqa: FBT001, FBT002 - the engine's signature
    ) -> MarketToLimitOrder:
        """A market-to-limit order cut out of a primary; see `spawn_limit`."""
        _possible(
            MarketToLimitOrder, primary, quantity, time_in_force, False, False, False, UUID4(), 0,  # noqa: FBT003
            expire_time=_stamp(expire_time), display_qty=display_qty,
        )  # fmt: skip
        reduces = reduce_only or primary.is_reduce_only
        spawn = partial(
            super().spawn_market_to_limit, primary, quantity, time_in_force, expire_time, reduces, display_qty,
            emulation_trigger, tags,
        )  # fmt: skip
        child: MarketToLimitOrder = self._cut(primary, spawn, wanted=reduce_primary)
        return child

    def _cut(self, primary: Any, spawn: Callable[[bool], Any], *, wanted: bool) -> Any:
        held = self.held(primary)
        if held is None or not wanted:
            return spawn(False)  # noqa: FBT003 - the engine's last argument: the primary's quantity stays
        with self.primaries.cutting(held) as cut_out:
            child = spawn(True)  # noqa: FBT003 - the engine's last argument: its quantity is reduced
            cut_out[str(child.client_order_id)] = child.quantity.as_decimal()
        return child


def _possible(kind: Any, primary: Any, quantity: Quantity, *rest: Any, **named: Any) -> None:
    """Make such a child on trial: its constructor raises ValueError for values over which spawning ends the process."""
    name = ClientOrderId(f"{primary.client_order_id}-E")
    side = primary.side
    kind(primary.trader_id, primary.strategy_id, primary.instrument_id, name, side, quantity, *rest, **named)


def _stamp(time: datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * NANOS)
