"""A local Alpaca without its process: the desk, its requests and what it told, at prices that tests set."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulators.alpaca.desk import Desk
from simulators.alpaca.run import make_server
from simulators.alpaca.settings import parse
from simulators.alpaca.trading import Answer, Asked, Trading
from simulators.alpaca.wire import nanos

Row = dict[str, Any]
STILL = ("paused=true", "calls_per_min=0")


class Broker:
    """A desk at 10:00 New York of 2013-02-01 with AAPL at 50; `events` are the trade updates, oldest first."""

    def __init__(self, *arguments: str, instruments: str = "AAPL", price: str | None = "50") -> None:
        server, _, _ = make_server(parse([*STILL, f"instruments={instruments}", *arguments]))
        self.server = server
        self.desk: Desk = server.desk
        self.trading = Trading(self.desk)
        self.updates: list[Row] = []
        self.desk.on_update = self.updates.append
        if price is not None:
            self.price("AAPL", price)

    def price(self, symbol: str, price: str, bid: str | None = None, ask: str | None = None) -> None:
        """A trade, and a quote around it."""
        exact = Decimal(price)
        self.desk.price(symbol, exact, Decimal(bid or price), Decimal(ask or price), Decimal(100))

    def clock(self, to: str) -> None:
        """It is so late now."""
        self.desk.advance(nanos(to))
        self.desk.settle()

    def submit(self, **body: Any) -> Row:
        """POST an order, and let it be worked on; answers what the POST did."""
        defaults = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day"}
        answer: Row = self.trading.submit(Asked(body=defaults | body)).body
        self.desk.settle()
        return answer

    def replace(self, order_id: str, **body: Any) -> Row:
        """PATCH an order."""
        answer: Row = self.trading.replace(Asked({"id": order_id}, body=body)).body
        self.desk.settle()
        return answer

    def cancel(self, order_id: str) -> Answer:
        """DELETE an order."""
        answer = self.trading.cancel(Asked({"id": order_id}))
        self.desk.settle()
        return answer

    def order(self, order_id: str) -> Row:
        """GET an order."""
        row: Row = self.trading.order(Asked({"id": order_id})).body
        return row

    def status(self, order_id: str) -> str:
        """Of an order."""
        return str(self.order(order_id)["status"])

    @property
    def events(self) -> list[str]:
        """The events' names."""
        return [row["event"] for row in self.updates]

    @property
    def account(self) -> Row:
        """GET the account."""
        row: Row = self.trading.account(Asked()).body
        return row

    def position(self, symbol: str = "AAPL") -> str:
        """Signed quantity held."""
        return f"{self.desk.ledger.held(symbol):f}"
