"""Is a chain the one that was written: every row as it was, none gone, none added, none moved?

A row is known by its number, by its hash, and by the row after it, which holds on to that hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from journal.chain import GENESIS, Link, digest
from journal.verify_findings import Findings
from journal.verify_pages import LAST, Found

Row = Mapping[str, Any]
Group = tuple[int, list["Seen"]]


@dataclass(slots=True)
class Seen:
    """A row, the hash it should have, and whether something is known to be wrong with it."""

    table: str
    row: Row
    own: str | None
    blamed: bool = False

    @property
    def fits(self) -> bool:
        """Whether its values give its hash."""
        return self.own is not None and self.own == self.row["hash"]

    def holds_on_to(self, before: Seen) -> bool:
        """Whether it names the hash of the row before it, as it is or as it should be."""
        return self.row["prev"] in (before.row["hash"], before.own)

    @property
    def shown(self) -> str:
        """Table and names, for a sentence about another row."""
        name = next(
            (
                self.row[key]
                for key in ("trade_id", "client_order_id", "command_id", "kind")
                if self.row.get(key)
            ),
            "",
        )
        return f"{self.table} {self.row['seq']} {name}".strip()


class Walk:
    """Goes along one chain. `last` is the newest row, `marked` the one at the number that the head's file names."""

    def __init__(
        self, run: str, findings: Findings, kept: Link | None, gone_from: Callable[[int, int], list[str]]
    ) -> None:
        """Before the first row.

        kept: what the file of the head holds. gone_from: (first, last number that is missing) -> the tables they
        were in, none when nothing tells.
        """
        self._run = run
        self._findings = findings
        self._kept = kept
        self._heads = [] if kept is None else [kept]
        self._gone_from = gone_from
        self._ids: dict[str, tuple[int, int]] = {}  # table -> the highest id so far, and the one before it
        self._before: dict[str, Seen] = {}  # table -> its newest row
        self.last: Seen | None = None
        self.seq = 0  # of the newest row
        self.marked: Seen | None = None
        self.rows = 0

    def along(self, groups: Iterable[tuple[int, list[Found]]], head: Link | None = None) -> Iterator[Found]:
        """Look at rows; answers those that are in the chain. `head`: what the last one has to be, where it is known."""
        if head is not None:
            self._heads.append(head)
        found = iter(groups)
        group = _seen(next(found, None))
        while group is not None:
            after = _seen(next(found, None))
            chosen = self._chosen(group, after)
            if chosen is not None:
                self._step(chosen, after)
                yield chosen.table, dict(chosen.row)
            group = after

    def finish(self, upto: int) -> None:
        """No more rows come; `upto` is the number that the last one should have."""
        if upto > self.seq:
            behind = "the first row" if self.last is None else self.last.shown
            what = _numbers(self.seq + 1, upto)
            text = (
                f"{what} gone from the end of the chain, behind {behind}"
                if self.last
                else f"{what} gone: no row is left"
            )
            self._findings.add("TRUNCATED", self._run, text, seq=self.seq + 1)

    # -- one number ------------------------------------------------------------------------------------------------

    def _chosen(self, group: Group, after: Group | None) -> Seen | None:
        """The row that was written with this number; others were put in."""
        seq, rows = group
        self.rows += len(rows)
        if seq == LAST or seq < 1:
            for each in rows:
                self._blame(each, "INSERTED", f"its number {each.row['seq']!r} is none of a chain")
            return None
        best = rows[0]
        if len(rows) > 1:
            best = max(
                rows,
                key=lambda each: (each.fits, self._follows(each), self._held(each, after) is not False),
            )
        for each in rows:
            if each is not best:
                self._blame(each, "INSERTED", f"number {seq} is taken: {best.shown} was written with it")
        return best

    def _follows(self, each: Seen) -> bool:
        if self.last is None:
            return bool(each.row["prev"] == GENESIS)
        return each.holds_on_to(self.last)

    def _held(self, each: Seen, after: Group | None) -> bool | None:
        """Whether what comes after holds on to this row; None: nothing tells."""
        told = [
            head.hash in (each.row["hash"], each.own) for head in self._heads if head.seq == each.row["seq"]
        ]
        if after is not None and after[0] == each.row["seq"] + 1:
            told.append(any(one.holds_on_to(each) for one in after[1]))
        return all(told) if told else None

    def _step(self, seen: Seen, after: Group | None) -> None:
        seq = int(seen.row["seq"])
        follows: bool | None = None
        if seq > self.seq + 1:
            self._gap(self.seq + 1, seq - 1, seen)
        else:
            follows = self._follows(seen)
        held = self._held(seen, after)
        if not seen.fits:
            self._blame(seen, "CHANGED", self._changed(seen, after, follows=follows))
        elif follows is False and not (self.last is not None and self.last.blamed):
            self._broken(seen, held=held)
        self._check_order(seen)
        self.last, self.seq = seen, seq
        if self._kept is not None and seq == self._kept.seq:
            self.marked = seen

    def _changed(self, seen: Seen, after: Group | None, *, follows: bool | None) -> str:
        if seen.own is None:
            return "its values were changed: they are none that were ever written"
        if after is not None and any(one.row["prev"] == seen.own for one in after[1]):
            return "its hash was changed; its values are those that were written"
        if follows is False and self.last is not None:
            mended = {**seen.row, "prev": self.last.row["hash"]}
            if digest(seen.table, mended) == seen.row["hash"]:
                return "its link to the row before it was changed; its values are those that were written"
        return "its values were changed: they do not give its hash any more"

    def _broken(self, seen: Seen, *, held: bool | None) -> None:
        """Two rows that give their own hashes do not hold on to each other: which of them was put there?"""
        if self.last is None:
            self._blame(seen, "REPLACED", "it is the first row, and holds on to one before it")
        elif held is False:
            self._blame(
                seen, "REPLACED",
                f"neither does it hold on to {self.last.shown} before it nor the row after it to this one",
            )  # fmt: skip
        else:
            self._blame(
                self.last,
                "REPLACED",
                f"it stands in the place of another: {seen.shown} after it holds on to a different row",
            )

    def _gap(self, first: int, last: int, after: Seen) -> None:
        before = "the start" if self.last is None else self.last.shown
        tables = self._gone_from(first, last)
        text = f"{_numbers(first, last)} missing between {before} and {after.shown}"
        told = f"; by the ids around, gone from {' and '.join(tables)}" if tables else ""
        self._findings.add(
            "MISSING", self._run, text + told, seq=first, table=tables[0] if len(tables) == 1 else None
        )

    def _check_order(self, seen: Seen) -> None:
        """Ids count up with the numbers of a table's rows: views take the highest one for the newest."""
        number = seen.row["id"]
        highest, second = self._ids.get(seen.table, (0, 0))
        before = self._before.get(seen.table)
        if number > highest:
            self._ids[seen.table] = (number, highest)
        elif number > second and before is not None and before.row["id"] == highest:
            self._blame(before, "REORDERED", f"it stands behind {seen.shown}, which was written after it")
            self._ids[seen.table] = (number, second)
        else:
            other = "another" if before is None else before.shown
            self._blame(seen, "REORDERED", f"it stands before {other}, which was written before it")
        self._before[seen.table] = seen

    def _blame(self, seen: Seen, kind: str, text: str) -> None:
        seen.blamed = seen.blamed or kind != "REORDERED"
        self._findings.row(kind, seen.table, seen.row, text)


def _seen(group: tuple[int, list[Found]] | None) -> Group | None:
    return (
        None if group is None else (group[0], [Seen(table, row, _own(table, row)) for table, row in group[1]])
    )


def _own(table: str, row: Row) -> str | None:
    try:
        return digest(table, row)
    except (
        TypeError,
        ValueError,
        ArithmeticError,
    ):  # bytes, or half a character: nothing that was ever written
        return None


def _numbers(first: int, last: int) -> str:
    return (
        f"row {first:,} is"
        if first == last
        else f"rows {first:,} to {last:,} ({last - first + 1:,} rows) are"
    )
