"""Whatever is done to a journal behind its back is caught, and the row it was done to is named; else it is clean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from journal.chain import Link
from journal.tables import CONTROL
from tests.journal import tampering
from tests.journal.invented import Step
from tests.journal.verified import CHAINS, RUNS, Place, changed, fill, place_on, rows, shown

pytestmark = pytest.mark.slow

SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
step = st.builds(
    Step,
    what=st.sampled_from(["order"] * 5 + ["refusal", "approval", "event", "command"]),
    quantity=st.integers(-5, 5).filter(bool),
    price=st.decimals("0.01", "500", places=2),
    parts=st.integers(1, 3),
    ends=st.sampled_from(["FILLED", "FILLED", "CANCELED", "REJECTED"]),
    text=texts,
    instrument=st.sampled_from(["AAPL.XNAS", "MSFT.XNAS"]),
    strategy=st.sampled_from(["EmaCross-001", "Other-002"]),
)
lives = st.tuples(*(st.lists(step, min_size=2, max_size=7) for _ in RUNS))


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_on("sqlite", tmp_path_factory.mktemp("verify")) as place:
        yield place


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_on("postgres", tmp_path_factory.mktemp("verify")) as place:
        yield place


def chosen(
    data: st.DataObject, place: Place
) -> tuple[str, list[tampering.Target], tampering.Target, tampering.Pick]:
    chain = data.draw(st.sampled_from([each for each in CHAINS if rows(place, each)]), "chain")
    found = rows(place, chain)
    target = found[data.draw(st.integers(0, len(found) - 1), "row")]
    return chain, found, target, lambda many: data.draw(st.integers(0, many - 1))


def edited(place: Place, data: st.DataObject) -> None:
    chain, _, target, pick = chosen(data, place)
    try:
        with changed(place) as connection:
            what = tampering.edit(connection, target, pick)
    except IntegrityError:  # that number is taken in its table, and SQLite holds on to that
        assume(False)  # noqa: FBT003 - hypothesis' own
    done = place.verify()
    assert tampering.named(done.findings, target, chain), f"{what}\n{shown(done)}"


def replaced(place: Place, data: st.DataObject) -> None:
    chain, found, target, pick = chosen(data, place)
    with changed(place) as connection:
        what = tampering.replace(connection, target, pick)
        if target is found[-1] and pick(2):
            row = rows_again(connection, target)
            tampering.set_head(connection, chain, Link(target.seq, row["hash"]))
    done = place.verify()
    assert tampering.named(done.findings, target, chain), f"{what}\n{shown(done)}"


def rows_again(connection: Connection, target: tampering.Target) -> dict[str, Any]:
    found = connection.execute(select(target.table).where(target.table.c.id == target.row["id"])).mappings()
    return dict(found.one())


def deleted(place: Place, data: st.DataObject) -> None:
    chain, found, target, pick = chosen(data, place)
    gone = found[target.seq - 1 :][: 1 + pick(3)]
    with changed(place) as connection:
        for each in gone:
            tampering.erase(connection, each)
        if gone[-1] is found[-1] and pick(2):
            before = found[target.seq - 2] if target.seq > 1 else None
            tampering.set_head(connection, chain, tampering.link_of(before))
    done = place.verify()
    assert tampering.named(done.findings, target, chain), shown(done)
    if gone[-1] is not found[-1]:
        missing = next(each for each in done.findings.kept if each.kind == "MISSING")
        assert missing.table in (None, *(each.table.name for each in gone)), shown(done)


def moved(place: Place, data: st.DataObject) -> None:
    chain, found, one, pick = chosen(data, place)
    others = [each for each in found if each.table is one.table and each is not one]
    assume(others)
    other = others[pick(len(others))]
    with changed(place) as connection:
        what = tampering.swap(connection, one, other, pick)
    done = place.verify()
    same = all(one.row[key] == other.row[key] for key in one.row if key not in tampering.KEPT)
    if what == "values" and same:
        assert done.is_clean, shown(done)
        return
    both = [tampering.named(done.findings, each, chain) for each in (one, other)]
    assert any(both) if what == "places" else all(both), f"{what}\n{shown(done)}"


def put_in(place: Place, data: st.DataObject) -> None:
    chain, found, target, pick = chosen(data, place)
    how = ("in the middle", "at the end", "at the end with its head")[pick(3)]
    before = found[target.seq - 2] if target.seq > 1 else None
    others = [each for each in found if each.table is not target.table]
    if how == "in the middle":
        assume(others)
        like, after = others[pick(len(others))], tampering.link_of(before)
    else:
        like, after = target, tampering.link_of(found[-1])
    with changed(place) as connection:
        forged = tampering.forge(connection, like, after)
        if how == "at the end with its head":
            tampering.set_head(connection, chain, tampering.link_of(forged))
    done = place.verify()
    if (
        how == "at the end with its head" and chain == CONTROL
    ):  # a verb may be cut off before it writes the file
        assert any("behind" in each for each in done.findings.notes) or not done.is_clean, shown(done)
        return
    assert tampering.named(done.findings, forged, chain), f"{how}\n{shown(done)}"


def written_anew(place: Place, data: st.DataObject) -> None:
    chain, found, target, pick = chosen(data, place)
    values = {
        key: each
        for key, each in target.row.items()
        if isinstance(each, str) and key not in ("prev", "hash", "run_id")
    }
    key = sorted(values)[pick(len(values))]
    rest = found[target.seq - 1 :]
    with changed(place) as connection:
        how = ("edited", "deleted")[pick(2)]
        if how == "deleted" and len(rest) > 1:
            tampering.erase(connection, target)
            head = tampering.rewrite(
                connection,
                [
                    tampering.Target(
                        rest[1].table, {**rest[1].row, "seq": target.seq, "prev": target.row["prev"]}
                    ),
                    *rest[2:],
                ],
                chain,
            )
        else:
            tampering.put(connection, target, {key: f"{values[key]}x"})
            head = tampering.rewrite(connection, rest, chain)
    done = place.verify()
    last = found[-1]
    kinds = {each.kind for each in done.findings.kept if each.run == chain}
    assert kinds & {"REWRITTEN", "TRUNCATED"}, f"{how} {key} {head}\n{shown(done)}"
    assert tampering.named(done.findings, last, chain), shown(done)


TAMPERINGS: tuple[Callable[[Place, st.DataObject], None], ...] = (
    edited, replaced, deleted, moved, put_in, written_anew,
)  # fmt: skip


def untouched(place: Place, _data: st.DataObject) -> None:
    """Nobody touches it."""
    done = place.verify()
    assert done.is_clean, shown(done)
    assert done.rows == sum(len(rows(place, chain)) for chain in CHAINS)


@pytest.mark.parametrize("tamper", [untouched, *TAMPERINGS], ids=lambda each: each.__name__)
@settings(max_examples=30, suppress_health_check=SLOW)
@given(told=lives, data=st.data())
def test_what_is_done_to_any_row_is_caught_and_the_row_is_named(
    on_sqlite: Place, tamper: Callable[[Place, st.DataObject], None], told: Any, data: st.DataObject
) -> None:
    fill(on_sqlite, told)
    tamper(on_sqlite, data)


@settings(max_examples=35, suppress_health_check=SLOW)
@given(told=lives, tamper=st.sampled_from([untouched, *TAMPERINGS]), data=st.data())
def test_postgresql_keeps_rows_so_that_the_same_is_caught(
    on_postgres: Place, told: Any, tamper: Callable[[Place, st.DataObject], None], data: st.DataObject
) -> None:
    fill(on_postgres, told)
    tamper(on_postgres, data)
