"""What may be asked of the local broker, and what does it answer? One method an operation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from simulators.broker.account import Account
from simulators.broker.exchange import Exchange
from simulators.broker.faults import Faults
from simulators.broker.orders import Fill, Order, RefusedError, amount
from simulators.broker.playback import Playback, PlayedBar
from simulators.broker.record import Line, Record

Request = Mapping[str, Any]
Answer = dict[str, Any]
News = Callable[[str, dict[str, Any]], None]


class Desk:
    """The broker behind its socket: exchange, market and record. Changes are on disk before anybody hears of them."""

    def __init__(self, exchange: Exchange, playback: Playback, record: Record, news: News) -> None:
        """`news(kind, row)` tells every listener; kinds are order, fill, account and bar."""
        self.exchange = exchange
        self.playback = playback
        self.faults = Faults()
        self.playing = True
        self._record = record
        self._news = news
        self._last_stamp = 0
        self._lines: list[Line] = []  # for the record, written with what they led to
        self._operations: dict[str, Callable[[Request], Answer]] = {
            "hello": self._hello, "submit": self._submit, "modify": self._modify, "cancel": self._cancel,
            "order": self._order, "snapshot": self._snapshot, "account": self._account, "audit": self._audit,
            "market": self._market, "fault": self._fault,
        }  # fmt: skip

    def restore(self, lines: list[Line]) -> None:
        """Go on where an earlier life ended."""
        for line in lines:
            if "order" in line:
                self.exchange.restore(Order.from_row(line["order"]))
            elif "fill" in line:
                self.exchange.restore(Fill.from_row(line["fill"]))
            elif "received" in line:
                self.exchange.received[line["received"]] = line["times"]
            elif "played" in line:
                self.playback.at = line["played"]
            elif "cash" in line:
                self.exchange.account = Account(line["account"], line["currency"], Decimal(line["cash"]))

    def history(self, starting_cash: Decimal) -> list[Line]:
        """Everything that `restore` needs."""
        account = self.exchange.account
        return [
            {"account": account.number, "currency": account.currency, "cash": f"{starting_cash:f}"},
            *({"received": name, "times": times} for name, times in self.exchange.received.items()),
            *({"fill": fill.row()} for fill in self.exchange.fills),
            *({"order": order.row()} for order in self.exchange.orders.values()),
            {"played": self.playback.at},
        ]

    def do(self, request: Request) -> Answer:
        """Answer one request; what cannot be done is an answer with `error` and `code`."""
        operation = self._operations.get(str(request.get("op")), self._no_such)
        try:
            if request.get("op") != "submit" and self.faults.take("reject_next", request.get("op")):
                return {"error": "rejected on demand", "code": "REJECTED"}
            return operation(request)
        except RefusedError as refused:
            return {"error": str(refused), "code": refused.code}
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            return {
                "error": f"this request cannot be read: {type(error).__name__} {error}",
                "code": "INVALID",
            }
        finally:
            self._tell()

    def step(self) -> None:
        """Play the next bars."""
        for bar in self.playback.next():
            self._play(bar)

    def stamp(self) -> int:
        """The wall clock in UTC ns, never the same twice."""
        self._last_stamp = max(self._last_stamp + 1, time.time_ns())
        return self._last_stamp

    # -- operations

    def _hello(self, _request: Request) -> Answer:
        account = self.exchange.account
        return {
            "account": account.number,
            "currency": account.currency,
            "instruments": list(self.exchange.listed),
            "bar_types": self.playback.bar_types,
        }

    def _no_such(self, request: Request) -> Answer:
        raise RefusedError("INVALID", f"op={request.get('op')}: there is {', '.join(self._operations)}")

    def _submit(self, request: Request) -> Answer:
        if self.faults.take("reject_next", "submit"):
            self._count(request)
            raise RefusedError("REJECTED", "rejected on demand")
        try:
            order = self.exchange.submit(request, self.stamp())
        finally:
            self._count(request)
        return {"order": order.row()}

    def _count(self, request: Request) -> None:
        name = request.get("client_order_id")
        if name is not None:
            self.exchange.received.setdefault(name, 1)
            self._lines.append({"received": name, "times": self.exchange.received[name]})

    def _modify(self, request: Request) -> Answer:
        return {"order": self.exchange.modify(self._target(request), request, self.stamp()).row()}

    def _cancel(self, request: Request) -> Answer:
        return {"order": self.exchange.cancel(self._target(request), self.stamp()).row()}

    def _target(self, request: Request) -> str:
        order = self.exchange.find(request.get("client_order_id"), request.get("venue_order_id"))
        if order is None:
            raise RefusedError("UNKNOWN", "there is no such order")
        return order.venue_order_id

    def _order(self, request: Request) -> Answer:
        order = self.exchange.find(request.get("client_order_id"), request.get("venue_order_id"))
        if order is None:
            return {"order": None, "fills": []}
        name = order.venue_order_id
        return {
            "order": order.row(),
            "fills": [f.row() for f in self.exchange.fills if f.venue_order_id == name],
        }

    def _snapshot(self, request: Request) -> Answer:
        since = int(request.get("since", 0))
        orders = [each for each in self.exchange.orders.values() if each.is_open or each.ts >= since]
        names = {each.venue_order_id for each in orders}
        fills = [each.row() for each in self.exchange.fills if each.venue_order_id in names]
        rows = [each.row() for each in orders]
        return {**self._account(request), "orders": rows, "fills": fills, "ts": self.stamp()}

    def _account(self, _request: Request) -> Answer:
        return self.exchange.account.row(self.exchange.prices)

    def _audit(self, _request: Request) -> Answer:
        return {
            "received": dict(self.exchange.received),
            "orders": [order.row() for order in self.exchange.orders.values()],
            "fills": [fill.row() for fill in self.exchange.fills],
            "played": self.playback.at,
            "playing": self.playing,
            **self._account({}),
        }

    def _market(self, request: Request) -> Answer:
        """`do`: pause, resume, step (`steps`), price (`instrument`, `price`), end_day, or partial (`share`)."""
        match request.get("do"):
            case "pause":
                self.playing = False
            case "resume":
                self.playing = True
            case "step":
                for _ in range(int(request.get("steps", 1))):
                    self.step()
            case "price":
                self._jump(str(request.get("instrument")), amount("price", request.get("price")))
            case "end_day":
                self.exchange.end_day(self.stamp())
            case "partial":
                share = request.get("share")
                self.exchange.partial = None if share is None else amount("share", share)
            case other:
                raise RefusedError("INVALID", f"do={other}: pause, resume, step, price, end_day or partial")
        return {"played": self.playback.at, "prices": {k: f"{v:f}" for k, v in self.exchange.prices.items()}}

    def _fault(self, request: Request) -> Answer:
        self.faults.set({key: value for key, value in request.items() if key not in ("op", "id")})
        return {}

    # -- below

    def _jump(self, instrument: str, price: Decimal) -> None:
        if instrument not in self.exchange.listed:
            raise RefusedError("INVALID", f"instrument={instrument}: not traded here")
        volume = Decimal(1000)
        kind = self.playback.type_of(instrument)
        self._play(PlayedBar(instrument, kind, price, price, price, price, volume))

    def _play(self, bar: PlayedBar) -> None:
        now = self.stamp()
        self.exchange.bar(bar, now)
        self._tell()
        self._news("bar", bar.row(now))

    def _tell(self) -> None:
        changes, self.exchange.changes = self.exchange.changes, []
        more, self._lines = self._lines, []
        lines = [{"order" if isinstance(each, Order) else "fill": each.row()} for each in changes]
        if lines or more:
            self._record.write([*more, *lines, {"played": self.playback.at}])
        for line in lines:
            for kind, row in line.items():
                self._news(kind, row)
        if any("fill" in line for line in lines):
            self._news("account", self._account({}))
