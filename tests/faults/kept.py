"""A paper account's risk state as the journal keeps it between two runs, written, read and lifted as Keel does it."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import delete, insert

from configs.load import Composed, compose
from journal import tables
from journal.database import open_journal, writing
from live._journal import RunJournal
from live.resume import resume
from risk.breaker import RiskState
from tests.journal.filled import Desk

VENUE = "my_paper"
SCOPE = f"paper:{VENUE}"
YAML = f"""\
config: tests.live.paper:PaperReplayConfig
factory: adapters.replay.factories:ReplayVenue
name: {VENUE}
mode: paper
"""


def composed_in(folder: Path) -> Composed:
    """A run on the paper account, whose journal lies in `folder`."""
    (folder / "mine" / "venue").mkdir(parents=True, exist_ok=True)
    (folder / "mine" / "venue" / f"{VENUE}.yaml").write_text(YAML)
    return compose("live", [f"venue={VENUE}", f"journal.path={folder / 'journal.db'}"], folder / "mine")


class KeptAccount:
    """The state of one account; what is written is what a node would find after a kill."""

    def __init__(self, folder: Path) -> None:
        self._composed = composed_in(folder)
        self._config = self._composed.config.journal
        if not self._config.file.exists():
            engine = open_journal(self._config, create=True)
            Desk(engine, self._config, "before", SCOPE, "paper", VENUE, 1).close(2)
            engine.dispose()

    def write(self, state: RiskState) -> None:
        """Keep a state."""
        engine = open_journal(self._config, create=False)
        with writing(engine).begin() as connection:
            connection.execute(delete(tables.risk_states).where(tables.risk_states.c.scope == SCOPE))
            row = {"scope": SCOPE, "run_id": "before", "ts": 1, "at": 1, "state": json.dumps(state.as_row())}
            connection.execute(insert(tables.risk_states), row)
        engine.dispose()

    def read(self) -> RiskState:
        """What is kept."""
        engine = open_journal(self._config, create=False)
        with engine.connect() as connection:
            text = connection.execute(tables.risk_states.select()).one().state
        engine.dispose()
        return RiskState.from_row(json.loads(text))

    def refuse_if_halted(self) -> RiskState | None:
        """What a start of a run finds. Raises HaltedError."""
        journal = RunJournal(self._composed)
        try:
            return journal.state()
        finally:
            journal.release()

    def resume(self, reason: str) -> tuple[RiskState, RiskState]:
        """`live resume`; answers the state before and after."""
        before = self.read()
        assert resume([f"venue={VENUE}", f"reason={reason}", f"journal.path={self._config.file}"]) == 0
        return before, self.read()
