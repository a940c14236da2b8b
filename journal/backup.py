"""How is the journal copied while a node writes it, so that the copy is consistent and known to be good?

SQLite: its own online backup, within one read transaction, which holds up no writer; then its integrity check.
PostgreSQL: pg_dump (journal/dump.py). Either way the end of every chain in the copy is compared with its heads, which
are copied beside it: `<copy>.heads`.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, func, select

from journal.chain import Link
from journal.database import BUSY_MS
from journal.dump import dumped
from journal.ends import heads_in_files, heads_in_table, wrong_ends
from journal.errors import JournalBrokenError, JournalError
from journal.heads import HeadFile
from journal.reader import Reader
from journal.sqlite_file import opened
from journal.tables import metadata
from journal.target import TargetError, made, new_file, refuse_existing

PAGES = 2_000  # of SQLite, copied between two words about progress
OnPart = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy and what is in it.

    heads: the folder with the copied heads; size: bytes; rows: table -> its rows; problems: chains that do not end
    where their heads say, one line each; without_head: chains that have no head's file on this machine.
    """

    path: Path
    heads: Path
    size: int
    rows: Mapping[str, int]
    chains: int
    problems: tuple[str, ...]
    without_head: tuple[str, ...]


def backup(reader: Reader, path: Path, on_part: OnPart) -> Backup:
    """Copy the journal into a new file. on_part is told (done, all), of whatever unit, now and then; 0 is unknown.

    Raises TargetError (it is there, cannot be written, or pg_dump is missing), JournalError.
    """
    folder = path.with_name(f"{path.name}.heads")
    refuse_existing([path, folder])
    made(path.parent)
    kept = heads_in_files(reader.config)  # before the copy is made: they may be behind it, not ahead
    copied = _copied if reader.config.kind == "sqlite" else dumped
    with new_file(path) as part, copied(reader, part, on_part) as connection:
        newest = heads_in_table(connection)
        problems = wrong_ends(connection, kept)
        rows = {name: _count(connection, name) for name in sorted(metadata.tables)}
        _write_heads(folder, newest, kept, problems)
    without = tuple(sorted(set(newest) - set(kept)))
    return Backup(path, folder, path.stat().st_size, rows, len(newest), tuple(problems.values()), without)


def _count(connection: Connection, name: str) -> int:
    return int(connection.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one())


@contextmanager
def _copied(reader: Reader, part: Path, on_part: OnPart) -> Iterator[Connection]:
    """Copy a SQLite journal into `part`; gives a connection to the copy. Raises JournalError."""
    try:
        said = _copy(reader.config.file, part, on_part)
    except sqlite3.Error as error:
        raise JournalError(f"the backup failed: {error}; nothing was left behind") from error
    if said != ["ok"]:
        raise JournalBrokenError(
            f"journal {reader.config.shown} is damaged ({'; '.join(said)}): no copy was kept; put an older backup in "
            "its place, or start a new one with journal.path=..."
        )
    engine = create_engine(f"sqlite:///{part}", poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _copy(file: Path, part: Path, on_part: OnPart) -> list[str]:
    """Answers what SQLite says of the copy: ok, or what is wrong with it."""
    with (
        closing(opened(file, BUSY_MS)) as source,
        closing(sqlite3.connect(part)) as copy,
    ):
        source.execute("BEGIN")
        source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # from here on it sees one moment
        source.backup(copy, pages=PAGES, progress=lambda _, left, total: on_part(total - left, total))
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, that can be read from anywhere
        return [str(row[0]) for row in copy.execute("PRAGMA integrity_check(3)")]


def _write_heads(
    folder: Path, newest: Mapping[str, Link], kept: Mapping[str, Link], problems: Mapping[str, str]
) -> None:
    """The heads as they belong to the copy; where a chain and its head disagree the head as it was, as evidence."""
    try:
        folder.mkdir(mode=0o700)
        for chain, link in kept.items():
            head = HeadFile.of(folder, chain)
            head.write(link if chain in problems else newest.get(chain, link))
            head.close()
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise TargetError(f"to={folder}: cannot be written ({error.strerror or error})") from error
