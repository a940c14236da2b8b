"""A person lifts a halt: of which scope, for what reason, and what losses count from then on, is shown and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from journal import tables
from journal.config import JournalConfig
from journal.reader import Reader
from live.halt import halt
from live.resume import resume
from risk.breaker import Breakers, RiskState, ScopeLimits, TradingState
from risk.limits import RiskConfig
from risk.sessions import SessionDays
from tests.driving import OPEN, T0
from tests.journal.filled import arguments, journal_on
from tests.live.nodes import paper_node, verb, words
from tests.live.told import SCOPE, VENUE, node_on

pytestmark = pytest.mark.slow

A, B, XNAS = "strategy:A-001", "strategy:B-001", "venue:XNAS"
LIMITS = RiskConfig(**{**OPEN, "max_drawdown_pct": "0.1"})
LINES = [ScopeLimits.only(scope, LIMITS, max_drawdown=Decimal(500)) for scope in (A, B, XNAS)]
DAYS = SessionDays.of("America/New_York", "00:00")


def fallen(equity: int, a: int = 0, b: int = 0, xnas: int = 0) -> RiskState:
    """The state of an account that began at 100,000 with no results, and came to these."""
    one = Breakers(LIMITS, DAYS, Decimal(100_000), scopes=LINES)
    one.roll(T0, Decimal(100_000))
    for values in ((100_000, 0, 0, 50_000), (equity, a, b, 50_000 + xnas)):
        book, *scoped = (Decimal(each) for each in values)
        one.read(T0, book, scoped=dict(zip((A, B, XNAS), scoped, strict=True)))
    return one.state


@contextmanager
def kept(folder: Path, state: RiskState, kind: str = "sqlite") -> Iterator[JournalConfig]:
    """A journal that keeps this state of an account that no node trades."""
    with journal_on(kind, folder) as config:
        with node_on(config) as node:
            node.keeps(state)
            node.ends()
        yield config


def lift(config: JournalConfig, *given: str) -> int:
    return resume([f"venue={VENUE}", "reason=looked at it", *given, *arguments(config)])


def state_of(config: JournalConfig) -> RiskState:
    row = Reader(config).risk_state(SCOPE)
    assert row is not None
    return RiskState.from_row(row)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_references_of_every_scope_are_shown_and_those_that_are_set_are_used(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept(tmp_path, fallen(95_000, a=-600), kind) as config:
        assert lift(config) == 0
        assert capsys.readouterr().out.splitlines() == [
            "my_paper was ACTIVE, and stays so; drawdown is measured from 100,000.00, the day's loss from 100,000.00",
            (
                "strategy:A-001 was HALTED: DRAWDOWN: strategy:A-001 result -600.00 is 600.00 below peak 0.00, 0.60% "
                "of equity 100,000.00; trips at -500.00"
            ),
            (
                "now ACTIVE; drawdown is measured from -600.00 (was 0.00), the day's loss from -600.00 (was 0.00); "
                "fractions are of 95,000.00 (was 100,000.00) and of 95,000.00 (was 100,000.00)"
            ),
            (
                "strategy:B-001 was ACTIVE, and stays so; drawdown is measured from 0.00, the day's loss from 0.00; "
                "fractions are of 100,000.00 and of 100,000.00"
            ),
            "venue:XNAS was ACTIVE, and stays so; drawdown is measured from 50,000.00, the day's loss from 50,000.00",
        ]
        again = Breakers(LIMITS, DAYS, Decimal(1), state_of(config), LINES)
        assert again.read(T0, Decimal("90000.01"), scoped={A: Decimal("-499.99")}) == []
        trips = again.read(T0, Decimal(90_000), scoped={A: Decimal(-500)})
        assert [(trip.scope, trip.reference) for trip in trips] == [
            ("book", Decimal(100_000)),
            (A, Decimal(-600)),
        ]


def test_which_of_several_halts_is_meant_has_to_be_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept(tmp_path, fallen(89_000, a=-600, b=-600)) as config:
        before = state_of(config)
        assert lift(config) == 2
        assert (
            "scope: 3 scopes are halted (book, strategy:A-001, strategy:B-001): say which"
            in capsys.readouterr().err
        )
        assert lift(config, "scope=strategy:A-01") == 2
        assert "did you mean strategy:A-001?" in capsys.readouterr().err
        assert lift(config, "scope=venue:XNAS") == 2
        assert "scope=venue:XNAS is not halted" in capsys.readouterr().err
        assert state_of(config) == before
        assert Reader(config).rows(tables.commands) == []
        assert lift(config, "scope=strategy:B-001") == 0
        assert state_of(config).halted_scopes == (A,)
        assert state_of(config).halted
        assert lift(config, "scope=book") == 0
        assert not state_of(config).halted
        assert state_of(config).halted_scopes == (A,)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_all_of_them_can_be_lifted_at_once_and_each_is_journalled(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept(tmp_path, fallen(89_000, b=-700), kind) as config:
        assert lift(config, "scope=all", "output=json") == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["lifted"] == ["book", B]
        assert shown["by"] == "verb"
        assert shown["before"]["scopes"][B]["state"] == "HALTED"
        assert shown["after"]["scopes"][B]["peak"] == "-700"
        reader = Reader(config)
        events = reader.rows(tables.risk_events, tables.risk_events.c.run_id == "control")
        assert [(row["kind"], row["risk_scope"]) for row in events] == [("RESUMED", "book"), ("RESUMED", B)]
        assert "drawdown counts from 89,000.00 (before: 100,000.00)" in events[0]["reason"]
        assert "DRAWDOWN: strategy:B-001" in events[1]["reason"]
        assert events[1]["reason"].endswith(f"looked at it ({reader.rows(tables.commands)[0]['who']})")
        commands = reader.rows(tables.commands)
        assert [(row["verb"], row["why"]) for row in commands] == [("resume", "looked at it")]


def test_flattening_that_was_not_finished_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = fallen(89_000)
    state.flattening = True
    with kept(tmp_path, state) as config:
        assert lift(config) == 0
        assert "flattening was not finished when the run ended" in capsys.readouterr().out
        assert not state_of(config).flattening


def test_an_account_that_is_not_halted_cannot_be_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Resuming measures drawdown anew, so without a halt it would be a way to forget one."""
    with kept(tmp_path, fallen(95_000)) as config:
        assert lift(config) == 2
        assert "not halted" in capsys.readouterr().err
        assert state_of(config).peak == 100_000


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["venue=my_paper"], "reason: say why it is safe"),
        (["venue=replay", "reason=x"], "venue=replay: a replay starts fresh"),
        (["reason=x", "scop=book"], "did you mean scope?"),
    ],
)
def test_bad_input_costs_one_line_and_exit_code_two(
    given: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept(tmp_path, fallen(89_000)) as config:
        assert resume([*given, *arguments(config)]) == 2
        said = capsys.readouterr().err
        assert told in said
        assert said.count("\n") == 1


def test_where_there_is_no_journal_a_replay_has_nothing_to_resume_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resume([f"journal.path={tmp_path / 'none.db'}", "venue=replay", "reason=x"]) == 2
    assert "nothing to resume" in capsys.readouterr().err


def test_a_state_that_nobody_understands_is_not_guessed_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept(tmp_path, RiskState()) as config:
        with Reader(config).engine.begin() as connection:
            connection.execute(tables.risk_states.update().values(state='{"state": "HALF"}'))
        assert lift(config) == 1
        assert "is damaged" in capsys.readouterr().err
        assert halt([f"venue={VENUE}", *arguments(config)]) == 1


def test_a_running_node_lifts_its_halt_and_trades_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config) as node:
        node.until_steady()
        assert halt(words(["reason=stop"], config)) == 0
        refused = tables.decisions.c.verdict == "REFUSE"
        node.until(lambda: node.rows(tables.decisions, refused), "an order is refused")
        assert resume(words(["reason=all is well", "output=json"], config)) == 0
        shown = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert shown["by"] == "node"
        assert shown["lifted"] == ["book"]
        before = node.held()
        node.until(lambda: node.held() > before, "it buys again")
        node.stop()
        assert state_of(config).state is TradingState.ACTIVE
        assert verb(tmp_path, "run", *node.options, "run.max_bars=3", config=config).returncode == 0
        events = node.rows(tables.risk_events, tables.risk_events.c.kind == "RESUMED")
        assert [row["risk_scope"] for row in events] == ["book"]
