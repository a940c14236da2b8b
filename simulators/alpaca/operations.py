"""What may a test or an operator do to the local Alpaca that no client could? POST /keel/control, one method an op."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from simulators.alpaca.desk import Desk
from simulators.alpaca.gateway import Gateway
from simulators.alpaca.paths import Bar
from simulators.alpaca.player import Player
from simulators.alpaca.refusal import RefusedError
from simulators.alpaca.streams import Streams
from simulators.alpaca.wire import MINUTE, amount, iso, nanos, number

Row = dict[str, Any]
ZERO = Decimal(0)


class Operations:
    """The operations by name; each answers a row."""

    def __init__(self, desk: Desk, streams: Streams, gateway: Gateway, player: Player) -> None:
        self._desk = desk
        self._streams = streams
        self._gateway = gateway
        self._player = player
        names = (
            "market", "price", "quote", "bar", "clock", "fault", "drop_streams", "half_close", "audit", "activity",
            "account", "fill", "race", "news", "status", "split", "partial", "reset_limits",
        )  # fmt: skip
        self._operations: dict[str, Callable[[Row], Any]] = {name: getattr(self, name) for name in names}

    async def do(self, request: Row) -> Row:
        """Do one. Raises RefusedError 400."""
        asked = dict(request)
        op = str(asked.pop("op", ""))
        if op not in self._operations:
            raise RefusedError(400, 40010000, f"there is no op {op}; there is {', '.join(self._operations)}")
        try:
            found = self._operations[op](asked)
            answer = await found if asyncio.iscoroutine(found) else found
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise RefusedError(400, 40010000, f"{op}: {type(error).__name__} {error}") from error
        self._desk.settle()
        return answer or {}

    # -- the market

    async def market(self, asked: Row) -> Row:
        """do=pause, resume, step (n minute bars, or until a time), price, state."""
        do = asked.pop("do", "state")
        if do == "pause":
            self._player.pause()
        elif do == "resume":
            self._player.resume(asked.get("speed"))
        elif do == "step":
            until = nanos(asked["until"]) if asked.get("until") else None
            await self._player.step(int(asked.get("n", 1)), until)
        elif do == "price":
            self.price(asked)
        elif do != "state":
            raise ValueError(f"do={do}: pause, resume, step, price or state")
        return self._player.state()

    def price(self, asked: Row) -> Row:
        """symbol, price, and bid, ask, size: a trade and a quote now. Bid and ask are the price unless given."""
        price = _exact(asked, "price")
        symbol = self._desk.assets.get(asked["symbol"]).symbol
        bid, ask = (number(name, asked.get(name)) or price for name in ("bid", "ask"))
        self._desk.price(symbol, price, bid, ask, number("size", asked.get("size")) or Decimal(100))
        return {"now": iso(self._desk.clock.now())}

    def quote(self, asked: Row) -> Row:
        """symbol, bid, ask: a quote without a trade."""
        symbol = self._desk.assets.get(asked["symbol"]).symbol
        last = self._desk.exchange.quotes.get(symbol)
        bid, ask = _exact(asked, "bid"), _exact(asked, "ask")
        self._desk.price(symbol, last.last if last else bid, bid, ask, ZERO)
        return {"now": iso(self._desk.clock.now())}

    def bar(self, asked: Row) -> Row:
        """symbol, open, high, low, close, volume, start: a minute bar, kept and told; the clock goes to its end."""
        symbol = self._desk.assets.get(asked["symbol"]).symbol
        now = self._desk.clock.now()
        start = nanos(asked["start"]) if asked.get("start") else now - now % MINUTE
        close = _exact(asked, "close")
        opened, high, low = (number(name, asked.get(name)) or close for name in ("open", "high", "low"))
        volume = number("volume", asked.get("volume")) or Decimal(100)
        bar = Bar(start, opened, max(high, opened, close), min(low, opened, close), close, volume)
        self._desk.tape.add(symbol, bar)
        if start + MINUTE > now:
            self._desk.advance(start + MINUTE)
        if asked.get("told", True):
            self._desk.publish_bar(symbol, bar)
        return {"now": iso(self._desk.clock.now()), "start": iso(start)}

    def clock(self, asked: Row) -> Row:
        """to: a time, or secs: how much later; what opens, closes or expires on the way does."""
        now = self._desk.clock.now()
        to = nanos(asked["to"]) if asked.get("to") else now + int(Decimal(str(asked["secs"])) * 1_000_000_000)
        if to < now:
            raise ValueError("the clock cannot go back")
        self._desk.advance(to)
        self._player.moved()
        return self._player.state()

    def status(self, asked: Row) -> None:
        """symbol, code=H|T: halt or resume trading."""
        self._desk.publish_status(asked["symbol"], asked.get("code", "H"), asked.get("reason", ""))

    def news(self, asked: Row) -> Row:
        """headline, symbols, ...: publish an article."""
        return self._desk.publish_news(asked)

    # -- faults

    def fault(self, asked: Row) -> None:
        """kind=..., on=..., times=..., or a fault of the streams; kind=clear ends all."""
        self._desk.faults.set(asked)

    def race(self, asked: Row) -> None:
        """on=cancel|replace|reject, times: the next ones lose to a fill, or are rejected after they were accepted."""
        if asked["on"] not in ("cancel", "replace", "reject"):
            raise ValueError("on=cancel, replace or reject")
        self._desk.exchange.races[asked["on"]] += int(asked.get("times", 1))

    def drop_streams(self, asked: Row) -> Row:
        """which=all|trading|data: cut them."""
        return {"cut": self._streams.drop(asked.get("which", "all"))}

    def half_close(self, asked: Row) -> None:
        """which=all|trading|data: leave them open and silent for ever."""
        self._streams.half_close(asked.get("which", "all"))

    def partial(self, asked: Row) -> None:
        """share: what one fill takes of an order at most; null for all of it."""
        self._desk.exchange.partial = number("share", asked.get("share"))

    def reset_limits(self, asked: Row) -> None:
        """calls_per_min: begin the minute again, with another limit if one is given."""
        self._gateway.reset_limits(asked.get("calls_per_min"))

    # -- the account

    def audit(self, _asked: Row) -> Row:
        """The broker's own books."""
        exchange, ledger = self._desk.exchange, self._desk.ledger
        return {
            "cash": amount(ledger.cash), "equity": amount(exchange.power().equity),
            "fees_due": amount(ledger.fees_due),
            "positions": {
                name: {"qty": amount(each.quantity), "avg_entry_price": amount(each.average_price)}
                for name, each in ledger.positions.items()
            },
            "orders": [each.row() for each in exchange.orders.values()],
            "fills": exchange.fills, "activities": ledger.activities, "received": dict(exchange.received),
            "requests": dict(self._gateway.requests), "streams": self._streams.listening(),
            "subscribed": self._streams.subscribed(), "now": iso(self._desk.clock.now()),
        }  # fmt: skip

    def activity(self, asked: Row) -> Row:
        """type, net_amount, symbol, qty, ...: a dividend, transfer, fee, split or anything else that is not a fill.

        moves=false: the shares went before, as those of a fee in coins that is told a day after its trade.
        """
        kind = asked.pop("type")
        net = number("net_amount", asked.pop("net_amount", None)) or ZERO
        moves = bool(asked.pop("moves", True))
        for name in ("qty", "price", "per_share_amount"):
            if asked.get(name) is not None:
                asked[name] = _exact(asked, name)
        return self._desk.ledger.book(self._desk.clock.stamp(), kind, net, moves=moves, **asked)

    def split(self, asked: Row) -> Row:
        """symbol, ratio: split the shares now, 2 for two of one; open orders of it are canceled."""
        symbol, ratio = self._desk.assets.get(asked["symbol"]).symbol, _exact(asked, "ratio")
        desk, stamp = self._desk, self._desk.clock.stamp()
        for order in desk.exchange.open_orders():
            if order.symbol == symbol and order.is_open:
                desk.exchange.end(order, "canceled")
        desk.tape.split(symbol, stamp, ratio)
        quote = desk.exchange.quotes.get(symbol)
        row = {}
        if desk.ledger.held(symbol):
            more = desk.ledger.held(symbol) * (ratio - 1)
            row = desk.ledger.book(stamp, "SPLIT", symbol=symbol, qty=more, description=f"{ratio:f} for 1")
        if quote is not None:
            new = (quote.last / ratio).quantize(Decimal("0.01"))
            desk.price(symbol, new, new, new, ZERO)
        return row

    def account(self, asked: Row) -> None:
        """trading_blocked, account_blocked, shorting_enabled, status, ...: what the account may do."""
        flags = self._desk.exchange.flags
        for name, value in asked.items():
            if not hasattr(flags, name):
                raise ValueError(f"there is no flag {name}")
            setattr(flags, name, value)

    def fill(self, asked: Row) -> Row:
        """Order (id or client id), qty, price: fill it by hand, wherever the price is."""
        exchange = self._desk.exchange
        order = exchange.orders.get(asked["order"]) or exchange.get_by_client_id(asked["order"])
        qty = number("qty", asked.get("qty")) or order.leaves
        if not order.is_open or (order.qty is not None and qty > order.leaves):
            raise ValueError(f"the order is {order.status}, {order.leaves} are left")
        quote = exchange.quotes.get(order.symbol)
        price = number("price", asked.get("price")) or order.limit_price or (quote.last if quote else None)
        if price is None:
            raise ValueError("price is needed")
        exchange.fill(order, qty, price)
        return order.row()


def _exact(asked: Mapping[str, Any], name: str) -> Decimal:
    found = number(name, asked[name])
    if found is None:
        raise ValueError(f"{name} is needed")
    return found
