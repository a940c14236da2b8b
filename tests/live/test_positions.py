"""`live positions`: what is held and what it made, from the node or from the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from live.positions import positions
from tests.journal.filled import arguments, journal_on
from tests.live.told import Node, document, node_on

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


@pytest.fixture(params=["sqlite", "postgres"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    with journal_on(request.param, tmp_path) as config, node_on(config) as made:
        yield made


def shown(node: Node, capsys: Capture, *more: str) -> str:
    assert positions([*arguments(node.config), *more]) == 0
    return capsys.readouterr().out


def as_json(node: Node, capsys: Capture, *more: str) -> dict[str, Any]:
    return dict(json.loads(shown(node, capsys, "output=json", *more)))


def test_a_running_node_says_what_it_holds(node: Node, capsys: Capture) -> None:
    node.says(document())
    text = shown(node, capsys)
    assert "node runs" in text
    (line,) = [line for line in text.splitlines() if line.startswith("AAPL.XNAS")]
    assert line.split()[:6] == ["AAPL.XNAS", "100", "100", "107.5", "10,750.00", "+750.00"]
    (row,) = as_json(node, capsys)["positions"]
    assert (row["quantity"], row["average_price"], row["unrealised_pnl_pct"]) == ("100", "100", 0.075)


def test_without_a_node_the_journal_says_it(node: Node, capsys: Capture) -> None:
    node.buys()
    node.buys(instrument="MSFT.XNAS")
    node.ends()
    found = as_json(node, capsys)
    assert [row["instrument"] for row in found["positions"]] == ["AAPL.XNAS", "MSFT.XNAS"]
    assert found["node"]["state"] == "ENDED"
    assert found["positions"][0]["mark"] is None
    assert "no node runs" in shown(node, capsys)


def test_filters_leave_what_fits(node: Node, capsys: Capture) -> None:
    node.says(document())
    assert len(as_json(node, capsys, "symbol=AAPL")["positions"]) == 1
    assert as_json(node, capsys, "symbol=MSFT")["positions"] == []
    assert "none" in shown(node, capsys, "strategy=Other-002")
