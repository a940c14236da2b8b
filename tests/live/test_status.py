"""`live status`: a running node, one that is silent, gone or ended; on both databases; for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from journal.config import JournalConfig
from live.__main__ import VERBS
from live.status import status
from risk.breaker import RiskState
from risk.state import TradingState
from tests.journal.filled import arguments, journal_on
from tests.live.told import Node, document, node_on

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JournalConfig]:
    with journal_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def node(config: JournalConfig) -> Iterator[Node]:
    with node_on(config) as made:
        yield made


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Node]:
    with node_on(JournalConfig(path=tmp_path / "journal.db")) as made:
        yield made


def shown(node: Node, capsys: Capture, *more: str) -> str:
    assert status([*arguments(node.config), *more]) == 0
    return capsys.readouterr().out


def as_json(node: Node, capsys: Capture) -> dict[str, Any]:
    return dict(json.loads(shown(node, capsys, "output=json")))


def test_a_running_node_is_shown_as_it_says_itself(node: Node, capsys: Capture) -> None:
    node.says(document())
    text = shown(node, capsys)
    for words in (
        "PAPER", "my_paper", "ACTIVE", "node runs: process", "100,750.00 USD", "+750.00 USD  +0.75%",
        "max_position_pct AAPL.XNAS", "AAPL.XNAS", "107.5", "+7.50%", "BUY 5 AAPL.XNAS LIMIT at 90", "nothing waits",
        "Data age: AAPL.XNAS 0.0 s", "Watched-001 RUNNING",
    ):  # fmt: skip
        assert words in text, words
    assert "\x1b" not in text


def test_scripts_get_the_nodes_own_document(node: Node, capsys: Capture) -> None:
    node.says(document())
    found = as_json(node, capsys)
    assert found["node"]["state"] == "RUNNING"
    assert found["node"]["running"] is True
    assert found["node"]["age_secs"] < 3
    assert (found["equity"], found["mode"], found["state"]) == ("100750", "paper", "ACTIVE")
    assert {row["key"]: row["used"] for row in found["limits"]}["max_position_pct"] == 0.5602


def test_a_node_whose_process_is_gone_is_said_and_the_journal_tells(node: Node, capsys: Capture) -> None:
    node.says(document(), ago_secs=60)
    node.buys()
    resting = node.buys(status="ACCEPTED", instrument="MSFT.XNAS")
    node.gone()
    text = shown(node, capsys)
    assert "no node runs; as of 20" in text
    assert "gone: it did not end by itself" in text
    found = as_json(node, capsys)
    assert (found["node"]["state"], found["node"]["running"]) == ("GONE", False)
    (position,) = found["positions"]
    assert (position["instrument"], position["quantity"], position["unrealised_pnl"]) == (
        "AAPL.XNAS",
        "100",
        "750",
    )
    assert [row["client_order_id"] for row in found["working"]] == [resting]


def test_prices_of_a_position_that_changed_since_the_last_word_are_not_made_up(
    on_sqlite: Node, capsys: Capture
) -> None:
    on_sqlite.says(document(), ago_secs=60)
    on_sqlite.buys()
    on_sqlite.buys()
    on_sqlite.gone()
    (position,) = as_json(on_sqlite, capsys)["positions"]
    assert (position["quantity"], position["mark"], position["unrealised_pnl"]) == ("200", None, None)


def test_a_node_that_holds_its_account_and_says_nothing_may_hang(node: Node, capsys: Capture) -> None:
    node.says(document(), ago_secs=30)
    text = shown(node, capsys)
    assert "silent for 30 s: process" in text
    assert "AAPL.XNAS" in text  # its last word stands: it may be unable to write what it did since
    assert as_json(node, capsys)["node"]["state"] == "SILENT"


def test_a_node_that_has_just_begun_is_starting(on_sqlite: Node, capsys: Capture) -> None:
    on_sqlite.desk.writer.commit()
    assert as_json(on_sqlite, capsys)["node"]["state"] == "STARTING"
    assert "a node starts: process" in shown(on_sqlite, capsys)


def test_a_node_that_ended_in_order_is_no_alarm(node: Node, capsys: Capture) -> None:
    node.says(document())
    node.ends("stopped by SIGTERM")
    found = as_json(node, capsys)
    assert (found["node"]["state"], found["node"]["ended_why"]) == ("ENDED", "stopped by SIGTERM")
    assert "no node runs; it ended: stopped by SIGTERM; as of" in shown(node, capsys)


def test_a_run_that_never_told_its_status_is_shown_from_its_snapshots(node: Node, capsys: Capture) -> None:
    node.buys()
    node.desk.mark("AAPL.XNAS", "110")
    node.desk.snapshot(node.now)
    node.ends()
    found = as_json(node, capsys)
    assert Decimal(found["equity"]) == node.desk.equity
    assert found["leverage"] == pytest.approx(11_000 / 100_999, abs=1e-6)
    assert found["limits"] == []
    assert "100,999.00 USD" in shown(node, capsys)


def test_a_halted_account_answers_0_because_the_question_was_answered(node: Node, capsys: Capture) -> None:
    node.says(document())
    reason = "DRAWDOWN: equity 89,990.00 is 10.01% below peak 100,000.00; trips at 90,000.00"
    halted = {
        "strategy:B-001": RiskState(state=TradingState.HALTED, breaker="DAILY_LOSS", reason="a bad day")
    }
    node.keeps(RiskState(state=TradingState.HALTED, breaker="DRAWDOWN", reason=reason, scopes=dict(halted)))
    node.ends()
    found = as_json(node, capsys)
    assert (found["state"], found["reason"]) == ("HALTED", reason)
    assert found["halted_scopes"] == [{"scope": "strategy:B-001", "reason": "a bad day"}]
    assert reason in " ".join(shown(node, capsys).split())


def test_what_keeps_new_exposure_out_is_said_before_anything_else(on_sqlite: Node, capsys: Capture) -> None:
    said = document(
        doubts=["MSFT.XNAS has no trusted price, so equity is not known"],
        frozen=[{"instrument": "IBM.XNYS", "why": "20 shares that no order explains"}],
        journal={"rows": 31, "secs": 4.2, "problem": "journal j.db: database or disk is full"},
        flattening=True,
        equity=None,
        day_pnl=None,
    )
    on_sqlite.says(said)
    text = shown(on_sqlite, capsys)
    head = text[: text.index("Equity")]
    assert "DOUBT: MSFT.XNAS has no trusted price" in head
    assert "FROZEN IBM.XNYS: 20 shares that no order explains" in head
    assert "JOURNAL: journal j.db: database or disk is full; new exposure is refused meanwhile" in head
    assert "FLATTENING" in head
    assert "31 rows wait" in text


def test_a_live_account_is_loud(tmp_path: Path, capsys: Capture) -> None:
    with node_on(JournalConfig(path=tmp_path / "journal.db"), mode="live") as live:
        live.says(document())
        assert "LIVE: REAL MONEY" in shown(live, capsys)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_window(
    on_sqlite: Node, capsys: Capture, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    on_sqlite.says(document())
    monkeypatch.setenv("COLUMNS", str(width))
    lines = shown(on_sqlite, capsys).splitlines()
    assert max(len(line) for line in lines) <= width
    if width >= 80:
        assert any("AAPL.XNAS" in line and "+7.50%" in line for line in lines)


def test_a_document_of_a_newer_or_older_keel_is_shown_as_far_as_it_goes(
    on_sqlite: Node, capsys: Capture
) -> None:
    on_sqlite.says({"state": "HALTED", "reason": "as it was then", "something": "new"})
    assert "HALTED: as it was then" in shown(on_sqlite, capsys)


def test_bad_input_is_one_line_and_2(on_sqlite: Node, capsys: Capture) -> None:
    on_sqlite.says(document())
    for argument, words in (
        ("ouput=json", "did you mean output?"),
        ("output=yaml", "text or json"),
        ("venue=alpaca", "it has my_paper"),
        ("run=none", "no such run"),
    ):
        assert status([*arguments(on_sqlite.config), argument]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert words in told.err
        assert len(told.err.strip().splitlines()) == 1


def test_a_journal_that_is_not_there_is_said_and_not_made(tmp_path: Path, capsys: Capture) -> None:
    assert status([f"journal.path={tmp_path / 'none.db'}"]) == 2
    assert "there is no journal" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_verbs_are_listed_and_help_has_an_example(capsys: Capture) -> None:
    verbs = {verb.name: verb for verb in VERBS}
    for name in ("status", "monitor", "positions", "orders"):
        assert verbs[name].run(["--help"]) == 0
        text = capsys.readouterr().out
        assert f"Example: python -m live {name}" in text
        assert "journal.path=FILE" in text
        assert max(map(len, text.splitlines())) <= 120
