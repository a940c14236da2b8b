"""`live halt`: it works with a node and without one, with a broken config, and when the journal cannot be written."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from configs.errors import ConfigError
from journal import tables
from journal.config import JournalConfig
from journal.hold import Hold
from live._control import meant, one_meant
from live.halt import halt
from live.resume import resume
from risk.breaker import RiskState, TradingState
from tests.journal.filled import Desk, arguments, journal_on
from tests.live.nodes import Node, paper_node, verb, words
from tests.live.told import SCOPE, node_on

both_kinds = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


def state_of(node: Node) -> RiskState:
    row = node.reader().risk_state("paper:my_paper")
    assert row is not None
    return RiskState.from_row(row)


# -- with a node ----------------------------------------------------------------------------------------------------


@both_kinds
def test_a_node_halts_at_once_and_the_halt_outlives_it(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with journal_on(kind, tmp_path) as config, paper_node(tmp_path, config) as node:
        node.until_steady()
        asked = time.monotonic()
        assert halt(words(["reason=bad prints", "output=json"], config)) == 0
        assert time.monotonic() - asked < 30
        shown = json.loads(capsys.readouterr().out)
        assert (shown["by"], shown["outcome"], shown["state"], shown["breaker"]) == (
            "node", "DONE", "HALTED", "OPERATOR",
        )  # fmt: skip
        assert len(shown["canceled"]) == 1
        assert "bad prints" in shown["reason"]
        orders = tables.orders
        node.until(
            lambda: node.rows(
                orders, orders.c.client_order_id == shown["canceled"][0], orders.c.event == "CANCELED"
            ),
            "the entry is cancelled",
        )
        assert state_of(node).halted
        assert node.held() >= 100
        node.stop(signal.SIGKILL)
        again = verb(tmp_path, "run", *node.options, "run.max_bars=3", config=config)
        assert again.returncode == 3
        assert "bad prints" in again.stderr
        commands = node.rows(tables.commands)
        assert [(row["verb"], row["why"]) for row in commands] == [("halt", "bad prints")]
        receipts = node.rows(tables.receipts)
        assert [(row["outcome"], row["by"]) for row in receipts] == [("DONE", "node")]
        trips = node.rows(tables.risk_events, tables.risk_events.c.kind == "TRIP")
        assert [row["breaker"] for row in trips] == ["OPERATOR"]


def test_a_broken_config_in_the_folder_stops_nobody_from_stopping(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    broken = tmp_path / "elsewhere"
    for name in ("configs", "mine"):
        (broken / name).mkdir(parents=True)
        (broken / name / "live.yaml").write_text("defaults: [\n  - : : not yaml")
    with paper_node(tmp_path, config) as node:
        node.until_steady()
        done = verb(broken, "halt", "reason=stop", config=config)
        assert done.returncode == 0, done.stderr
        assert "trading is halted: OPERATOR: stop" in done.stdout
        assert state_of(node).halted


def test_without_a_venue_the_node_that_trades_is_meant_not_the_newest_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A quick replay after the paper node was started is the newest run; what has to stop is what trades."""
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config) as node:
        node.until_steady()
        replay = verb(tmp_path, "run", "venue=replay", "run.max_bars=5", "run.plots=false", config=config)
        assert replay.returncode == 0, replay.stderr
        assert halt(words(["reason=all of it"], config)) == 0
        assert "trading is halted: OPERATOR: all of it" in capsys.readouterr().out
        assert state_of(node).halted


def test_where_several_nodes_trade_halt_means_all_and_the_others_ask_which(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    given = {"journal.path": str(config.file)}
    with node_on(config) as paper:
        assert [each.scope for each in meant(given)] == [SCOPE]
        paper.says({})
        other = Desk(
            paper.engine, config, "live-1", "live:other", "live", "other", paper.now
        )  # its run is the newest
        hold = Hold(config, other.scope)
        try:
            assert {each.scope for each in meant(given)} == {SCOPE, "live:other"}
            with pytest.raises(ConfigError, match="say which, as in venue="):
                one_meant(given)
            assert one_meant({**given, "venue": "other"}).scope == "live:other"
        finally:
            hold.release()
        other.writer.close()
        assert [each.scope for each in meant(given)] == [SCOPE]


# -- without one ----------------------------------------------------------------------------------------------------


@both_kinds
def test_without_a_node_the_halt_is_latched_and_on_record(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with journal_on(kind, tmp_path) as config:
        with node_on(config) as left:
            left.keeps(RiskState(peak=left.desk.cash, day_start=left.desk.cash, equity=left.desk.cash))
            left.ends()
        assert halt(words(["reason=going away", "scope=strategy:EmaCros-001"], config)) == 2
        assert "did you mean strategy:EmaCross-001?" in capsys.readouterr().err
        assert halt(words(["reason=going away"], config)) == 0
        assert "no node runs; trading is halted" in capsys.readouterr().out
        node = Node(tmp_path, config)
        assert state_of(node).reason is not None
        assert state_of(node).state is TradingState.HALTED
        assert [row["run_id"] for row in node.rows(tables.commands)] == ["control"]
        receipts = node.rows(tables.receipts)
        assert [(row["by"], row["outcome"], row["run_id"]) for row in receipts] == [
            ("verb", "DONE", "control")
        ]
        events = node.rows(tables.risk_events, tables.risk_events.c.run_id == "control")
        assert [(row["kind"], row["breaker"], row["risk_scope"]) for row in events] == [
            ("TRIP", "OPERATOR", "book")
        ]
        assert halt(words(["reason=again", "scope=strategy:EmaCross-001"], config)) == 0
        assert state_of(node).halted_scopes == ("strategy:EmaCross-001",)
        assert resume(words(["reason=back", "scope=all"], config)) == 0
        assert not state_of(node).halted


def test_a_halt_for_another_reason_keeps_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as left:
        state = RiskState(state=TradingState.HALTED, breaker="DRAWDOWN", reason="DRAWDOWN: 10%")
        left.keeps(state)
        left.ends()
    assert halt(words(["reason=me too"], config)) == 0
    assert "DRAWDOWN: 10%" in capsys.readouterr().out
    assert state_of(Node(tmp_path, config)).breaker == "DRAWDOWN"


def test_a_replay_that_ended_has_nothing_to_halt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    done = verb(tmp_path, "run", "venue=replay", "run.max_bars=5", "run.plots=false", config=config)
    assert done.returncode == 0, done.stderr
    assert halt(words([], config)) == 0
    assert "there is nothing to halt" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["raeson=x"], "did you mean reason?"),
        (["now"], "key=value"),
        (["output=xml"], "text or json"),
        (["journal.path=/nowhere/at/all.db"], "there is no journal"),
    ],
)
def test_bad_input_costs_one_line_and_exit_code_two(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert halt(given) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1


# -- when the journal cannot be used --------------------------------------------------------------------------------


def test_a_journal_that_is_locked_leaves_the_signal_and_the_record_follows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config) as node:
        node.until_steady()
        with closing(sqlite3.connect(config.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert halt(words(["reason=now", "output=json"], config)) == 0
            shown = json.loads(capsys.readouterr().out)
            assert (shown["by"], shown["halted"], shown["deaf"]) == ("signal", [SCOPE], [])
            assert "locked" in shown["text"]
            other.execute("ROLLBACK")
        trips = node.until(
            lambda: node.rows(tables.risk_events, tables.risk_events.c.kind == "TRIP"),
            "the halt is on record",
        )
        assert "by signal" in trips[0]["reason"]
        assert state_of(node).halted


def test_a_journal_that_was_deleted_leaves_the_signal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config) as node:
        node.until_steady()
        for file in tmp_path.glob("journal.db*"):
            if file.is_file():
                file.unlink()
        assert halt(words(["venue=my_paper"], config)) == 0
        said = capsys.readouterr().out
        assert f"{SCOPE} is halted: process {node.pid} was signalled, and obeyed" in said
        node.until(
            lambda: "HALTED" in node.said.read_text(encoding="utf-8"), "the node says that it is halted"
        )


def test_a_node_that_does_not_listen_is_named_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config) as node:
        node.until_steady()
        os.kill(node.pid, signal.SIGSTOP)
        try:
            assert halt(words(["reason=now"], config)) == 1
        finally:
            os.kill(node.pid, signal.SIGCONT)
        said = capsys.readouterr().err
        assert (
            f"process {node.pid} was signalled and shows no sign that it obeyed; stop it (kill {node.pid})"
            in said
        )
        assert "does not answer within 3 s" in said
        node.until(lambda: state_of(node).halted, "it halts as soon as it goes on")


def test_where_nobody_can_be_reached_it_says_so_and_what_else_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as left:
        left.ends()
    with closing(sqlite3.connect(config.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert halt(words(["reason=now"], config)) == 1
    said = capsys.readouterr().err
    assert "locked" in said
    assert "nobody to signal" in said
    assert "the broker's own page" in said
    assert "Traceback" not in said


def test_a_process_that_would_die_of_the_signal_is_never_sent_it(tmp_path: Path) -> None:
    """A signature outlives its process, and its number may be another's by now: here it is this very test's."""
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as left:
        left.ends()
    holds = tmp_path / "holds"
    node = Node(tmp_path, config)
    from journal.hold import signature  # noqa: PLC0415 - one use

    path = signature(config, SCOPE)
    holds.mkdir(exist_ok=True)
    path.write_text(json.dumps({"pid": os.getpid(), "scope": SCOPE}))
    config.file.write_bytes(b"no database")
    assert halt([*arguments(config), "venue=my_paper"]) == 1
    assert node.process is None


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert halt(["--help"]) == 0
    assert "Example: python -m live halt reason=" in capsys.readouterr().out
