"""`python -m live backup`: a copy of the journal that is known to be good, also while a node writes it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from configs.edge import guarded, say
from configs.errors import ConfigError
from journal.backup import Backup
from journal.backup import backup as copied
from journal.reader import Reader
from live._about import JOURNAL_KEYS, journal_config
from live._long import watched
from runs.verbs import key_values

FAILED = 1
KEYS = (*JOURNAL_KEYS, "to", "output")
MEGABYTE = 1_000_000
HELP = """python -m live backup to=FILE

Copies the whole journal into FILE while a node goes on writing, checks the copy, and puts the heads of its chains into
FILE.heads beside it. Nothing is overwritten. A PostgreSQL journal is copied by pg_dump, which has to be installed.

  journal.path=FILE, or journal=postgres journal.url=postgresql://user@host/database; else the user's own journal
  output=json     one JSON document and nothing else

To go back to it, stop the node, and put FILE where journal.path is and FILE.heads beside it as journal.db.heads (any
journal.db-wal and journal.db-shm of the old one go away); of PostgreSQL: pg_restore --dbname=DATABASE FILE.
Exit code 1: the copy is there, but a chain does not end where its head says; look with python -m live audit verify.

Example: python -m live backup to=backups/journal.db
"""


def backup(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code; it needs no run and no config."""
    return guarded(lambda: _backup(argv))


def _backup(argv: Sequence[str]) -> int:
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return 0
    given = key_values("backup", argv, KEYS)
    if given.get("output", "text") not in ("text", "json"):
        raise ConfigError(f"output={given['output']}: text or json")
    if not given.get("to"):
        raise ConfigError("to: where to? name a file, as in to=backups/journal.db")
    path = Path(given["to"]).expanduser()
    if path.is_dir():
        raise ConfigError(f"to={given['to']}: is a folder; name a file in it")
    reader = Reader(journal_config(given))
    begun = time.monotonic()
    with watched("Copying", 0) as advance:
        done = 0

        def on_part(so_far: int, total: int) -> None:
            nonlocal done
            advance(so_far - done, total)
            done = so_far

        made = copied(reader, path, on_part)
    if given.get("output") == "json":
        print(_document(made))  # noqa: T201 - what a script asked for
    else:
        _tell(made, reader, time.monotonic() - begun)
    for problem in made.problems:
        say(f"error: {problem}")
    return FAILED if made.problems else 0


def _document(made: Backup) -> str:
    return json.dumps({**asdict(made), "path": str(made.path), "heads": str(made.heads)})


def _tell(made: Backup, reader: Reader, secs: float) -> None:
    rows = sum(made.rows.values())
    print(f"Copied  {reader.config.shown}")  # noqa: T201 - what a person reads
    print(f"to      {made.path}: {made.size / MEGABYTE:,.1f} MB, {rows:,} rows, in {secs:.1f} s")  # noqa: T201 - as above
    agree = made.chains - len(made.problems) - len(made.without_head)
    alone = f"; {len(made.without_head):,} have none on this machine" if made.without_head else ""
    print(f"heads   {made.heads}: {agree:,} of {made.chains:,} chains end where their heads say{alone}")  # noqa: T201 - as above
