"""A person lifts a halt: of which scope, for what reason, and what losses count from then on, is shown and kept."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from live._state import StateFile
from live.resume import resume
from risk.breaker import Breakers, RiskState, ScopeLimits
from risk.limits import RiskConfig
from risk.sessions import SessionDays
from tests.driving import OPEN, T0

A, B, XNAS = "strategy:A-001", "strategy:B-001", "venue:XNAS"
LIMITS = RiskConfig(**{**OPEN, "max_drawdown_pct": "0.1"})
LINES = [ScopeLimits.only(scope, LIMITS, max_drawdown=Decimal(500)) for scope in (A, B, XNAS)]


def kept(folder: Path, equity: int, a: int = 0, b: int = 0, xnas: int = 0) -> Path:
    """The state file of an account that began at 100,000 with no results, and came to these."""
    one = Breakers(LIMITS, SessionDays.of("America/New_York", "00:00"), Decimal(100_000), scopes=LINES)
    one.roll(T0, Decimal(100_000))
    for values in ((100_000, 0, 0, 50_000), (equity, a, b, 50_000 + xnas)):
        book, *scoped = (Decimal(each) for each in values)
        one.read(T0, book, scoped=dict(zip((A, B, XNAS), scoped, strict=True)))
    store = StateFile.of("alpaca_paper", folder)
    store.write(one.state)
    return store.path


def lift(folder: Path, *arguments: str) -> int:
    given = ["venue=alpaca_paper", "reason=looked at it", f"run.state_dir={folder}"]
    return resume([*given, *arguments])


def state_of(path: Path) -> RiskState:
    found = StateFile(path).read()
    assert found is not None
    return found


def test_the_references_of_every_scope_are_shown_and_those_that_are_set_are_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kept(tmp_path, 95_000, a=-600)
    assert lift(tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        "alpaca_paper was ACTIVE, and stays so; drawdown is measured from 100,000.00, the day's loss from 100,000.00",
        (
            "strategy:A-001 was HALTED: DRAWDOWN: strategy:A-001 result -600.00 is 600.00 below peak 0.00, 0.60% of "
            "equity 100,000.00; trips at -500.00"
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
    days = SessionDays.of("America/New_York", "00:00")
    again = Breakers(LIMITS, days, Decimal(1), state_of(path), LINES)
    assert again.read(T0, Decimal("90000.01"), scoped={A: Decimal("-499.99")}) == []
    trips = again.read(T0, Decimal(90_000), scoped={A: Decimal(-500)})
    assert [(trip.scope, trip.reference) for trip in trips] == [
        ("book", Decimal(100_000)),
        (A, Decimal(-600)),
    ]


def test_which_of_several_halts_is_meant_has_to_be_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kept(tmp_path, 89_000, a=-600, b=-600)
    before = path.read_text()
    assert lift(tmp_path) == 2
    assert (
        "scope: 3 scopes are halted (book, strategy:A-001, strategy:B-001): say which"
        in capsys.readouterr().err
    )
    assert lift(tmp_path, "scope=strategy:A-01") == 2
    assert "did you mean strategy:A-001?" in capsys.readouterr().err
    assert lift(tmp_path, "scope=venue:XNAS") == 2
    assert "scope=venue:XNAS is not halted" in capsys.readouterr().err
    assert path.read_text() == before
    assert lift(tmp_path, "scope=strategy:B-001") == 0
    assert state_of(path).halted_scopes == (A,)
    assert state_of(path).halted
    assert lift(tmp_path, "scope=book") == 0
    assert not state_of(path).halted
    assert state_of(path).halted_scopes == (A,)


def test_all_of_them_can_be_lifted_at_once_and_each_is_journalled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kept(tmp_path, 89_000, b=-700)
    assert lift(tmp_path, "scope=all", "output=json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["lifted"] == ["book", B]
    assert shown["before"]["scopes"][B]["state"] == "HALTED"
    assert shown["after"]["scopes"][B]["peak"] == "-700"
    history = json.loads(path.read_text())["history"]
    assert [(each["what"], each["scope"], each["reason"]) for each in history] == [
        ("resume", "book", "looked at it"),
        ("resume", B, "looked at it"),
    ]
    assert (history[0]["peak_before"], history[0]["peak_after"]) == ("100000", "89000")
    assert history[1]["halted_for"].startswith("DRAWDOWN: strategy:B-001")


def test_flattening_that_was_not_finished_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = StateFile(kept(tmp_path, 89_000))
    state = state_of(store.path)
    state.flattening = True
    store.write(state)
    assert lift(tmp_path) == 0
    assert "flattening was not finished when the run ended" in capsys.readouterr().out
    assert not state_of(store.path).flattening


def test_a_strategy_that_is_halted_does_not_stop_the_account(tmp_path: Path) -> None:
    kept(tmp_path, 95_000, a=-600)
    state = StateFile.of("alpaca_paper", tmp_path).refuse_if_halted("alpaca_paper")
    assert state is not None
    assert state.halted_scopes == (A,)
