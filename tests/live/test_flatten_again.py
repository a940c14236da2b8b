"""A flatten without a node whose time ran out, and the next one: fills that came between are booked before it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.account import VenueFill, VenueOrder, VenuePosition, VenueSnapshot
from journal import tables
from journal.config import JournalConfig
from journal.reader import Reader
from live._about import about
from live._control import Done
from live._flatten_verb import _Alone
from live.audit import audit
from live.positions import positions
from live.status import status
from risk.foreign import EXTERNAL
from tests.journal.filled import arguments
from tests.live.told import SCOPE, Node, document, node_on

AAPL, OWNER = "AAPL.XNAS", "Watched-001"
ALL, LAST = Decimal(100), Decimal("0.000000005")


@dataclass
class Venue:
    """An account at a venue that fills a close but for the last bit. An Operator.

    It lists no order that has ended, unless it was asked for it by name.
    """

    net: Decimal = ALL
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    fills: list[VenueFill] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    cancels: bool = False

    async def open(self) -> None:
        self.asked.clear()

    async def close(self) -> None:
        """Nothing to do."""

    async def snapshot(self, since_ns: int) -> VenueSnapshot:
        orders = tuple(each for name, each in self.orders.items() if each.is_open or name in self.asked)
        told = {each.name for each in orders}
        held = (VenuePosition(AAPL, self.net, Decimal(100)),) if self.net else ()
        fills = tuple(each for each in self.fills if each.name in told)
        return VenueSnapshot(
            "A", "USD", Decimal(101_000), Decimal(101_500), None, orders, fills, held, since_ns
        )

    async def order(self, client_order_id: str) -> VenueOrder | None:
        self.asked.add(client_order_id)
        return self.orders.get(client_order_id)

    async def cancel(self, venue_order_id: str) -> None:
        name = venue_order_id.removeprefix("V-")
        if self.cancels:
            self.orders[name] = replace(self.orders[name], status="CANCELED")

    async def close_position(self, instrument: str, quantity: Decimal, client_order_id: str) -> None:
        self.orders[client_order_id] = VenueOrder(
            client_order_id=client_order_id, venue_order_id=f"V-{client_order_id}", instrument=instrument, side="SELL",
            type="MARKET", quantity=quantity, filled=Decimal(0), average_price=None, price=None, trigger_price=None,
            tif="GTC", status="ACCEPTED", reduce_only=True, ts=1,
        )  # fmt: skip
        if quantity > LAST:
            self.fill(client_order_id, quantity - LAST)

    def fill(self, name: str, quantity: Decimal) -> None:
        order = self.orders[name]
        filled = order.filled + quantity
        status = "FILLED" if filled == order.quantity else "PARTIALLY_FILLED"
        self.orders[name] = replace(order, filled=filled, status=status)
        number = len(self.fills)
        self.fills.append(
            VenueFill(
                f"T-{number}", name, order.venue_order_id, AAPL, "SELL", quantity, Decimal(110), Decimal(0), "USD",
                "TAKER", 2**60 + number,
            )
        )  # fmt: skip
        self.net -= quantity


def given(config: JournalConfig) -> dict[str, str]:
    return dict(each.split("=", 1) for each in arguments(config))


def flattened(config: JournalConfig, venue: Venue) -> Done:
    return asyncio.run(_Alone(about(given(config)), venue, None, "yes", "out", 0.6).run())


def twice(config: JournalConfig, venue: Venue) -> str:
    """Flatten, let the venue fill the rest, and flatten again; answers the name of the close."""
    assert flattened(config, venue).outcome == "FAILED"
    (name,) = venue.orders
    venue.fill(name, LAST)
    done = flattened(config, venue)
    assert (done.outcome, done.answer["flat"]) == ("DONE", True)
    return name


def test_what_filled_after_the_first_is_booked_by_the_second(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as node:
        node.buys()
        node.ends()
    name = twice(config, Venue())
    reader = Reader(config)
    states = {row["client_order_id"]: row for row in reader.order_states(SCOPE)}
    assert (states[name]["status"], states[name]["filled"], states[name]["strategy"]) == (
        "FILLED",
        ALL,
        OWNER,
    )
    fills = reader.rows(tables.fills, tables.fills.c.client_order_id == name)
    assert [row["quantity"] for row in fills] == [ALL - LAST, LAST]
    assert reader.open_positions(SCOPE) == []
    (trip,) = reader.rows(tables.round_trips)
    assert (trip["strategy"], trip["exit_order"], trip["quantity"]) == (OWNER, name, ALL)
    assert audit(["verify", *arguments(config)]) == 0, capsys.readouterr().out


def test_what_nobody_explained_is_held_by_nobody_once_the_venue_is_flat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as node:
        node.ends()
    twice(config, Venue())
    reader = Reader(config)
    assert {row["strategy"] for row in reader.rows(tables.fills)} == {EXTERNAL}
    assert reader.open_positions(SCOPE) == []
    assert audit(["verify", *arguments(config)]) == 0, capsys.readouterr().out


def test_a_close_of_the_first_that_the_second_cancels_has_ended(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as node:
        node.buys()
        node.ends()
    venue = Venue(cancels=True)
    flattened(config, venue)
    (name,) = venue.orders
    flattened(config, venue)
    states = {row["client_order_id"]: row for row in Reader(config).order_states(SCOPE)}
    assert (states[name]["status"], states[name]["filled"]) == ("CANCELED", ALL - LAST)


def test_the_smallest_part_of_a_coin_is_not_shown_as_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as node:
        node.buys()
        node.ends()
    flattened(config, Venue())
    assert positions(arguments(config)) == 0
    assert "0.000000005" in capsys.readouterr().out


def shown(node: Node, capsys: pytest.CaptureFixture[str]) -> str:
    assert status(arguments(node.config)) == 0
    return capsys.readouterr().out


def test_status_tells_what_the_venue_said_after_the_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as node:
        node.buys()
        frozen = [{"instrument": AAPL, "why": "the venue holds 90, the journal explains 100"}]
        node.says(document(equity=None, frozen=frozen), ago_secs=60)
        node.ends()
        assert "FROZEN" in shown(node, capsys)
        twice(config, Venue())
        after = shown(node, capsys)
    assert "FROZEN" not in after
    assert "101,500.00 USD by the venue" in after
