"""What can a person do to a desk that trades?

Each function is called where the engine may be called, and answers in plain values. Whether it was asked for rightly
is for the caller to judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from risk.halts import FLATTEN, OPERATOR
from risk.scopes import BOOK
from risk.state import Notice, RiskState, ScopeState, Trip

if TYPE_CHECKING:
    from risk.desk import RiskDesk
    from risk.holding import Holding, WorkingOrder
    from risk.limits import RiskConfig


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a lifted halt was and is, and the positions that were being closed and now stay open."""

    before: RiskState
    after: RiskState
    lifted: tuple[str, ...]
    left_open: tuple[str, ...]


def halt(desk: RiskDesk, reason: str, scope: str = BOOK) -> tuple[str, ...]:
    """Halt a scope and cancel what could add exposure there; answers the orders that it asks to cancel."""
    canceled = tuple(order.client_order_id for order in desk.book.adding() if in_scope(desk, order, scope))
    desk.halt(Trip(OPERATOR, f"{OPERATOR}: {reason}", desk.market_now(), _equity(desk), None, scope))
    return canceled


def flatten(desk: RiskDesk, reason: str, scope: str = BOOK) -> None:
    """Halt a scope, so that nothing is opened again, and close all of it, now and on and on until it is flat."""
    desk.halt(Trip(FLATTEN, f"{FLATTEN}: {reason}", desk.market_now(), _equity(desk), None, scope))


def resume(desk: RiskDesk, lifted: Iterable[str], reason: str) -> Resumed:
    """Lift the halt of these scopes, for a reason: losses count from now, and what was being closed is left open."""
    scopes = tuple(lifted)
    now = desk.market_now()
    if now:
        desk.read_now()
    desk.settle()
    before = desk.breakers.state.copy()
    left = tuple(name for name in _being_closed(desk, scopes))
    desk.flattener.stop(now, "a person resumed", scopes)
    for scope in scopes:
        desk.breakers.resume(scope)
    state = desk.breakers.state
    state.flattening = bool(desk.flattener.scopes)
    desk.look_again()
    for scope in scopes:
        text = lifted_text(scope, before.of(scope), state.of(scope), reason)
        desk.halts.notice(Notice("RESUMED", text, now, scope))
    return Resumed(before, state.copy(), scopes, left)


def lifted_text(scope: str, was: ScopeState, is_now: ScopeState, reason: str) -> str:
    """What a lifted halt was, and from where losses count before and after, in one line."""
    return (
        f"{scope} was halted ({was.reason}); drawdown counts from {is_now.peak:,.2f} (before: {was.peak:,.2f}), "
        f"the day's loss from {is_now.day_start:,.2f} (before: {was.day_start:,.2f}): {reason}"
    )


def relimit(desk: RiskDesk, limits: RiskConfig, text: str) -> tuple[str, ...]:
    """Let other limits hold from now on; answers the working orders that they do not allow, which are cancelled."""
    desk.relimit(limits)
    now = desk.market_now()
    desk.halts.notice(Notice("LIMITS", text, now))
    too_much = []
    for order in tuple(desk.book.adding()):
        why = None if order.client_order_id in desk.approvals.held_orders else desk.stands(order)
        if why is not None:
            too_much.append(order)
            told = f"{order.client_order_id} is cancelled, the new limits do not allow it: {why}"
            desk.halts.notice(Notice("LIMITS", told, now, f"strategy:{order.strategy}"))
    desk.halts.cancel(too_much)
    return tuple(order.client_order_id for order in too_much)


def cancel(desk: RiskDesk, orders: Iterable[WorkingOrder]) -> tuple[str, ...]:
    """Cancel working orders; those that wait for a person are withdrawn. Answers their ids."""
    chosen = tuple(orders)
    desk.approvals.withdraw([order.client_order_id for order in chosen], "cancelled by a person")
    desk.halts.cancel([order for order in chosen if order.client_order_id in desk.book.orders])
    return tuple(order.client_order_id for order in chosen)


def close(desk: RiskDesk, instrument: str, reason: str) -> tuple[Holding, ...]:
    """Close what every strategy holds in an instrument, and cancel what works there; answers what is closed."""
    open_ = tuple(
        holding
        for (_, name), holding in desk.book.holdings.items()
        if name == instrument and holding.is_open()
    )
    waiting = [held.name for held in desk.approvals.waiting.values() if held.instrument == instrument]
    desk.approvals.withdraw(waiting, f"{instrument} is being closed: {reason}")
    for holding in open_:
        if holding.is_open():
            desk.flattener.close(desk.market_now(), holding.strategy, instrument, reason)
    desk.look_again()
    return open_


def in_scope(desk: RiskDesk, order: WorkingOrder, scope: str) -> bool:
    """Whether an order belongs to the book, a strategy or a venue."""
    kind, _, name = scope.partition(":")
    if kind == "strategy":
        return order.strategy == name
    return kind != "venue" or desk.book.instruments[order.instrument].venue == name


def _being_closed(desk: RiskDesk, scopes: Iterable[str]) -> Iterable[str]:
    active = set(scopes) & set(desk.flattener.scopes)
    for holding in desk.book.held():
        mine = {BOOK, f"strategy:{holding.strategy}", f"venue:{holding.instrument.venue}"}
        if active & mine:
            yield f"{holding.position.normalize():+f} {holding.instrument.instrument} of {holding.strategy}"


def _equity(desk: RiskDesk) -> Decimal | None:
    try:
        return desk.book.equity()
    except LookupError:
        return None
