"""A halt or flatten that no node answered is not forgotten: the next start halts, and the verb looks again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from configs.load import Composed
from journal import tables
from journal.control import Account, Receipt, command_row, receipt_row, write
from journal.database import open_journal
from journal.heads import HeadFile
from journal.hold import Hold
from journal.reader import Reader
from journal.verify import Verifier
from live._journal import RunJournal
from live.cancel import cancel
from live.flatten import flatten
from live.halt import halt
from live.resume import resume
from risk.state import RiskState
from runs.errors import HaltedError
from tests.faults.kept import SCOPE, VENUE, composed_in
from tests.journal.filled import Desk, arguments

ACCOUNT = Account(SCOPE, "paper", VENUE)
STRATEGY = "strategy:EmaCross-001"


class Left:
    """A paper account whose node is gone."""

    def __init__(self, folder: Path) -> None:
        self.composed: Composed = composed_in(folder)
        self.config = self.composed.config.journal
        self.engine = open_journal(self.config, create=True)
        self.run("before", 1)

    def run(self, name: str, started_ns: int) -> None:
        """A run that began then, and was killed."""
        Desk(self.engine, self.config, name, SCOPE, "paper", VENUE, started_ns).writer.close(2)

    def asked(self, verb: str, outcome: str | None = None, answer: Any = None, **args: Any) -> str:
        """A command, and its receipt where there is an outcome; answers the command's id."""
        row = {**command_row(ACCOUNT, verb, args, "bad prints"), "who": "ann"}
        rows: list[Any] = [(tables.commands, row)]
        if outcome is not None:
            receipt = Receipt(row["command_id"], outcome, "said", answer or {})
            rows.append((tables.receipts, receipt_row(ACCOUNT, receipt, by="node")))
        write(self.engine, HeadFile.of(self.config.heads_folder, tables.CONTROL), rows)
        return str(row["command_id"])

    def start(self) -> RiskState | None:
        """What a start finds. Raises HaltedError."""
        journal = RunJournal(self.composed)
        try:
            return journal.state()
        finally:
            journal.release()

    def words(self, *given: str) -> list[str]:
        return [*given, *arguments(self.config), f"venue={VENUE}"]

    def rows(self, table: Any) -> list[Any]:
        return list(Reader(self.config).rows(table))

    def unanswered(self) -> list[str]:
        """What `audit verify` says of commands without an answer."""
        notes = Verifier(self.engine, self.config.heads_folder).verify().findings.notes
        return [note for note in notes if "was never answered" in note]

    @contextmanager
    def hung(self, secs: float | None = None) -> Iterator[None]:
        """A process has the account and answers nobody; after so many seconds it is killed."""
        hold = Hold(self.config, SCOPE)
        dies = threading.Timer(secs or 0, hold.release)
        if secs is not None:
            dies.start()
        try:
            yield
        finally:
            dies.cancel()
            hold.release()


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Left]:
    found = Left(tmp_path)
    yield found
    found.engine.dispose()


# -- the next start -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "reason", "outcome"),
    [
        ("halt", "OPERATOR: bad prints (ann), which no node answered", "DONE"),
        ("flatten", "FLATTEN: bad prints (ann), which no node answered; positions may still be open", "FAILED"),
        ("close", "OPERATOR: close was asked: bad prints (ann), which no node answered", "FAILED"),
        ("cancel", "OPERATOR: cancel was asked: bad prints (ann), which no node answered", "FAILED"),
    ],
)  # fmt: skip
def test_what_no_node_answered_halts_the_next_start_before_any_order(
    left: Left, verb: str, reason: str, outcome: str
) -> None:
    left.asked("halt", "DONE", {"lifted": ["book"]})
    left.asked("resume", "DONE", {"lifted": ["book"]})
    name = left.asked(verb, symbol="AAPL")
    assert len(left.unanswered()) == 1
    for _ in range(2):
        with pytest.raises(HaltedError) as caught:
            left.start()
        assert reason.partition(";")[0] in str(caught.value)
        assert reason.rpartition("; ")[2] in str(caught.value)
        assert "\n" not in str(caught.value)
    [receipt] = [row for row in left.rows(tables.receipts) if row["command_id"] == name]
    assert (receipt["outcome"], receipt["by"]) == (outcome, "verb")
    assert left.unanswered() == []
    [event] = left.rows(tables.risk_events)
    assert (event["kind"], event["risk_scope"]) == ("TRIP", "book")
    assert event["ts"] > 1
    assert resume(left.words("reason=looked at it")) == 0
    state = left.start()
    assert state is not None
    assert not state.halted
    assert not state.flattening


def test_a_halt_of_a_strategy_halts_that_one_and_says_so(
    left: Left, capsys: pytest.CaptureFixture[str]
) -> None:
    left.asked("flatten", strategy="EmaCross-001")
    state = left.start()
    assert state is not None
    assert state.halted_scopes == (STRATEGY,)
    assert state.of(STRATEGY).breaker == "FLATTEN"
    assert state.flattening
    told = capsys.readouterr().err
    assert f"no node answered flatten: {STRATEGY} is halted" in told
    assert told.count("\n") == 1


def test_a_strategy_that_was_halted_before_makes_nobody_close_the_rest_of_the_account(left: Left) -> None:
    left.asked("halt", scope=STRATEGY)
    left.asked("flatten", strategy="EmaCross-001")
    state = left.start()
    assert state is not None
    assert state.of(STRATEGY).breaker == "OPERATOR"
    assert not state.flattening


@pytest.mark.parametrize("args", [{"scope": "strategy:Nobody-009"}, {"scope": 5}])
def test_a_part_of_the_account_that_nobody_knows_is_all_of_it(left: Left, args: dict[str, Any]) -> None:
    left.asked("halt", **args)
    with pytest.raises(HaltedError, match="bad prints"):
        left.start()


def answered(left: Left) -> None:
    left.asked("halt", "DONE")
    left.asked("flatten", "REFUSED")


def taken_back(left: Left) -> None:
    left.asked("halt")
    left.asked("resume", "DONE", {"lifted": ["book"]})


def nobodys(left: Left) -> None:
    for verb in ("resume", "limits", "approve", "reject", "resolve"):
        left.asked(verb)


def of_another_account(left: Left) -> None:
    row = command_row(Account("paper:other", "paper", "other"), "halt", {}, "x")
    write(left.engine, HeadFile.of(left.config.heads_folder, tables.CONTROL), [(tables.commands, row)])


def of_long_ago(left: Left) -> None:
    left.asked("halt")
    for name in ("second", "third"):
        left.run(name, 2**62)


@pytest.mark.parametrize("story", [answered, taken_back, nobodys, of_another_account, of_long_ago])
def test_what_was_answered_or_taken_back_or_is_nobodys_halts_nothing(
    left: Left, story: Callable[[Left], None]
) -> None:
    story(left)
    assert left.start() is None


@pytest.mark.parametrize(
    ("outcome", "lifted"), [(None, []), ("REFUSED", []), ("DONE", [STRATEGY]), ("DONE", 5)]
)
def test_a_resume_that_was_not_done_or_was_of_another_part_takes_nothing_back(
    left: Left, outcome: str | None, lifted: Any
) -> None:
    left.asked("halt")
    left.asked("resume", outcome, {"lifted": lifted})
    with pytest.raises(HaltedError, match="bad prints"):
        left.start()


def test_a_command_that_comes_while_a_node_starts_is_that_nodes(left: Left) -> None:
    journal = RunJournal(left.composed)
    try:
        left.asked("halt")
        assert journal.state() is None
        with journal.engine.connect() as connection:
            journal.mailbox.read(connection)
        assert [command.verb for command in journal.mailbox.take()] == ["halt"]
    finally:
        journal.release()


# -- the verb -------------------------------------------------------------------------------------------------------


def test_a_halt_whose_node_dies_before_it_answers_is_latched(
    left: Left, capsys: pytest.CaptureFixture[str]
) -> None:
    with left.hung(0.5):
        assert halt(left.words("reason=bad prints")) == 0
    assert "no node runs; trading is halted" in capsys.readouterr().out
    assert len(left.rows(tables.commands)) == len(left.rows(tables.receipts)) == 1
    assert left.unanswered() == []
    with pytest.raises(HaltedError, match="bad prints"):
        left.start()


def test_a_flatten_whose_node_dies_before_it_answers_halts_and_asks_to_say_it_again(
    left: Left, capsys: pytest.CaptureFixture[str]
) -> None:
    with left.hung(0.5):
        assert flatten(left.words("reason=out")) == 1
    told = capsys.readouterr().err
    assert "no node answered flatten: trading is halted" in told
    assert "say python -m live flatten again" in told
    assert left.unanswered() == []
    with pytest.raises(HaltedError, match=r"FLATTEN: out .*positions may still be open"):
        left.start()


def test_a_cancel_whose_node_dies_before_it_answers_is_refused_and_halts_nothing(
    left: Left, capsys: pytest.CaptureFixture[str]
) -> None:
    with left.hung(0.5):
        assert cancel(left.words("all=true")) == 2
    assert "no node trades my_paper now" in capsys.readouterr().err
    assert left.unanswered() == []
    assert left.start() is None


def test_a_node_that_hangs_still_is_named_and_halts_when_it_is_started_again(
    left: Left, capsys: pytest.CaptureFixture[str]
) -> None:
    with left.hung():
        assert flatten(left.words("reason=out")) == 1
    assert "where it is ended before that, its next start halts" in capsys.readouterr().err
    with pytest.raises(HaltedError, match=r"FLATTEN: out"):
        left.start()
