"""Whatever is sent in whatever order: the books are what the trade updates and activities add up to, to the cent."""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulators.alpaca.orders import WORKING
from simulators.alpaca.refusal import RefusedError
from simulators.alpaca.trading import Asked
from simulators.alpaca.wire import iso
from tests.simulators.alpaca.desks import Broker, Row

ENDED = {"filled", "canceled", "expired", "rejected", "replaced"}
ALLOWED_AFTER = {
    "pending_new": {"new", "rejected", "replaced", "canceled", "expired", "fill", "partial_fill"},
    "replaced": set[str](), "canceled": set[str](), "expired": set[str](), "rejected": set[str](),
    "fill": {"order_cancel_rejected", "order_replace_rejected"},
}  # fmt: skip


def random_order(rng: random.Random, price: Decimal) -> Row:
    def near(share: str) -> str:
        return str((price * (1 + Decimal(share) * rng.choice((-1, 1)))).quantize(Decimal("0.01")))

    body: Row = {"side": rng.choice(("buy", "sell")), "qty": str(rng.randint(1, 40))}
    kind = rng.choice(("market", "limit", "stop", "stop_limit", "trailing_stop"))
    body |= {"type": kind, "time_in_force": rng.choice(("day", "gtc"))}
    if kind in ("limit", "stop_limit"):
        body["limit_price"] = near("0.02")
    if kind in ("stop", "stop_limit"):
        body["stop_price"] = near("0.02")
    if kind == "trailing_stop":
        body["trail_percent"] = "1.5"
    if kind == "market" and rng.random() < 0.3:
        body |= {"time_in_force": "day", "notional": str(rng.randint(5, 500))}
        del body["qty"]
    if rng.random() < 0.3:
        up = 1 if body["side"] == "buy" else -1
        exits = [
            str((price * (1 + Decimal("0.03") * up * sign)).quantize(Decimal("0.01"))) for sign in (1, -1)
        ]
        body |= {"order_class": "bracket", "take_profit": {"limit_price": exits[0]}}
        body |= {"stop_loss": {"stop_price": exits[1]}}
    return body


def trade(broker: Broker, rng: random.Random, rounds: int) -> None:
    """Send, change, cancel and move the price at random."""
    price, now = Decimal(50), broker.desk.clock.now()
    for _ in range(rounds):
        orders = [each.id for each in broker.desk.exchange.open_orders()]
        doing = rng.random()
        with suppress(RefusedError):
            if doing < 0.45:
                broker.submit(**random_order(rng, price))
            elif doing < 0.55 and orders:
                broker.cancel(rng.choice(orders))
            elif doing < 0.65 and orders:
                new = str((price * Decimal(rng.choice(("0.99", "1.01")))).quantize(Decimal("0.01")))
                broker.replace(rng.choice(orders), **{rng.choice(("limit_price", "stop_price")): new})
            elif doing < 0.7:
                broker.desk.exchange.races[rng.choice(("cancel", "replace", "reject"))] = 1
            elif doing < 0.73:
                now = max(now, broker.desk.clock.now()) + rng.randrange(1, 30) * 3_600_000_000_000
                broker.clock(iso(now))
        price = (price * (1 + Decimal(rng.randint(-100, 100)) / 10_000)).quantize(Decimal("0.01"))
        broker.price("AAPL", str(price))


@pytest.mark.parametrize("seed", range(8))
def test_the_books_are_what_was_told(seed: int) -> None:
    broker = Broker(*(["partial=0.5"] if seed % 2 else []))
    trade(broker, random.Random(seed), 250)  # noqa: S311 - a test's own dice
    cash, held, filled = Decimal(100_000), Decimal(0), Counter[str]()
    for update in broker.updates:
        if update["event"] in ("fill", "partial_fill"):
            order, qty = update["order"], Decimal(update["qty"])
            signed = qty if order["side"] == "buy" else -qty
            cash, held = cash - signed * Decimal(update["price"]), held + signed
            assert Decimal(update["position_qty"]) == held
            filled[order["id"]] += qty  # type: ignore[assignment]
            assert Decimal(order["filled_qty"]) == filled[order["id"]]
    others = [row for row in broker.desk.ledger.activities if row["activity_type"] != "FILL"]
    cash += sum(Decimal(row["net_amount"]) for row in others)
    assert len(broker.updates) > 150
    assert (Decimal(broker.account["cash"]), broker.desk.ledger.held("AAPL")) == (cash, held)
    for order in broker.desk.exchange.orders.values():
        assert order.filled_qty == filled[order.id]
        assert order.qty is None or order.filled_qty <= order.qty
        assert order.status in ENDED | WORKING | {"held", "accepted", "pending_new"}


@pytest.mark.parametrize("seed", range(4))
def test_the_events_of_an_order_come_in_an_order_that_can_be(seed: int) -> None:
    broker = Broker()
    trade(broker, random.Random(100 + seed), 250)  # noqa: S311 - a test's own dice
    last: dict[str, str] = {}
    for update in broker.updates:
        name, event = update["order"]["id"], update["event"]
        allowed = ALLOWED_AFTER.get(last.get(name, ""))
        assert allowed is None or event in allowed, (last.get(name), event, update["order"])
        last[name] = event
    stamps = [update["timestamp"] for update in broker.updates]
    assert len(stamps) == len(set(stamps))


def test_a_restart_knows_everything_that_was_told(tmp_path: Path) -> None:
    state = f"state={tmp_path / 'state.jsonl'}"
    broker = Broker(state)
    trade(broker, random.Random(7), 200)  # noqa: S311 - a test's own dice

    def books(of: Broker) -> Any:
        query = Asked(query={"status": "all", "limit": "500"})
        return json.loads(json.dumps([
            of.trading.orders(query).body, of.trading.activities(Asked()).body, of.account["cash"],
            [(row["symbol"], row["qty"]) for row in of.trading.positions(Asked()).body],
            of.desk.exchange.fills, sorted(of.desk.exchange.received.items()),
        ]))  # fmt: skip

    before = books(broker)
    again = Broker(state, price=None)
    assert books(again) == before
    assert again.updates == []
    for each in (broker, again):
        each.desk.close()
