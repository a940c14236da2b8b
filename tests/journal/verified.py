"""A journal of an account and a sandbox run, on either database, that can be filled and verified again and again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete

from journal.config import JournalConfig
from journal.database import open_journal
from journal.tables import CONTROL, metadata
from journal.verify import Verified, Verifier
from tests.journal import tampering
from tests.journal.filled import throwaway_database
from tests.journal.invented import Node, Step

PAPER = ("paper", "alpaca_paper")
RUNS = ("paper-1", "sandbox-1", "paper-2")
CHAINS = (*RUNS, CONTROL)
ALWAYS = (Step("order"), Step("command", ends="CANCELED", text="stop"), Step("refusal"), Step("order", -1))
LIVES = (ALWAYS, ALWAYS, ALWAYS)


@dataclass
class Place:
    """An empty journal, again and again: a copy of a migrated file, or a database emptied."""

    config: JournalConfig
    engine: Engine
    template: Path | None

    def renew(self) -> None:
        shutil.rmtree(self.config.heads_folder, ignore_errors=True)
        if self.template is not None:
            for file in self.config.file.parent.glob(f"{self.config.file.name}-*"):
                file.unlink()
            shutil.copy(self.template, self.config.file)
            return
        with self.engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))

    def verify(self, run: str | None = None) -> Verified:
        return Verifier(self.engine, self.config.heads_folder).verify(run)


@contextmanager
def place_on(kind: str, folder: Path) -> Iterator[Place]:
    """A place on sqlite or postgres."""
    if kind == "postgres":
        with throwaway_database() as url:
            config = JournalConfig(kind="postgres", url=url)
            engine = open_journal(config, create=True)
            tampering.unguard(engine)
            yield Place(config, engine, None)
            engine.dispose()
        return
    template = JournalConfig(path=folder / "template.db")
    with closing(open_journal(template, create=True).raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    config = JournalConfig(path=folder / "journal.db")
    shutil.copy(template.file, config.file)
    yield Place(config, open_journal(config, create=False), template.file)


def fill(place: Place, told: Any = LIVES, *, last_ends: bool = True) -> None:
    """A paper account over two runs, and a sandbox run between them."""
    place.renew()
    first = Node(place.engine, place.config, "paper-1", *PAPER)
    first.live(told[0])
    first.end()
    sandbox = Node(place.engine, place.config, "sandbox-1", ts=first.ts + 1)
    sandbox.live(told[1])
    sandbox.end()
    second = Node(place.engine, place.config, "paper-2", *PAPER, trips=first.trips, ts=sandbox.ts + 1)
    second.live(told[2])
    second.end(properly=last_ends)


def rows(place: Place, chain: str) -> list[tampering.Target]:
    with place.engine.connect() as connection:
        return tampering.rows_of(connection, chain)


def shown(done: Verified) -> str:
    return "\n".join(f"{each.kind} {each.where}: {each.text}" for each in done.findings.kept[:10]) or "clean"


def changed(place: Place) -> Any:
    """A transaction of somebody who has no business there."""
    return place.engine.execution_options(writes=True).begin()
