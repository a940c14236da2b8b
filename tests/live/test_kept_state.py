"""What the journal keeps of an account decides whether a run may start."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from configs.load import Composed
from journal import tables
from journal.control import Receipt
from journal.database import writing
from live._journal import RunJournal, StateError
from risk.state import Notice, RiskState, ScopeState, TradingState, Trip
from runs.errors import HaltedError
from tests.faults.kept import SCOPE, composed_in


@pytest.fixture
def composed(tmp_path: Path) -> Composed:
    return composed_in(tmp_path)


def keep(composed: Composed, text: str) -> None:
    journal = RunJournal(composed)
    with writing(journal.engine).begin() as connection:
        row = {"scope": SCOPE, "run_id": "before", "ts": 1, "at": 1, "state": text}
        connection.execute(insert(tables.risk_states), row)
    journal.release()


def state_of(composed: Composed) -> RiskState | None:
    journal = RunJournal(composed)
    try:
        return journal.state()
    finally:
        journal.release()


def test_an_account_that_was_never_traded_starts_fresh(composed: Composed) -> None:
    assert state_of(composed) is None


def test_a_halted_account_refuses_and_says_how_to_go_on(composed: Composed) -> None:
    kept = RiskState(state=TradingState.HALTED, reason="DRAWDOWN: too much", flattening=True)
    keep(composed, json.dumps(kept.as_row()))
    with pytest.raises(HaltedError, match=r"positions may still be open.*resume venue=my_paper") as caught:
        state_of(composed)
    assert caught.value.exit_code == 3


def test_a_strategy_that_is_halted_does_not_stop_the_account(composed: Composed) -> None:
    own = ScopeState(state=TradingState.HALTED, reason="DAILY_LOSS: too much", peak=Decimal(5))
    keep(composed, json.dumps(RiskState(scopes={"strategy:EmaCross-001": own}).as_row()))
    state = state_of(composed)
    assert state is not None
    assert state.halted_scopes == ("strategy:EmaCross-001",)


def test_a_state_that_cannot_be_read_is_never_guessed_at(composed: Composed) -> None:
    keep(composed, '{"state": "HAL')
    with pytest.raises(StateError, match="nobody knows whether it is halted"):
        state_of(composed)


def test_what_happens_before_the_first_price_is_dated_by_the_clock(composed: Composed) -> None:
    """A halt that reaches a node before any market time is known; of 1970 it would be in no report."""
    journal, began = RunJournal(composed), time.time_ns()
    try:
        journal.witness.tripped(Trip("OPERATOR", "OPERATOR: now", 0))
        journal.witness.noticed(Notice("RESUMED", "looked at it", 0))
        journal.witness.alert(0, "warning", "STRAY", "something")
        journal.answer(Receipt("c", "DONE", "halted", {}))
        journal.writer.commit()
        with journal.engine.connect() as connection:
            stamps = [
                stamp
                for table in (tables.risk_events, tables.alerts, tables.receipts)
                for stamp in connection.execute(select(table.c.ts)).scalars()
            ]
    finally:
        journal.release()
    assert len(stamps) == 4
    assert min(stamps) >= began


def test_what_a_broker_says_is_kept_without_the_secrets_in_it(
    composed: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODY_S_SECRET", "tr0ub4dor&3")
    journal = RunJournal(composed)
    said = "refused: tr0ub4dor&3 is no key, see https://anna:open@host/orders?api_key=PKABCDEFGHIJKL0123456"
    try:
        journal.writer.start()
        journal.witness.alert(1, "warning", "STRAY", said)
        journal.witness.risk_event(1, "STRAY", said)
        journal.writer.commit()
        with journal.engine.connect() as connection:
            kept = [
                connection.execute(select(column)).scalars().all()[-1]
                for column in (tables.alerts.c.text, tables.risk_events.c.reason)
            ]
    finally:
        journal.release()
    assert kept == ["refused: *** is no key, see https://anna:***@host/orders?api_key=***"] * 2
