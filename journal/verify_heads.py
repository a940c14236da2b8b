"""Does a chain end where its heads say: the one in the database, and the one in the file beside it?

The file is written after the database, so it may be behind one that is being written or was cut off. It is never ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from journal.chain import Link
from journal.heads import HeadFile
from journal.verify_chain import Walk
from journal.verify_findings import Findings

UNREADABLE = "the file of its head does not hold one: it was changed"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file of a chain's head held before the chain was read. `asked`: whether files are looked at at all."""

    asked: bool
    link: Link | None = None
    path: Path | None = None
    unreadable: bool = False

    @classmethod
    def read(cls, folder: Path | None, chain: str) -> Kept:
        """The file in a folder of heads; None looks at none."""
        if folder is None:
            return cls(asked=False)
        file = HeadFile.of(folder, chain)
        try:
            return cls(asked=True, link=file.read(), path=file.path)
        except (ValueError, OSError):
            return cls(asked=True, path=file.path, unreadable=True)


@dataclass(frozen=True, slots=True)
class Head:
    """The row of `heads` of a chain."""

    link: Link
    batch: int

    @classmethod
    def of(cls, row: Any) -> Head:
        """From the row."""
        return cls(Link(int(row.seq), str(row.hash)), int(row.batch))


def check_heads(  # noqa: PLR0913 - the two heads of a chain and what is known of it
    run: str, walk: Walk, head: Head | None, kept: Kept, findings: Findings, *, ended: bool
) -> None:
    """Compare the end of a chain that was gone along with its heads. `ended`: whether its run wrote its last head."""
    before = findings.total
    _check_row(run, walk, head, kept, findings)
    if not kept.asked:
        return
    if kept.unreadable:
        findings.add("HEAD", run, f"{kept.path}: {UNREADABLE}")
    elif kept.link is None:
        _no_file(run, walk, head, kept, findings, ended=ended)
    elif kept.link.seq > max(walk.seq, 0 if head is None else head.link.seq):
        walk.finish(kept.link.seq)
    elif walk.marked is not None and findings.total == before:
        _check_mark(walk, kept.link, findings)
    if kept.link is not None and kept.link.seq < walk.seq and findings.total == before:
        _behind(run, walk, kept.link, findings, ended=ended)


def _check_row(run: str, walk: Walk, head: Head | None, kept: Kept, findings: Findings) -> None:
    last = walk.last
    if head is None:
        if last is not None:
            findings.add(
                "HEAD", run, f"the head of this chain is gone from the table heads; it has {walk.seq:,} rows"
            )
        return
    if head.link.seq > walk.seq:
        if kept.link is not None and kept.link.seq <= walk.seq and _is_at(walk, kept.link):
            findings.add(
                "HEAD",
                run,
                f"its row in heads was changed: it says row {head.link.seq:,}, the chain and its "
                f"file end at {kept.link.seq:,}",
            )
        else:
            walk.finish(head.link.seq)
    elif head.link.seq < walk.seq and last is not None:
        if kept.link is not None and kept.link.seq > head.link.seq:
            findings.add(
                "HEAD",
                run,
                f"its row in heads was changed: it says row {head.link.seq:,}, the chain goes on to "
                f"{walk.seq:,}",
            )
        else:
            beyond = (
                f"rows {head.link.seq + 1:,} to {walk.seq:,} stand"
                if walk.seq > head.link.seq + 1
                else "it stands"
            )
            findings.row(
                "INSERTED",
                last.table,
                last.row,
                f"{beyond} behind the head of the chain, row {head.link.seq:,}",
            )
    elif last is not None and not last.blamed and head.link.hash != last.row["hash"]:
        if kept.link is not None and kept.link.seq == walk.seq and kept.link.hash == last.row["hash"]:
            findings.add(
                "HEAD",
                run,
                "its row in heads was changed: it holds another hash than the last row and the file",
            )
        else:
            findings.row(
                "REPLACED", last.table, last.row, "the head of the chain holds on to another row in its place"
            )


def _is_at(walk: Walk, link: Link) -> bool:
    return walk.marked is not None and link.seq == walk.seq and link.hash == walk.marked.row["hash"]


def _no_file(  # noqa: PLR0913 - as above
    run: str, walk: Walk, head: Head | None, kept: Kept, findings: Findings, *, ended: bool
) -> None:
    if walk.rows == 0 and (head is None or head.link.seq == 0):
        return
    if head is not None and head.batch <= 1 and not ended:
        findings.note(
            f"{run}: its head was not kept in a file yet: it was cut off at its first rows, or only began"
        )
        return
    findings.add(
        "HEAD", run,
        f"the file of its head is not there ({kept.path}), so rows that were cut off its end cannot be missed; say "
        "where it is with heads=FOLDER, or go without with heads=off",
    )  # fmt: skip


def _check_mark(walk: Walk, link: Link, findings: Findings) -> None:
    marked = walk.marked
    if marked is not None and not marked.blamed and link.hash != marked.row["hash"]:
        findings.row(
            "REWRITTEN", marked.table, marked.row,
            f"the file of the head holds another hash for row {link.seq:,}: this row, or the chain before it, was "
            "written anew",
        )  # fmt: skip


def _behind(run: str, walk: Walk, link: Link, findings: Findings, *, ended: bool) -> None:
    rows = walk.seq - link.seq
    many = "1 row" if rows == 1 else f"{rows:,} rows"
    if not ended:
        why = "the run was cut off there, or is still running, or the file is an older copy"
        findings.note(f"{run}: the file of its head is {many} behind: {why}")
    elif walk.last is not None:
        findings.row(
            "INSERTED", walk.last.table, walk.last.row,
            f"the file of the head ends at row {link.seq:,} and the run came to its end: {many} behind it came later",
        )  # fmt: skip
