"""How does an account that no node trades become halted, or not halted any more?"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import delete, insert

from journal.database import told, writing
from journal.errors import JournalBrokenError
from journal.tables import risk_states
from live._about import About
from risk.breaker import BOOK, RiskState, ScopeState, TradingState
from risk.gauge import DAILY_LOSS


def kept_state(about: About) -> RiskState | None:
    """What the breakers remember of the account. Raises JournalBrokenError for what cannot be understood."""
    row = about.reader.risk_state(about.scope)
    if row is None:
        return None
    try:
        return RiskState.from_row(row)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise JournalBrokenError(
            f"journal {about.reader.config.shown}: what is kept of {about.scope} is damaged ({type(error).__name__}); "
            "put a backup in its place"
        ) from error


def fresh_state(about: About) -> RiskState:
    """The state of an account that no breaker has measured yet."""
    equity = about.run["starting_equity"] or Decimal(0)
    return RiskState(equity=equity, peak=equity, day_start=equity)


def halted(state: RiskState, scope: str, breaker: str, reason: str) -> RiskState:
    """The state with a scope halted; what a person must lift already keeps its reason, as in a node."""
    after = state.copy()
    kept = after if scope == BOOK else after.scopes.setdefault(scope, ScopeState())
    if kept.halted and kept.breaker != DAILY_LOSS:
        return after
    latched = replace(kept, state=TradingState.HALTED, breaker=breaker, reason=reason)
    if scope == BOOK and isinstance(latched, RiskState):
        return latched
    after.scopes[scope] = latched
    return after


def keep(about: About, state: RiskState) -> None:
    """Put a state in the place of the one that is kept. Raises JournalDownError."""
    values = {
        "scope": about.scope,
        "run_id": about.run["run_id"],
        "ts": time.time_ns(),
        "at": time.time_ns(),
        "state": json.dumps(state.as_row(), sort_keys=True),
    }
    with told(about.reader.config), writing(about.reader.engine).begin() as connection:
        connection.execute(delete(risk_states).where(risk_states.c.scope == about.scope))
        connection.execute(insert(risk_states), values)
