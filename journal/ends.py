"""Does each chain in a copy of the journal end where its head says, and where its head's file says?"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from journal.chain import Link
from journal.config import JournalConfig
from journal.heads import HeadFile
from journal.tables import CHAINED, commands, heads

UNREADABLE = Link(0, "unreadable")


def heads_in_files(config: JournalConfig) -> dict[str, Link]:
    """Chain -> its head as the folder beside the journal has it; UNREADABLE for a file that holds none."""
    found: dict[str, Link] = {}
    for file in sorted(config.heads_folder.glob("*.head")):
        try:
            link = HeadFile(file).read()
        except ValueError:
            link = UNREADABLE
        if link is not None:
            found[file.stem] = link
    return found


def heads_in_table(connection: Connection) -> dict[str, Link]:
    """Chain -> its head as the database has it."""
    return {row.chain: Link(row.seq, row.hash) for row in connection.execute(select(heads))}


def wrong_ends(copy: Connection, kept: Mapping[str, Link]) -> dict[str, str]:
    """Chain -> what is wrong with its end, in one line.

    kept: the heads of the files, read before `copy` was made: a file is written after its row, so none is ahead of it.
    """
    newest, found = heads_in_table(copy), dict[str, str]()
    for chain in sorted({*newest, *kept}):
        wrong = _wrong(copy, chain, newest.get(chain, Link()), kept.get(chain))
        if wrong is not None:
            found[chain] = f"chain {chain}: {wrong}"
    return found


def _wrong(copy: Connection, chain: str, head: Link, witness: Link | None) -> str | None:
    if head.seq and _hash_at(copy, chain, head.seq) != head.hash:
        return f"row {head.seq} is not the one that its head names"
    if _hash_at(copy, chain, head.seq + 1) is not None:
        return f"it has rows after number {head.seq}, the last one that its head names"
    if witness == UNREADABLE:
        return f"{chain}.head cannot be read"
    if witness is not None and witness.seq and _hash_at(copy, chain, witness.seq) != witness.hash:
        return f"row {witness.seq} is not the one that {chain}.head names: rows were changed or cut off"
    return None


def _hash_at(connection: Connection, chain: str, seq: int) -> str | None:
    for table in (*CHAINED.values(), commands):
        link = select(table.c.hash).where(table.c.run_id == chain, table.c.seq == seq)
        found = connection.execute(link).scalar()
        if found is not None:
            return str(found)
    return None
