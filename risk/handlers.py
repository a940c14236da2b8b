"""What happens around each of a strategy's callbacks?

Before it the desk learns the news, after it refusals are told and pending halts carried out, and whatever it raises is
kept. The three that carry prices are written out for speed: they run millions of times.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from types import MethodType
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
HISTORY = "on_historical_bars"
NOT_EVENTS = ("on_order_event", "on_order_initialized")
BORROWED = ("on_order_initialized", "on_order_emulated", "on_order_pending_update", "on_order_pending_cancel")
"""Handlers in which the engine's cache, clock and methods raise 'Already borrowed': nothing is done there."""


def handler_names() -> tuple[str, ...]:
    """Every callback of a Nautilus strategy."""
    return tuple(
        name
        for name in dir(Strategy)
        if name.startswith(("on_", "post_")) and callable(getattr(Strategy, name))
    )


def wrap_handlers(strategy_class: type[Strategy], desk: RiskDesk) -> dict[str, Handler]:
    """Handler name -> the user's own one with the gate's care around it, for the class that `gated` makes."""
    wrapped: dict[str, Handler] = {}
    needed = ("on_start", "on_stop", HISTORY, *(["on_position_event"] if desk.guards else []))
    for name in handler_names():
        user = getattr(strategy_class, name)
        if name in PRICES:
            wrapped[name] = _price_handler(name, user, desk)
            wrapped[f"_user_{name}"] = user
        elif name == "on_order_initialized":
            wrapped[name] = _initialized_handler(user, desk)
        elif name.startswith("on_order_") and name not in NOT_EVENTS:
            wrapped[name] = _event_handler(name, user, desk)
        elif user is not getattr(Strategy, name) or name in needed:
            wrapped[name] = _plain_handler(name, user, desk)
    return {name: _fixed(name, handler, desk) for name, handler in wrapped.items()}


def _fixed(name: str, handler: Handler, desk: RiskDesk) -> Any:
    """The handler as an attribute that the instance cannot replace in the middle of a run.

    Not where a strategy that is alone gets prices: there it would cost a few percent of a run, so `price_blind` looks.
    """
    if name.startswith("_") or (name in PRICES and not desk.takes_turns):
        return handler

    def refuse(strategy: Any, _value: Any) -> None:
        raise TypeError(_unseen(strategy, name))

    return property(partial(MethodType, handler), refuse)


def _unseen(strategy: Any, name: str) -> str:
    return (
        f"{type(strategy).__name__} sets self.{name}: define it as a method, or the risk gate cannot see it"
    )


def checked_handlers(strategy: Any) -> None:
    """Refuse a strategy that replaced a callback on the instance: the gate would not see what it does.

    Raises TypeError naming the callback.
    """
    for name in handler_names():
        if name in vars(strategy):
            raise TypeError(_unseen(strategy, name))


def price_blind(strategy: Any) -> str | None:
    """Why the gate does not see this strategy's prices any more; None while it does."""
    replaced = next((name for name in PRICES if name in vars(strategy)), None)
    return None if replaced is None else _unseen(strategy, replaced)


def _price_handler(name: str, user: Handler, desk: RiskDesk) -> Handler:
    if desk.takes_turns:
        return _in_turn_handler(name, desk)
    return {"on_bar": _bar_handler, "on_quote": _quote_handler, "on_trade": _trade_handler}[name](user, desk)


def _bar_handler(user: Handler, desk: RiskDesk) -> Handler:
    """For a strategy that is alone. A close inside its band, before anything is due, costs two comparisons."""
    read, pulse = desk.bar, desk.pulse

    def on_bar(self: Any, bar: Any) -> None:
        pulse.depth = 1
        try:
            pulse.last = bar
            if pulse.alert:
                watch = pulse.sole
                price = float(bar.close)
                if watch.low < price < watch.high and bar.ts_event < pulse.wake_at:
                    watch.update = bar
                    if price > watch.top:  # a new peak, read when somebody looks next
                        watch.top, watch.top_update = price, bar
                elif pulse.stopping:
                    return
                else:
                    desk.look(self, "on_bar", read, bar)
                    if pulse.retired and self.retired:
                        return
            user(self, bar)
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, "on_bar", error)
        finally:
            pulse.depth = 0
        if pulse.news:
            self.tell()

    return on_bar


def _quote_handler(user: Handler, desk: RiskDesk) -> Handler:
    """For a strategy that is alone. Quotes of pairs that only tell a rate go to the desk and no further."""
    read, rate, pulse = desk.quote, desk.rate, desk.pulse

    def on_quote(self: Any, quote: Any) -> None:
        pulse.depth = 1
        try:
            if pulse.alert:
                watch = pulse.sole
                price = float(quote.ask_price if watch.sells else quote.bid_price)
                if watch.low < price < watch.high and quote.ts_event < pulse.wake_at:
                    watch.update = quote
                    pulse.last = quote
                    user(self, quote)
                    return
            if pulse.rates_only and quote.instrument_id in pulse.rates_only:
                pulse.now = max(pulse.now, quote.ts_event)
                desk.look(self, "on_quote", rate, quote)
                return
            pulse.last = quote
            if pulse.alert:
                if pulse.stopping:
                    return
                desk.look(self, "on_quote", read, quote)
                if pulse.retired and self.retired:
                    return
            user(self, quote)
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, "on_quote", error)
        finally:
            pulse.depth = 0
            if pulse.news:
                self.tell()

    return on_quote


def _trade_handler(user: Handler, desk: RiskDesk) -> Handler:
    """For a strategy that is alone."""
    read, pulse = desk.trade, desk.pulse

    def on_trade(self: Any, trade: Any) -> None:
        pulse.depth = 1
        try:
            pulse.last = trade
            if pulse.alert:
                if pulse.stopping:
                    return
                desk.look(self, "on_trade", read, trade)
                if pulse.retired and self.retired:
                    return
            user(self, trade)
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, "on_trade", error)
        finally:
            pulse.depth = 0
        if pulse.news:
            self.tell()

    return on_trade


def _in_turn_handler(name: str, desk: RiskDesk) -> Handler:
    read, pulse = getattr(desk, PRICES[name]), desk.pulse

    def in_turn(self: Any, update: Any) -> None:
        if name == "on_quote" and update.instrument_id in pulse.rates_only:
            with self._calling(name):
                pulse.now = max(pulse.now, update.ts_event)
                desk.look(self, name, desk.rate, update)
            return
        for gate, each in desk.turns.arrived(name, self, update):
            if pulse.stopping:
                return
            if gate is None:  # once an update, before anyone's turn
                pulse.last = each
                if pulse.alert:
                    with self._calling(name):
                        desk.look(self, name, read, each)
                continue
            if gate.retired:
                continue
            with gate._calling(name):  # noqa: SLF001 - the gate's own plumbing
                getattr(gate, f"_user_{name}")(each)

    return in_turn


def _initialized_handler(user: Handler, desk: RiskDesk) -> Handler:
    pulse = desk.pulse

    def on_order_initialized(self: Any, event: Any) -> None:
        pulse.depth += 1
        try:
            desk.initialized(event, closing=self._closing)
            if not pulse.stopping and not self.retired:
                user(self, event)
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, "on_order_initialized", error)
        finally:
            pulse.depth -= 1

    return on_order_initialized


def _event_handler(name: str, user: Handler, desk: RiskDesk) -> Handler:
    hear, pulse = desk.learner(name), desk.pulse
    protects = name != "on_order_filled"  # the callbacks of the position follow

    def on_order(self: Any, event: Any) -> None:
        pulse.depth += 1
        try:
            hear(self, event)
            if not pulse.stopping and not self.retired:
                user(self, event)
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, name, error)
        finally:
            pulse.depth -= 1
        if pulse.depth == 0 and pulse.news and desk.reachable(name, event):
            self.tell(protects=protects)

    on_order.__name__ = name
    return on_order


def _plain_handler(name: str, user: Handler, desk: RiskDesk) -> Handler:
    pulse = desk.pulse

    def on_other(self: Any, *args: Any) -> Any:
        pulse.depth += 1
        answer = None
        try:
            if name == "on_start":
                self.hear_rates()
            elif name == HISTORY:
                desk.prices.remember(*args)
            silent = pulse.stopping or (self.retired and name != "on_stop")
            answer = None if silent else user(self, *args)
            if name == "on_start":
                checked_handlers(self)
            elif name == "on_stop":
                desk.turns.leave(self)
                with suppress(RuntimeError):  # a strategy that stops itself inside a callback holds its clock
                    self.clock.cancel_timers()  # the engine lets them run on, and fail, after the node has stopped
        except BaseException as error:  # noqa: BLE001 - kept and passed on by the policy
            desk.answer(self, name, error)
        finally:
            pulse.depth -= 1
        if pulse.depth == 0 and pulse.news:
            self.tell(protects=name != "on_order_event")
        return answer

    on_other.__name__ = name
    return on_other
