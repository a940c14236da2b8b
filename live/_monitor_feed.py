"""What does the monitor know now, also while the journal is away?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from configs.errors import ConfigError
from journal import tables
from journal.errors import JournalAbsentError, JournalError
from journal.reader import Reader, newest_run
from live._about import About, about
from live._monitor_events import Event, Events
from live._picture import Picture, take

POINTS = 1_000
NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown. `problem`: why the journal cannot be read now; the rest is then what was read last."""

    picture: Picture | None = None
    events: tuple[Event, ...] = ()
    equity: tuple[float, ...] = ()
    read_ns: int = 0
    problem: str | None = None


class Feed:
    """Reads the journal again and again. Its rule: an error is something to show, never an end."""

    def __init__(self, given: Mapping[str, str], first: About) -> None:
        """`first` is what the arguments name; later runs of the same venue are followed unless `run` names one."""
        self.given = dict(given)
        self._run = given.get("run")
        self._venue = first.account.venue
        self._about: About | None = first
        self._events = Events(first.scope)
        self._points: list[tuple[int, float]] = []  # (market time, equity)
        self._snapshot = 0  # id of the newest one that was read
        self._scope = first.scope
        self.view = View()

    def look(self) -> View:
        """Read once; on one thread at a time."""
        try:
            self.view = self._read()
        except (JournalError, ConfigError) as error:
            self._about = None
            self.view = replace(self.view, problem=str(error))
        return self.view

    def _read(self) -> View:
        found = self._reached()
        if found.scope != self._scope:  # another run of a sandbox, which starts fresh
            self._scope, self._events = found.scope, Events(found.scope)
            self._points, self._snapshot = [], 0
        picture = take(found)
        self._read_equity(found.reader, picture)
        events = self._events.read(found.reader)
        equity = tuple(value for _, value in self._points)
        return View(picture, tuple(events), equity, time.time_ns())

    def _reached(self) -> About:
        """The run that is looked at now. A SQLite file that went away must not be made anew by looking at it."""
        if self._about is None:
            self._about = about({**self.given, "venue": self._venue})
            return self._about
        reader = self._about.reader
        if reader.config.kind == "sqlite" and not reader.config.file.exists():
            raise JournalAbsentError(f"journal {reader.config.file} is gone")
        run = newest_run(reader, self._venue, self._run)
        if run is None:
            raise JournalAbsentError(
                f"journal {reader.config.shown} has no run of venue={self._venue} any more"
            )
        self._about = About(reader, run)
        return self._about

    def _read_equity(self, reader: Reader, picture: Picture) -> None:
        table = tables.account_snapshots
        where = [table.c.scope == self._scope, table.c.id > self._snapshot]
        rows = reader.rows(table, *where, newest=True, limit=POINTS)[::-1]
        if rows:
            self._snapshot = rows[-1]["id"]
        self._points += [(row["ts"], float(row["equity"])) for row in rows if row["equity"] is not None]
        document = picture.document
        if picture.node.runs and document["equity"] is not None and document["market_time"] is not None:
            stamp = int(datetime.fromisoformat(document["market_time"]).timestamp() * NANOS)
            self._points.append((stamp, float(document["equity"])))
        self._points = sorted(self._points)[-POINTS:]
