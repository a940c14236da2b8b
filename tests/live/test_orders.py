"""`live orders`: what needs a person comes first, with the command that answers; closed ones only when asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journal.config import JournalConfig
from live.orders import orders
from tests.journal.filled import arguments, journal_on
from tests.live.told import Node, document, node_on

Capture = pytest.CaptureFixture[str]
HELD = {
    "client_order_id": "O-7", "strategy": "Watched-001", "instrument": "AAPL.XNAS", "side": "BUY", "type": "LIMIT",
    "quantity": "50", "price": "101.5", "trigger_price": None, "orders": ["O-7", "O-8"], "until": None,
    "left_secs": 725.0, "price_when_held": "100", "band_low": "99", "band_high": "101", "price_now": "100.4",
}  # fmt: skip
UNKNOWN = {
    "client_order_id": "O-9", "strategy": "Other-002", "instrument": "MSFT.XNAS", "side": "SELL", "quantity": "12",
    "why": "no answer within 5 s", "since": "2024-01-03T14:30:00.000+00:00", "age_secs": 31.0,
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgres"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    with journal_on(request.param, tmp_path) as config, node_on(config) as made:
        yield made


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Node]:
    with node_on(JournalConfig(path=tmp_path / "journal.db")) as made:
        yield made


def shown(node: Node, capsys: Capture, *more: str) -> str:
    assert orders([*arguments(node.config), *more]) == 0
    return capsys.readouterr().out


def as_json(node: Node, capsys: Capture, *more: str) -> dict[str, Any]:
    return dict(json.loads(shown(node, capsys, "output=json", *more)))


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["client_order_id"] for row in rows]


def test_questions_come_first_then_what_waits_then_what_works(node: Node, capsys: Capture) -> None:
    node.says(document(held=[HELD], unknown=[UNKNOWN]))
    text = " ".join(shown(node, capsys).split())
    question, held, works = text.index("UNKNOWN SELL 12"), text.index("HELD BUY 50"), text.index("BUY 5 AAPL")
    assert question < held < works
    assert "no answer within 5 s, 31 s ago" in text
    assert "python -m live resolve order=O-9 outcome=never_arrived|canceled|filled" in text
    assert "and 1 with it" in text
    assert "12m 5s left, between 99 and 101, now 100.4" in text
    assert "python -m live approve order=O-7 python -m live reject order=O-7" in text


def test_without_a_node_the_journal_tells_which_orders_are_open(node: Node, capsys: Capture) -> None:
    node.says(document(), ago_secs=60)
    node.buys()
    working, unknown = node.buys(status="ACCEPTED"), node.buys(status="UNKNOWN")
    node.gone()
    found = as_json(node, capsys)
    assert ids(found["working"]) == [working]
    assert ids(found["unknown"]) == [unknown]
    assert found["unknown"][0]["why"] == "no answer from the venue"
    assert "closed" not in found


def test_orders_that_are_over_are_told_when_asked_for(node: Node, capsys: Capture) -> None:
    node.says(document())
    filled, canceled = node.buys(), node.buys(status="CANCELED")
    assert ids(as_json(node, capsys, "all=true")["closed"]) == [canceled, filled]
    assert ids(as_json(node, capsys, "all=true", "limit=1")["closed"]) == [canceled]
    text = shown(node, capsys, "all=true")
    assert "CANCELED" in text
    assert filled in text


def test_filters_leave_what_fits(on_sqlite: Node, capsys: Capture) -> None:
    on_sqlite.says(document(held=[HELD], unknown=[UNKNOWN]))
    for filters, left in (
        (["symbol=aapl"], (0, 1, 1)),
        (["symbol=MSFT.XNAS"], (1, 0, 0)),
        (["strategy=Watched"], (0, 1, 1)),
        (["strategy=other-002"], (1, 0, 0)),
        (["symbol=AAP"], (0, 0, 0)),
        (["symbol=AAPL", "strategy=Other"], (0, 0, 0)),
    ):
        found = as_json(on_sqlite, capsys, *filters)
        assert tuple(len(found[key]) for key in ("unknown", "held", "working")) == left, filters


def test_what_cannot_be_meant_is_refused_in_one_line(on_sqlite: Node, capsys: Capture) -> None:
    for argument, words in (
        ("all=yes", "true or false"),
        ("limit=0", "a whole number from 1"),
        ("limit=²", "a whole number from 1"),
        ("limit=5", "all=true"),
        ("symbl=AAPL", "did you mean symbol?"),
    ):
        assert orders([*arguments(on_sqlite.config), argument]) == 2
        assert words in capsys.readouterr().err
