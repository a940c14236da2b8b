"""The local Alpaca, as the contract suite wants it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from alpaca.trading.client import TradingClient
from nautilus_trader.model import BarType, InstrumentId

from adapters.alpaca._names import read
from adapters.alpaca.config import AlpacaRehearsalConfig
from adapters.alpaca.factories import AlpacaVenue
from adapters.alpaca.keys import REHEARSAL
from adapters.clients import VenueClients, Wanted
from adapters.execution import Patience
from simulators.alpaca.control import AlpacaProcess
from tests.adapters.contract import There
from tests.adapters.contract_random import PLAYING, Books

SYMBOL = "AAPL"
SHARE = InstrumentId.from_str("AAPL.ALPACA")
BARS = BarType.from_str("AAPL.ALPACA-1-MINUTE-LAST-EXTERNAL")
SLOW_SECS, HASTY_SECS = 30.0, 1.0
"""For an answer: until a node runs, and once answers get lost."""
QUICK = Patience(
    answer_secs=5.0, absent_secs=0.4, first_wait_secs=0.05, longest_wait_secs=0.2, missing_secs=0.1
)
TYPES = {
    "market": "MARKET", "limit": "LIMIT", "stop": "STOP_MARKET", "stop_limit": "STOP_LIMIT",
    "trailing_stop": "TRAILING_STOP_MARKET",
}  # fmt: skip
STATUSES = {
    "filled": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED", "rejected": "REJECTED", "replaced": "CANCELED",
    "partially_filled": "PARTIALLY_FILLED",
}  # fmt: skip
REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "lose_answer": {"kind": "hang"},
    "lose_request": {"kind": "lose"},
    "cut_after": {"kind": "cut_after"},
    "cut_before": {"kind": "cut_before"},
    "fail_before": {"kind": "status", "status": 500},
    "fail_after": {"kind": "status", "status": 504, "after": True},
    "garbage": {"kind": "garbage"},
    "too_many": {"kind": "status", "status": 429},
    "late": {"kind": "delay", "secs": 0.5},
}
NEWS = {"delay_ms": "event_delay_ms", "drop_next": "drop_next_events"}
NO_DATA = "{}: Alpaca has no such data; it has quotes, trades, bars, status and news"
KINDS = "MARKET, LIMIT, STOP_MARKET, STOP_LIMIT, TRAILING_STOP_MARKET"
REFUSES: Mapping[str, str] = {
    "TC-E17": "TIME_IN_FORCE: Alpaca has no GTD orders; use DAY, GTC, IOC, FOK, AT_THE_OPEN, AT_THE_CLOSE",
    "TC-E18": "TIME_IN_FORCE: Alpaca has no GTD orders; use DAY, GTC, IOC, FOK, AT_THE_OPEN, AT_THE_CLOSE",
    "TC-E24": f"ORDER_TYPE: Alpaca has no MARKET_IF_TOUCHED orders; it has {KINDS}",
    "TC-E25": f"ORDER_TYPE: Alpaca has no MARKET_IF_TOUCHED orders; it has {KINDS}",
    "TC-E26": f"ORDER_TYPE: Alpaca has no LIMIT_IF_TOUCHED orders; it has {KINDS}",
    "TC-E27": f"ORDER_TYPE: Alpaca has no LIMIT_IF_TOUCHED orders; it has {KINDS}",
    "TC-E53": "POST_ONLY: Alpaca has no post-only orders",
    "TC-E60": "POST_ONLY: Alpaca has no post-only orders",
    "TC-E62": "DISPLAY_QTY: Alpaca shows orders in full",
    "TC-E70": "POST_ONLY: Alpaca has no post-only orders",
    "TC-D10": NO_DATA.format("BookDeltas"),
    "TC-D11": NO_DATA.format("BookDeltas"),
    "TC-D12": NO_DATA.format("BookDepth"),
    "TC-D13": NO_DATA.format("BookSnapshot"),
    "TC-D14": NO_DATA.format("BookDeltas"),
    "TC-D15": NO_DATA.format("BookDeltas"),
    "TC-D50": NO_DATA.format("MarkPrices"),
    "TC-D51": NO_DATA.format("IndexPrices"),
    "TC-D52": NO_DATA.format("FundingRates"),
    "TC-D53": NO_DATA.format("FundingRates"),
    "TC-D61": NO_DATA.format("InstrumentClose"),
    "TC-D62": NO_DATA.format("OptionGreeks"),
    "KEEL-18": "PARAMETERS: keel_test=1: Alpaca takes none; an order asks by its tags (extended_hours)",
    "TC-D71": "SubscribeTrades: keel_test=1: Alpaca takes no parameters",
    "TC-D72": "RequestTrades: keel_test=1: Alpaca takes no parameters",
}
OPTION = "AAPL261218C00200000"
STRANGERS = {OPTION: f"instruments: {OPTION} is an option; on Alpaca only shares and crypto can be traded"}


class Hasty(AlpacaVenue):
    """The venue's clients, which can be told that an answer that has not come soon does not come any more."""

    def hasten(self) -> None:
        if self._api is not None:
            self._api.answer_secs = HASTY_SECS


class Watched(Hasty):
    """The venue's clients in a whole run: impatient, and the run that plays is told when they begin."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.patience = QUICK

    def begin(self) -> None:
        super().begin()
        self.hasten()
        PLAYING[-1].begin()

    def ended(self, cache: Any) -> bool:
        return PLAYING[-1].over or super().ended(cache)


@dataclass
class AlpacaSite:
    """One local Alpaca, used by case after case."""

    folder: Path
    instrument: InstrumentId = SHARE
    bar_type: Any = BARS
    tick: Decimal = Decimal("0.01")
    refuses: Mapping[str, str] = field(default_factory=lambda: REFUSES)
    own_tags: list[str] = field(default_factory=lambda: ["extended_hours"])
    strangers: Mapping[str, str] = field(default_factory=lambda: STRANGERS)
    asks: Sequence[str] = ("order", "order_by_client_id", "orders", "activities", "positions", "account")
    arguments: Sequence[str] = ()
    process: AlpacaProcess = field(init=False)
    logs: Path = field(init=False)

    def __post_init__(self) -> None:
        """Start it."""
        self.logs = self.folder / "engine"
        self.logs.mkdir()
        own = ["paused=true", "calls_per_min=0", f"instruments={SYMBOL}", "fees=false", "days=20"]
        self.process = AlpacaProcess([*own, *self.arguments], self.folder / "alpaca.log")
        self._control = self.process.control()
        self._client = TradingClient(REHEARSAL.key, REHEARSAL.secret, url_override=self.process.url)
        self._before: dict[str, int] = {}
        self._venue: Hasty | None = None

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return self._control.ask(op, **fields)

    def kill(self) -> None:
        self.process.kill()

    def clean(self) -> None:
        self.ask("fault", kind="clear")
        self.ask("partial", share=None)
        self.ask("status", symbol=SYMBOL, code="T")
        clock = self._client.get_clock()
        if not clock.is_open:  # type: ignore[union-attr]
            self.ask("clock", to=clock.next_open.isoformat())  # type: ignore[union-attr]
        self.price("100", "100", "100")
        self._client.cancel_orders()
        if self.held():
            self._client.close_all_positions()
        assert self.held() == 0
        self._before = self._control.audit()["received"]

    def live(self) -> list[str]:
        return [
            "venue=alpaca_paper", f"venue.trading_url={self.process.url}", "instruments=[AAPL]", "bar=1m",
            f"venue.factory={Watched.__module__}:Watched", "venue.calls_per_min=10000",
            f"venue.answer_secs={SLOW_SECS}", "venue.silent_secs=2.0",
        ]  # fmt: skip

    def clients(self, symbol: str | None = None) -> VenueClients:
        config = AlpacaRehearsalConfig(
            name="alpaca_rehearsal", config="a:B", factory="a:C", trading_url=self.process.url,
            calls_per_min=10_000, answer_secs=SLOW_SECS,
        )  # fmt: skip
        self._venue = venue = Hasty(config)
        venue.patience = QUICK
        venue.open(Wanted((symbol or SYMBOL,), "1m"))
        return venue

    def release(self, clients: VenueClients) -> None:
        assert isinstance(clients, AlpacaVenue)
        clients.close()

    def price(self, price: str, bid: str | None = None, ask: str | None = None) -> None:
        self.ask("price", symbol=SYMBOL, price=price, bid=bid or price, ask=ask or price)

    def bar(self, close: str) -> None:
        self.ask("bar", symbol=SYMBOL, close=close)

    def after_close(self) -> None:
        self.ask("clock", secs=8 * 3600)

    def halt(self) -> None:
        self.ask("status", symbol=SYMBOL, code="H")

    def fill(self, name: str, quantity: str) -> None:
        self.ask("fill", order=name, qty=quantity)

    def fault(self, kind: str, on: str) -> None:
        if self._venue is not None and kind in ("lose_answer", "lose_request"):
            self._venue.hasten()
        self.ask("fault", on=on, **REQUESTS[kind])

    def news(self, **faults: Any) -> None:
        self.ask(
            "fault",
            **{NEWS.get(key, f"{key}_events"): value for key, value in faults.items()},
        )

    def calm(self) -> None:
        self.ask("fault", kind="clear")
        self.in_parts(None)

    def in_parts(self, share: str | None) -> None:
        self.ask("partial", share=share)

    def cut(self, which: str = "all") -> None:
        self.ask("drop_streams", which=which)

    def deafen(self) -> None:
        self.ask("half_close", which="all")

    def skew(self, secs: float) -> None:
        self.ask("fault", clock_skew_secs=secs)

    def race(self, on: str) -> None:
        self.ask("race", on=on)

    def has_own(self, name: str) -> bool:
        return bool(named(self._control.audit()["orders"])[name]["extended_hours"])

    def refuse_next(self) -> None:
        self.ask("fault", on="submit", kind="status", status=403)

    def orders(self) -> Mapping[str, There]:
        return {name: there(row) for name, row in named(self._control.audit()["orders"]).items()}

    def received(self) -> Mapping[str, int]:
        found = self._control.audit()["received"]
        return {name: times for name, times in found.items() if name not in self._before}

    def held(self) -> Decimal:
        positions = self._control.audit()["positions"]
        return sum((Decimal(each["qty"]) for each in positions.values()), Decimal(0))

    def cash(self) -> Decimal:
        return Decimal(self._control.audit()["cash"])

    def books(self) -> Books:
        found = self._control.audit()
        names, held = names_of(found["orders"]), found["positions"].values()
        filled: dict[str, Decimal] = {}
        for fill in found["fills"]:
            name = names[fill["order_id"]]
            filled[name] = filled.get(name, Decimal(0)) + Decimal(fill["qty"])
        return Books(
            cash=Decimal(found["cash"]),
            held=sum((Decimal(each["qty"]) for each in held), Decimal(0)),
            cost=sum((Decimal(each["qty"]) * Decimal(each["avg_entry_price"]) for each in held), Decimal(0)),
            orders={
                name: (there(row).status, filled.get(name, Decimal(0)))
                for name, row in named(found["orders"]).items()
            },
            fills=Counter(
                (names[each["order_id"]], each["side"].upper(), Decimal(each["qty"]), Decimal(each["price"]))
                for each in found["fills"]
            ),
        )

    def listeners(self) -> int:
        return sum(self._control.audit()["streams"].values())


def names_of(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Alpaca's id of an order -> the name that we gave; it names the exits of a bracket itself."""
    entries = {
        row["group_id"]: read(row["client_order_id"]) for row in rows if row.get("group_role") == "entry"
    }
    found = {}
    for row in rows:
        own, entry = read(row["client_order_id"]).root, entries.get(row.get("group_id", ""))
        exits = {} if entry is None else {"take_profit": entry.target, "stop_loss": entry.stop}
        found[row["id"]] = exits.get(row.get("group_role", "")) or own
    return found


def named(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows by the names that we gave: the newest of an order that was changed counts, unless it was refused."""
    names = names_of(rows)
    # one that is replaced, and the newest all the same, is a take-profit whose stop has filled
    return {names[row["id"]]: row for row in rows if not (row["replaces"] and row["status"] == "rejected")}


def there(row: Mapping[str, Any]) -> There:
    """A row in the engine's words."""
    amount = {
        key: None if row.get(key) is None else Decimal(row[key])
        for key in ("qty", "filled_qty", "limit_price", "stop_price")
    }
    return There(
        side=row["side"].upper(), type=TYPES[row["type"]], quantity=amount["qty"] or Decimal(0),
        filled=amount["filled_qty"] or Decimal(0), price=amount["limit_price"], trigger=amount["stop_price"],
        tif=row["time_in_force"].upper(), status=STATUSES.get(row["status"], "ACCEPTED"),
    )  # fmt: skip
