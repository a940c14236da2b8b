"""Which limits of an account did a person set, and where are they kept over a restart?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Engine, delete, insert

from configs.errors import ConfigError
from configs.messages import refusal, unknown_key
from journal.database import writing
from journal.tables import limit_overrides
from risk.changes import Changed, ChangeError, change, with_changes
from risk.limits import RiskConfig

PHRASE = "I ACCEPT MORE RISK"
"""What a person has to type before a limit allows more than it does now."""
Kept = dict[str, Any]
Store = Callable[[Kept, Kept, str, str], None]


class AccountLimits:
    """The limits of one account: the config's own, and what a person made tighter; never looser than the config's."""

    def __init__(self, own: RiskConfig, kept: Mapping[str, Any], store: Store) -> None:
        """`store(before, after, who, why)` keeps a person's changes for good."""
        self.own = own
        self.kept: Kept = dict(kept)
        self._store = store

    @property
    def in_force(self) -> RiskConfig:
        """The limits as they apply. Raises ConfigError for kept ones that nobody can read."""
        try:
            return with_changes(self.own, self.kept)
        except ChangeError as error:
            raise ConfigError(str(error)) from error

    def planned(self, given: Mapping[str, Any], back: Iterable[str], confirm: str | None) -> Changed:
        """What a change makes of them. Raises ConfigError for one that is not allowed, or not confirmed."""
        for key in (*given, *back):
            if key not in RiskConfig.model_fields:
                raise ConfigError(unknown_key(key, RiskConfig.model_fields))
        try:
            changed = change(self.own, self.kept, given, back)
        except ValidationError as error:
            raise refusal(error, {}) from error
        except ChangeError as error:
            raise ConfigError(str(error)) from error
        if changed.loosens and confirm != PHRASE:
            told = ", ".join(map(str, changed.loosens))
            raise ConfigError(f'this allows more than now ({told}); if that is meant: confirm="{PHRASE}"')
        return changed

    def take(self, changed: Changed, who: str, why: str) -> None:
        """Keep a change for good. Raises what the database raises, and then nothing changed."""
        self._store(self.kept, changed.kept, who, why)
        self.kept = dict(changed.kept)


def stored_in(engine: Engine, scope: str) -> Store:
    """Keeps the changes of an account in its journal, all or none."""
    table = limit_overrides

    def store(before: Kept, after: Kept, who: str, why: str) -> None:
        moved = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        if not moved:
            return
        with writing(engine).begin() as connection:
            connection.execute(delete(table).where(table.c.scope == scope, table.c.key.in_(moved)))
            for key in moved:
                if key in after:
                    values: dict[str, Any] = {"scope": scope, "key": key, "value": json.dumps(after[key])}
                    connection.execute(
                        insert(table), {**values, "at": time.time_ns(), "who": who, "why": why}
                    )

    return store
