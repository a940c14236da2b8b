"""Which journal and which account is a verb about?

Every verb takes `journal`, `journal.path`, `journal.url`, `venue` and `run`; without them it is about the newest run of
the user's own journal. It composes no config, so a broken one cannot stand in the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from configs.errors import ConfigError
from journal.config import JournalConfig
from journal.control import Account
from journal.reader import Reader, newest_run

JOURNAL_KEYS = ("journal", "journal.path", "journal.url")
ABOUT_KEYS = (*JOURNAL_KEYS, "venue", "run", "output")
ABOUT_HELP = """  venue=NAME      the account of this venue; else that of the newest run
  run=ID          one run only (python -m live history what=runs lists them)
  journal.path=FILE, or journal=postgres journal.url=postgresql://user@host/database; else the user's own journal
  output=json     one JSON document and nothing else
"""


@dataclass(frozen=True, slots=True)
class About:
    """A journal that is there, and the run and account in it that a verb is about."""

    reader: Reader
    run: Mapping[str, Any]

    @property
    def account(self) -> Account:
        """Scope, mode and venue."""
        return Account(self.run["scope"], self.run["mode"], self.run["venue"])

    @property
    def scope(self) -> str:
        """What its rows have in common."""
        return str(self.run["scope"])


def journal_config(given: Mapping[str, str]) -> JournalConfig:
    """The journal that key=value arguments name. Raises ConfigError."""
    kind = given.get("journal") or ("postgres" if "journal.url" in given else "sqlite")
    fields = {"kind": kind, "path": given.get("journal.path"), "url": given.get("journal.url")}
    try:
        return JournalConfig.model_validate(
            {key: value for key, value in fields.items() if value is not None}
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = first["loc"][0] if first["loc"] else ""
        key = {"path": "journal.path: ", "url": "journal.url: ", "kind": "journal: "}.get(
            str(field), "journal."
        )
        raise ConfigError(f"{key}{first['msg'].removeprefix('Value error, ')}") from None


def about(given: Mapping[str, str]) -> About:
    """Open the journal and find the run. Raises ConfigError, JournalError."""
    if given.get("output", "text") not in ("text", "json"):
        raise ConfigError(f"output={given['output']}: text or json")
    reader = Reader(journal_config(given))
    venue, name = given.get("venue"), given.get("run")
    found = newest_run(reader, venue, name)
    if found is not None:
        return About(reader, found)
    known = ", ".join(dict.fromkeys(str(row["venue"]) for row in reader.runs())) or "no run at all"
    if name is not None:
        raise ConfigError(
            f"run={name}: journal {reader.config.shown} has no such run; python -m live history what=runs"
        )
    if venue is not None:
        raise ConfigError(f"venue={venue}: journal {reader.config.shown} has no run there; it has {known}")
    raise ConfigError(f"journal {reader.config.shown} has no run yet; make one: python -m live run")
