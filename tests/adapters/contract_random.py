"""Do journal, cache, our own book and the venue's books agree after random orders under random faults?

`play` is a whole live run at a venue's simulator, from its config to its journal: what `python -m live run` does. Its
strategy throws dice: some orders, changes, cancels, prices and faults are one sequence. Then the faults end, what still
works is cancelled, and all four sets of books have to say the same.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from nautilus_trader.model import Currency, InstrumentId, OrderSide, TimeInForce

from configs.load import Composed, compose
from journal import tables
from journal.database import open_journal
from journal.reader import Reader
from journal.verify import Verifier
from live.run import trade
from tests.adapters.commanding import PlainConfig
from tests.adapters.contract import FAULTS, Site
from tests.adapters.contract_hand import Hand

WAIT_SECS = 60.0
CANCELS = 10
BRACKETS = 0.3
"""In how many of the sequences there are brackets."""
ASKED = ("INITIALIZED", "SUBMITTED", "PENDING_UPDATE", "PENDING_CANCEL")
WORKING = ("ACCEPTED", "PARTIALLY_FILLED", "TRIGGERED")
NEVER_THERE = frozenset({"DENIED", "REJECTED", "NOT_SENT", "ABSENT"})
NEWS: tuple[Mapping[str, Any], ...] = (
    {"drop_next": 2}, {"duplicate": True}, {"reorder": True}, {"delay_ms": 30},
)  # fmt: skip
OPEN = (
    "risk.max_orders_per_day=off", "risk.max_orders_per_sec=off", "risk.allow_short=true", "risk.allow_off=true",
    "risk.allow_self_crossing=true", "risk.max_position_pct=off", "risk.max_leverage=off", "risk.max_drawdown_pct=off",
    "risk.max_daily_loss_pct=off", "risk.untrusted_jump_pct=off", "risk.warn_at_pct=off",
)  # fmt: skip
STRATEGY = """
strategy_path: tests.adapters.contract_random:Thrown
config_path: tests.adapters.contract_random:ThrownConfig
"""
ZERO = Decimal(0)
State = tuple[str, Decimal]
Fill = tuple[str, str, Decimal, Decimal]
"""Client order id, side, quantity, price."""


@dataclass(frozen=True, slots=True)
class Books:
    """An account by one set of books."""

    cash: Decimal
    held: Decimal
    cost: Decimal
    """What the position cost, below zero for a short one."""
    orders: Mapping[str, State]
    """Client order id -> status and what was filled, of orders that reached the venue."""
    fills: Mapping[Fill, int]
    """How often there is such a fill; ids are not compared, a venue may tell one by two names."""


class RandomSite(Site, Protocol):
    """What else a site needs for whole runs."""

    def live(self) -> list[str]:
        """The overrides that choose this venue; its clients report to `PLAYING`."""

    def calm(self) -> None:
        """No more faults."""

    def in_parts(self, share: str | None) -> None:
        """What one fill takes of an order at most; None: all of it."""

    def books(self) -> Books:
        """The venue's own."""


class ThrownConfig(PlainConfig):
    """Takes what Keel fills in."""

    def __init__(self, instrument_ids: list[InstrumentId], **_: object) -> None:
        self.instrument_ids = instrument_ids


class Thrown(Hand):
    """Does what the dice say."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.prepare(config.instrument_ids[0], None, quote=True)

    def on_start(self) -> None:
        super().on_start()
        PLAYING[-1].hand = self


@dataclass
class Play:
    """One live run and its dice."""

    site: RandomSite
    folder: Path
    seed: int
    sequences: int
    printed: Callable[[], str] = str
    """All that was printed so far: an engine whose log another test began writes its errors there alone."""
    hand: Any = None
    over: bool = False
    failed: BaseException | None = None
    figures: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - a test that can be repeated
        self._task: asyncio.Future[None] | None = None

    # -- the run

    def run(self) -> None:
        """From the config to the end of the journal. Raises what a sequence raised."""
        configs = self.folder / "mine" / "strategy"
        configs.mkdir(parents=True)
        (configs / "thrown.yaml").write_text(STRATEGY)
        own = [
            f"journal.path={self.folder / 'journal.db'}", f"run.dir={self.folder / 'run'}", "strategy=thrown",
            "run.tearsheet=false", "run.plots=false",
        ]  # fmt: skip
        composed: Composed = compose("live", [*own, *OPEN, *self.site.live()], configs.parent)
        self.journal = composed.config.journal
        self.site.clean()
        self.start = self.site.cash()
        PLAYING.append(self)
        try:
            assert trade(composed) == 0
        finally:
            PLAYING.pop()
            if self.failed is not None:
                raise self.failed
        assert all(times == 1 for times in self.site.received().values())
        engine = open_journal(self.journal, create=False)
        found = Verifier(engine, self.journal.heads_folder).verify()
        engine.dispose()
        assert found.is_clean, found.findings.kept[:5]

    def begin(self) -> None:
        """The clients tell that the node runs. On its loop."""
        self._task = asyncio.ensure_future(self._play())

    async def _play(self) -> None:
        try:
            self.reader = Reader(self.journal)
            self.scope = self.reader.runs(limit=1)[0]["scope"]
            await self._until(self._priced, "a quote came")
            for number in range(self.sequences):
                await self._sequence(number)
            self.reader.engine.dispose()
        except BaseException as error:  # noqa: BLE001 - `run` raises it in the test's own thread of work
            self.failed = error
        finally:
            self.over = True

    def _priced(self) -> bool:
        self.site.price("100", "99.99", "100.01")
        return bool(self.hand is not None and self.hand.quotes)

    # -- one sequence

    async def _sequence(self, number: int) -> None:
        self.trail: list[str] = []
        steps = LONG if self.site.held() >= 0 and self.random.random() < BRACKETS else STEPS
        for _ in range(self.random.randint(4, 10)):
            step = self.random.choice(steps)
            self.trail.append(step.__name__)
            step(self)
            await asyncio.sleep(self.random.choice((0.0, 0.0, 0.05, 0.2)))
        self.site.calm()
        await self._until(lambda: not self._those(ASKED), f"sequence {number}: every order is answered")
        await self._ended(number)
        await self._until(lambda: not self.differences(), f"sequence {number}: all books agree")
        self.figures["sequences"] += 1

    async def _ended(self, number: int) -> None:
        """Cancel what works; again where a cancel came too late for a change."""
        moving = (*ASKED, *WORKING)
        for _ in range(CANCELS):
            for name in self._those(WORKING):
                self.hand.cancel(name)
            deadline = time.monotonic() + WAIT_SECS / CANCELS
            while time.monotonic() < deadline and self._those(moving):  # noqa: ASYNC110 - nothing tells of an end
                await asyncio.sleep(0.02)
            if not self._those(moving):
                return
        raise AssertionError((self.seed, f"sequence {number}: every order has ended", self._said()))

    def _those(self, statuses: Sequence[str]) -> list[str]:
        return [name for name, (status, _) in self._cached().items() if status in statuses]

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_SECS
        while not condition():
            assert time.monotonic() < deadline, (self.seed, what, self._said())
            await asyncio.sleep(0.1)

    def _said(self) -> Any:
        if self.hand is None:
            return None
        cached = self._cached()
        still = {name: cached.get(name) for name in self._those((*ASKED, *WORKING))}
        return self.trail, still, self.differences()

    # -- all books

    def differences(self) -> list[str]:
        """What two sets of books say differently; the journal, which takes longest to read, is looked at last."""
        there = self.site.books()
        return [*self._cache(there), *self._book(there)] or self._journal(there)

    def _cached(self) -> dict[str, State]:
        return {
            str(each.client_order_id): (each.status.name, each.filled_qty.as_decimal())
            for each in self.hand.cache.orders()
        }

    def _cache(self, there: Books) -> list[str]:
        cache = self.hand.cache
        held = sum((Decimal(str(each.signed_qty)) for each in cache.positions_open()), ZERO)
        account = cache.account_for_venue(self.site.instrument.venue)
        balance = account.balance_total(Currency.from_str("USD")).as_decimal()
        worth = there.cash + there.cost
        found = _states("cache", self._cached(), there)
        if held != there.held and held + self._not_taken() != there.held:
            found.append(f"cache: holds {held}, the venue {there.held}")
        if abs(balance - worth) > Decimal("0.01"):
            found.append(f"cache: balance {balance}, by the venue {worth}")
        return found

    def _not_taken(self) -> Decimal:
        """Fills of orders that only reduce, where the engine knew of nothing to reduce: docs/contract.md, open."""
        said = "".join(file.read_text() for file in self.folder.parent.glob("*/run/**/engine*.jsonl"))
        said += self.printed()
        refused = set(re.findall(r"Cannot open NETTING position \S+ from reduce-only fill (\S+) for", said))
        events = [event for each in self.hand.cache.orders() for event in each.events()]
        fills = [each for each in events if str(getattr(each, "trade_id", "")) in refused]
        self.figures["not taken by the engine"] = len(fills)
        return sum(
            (each.last_qty.as_decimal() * (1 if each.order_side == OrderSide.BUY else -1) for each in fills),
            ZERO,
        )

    def _book(self, there: Books) -> list[str]:
        book = self.hand.desk.book
        held = sum((each.position for each in book.held()), ZERO)
        found = []
        if book.cash != there.cash:
            found.append(f"book: cash {book.cash}, at the venue {there.cash}")
        if held != there.held:
            found.append(f"book: holds {held}, the venue {there.held}")
        if book.orders:
            found.append(f"book: {list(book.orders)} still work")
        if self.hand.desk.doubts.unknown:
            found.append(f"book: {list(self.hand.desk.doubts.unknown)} are unknown")
        return found

    def _journal(self, there: Books) -> list[str]:
        reader, scope = self.reader, self.scope
        orders = {
            row["client_order_id"]: (row["status"], row["filled"]) for row in reader.order_states(scope)
        }
        rows = reader.rows(tables.fills, tables.fills.c.scope == scope)
        fills = Counter((row["client_order_id"], row["side"], row["quantity"], row["price"]) for row in rows)
        cash = self.start + sum((_paid(row) for row in rows), ZERO)
        held = sum((row["quantity"] for row in reader.open_positions(scope)), ZERO)
        found = _states("journal", orders, there)
        if fills != there.fills:
            odd = {each for each in {*fills, *there.fills} if fills.get(each) != there.fills.get(each)}
            found.append(f"journal: fills differ: {sorted(odd)[:4]}")
        if cash != there.cash:
            found.append(f"journal: cash {cash}, at the venue {there.cash}")
        if held != there.held:
            found.append(f"journal: holds {held}, the venue {there.held}")
        self.figures["orders"], self.figures["fills"] = len(orders), fills.total()
        return found

    # -- what the dice do

    def buy(self) -> None:
        self.hand.market(self.random.randint(1, 9))

    def sell(self) -> None:
        self.hand.market(self.random.randint(1, 9), OrderSide.SELL)

    def reduce(self) -> None:
        held = int(self.site.held())
        if held:
            side = OrderSide.SELL if held > 0 else OrderSide.BUY
            self.hand.market(self.random.randint(1, abs(held)), side, reduce_only=True)

    def rest(self) -> None:
        self._rest(self.random.choice((OrderSide.BUY, OrderSide.SELL)))

    def rest_below(self) -> None:
        self._rest(OrderSide.BUY)

    def _rest(self, side: OrderSide) -> None:
        tif = self.random.choice((TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK))
        away = self.random.randint(-2, 8)
        price = 100 - away if side is OrderSide.BUY else 100 + away
        self.hand.limit(price, self.random.randint(1, 9), side, time_in_force=tif)

    def guard(self) -> None:
        make, hand = self.hand.order_factory, self.hand
        side = self.random.choice((OrderSide.BUY, OrderSide.SELL))
        trigger = 110 if side is OrderSide.BUY else 89
        hand.send(make.stop_market(hand.traded, side, hand.size(self.random.randint(1, 9)), hand.at(trigger)))

    def bracket(self) -> None:
        self.hand.bracket(
            self.random.randint(106, 112), self.random.randint(85, 90), self.random.randint(1, 9)
        )

    def change(self) -> None:
        """Another price, or another quantity."""
        if found := self._those(WORKING):
            name = self.random.choice(found)
            order = next(each for each in self.hand.cache.orders() if str(each.client_order_id) == name)
            if order.order_type.name != "LIMIT":
                return
            if self.random.random() < 0.5:
                self.hand.change(name, quantity=self.random.randint(1, int(order.quantity) + 5))
            else:
                self.hand.change(name, price=order.price.as_decimal() + self.random.choice((-2, -1, 1, 2)))

    def cancel(self) -> None:
        if found := self._those(WORKING):
            self.hand.cancel(self.random.choice(found))

    def move(self) -> None:
        price = 100 + self.random.randint(-9, 9)
        self.site.price(str(price), f"{price - 0.01:.2f}", f"{price + 0.01:.2f}")

    def fault(self) -> None:
        on = self.random.choice(("submit", "submit", "submit", "replace", "cancel", *self.site.asks))
        kind = self.random.choice(tuple(FAULTS))
        self.figures[f"{kind} on {on}"] += 1
        self.site.fault(kind, on)

    def news(self) -> None:
        given = self.random.choice(NEWS)
        self.figures[f"news {next(iter(given))}"] += 1
        self.site.news(**given)

    def race(self) -> None:
        self.figures["race"] += 1
        self.site.race(self.random.choice(("cancel", "replace", "reject")))

    def cut(self) -> None:
        self.figures["cut"] += 1
        self.site.in_parts(self.random.choice(("0.4", None)))
        self.site.cut("trading")

    def deafen(self) -> None:
        self.figures["half-close"] += 1
        self.site.deafen()

    def skew(self) -> None:
        self.figures["wrong clock"] += 1
        self.site.skew(self.random.choice((-90.0, 0.0, 90.0)))


TROUBLE: tuple[Callable[[Play], None], ...] = (
    Play.fault, Play.fault, Play.news, Play.race, Play.cut, Play.deafen, Play.skew,
)  # fmt: skip
STEPS: tuple[Callable[[Play], None], ...] = (
    Play.buy, Play.sell, Play.reduce, Play.rest, Play.rest, Play.rest, Play.guard, Play.change, Play.change,
    Play.cancel, Play.move, Play.move, *TROUBLE,
)  # fmt: skip
LONG: tuple[Callable[[Play], None], ...] = (
    Play.bracket, Play.bracket, Play.buy, Play.rest_below, Play.change, Play.cancel, Play.move, Play.move, *TROUBLE,
)  # fmt: skip
"""A bracket's exits only reduce for the engine and not for every venue: nothing else sells beside them."""
PLAYING: list[Play] = []
"""The play that runs: its strategy and its clients find it here."""


def _states(whose: str, orders: Mapping[str, State], there: Books) -> list[str]:
    """A venue may reject an order that it took before: the engine knows no such end, and CANCELED is told."""
    found = [
        f"{whose}: {name} is {orders.get(name)}, at the venue {state}"
        for name, state in there.orders.items()
        if orders.get(name) not in (state, ("CANCELED", state[1]) if state[0] == "REJECTED" else state)
    ]
    return found + [
        f"{whose}: {name} is {state}, and the venue does not have it"
        for name, state in orders.items()
        if name not in there.orders and state[0] not in NEVER_THERE
    ]


def _paid(row: Mapping[str, Any]) -> Decimal:
    """What a fill did to the cash."""
    signed = row["quantity"] if row["side"] == "BUY" else -row["quantity"]
    return Decimal(-signed * row["price"] - row["commission"])
