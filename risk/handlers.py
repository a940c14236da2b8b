"""What happens around each of a strategy's callbacks?

Before it the desk learns the news, after it refusals are told and pending halts carried out, and whatever it raises is
kept. The three that carry prices are written out for speed: they run millions of times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.trading import Strategy

if TYPE_CHECKING:
    from risk.desk import RiskDesk

Handler = Any
PRICES = {
    "on_bar": "bar",
    "on_quote": "quote",
    "on_trade": "trade",
}  # handler -> the desk's method for its update
NOT_EVENTS = ("on_order_event", "on_order_initialized")
BORROWED = ("on_order_initialized", "on_order_emulated", "on_order_pending_update", "on_order_pending_cancel")
"""Handlers in which the engine's cache, clock and methods raise 'Already borrowed': nothing is done there."""


def handler_names() -> tuple[str, ...]:
    """Every callback of a Nautilus strategy."""
    return tuple(
        name for name in dir(Strategy) if name.startswith("on_") and callable(getattr(Strategy, name))
    )


def wrap_handlers(strategy_class: type[Strategy], desk: RiskDesk) -> dict[str, Handler]:
    """Handler name -> the user's own one with the gate's care around it, for the class that `gated` makes."""
    wrapped: dict[str, Handler] = {}
    for name in handler_names():
        user = getattr(strategy_class, name)
        if name in PRICES:
            wrapped[name] = _price_handler(name, user, desk)
            wrapped[f"_user_{name}"] = user
        elif name == "on_order_initialized":
            wrapped[name] = _initialized_handler(user, desk)
        elif name.startswith("on_order_") and name not in NOT_EVENTS:
            wrapped[name] = _event_handler(name, user, desk)
        elif user is not getattr(Strategy, name) or name in ("on_start", "on_stop"):
            wrapped[name] = _plain_handler(name, user, desk)
    return wrapped


def checked_handlers(strategy: Any) -> None:
    """Refuse a strategy that replaced a callback on the instance: the gate would not see what it does.

    Raises TypeError naming the callback.
    """
    for name in handler_names():
        if name in vars(strategy):
            raise TypeError(
                f"{type(strategy).__name__} sets self.{name}: define it as a method, or the risk gate cannot see it"
            )


def _price_handler(name: str, user: Handler, desk: RiskDesk) -> Handler:
    return _in_turn_handler(name, desk) if desk.takes_turns else _alone_handler(name, user, desk)


def _alone_handler(name: str, user: Handler, desk: RiskDesk) -> Handler:
    read = getattr(desk, PRICES[name])

    def alone(self: Any, update: Any) -> None:
        desk.depth = 1
        try:
            desk.last = update
            if desk.alert:
                if desk.stopping:
                    return
                read(update)
            user(self, update)
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, name, error)
        finally:
            desk.depth = 0
        if desk.news:
            self._tell()

    return alone


def _in_turn_handler(name: str, desk: RiskDesk) -> Handler:
    read = getattr(desk, PRICES[name])

    def in_turn(self: Any, update: Any) -> None:
        for gate, each in desk.turns.arrived(name, self, update):
            if desk.stopping:
                return
            if gate is None:  # once an update, before anyone's turn
                desk.last = each
                if desk.exposed:
                    with self._calling(name):
                        read(each)
                continue
            with gate._calling(name):  # noqa: SLF001 - the gate's own plumbing
                getattr(gate, f"_user_{name}")(each)

    return in_turn


def _initialized_handler(user: Handler, desk: RiskDesk) -> Handler:
    def on_order_initialized(self: Any, event: Any) -> None:
        desk.depth += 1
        try:
            desk.initialized(event, closing=self._closing)
            if not desk.stopping:
                user(self, event)
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, "on_order_initialized", error)
        finally:
            desk.depth -= 1

    return on_order_initialized


def _event_handler(name: str, user: Handler, desk: RiskDesk) -> Handler:
    hear = desk.learner(name)

    def on_order(self: Any, event: Any) -> None:
        desk.depth += 1
        try:
            hear(self, event)
            if not desk.stopping:
                user(self, event)
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, name, error)
        finally:
            desk.depth -= 1
        if desk.depth == 0 and desk.news and desk.reachable(name, event):
            self._tell()

    on_order.__name__ = name
    return on_order


def _plain_handler(name: str, user: Handler, desk: RiskDesk) -> Handler:
    def on_other(self: Any, *args: Any) -> Any:
        desk.depth += 1
        answer = None
        try:
            answer = None if desk.stopping else user(self, *args)
            if name == "on_start":
                checked_handlers(self)
            elif name == "on_stop":
                desk.turns.leave(self)
                self.clock.cancel_timers()  # the engine lets them run on, and fail, after the node has stopped
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, name, error)
        finally:
            desk.depth -= 1
        if desk.depth == 0 and desk.news:
            self._tell()
        return answer

    on_other.__name__ = name
    return on_other
