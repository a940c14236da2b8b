"""What do the engine's own methods do for a strategy that calls them past its gate?

`guard_base_class` changes the engine's class once in a process. Strategies without a gate notice nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import ClientOrderId, OmsType
from nautilus_trader.trading import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from risk.gate import RiskGate

SENDS = {"submit_order": "order", "submit_order_list": "order_list", "modify_order": "client_order_id"}
"""Method of the engine's Strategy -> its first parameter; `modify_orders` takes `updates`."""
EXITS = {
    "close_position": ("position", "client_id"),
    "close_all_positions": ("instrument_id", "position_side", "client_id"),
}
"""Method of the engine's Strategy that closes -> its parameters before those that all of them take."""


def guard_base_class(gate_class: type[RiskGate]) -> None:
    """Make the engine's own methods refuse what did not pass the gate of a gated strategy, and make its exits reduce.

    Done when risk/gate.py is imported, which is before any strategy's module: one that kept the engine's method from
    before it sends past the gate, is noticed at its order's first event, and halts.
    """
    if getattr(Strategy, "_keel_guarded", False):
        return
    for name, first in {**SENDS, "modify_orders": "updates"}.items():
        setattr(Strategy, name, _guarded(getattr(Strategy, name), name, first, gate_class))
    for name, names in EXITS.items():
        setattr(Strategy, name, _made_to_reduce(getattr(Strategy, name), names, gate_class))
    Strategy._keel_guarded = True  # type: ignore[attr-defined]  # noqa: SLF001 - our own mark on the engine's class


def _guarded(
    original: Callable[..., None], name: str, first: str, gate_class: type[RiskGate]
) -> Callable[..., None]:
    def guarded(self: Strategy, *args: Any, **kwargs: Any) -> None:
        if isinstance(self, gate_class):
            subject = args[0] if args else kwargs.get(first, ())
            subjects = subject if isinstance(subject, list | tuple) else [subject]
            if not all(_passed(self, each, args, kwargs) for each in subjects):
                meanwhile = [each for each in subjects if _waits(self, each)]
                if meanwhile and self.was_sent(meanwhile):
                    return
                reason = f"BYPASS: call self.{name}, and change nothing behind it: this never left"
                for each in subjects:
                    self.refuse(each[0] if isinstance(each, tuple) else each, reason)
                return
        original(self, *args, **kwargs)

    guarded.__name__ = original.__name__
    return guarded


def _waits(gate: RiskGate, each: Any) -> bool:
    """Whether this is an order that is not on its way through the gate now; it may have been before."""
    return not isinstance(each, tuple | ClientOrderId) and str(each.client_order_id) not in gate.passing


def _passed(gate: RiskGate, each: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether this very order, or this very change of an order, was let pass."""
    if isinstance(each, tuple):
        return gate.passing.get(str(each[0])) == each[1:]
    if not isinstance(each, ClientOrderId):
        return gate.passing.get(str(each.client_order_id)) == each.init_event and not changed([each])
    given = dict(zip(("client_order_id", "quantity", "price", "trigger_price"), args, strict=False)) | kwargs
    wanted = tuple(given.get(key) for key in ("quantity", "price", "trigger_price"))
    return gate.passing.get(str(each)) == wanted


def _made_to_reduce(
    original: Callable[..., None], names: tuple[str, ...], gate_class: type[RiskGate]
) -> Callable[..., None]:
    names = (*names, "tags", "time_in_force", "reduce_only", "quote_quantity", "params")

    def exit_(self: Strategy, *args: Any, **kwargs: Any) -> None:
        if not isinstance(self, gate_class):
            original(self, *args, **kwargs)
            return
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        with self.reducing():
            original(self, **{**given, "reduce_only": True, "quote_quantity": False})

    exit_.__name__ = original.__name__
    return exit_


def changed(orders: Sequence[Any]) -> str | None:
    """Why orders that were changed since they were made are refused: what was decided on is how they began."""
    for order in orders:
        if order.event_count > 1:
            return f"BYPASS: {order.client_order_id} was changed after it was made; make a new order"
    return None


def refuse_engine_settings(strategy: Strategy) -> None:
    """Refuse settings of a strategy's engine config under which the book would be wrong. Raises ValueError."""
    config = strategy.config
    if getattr(config, "oms_type", None) == OmsType.HEDGING:
        raise ValueError(
            "oms_type HEDGING: the book nets what a strategy holds of an instrument; leave it out"
        )
    if not getattr(config, "market_exit_reduce_only", True):
        raise ValueError(
            "market_exit_reduce_only=False: an exit that does not reduce can turn a position round"
        )
