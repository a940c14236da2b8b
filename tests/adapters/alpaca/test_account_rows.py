"""What the account's reader makes of rows that are out of the ordinary, and how urgently it asks for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from adapters.alpaca._account import AccountReader
from adapters.alpaca._answers import AlpacaRefusedError
from adapters.alpaca._ledger import Ledger
from adapters.alpaca._names import WireName
from adapters.outcomes import UnknownOutcomeError
from tests.adapters.alpaca.test_parsing import row

NOW = "2026-11-20T15:00:00Z"
ENTRY = str(WireName("O-E", "O-T", "O-S"))


@dataclass
class Transport:
    """Answers as Alpaca does, from `rows`; `asked` is every request, and whether it was urgent."""

    rows: list[dict[str, Any]]
    asked: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def trading(self) -> Transport:
        return self

    async def call(self, method: Any, *arguments: Any, urgent: bool = False, **_: Any) -> Any:
        self.asked.append((str(arguments[0]) if arguments else method.__name__, urgent))
        return method(*arguments)

    def get_account(self) -> dict[str, Any]:
        return {"account_number": "PA1", "cash": "1000", "equity": "1000"}

    def get_clock(self) -> dict[str, Any]:
        return {"timestamp": NOW}

    def get_all_positions(self) -> list[dict[str, Any]]:
        return []

    def get_order_by_client_id(self, name: str) -> dict[str, Any]:
        return self._one("client_order_id", name)

    def get(self, path: str, asked: dict[str, Any]) -> Any:
        if path == "/account/activities":
            return []
        if path != "/orders":
            return self._one("id", path.rpartition("/")[2])
        open_ones = [each for each in self.rows if each["status"] == "new"]
        return open_ones if asked["status"] == "open" else []

    def _one(self, key: str, value: str) -> dict[str, Any]:
        for each in self.rows:
            if each[key] == value:
                return each
        raise AlpacaRefusedError("order not found", 404, {})


def reader(*rows: dict[str, Any]) -> tuple[AccountReader, Transport]:
    transport = Transport([{"submitted_at": NOW, **each} for each in rows])
    there: Any = transport
    return AccountReader(there), transport


def exit_row(order_id: str, role: str, **more: Any) -> dict[str, Any]:
    kind = "limit" if role == "take_profit" else "stop"
    common = {"side": "sell", "type": kind, "order_class": "bracket", "group_id": "g", "group_role": role}
    return row(order_id, f"alpacas-{order_id}", **(common | more))


def bracket(target: dict[str, Any], stop: dict[str, Any]) -> dict[str, Any]:
    group = {"order_class": "bracket", "group_id": "g", "group_role": "entry"}
    return row("1", ENTRY, status="filled", filled_qty="10", legs=[target, stop], **group)


def test_an_order_that_names_no_instrument_is_left_out_and_the_others_are_told() -> None:
    """Such as one of options with several legs: its symbol and side are empty."""
    one, _ = reader(row("1", "A"), row("2", "of-options", symbol="", side="", order_class="mleg"))
    told = asyncio.run(one.snapshot(0))
    assert [each.client_order_id for each in told.orders] == ["A"]
    with pytest.raises(UnknownOutcomeError, match="names no instrument"):
        asyncio.run(one.find("of-options", None))


def test_every_request_of_a_question_about_one_order_is_urgent() -> None:
    one, transport = reader(row("2", "A", replaces="1", filled_qty="4"), row("1", "B", status="replaced"))
    assert asyncio.run(one.find("A", None)) is not None
    assert asyncio.run(one.find("nobody", None)) is None
    assert {"/orders", "/account/activities", "get_clock"} <= {path for path, _ in transport.asked}
    assert all(urgent for _, urgent in transport.asked)


@pytest.mark.parametrize("by", ["3", None])
@pytest.mark.parametrize("names_target", [False, True])
def test_a_target_that_its_stop_replaced_is_canceled_and_costs_few_requests(
    by: str | None, names_target: bool
) -> None:
    target = exit_row("2", "take_profit", status="replaced", replaced_by=by)
    replaces = "2" if names_target else None
    stop = exit_row("3", "stop_loss", status="filled", filled_qty="10", replaces=replaces)
    one, transport = reader(bracket(target, stop), target, stop)
    one.sent_as |= dict.fromkeys(("O-T", "O-S"), ENTRY)
    found = asyncio.run(one.find("O-T", None))
    assert found is not None
    assert (found[0].status, found[0].venue_order_id, found[0].filled) == ("CANCELED", "2", Decimal(0))
    assert len(transport.asked) <= 4
    stopped = asyncio.run(one.find("O-S", None))
    assert stopped is not None
    assert (stopped[0].status, stopped[0].venue_order_id, stopped[0].quantity) == ("FILLED", "3", Decimal(10))


def test_a_target_that_is_being_changed_is_not_dead_while_its_successor_is_unknown() -> None:
    ledger = Ledger()
    target, stop = exit_row("2", "take_profit"), exit_row("3", "stop_loss", status="held")
    ledger.note(bracket(target, stop))
    ledger.changing.add("O-T")
    ledger.note(target | {"status": "replaced", "replaced_by": None})
    assert _status(ledger, "O-T") == "ACCEPTED"
    ledger.note(target | {"status": "replaced", "replaced_by": "9"})
    assert (_status(ledger, "O-T"), ledger.successor("O-T")) == ("ACCEPTED", "9")
    ledger.note(exit_row("9", "take_profit", replaces="2") | {"client_order_id": "O-T.r1"})
    assert (_status(ledger, "O-T"), ledger.successor("O-T")) == ("ACCEPTED", None)
    assert _venue_id(ledger, "O-T") == "9"


def test_a_target_that_somebody_else_changed_is_not_dead() -> None:
    ledger = Ledger()
    target = exit_row("2", "take_profit", status="replaced", replaced_by="9")
    ledger.note(target)  # of a group of which nothing is known here
    ledger.note(exit_row("9", "take_profit", replaces="2"))
    assert _status(ledger, "alpacas-2") == "ACCEPTED"


def test_an_order_that_is_no_exit_is_not_dead_because_it_was_replaced() -> None:
    ledger = Ledger()
    ledger.note(row(status="replaced", replaced_by=None))
    assert _status(ledger, "A") == "ACCEPTED"


def test_a_change_whose_outcome_nobody_knows_does_not_keep_a_target_alive_whose_stop_has_filled() -> None:
    ledger = Ledger()
    target, stop = exit_row("2", "take_profit"), exit_row("3", "stop_loss", status="filled", filled_qty="10")
    ledger.changing.add("O-T")
    ledger.note(bracket(target, exit_row("3", "stop_loss", status="held")))
    ledger.note(target | {"status": "replaced", "replaced_by": None})
    assert _status(ledger, "O-T") == "ACCEPTED"
    ledger.note(stop)
    assert _status(ledger, "O-T") == "CANCELED"


def _status(ledger: Ledger, name: str) -> str | None:
    order = ledger.order(name)
    return None if order is None else order.status


def _venue_id(ledger: Ledger, name: str) -> str | None:
    order = ledger.order(name)
    return None if order is None else order.venue_order_id
