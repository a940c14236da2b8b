"""What does a node do when a person cancels, closes, approves, rejects, or says what became of an order?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from configs.errors import ConfigError
from live._resolution import FILLED, Resolution, read_resolution, told_of
from live._told import Args, Told, flag, instrument_of, needed, one_of, only, text
from risk import by_hand
from risk.state import Notice

if TYPE_CHECKING:
    from risk.desk import RiskDesk
    from risk.doubts import Unknown
    from risk.holding import WorkingOrder

Resolver = Callable[["Unknown", Resolution, str], None]
"""(the order, what became of it, who says so and why): books it and puts it on record."""


class OrderVerbs:
    """cancel, close, approve, reject and resolve, on the node's loop. Each raises ConfigError for what it refuses."""

    def __init__(self, desk: RiskDesk, resolver: Resolver | None) -> None:
        """Without a resolver what became of an order is only counted, not recorded."""
        self._desk = desk
        self._resolver = resolver

    # -- working orders ---------------------------------------------------------------------------------------------

    def cancel(self, args: Args, _who: str, _why: str) -> Told:
        """Cancel orders: one, those in an instrument, or all; protective ones only when that is said."""
        only("cancel", args, ("order", "symbol", "all", "protective"))
        chosen = self._chosen(args)
        adding = {order.client_order_id for order in self._desk.book.adding()}
        protective = [order for order in chosen if order.client_order_id not in adding]
        if protective and not flag(args, "protective"):
            if text(args, "order") is not None:
                raise ConfigError(
                    f"{protective[0].client_order_id} protects a position or closes it; to cancel it all the same: "
                    "protective=true"
                )
            chosen = [order for order in chosen if order.client_order_id in adding]
        names = by_hand.cancel(self._desk, chosen)
        kept = 0 if flag(args, "protective") else len(protective)
        lines = [
            f"asked to cancel {len(names)}: {', '.join(names)}" if names else "there is nothing to cancel"
        ]
        if kept:
            lines.append(f"{kept} that protect or close a position stay; to cancel them too: protective=true")
        return Told("\n".join(lines), {"canceled": list(names), "kept": kept})

    def _chosen(self, args: Args) -> list[WorkingOrder]:
        order, symbol, everything = text(args, "order"), text(args, "symbol"), flag(args, "all")
        if sum((order is not None, symbol is not None, everything)) != 1:
            raise ConfigError("cancel what? give one of order=ID, symbol=AAPL, all=true")
        orders = self._desk.book.orders
        if order is not None:
            return [orders[one_of("order", order, list(orders))]]
        if symbol is not None:
            name = instrument_of(self._desk, symbol)
            return [each for each in orders.values() if each.instrument == name]
        return list(orders.values())

    def close(self, args: Args, who: str, why: str) -> Told:
        """Close what every strategy holds in an instrument, by reduce-only orders, on and on until it is flat."""
        only("close", args, ("symbol",))
        name = instrument_of(self._desk, needed(args, "symbol", "symbol=AAPL"))
        closing = by_hand.close(self._desk, name, f"{why or 'asked for'} ({who})")
        told = [f"{each.position.normalize():+f} of {each.strategy}" for each in closing if each.position]
        if not closing:
            return Told(
                f"nothing is held in {name} and nothing works there", {"instrument": name, "closing": []}
            )
        return Told(
            f"closes {name}: {', '.join(told) or 'cancels what works there'}",
            {"instrument": name, "closing": told},
        )

    # -- orders that wait -------------------------------------------------------------------------------------------

    def approve(self, args: Args, who: str, _why: str) -> Told:
        """Send an order that waits, if every limit allows it now."""
        only("approve", args, ("order",))
        name = self._waiting(args)
        reason = self._desk.approvals.approve(name, who)
        if reason is not None:
            raise ConfigError(f"{name} was not sent: {reason}")
        return Told(f"{name} was approved and sent", {"order": name})

    def reject(self, args: Args, who: str, why: str) -> Told:
        """Refuse an order that waits, in the person's words."""
        only("reject", args, ("order",))
        name = self._waiting(args)
        self._desk.approvals.reject(name, f"{why or 'rejected'} ({who})")
        return Told(f"{name} was rejected", {"order": name})

    def _waiting(self, args: Args) -> str:
        name, approvals = needed(args, "order", "order=O-20260302-143000-001-001-1"), self._desk.approvals
        if name in approvals.held_orders:
            return name
        answered = approvals.answer_to(name)
        if answered is not None:
            raise ConfigError(f"order={name} does not wait any more: {answered}")
        if not approvals.waiting:
            raise ConfigError(f"order={name}: no order waits for a person")
        return one_of("order", name, list(approvals.waiting))

    # -- orders nobody knows of -------------------------------------------------------------------------------------

    def resolve(self, args: Args, who: str, why: str) -> Told:
        """Take a person's word on what became of an order that nobody knew of."""
        only("resolve", args, ("order", "outcome", "quantity", "price", "trade"))
        unknown = self._desk.doubts.unknown
        name = needed(args, "order", "order=O-20260302-143000-001-001-1")
        if not unknown:
            raise ConfigError(f"order={name}: what became of every order is known")
        order = unknown[one_of("order", name, list(unknown))]
        resolution = read_resolution(args)
        if not why:
            raise ConfigError('reason: say how you know, as in reason="looked at the broker\'s page"')
        if resolution.outcome == FILLED and resolution.trade_id is None and self._engine_waits_for(name):
            raise ConfigError(
                f"order={name}: this node goes on asking the venue and would count the fill again once it is told; "
                "give the venue's own id of it as well: trade=ID"
            )
        said = f"{told_of(name, resolution)}: {why} ({who})"
        if self._resolver is not None:
            self._resolver(order, resolution, said)
        elif resolution.outcome != FILLED:
            self._desk.book.closed(name)
        self._desk.doubts.resolve(name)
        self._desk.halts.notice(Notice("RESOLVED", said, self._desk.market_now()))
        return Told(
            f"{said}; {order.instrument} may be traded again", {"order": name, "outcome": resolution.outcome}
        )

    def _engine_waits_for(self, name: str) -> bool:
        gate = self._desk.gates[0] if self._desk.gates else None
        try:
            return gate is not None and not gate.engine_order(name).is_closed
        except LookupError:
            return False
