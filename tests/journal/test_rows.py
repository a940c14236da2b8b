"""Every row is read back as it was written, from either database, with the same hash."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, delete, select

from journal import tables
from journal.chain import Link, digest, link
from journal.shapes import RowError, shape
from journal.tables import CHAINED
from tests.journal.filled import journal_on
from tests.journal.kept import WRITTEN, Kept, begun, rows_of, running, texts

pytestmark = pytest.mark.slow

MANY = settings(
    max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with journal_on(request.param, tmp_path_factory.mktemp("rows")) as config, running(config) as found:
        yield found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Kept]]:
    folder = tmp_path_factory.mktemp("both")
    with journal_on("sqlite", folder) as one, journal_on("postgres", folder) as other:
        found = [begun(one), begun(other)]
        yield found
        for each in found:
            assert each.writer.close() == 0
            assert each.broken() == []


@pytest.mark.parametrize("table", WRITTEN, ids=str)
@MANY
@given(data=st.data())
def test_what_is_read_is_what_was_written(kept: Kept, table: Table, data: st.DataObject) -> None:
    row = data.draw(rows_of(table, kept.run_id))
    kept.writer.commit((table, row))
    with kept.engine.begin() as connection:
        key = next(iter(table.primary_key.columns))
        wanted = (
            select(table).order_by(key.desc())
            if key.name == "id"
            else select(table).where(key == row[key.name])
        )
        found = dict(connection.execute(wanted.limit(1)).mappings().one())
        if key.name != "id":
            connection.execute(delete(table))
    assert {name: found[name] for name in row} == row
    assert all(type(found[name]) is type(row[name]) for name in row)


@pytest.mark.parametrize("table", CHAINED.values(), ids=str)
@MANY
@given(data=st.data())
def test_both_databases_give_the_same_hash(both: list[Kept], table: Table, data: st.DataObject) -> None:
    row = data.draw(rows_of(table, "run-1"))
    found = []
    for each in both:
        each.writer.commit((table, row))
        with each.engine.connect() as connection:
            newest = select(table).where(table.c.seq == each.writer.head.seq)
            found.append(dict(connection.execute(newest).mappings().one()))
    assert found[0]["hash"] == found[1]["hash"] == digest(table.name, found[1])


@pytest.mark.parametrize("table", [*CHAINED.values(), tables.commands], ids=str)
@given(data=st.data(), seq=st.integers(0, 10**9), mark=st.text("0123456789abcdef", min_size=64, max_size=64))
def test_the_writers_short_cut_to_a_hash_is_the_hash(
    table: Table, data: st.DataObject, seq: int, mark: str
) -> None:
    row = data.draw(rows_of(table, "run-1"))
    row.pop("seq", None), row.pop("prev", None), row.pop("hash", None)
    of, after = shape(table), Link(seq, mark)
    cells = of.cells(row, 1)
    joined = of.join(cells, after)
    slow = link(after, table.name, row)
    assert (joined.seq, joined.hash) == (slow["seq"], slow["hash"])
    assert dict(zip(of.names, cells, strict=True))["prev"] == mark


class Side(StrEnum):
    BUY = "BUY"


@pytest.mark.parametrize("given", ["\x00", "a\x00b", "\ud800", "x\udfffy", "\ufeffz", Side.BUY, "\U0001f600"])
def test_text_that_a_database_refuses_is_written_with_a_mark_in_its_place(kept: Kept, given: str) -> None:
    kept.writer.commit(kept.alert(given))
    found = kept.names(tables.alerts)[-1]
    assert found == str(given) or "\N{REPLACEMENT CHARACTER}" in found
    assert found.encode()


@given(text=st.text(st.characters(), max_size=30) | texts)
def test_any_text_becomes_one_that_can_be_written_and_stays_that(text: str) -> None:
    of = shape(tables.alerts)
    values = {"run_id": "", "scope": "", "mode": "", "venue": "", "ts": 1, "level": "", "kind": ""}
    place = of.names.index("text")
    once = of.cells({**values, "text": text}, 1)[place]
    assert isinstance(once, str)
    assert "\x00" not in once
    assert once.encode().decode() == once
    assert of.cells({**values, "text": once}, 1)[place] == once


BAD: dict[str, Any] = {
    "a float": {"quantity": 0.1},
    "an amount as text": {"quantity": "10"},
    "a whole number as an amount": {"quantity": 10},
    "an endless amount": {"price": Decimal("Infinity")},
    "no number": {"price": Decimal("NaN")},
    "an amount of a million digits": {"price": Decimal("1E+1000000")},
    "a number as a flag": {"reduce_only": 1},
    "text as a flag": {"reduce_only": "yes"},
    "a flag as a number": {"ts": True},
    "a time that does not fit": {"ts": 2**63},
    "a float as a time": {"ts": 1.5},
    "bytes as text": {"reason": b"x"},
    "a number as text": {"strategy": 7},
    "a column nobody knows": {"colour": "red"},
    "nothing where something is needed": {"side": None},
    "the row of another run": {"run_id": "run-2"},
}


@pytest.mark.parametrize("values", BAD.values(), ids=BAD)
def test_a_row_that_cannot_be_written_is_told_at_once_and_stands_in_nobodys_way(
    kept: Kept, values: dict[str, Any]
) -> None:
    for take in (kept.writer.add, lambda *row: kept.writer.commit(row)):
        with pytest.raises(RowError) as error:
            take(*kept.order("bad", **values))
        assert "\n" not in str(error.value)
    kept.writer.commit(kept.order("good"))
    assert kept.names()[-1] == "good"
    assert "bad" not in kept.names()


def test_a_command_is_none_of_a_runs_rows(tmp_path: Path) -> None:
    with journal_on("sqlite", tmp_path) as config, running(config) as kept:
        row = {
            "command_id": "1",
            "scope": "",
            "mode": "",
            "venue": "",
            "verb": "",
            "args": "",
            "who": "",
            "why": "",
        }
        with pytest.raises(RowError, match="is not the run"):
            kept.writer.add(tables.commands, {**row, "run_id": "control"})
