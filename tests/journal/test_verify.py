"""Chains as a whole, their heads and the files of these; and what is no tampering, so that nobody is alarmed by it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from journal import tables
from journal.chain import Link
from journal.heads import HeadFile
from journal.tables import CONTROL, metadata
from journal.verify import Verifier
from tests.journal import tampering
from tests.journal.invented import Node, Step
from tests.journal.verified import ALWAYS, PAPER, RUNS, Place, changed, fill, place_on, rows, shown


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_on(request.param, tmp_path_factory.mktemp("verify")) as found:
        yield found


# -- chains as a whole -------------------------------------------------------------------------------------------------


def test_the_end_cut_off_is_missed_though_its_head_was_changed_to_fit(place: Place) -> None:
    fill(place)
    found = rows(place, "paper-1")
    with changed(place) as connection:
        for each in found[-3:]:
            tampering.erase(connection, each)
        tampering.set_head(connection, "paper-1", tampering.link_of(found[-4]))
    finding = next(each for each in place.verify().findings.kept if each.kind == "TRUNCATED")
    assert (finding.run, finding.seq) == ("paper-1", found[-3].seq)
    assert f"rows {found[-3].seq} to {found[-1].seq} (3 rows) are gone" in finding.text


@pytest.mark.parametrize("keeps_head", [True, False])
def test_a_run_that_is_gone_altogether_is_missed(place: Place, keeps_head: bool) -> None:
    fill(place)
    with changed(place) as connection:
        for table in metadata.sorted_tables:
            if "run_id" in table.c:
                connection.execute(delete(table).where(table.c.run_id == "sandbox-1"))
        if not keeps_head:
            connection.execute(delete(tables.heads).where(tables.heads.c.chain == "sandbox-1"))
    done = place.verify()
    assert {each.kind for each in done.findings.kept if each.run == "sandbox-1"} == {"FOREIGN", "TRUNCATED"}


def test_rows_given_to_another_run_are_missed_in_one_and_named_in_the_other(place: Place) -> None:
    fill(place)
    target = rows(place, "sandbox-1")[2]
    with changed(place) as connection:
        tampering.put(connection, target, {"run_id": "nobody"})
    found = place.verify().findings.kept
    assert any(
        each.kind == "MISSING" and each.run == "sandbox-1" and each.seq == target.seq for each in found
    )
    assert any(each.kind == "FOREIGN" and each.run == "nobody" for each in found)
    assert any(each.table == target.table.name and each.row == target.row["id"] for each in found)


@pytest.mark.parametrize("values", [{"seq": 3}, {"seq": 1_000}, {"hash": "a" * 64}, None])
def test_a_head_that_was_changed_or_deleted_in_the_database_is_told(
    place: Place, values: dict[str, Any] | None
) -> None:
    fill(place)
    with changed(place) as connection:
        heads = tables.heads
        if values is None:
            connection.execute(delete(heads).where(heads.c.chain == "paper-1"))
        else:
            connection.execute(update(heads).where(heads.c.chain == "paper-1"), values)
    done = place.verify()
    assert [(each.kind, each.run) for each in done.findings.kept] == [("HEAD", "paper-1")], shown(done)


@pytest.mark.parametrize("content", ["", "nonsense", f"{5:020d} {'b' * 64}\n", None])
def test_a_file_of_a_head_that_was_changed_or_deleted_is_told(place: Place, content: str | None) -> None:
    fill(place)
    file = HeadFile.of(place.config.heads_folder, "paper-1").path
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    done = place.verify()
    assert {each.run for each in done.findings.kept} == {"paper-1"}, shown(done)
    assert {each.kind for each in done.findings.kept} <= {"HEAD", "REWRITTEN"}, shown(done)


def test_without_files_of_heads_only_the_database_is_asked(place: Place) -> None:
    fill(place)
    shutil.rmtree(place.config.heads_folder)
    assert not place.verify().is_clean
    assert Verifier(place.engine, None).verify().is_clean


# -- what is no tampering ----------------------------------------------------------------------------------------------


def test_a_run_that_was_cut_off_may_have_a_file_of_its_head_that_is_behind(place: Place) -> None:
    fill(place, last_ends=False)
    found = rows(place, "paper-2")
    HeadFile.of(place.config.heads_folder, "paper-2").write(tampering.link_of(found[-3]))
    done = place.verify()
    assert done.is_clean, shown(done)
    (note,) = done.findings.notes
    assert note.startswith("paper-2: the file of its head is 2 rows behind: the run was cut off there")


def test_a_run_that_came_to_its_end_may_not(place: Place) -> None:
    fill(place)
    found = rows(place, "paper-2")
    HeadFile.of(place.config.heads_folder, "paper-2").write(tampering.link_of(found[-3]))
    finding = place.verify().findings.kept[0]
    assert (finding.kind, finding.seq) == ("INSERTED", found[-1].seq)


def test_an_older_copy_of_the_heads_holds_what_came_before_it(place: Place, tmp_path: Path) -> None:
    fill(place)
    found = rows(place, "paper-2")
    for chain in (*RUNS, CONTROL):
        HeadFile.of(tmp_path, chain).write(tampering.link_of(rows(place, chain)[2]))
    done = Verifier(place.engine, tmp_path, copied=True).verify()
    assert done.is_clean, shown(done)
    assert len(done.findings.notes) == 4
    with changed(place) as connection:
        tampering.put(connection, found[1], {"strategy": "Other-002"})
        tampering.rewrite(connection, found[1:], "paper-2")
    HeadFile.of(place.config.heads_folder, "paper-2").write(Link(found[-1].seq, head_of(place, "paper-2")))
    assert place.verify("paper-2").findings.counts["REWRITTEN"] == 0
    kept = Verifier(place.engine, tmp_path, copied=True).verify("paper-2").findings.kept
    assert [(each.kind, each.seq) for each in kept if each.kind != "DISAGREES"] == [("REWRITTEN", 3)]


def head_of(place: Place, chain: str) -> str:
    with place.engine.connect() as connection:
        wanted = select(tables.heads.c.hash).where(tables.heads.c.chain == chain)
        return str(connection.execute(wanted).scalar_one())


def test_a_run_that_is_being_written_is_clean(place: Place) -> None:
    place.renew()
    node = Node(place.engine, place.config, "paper-1", *PAPER)
    node.writer.start()
    for _ in range(20):
        node.live([Step("order", quantity=3, parts=3), Step("order", quantity=-2), Step("command")])
        done = place.verify()
        assert done.is_clean, shown(done)
    node.end()
    assert place.verify().is_clean


def test_a_command_that_nobody_answered_is_said_and_not_found(place: Place) -> None:
    fill(place, ([Step("command", ends="REJECTED", text="going on holiday")], ALWAYS, ALWAYS))
    done = place.verify()
    assert done.is_clean, shown(done)
    assert [each for each in done.findings.notes if "halt by" in each and "going on holiday" in each]


def test_an_empty_journal_is_clean(place: Place) -> None:
    place.renew()
    done = place.verify()
    assert done.is_clean
    assert done.rows == 0


def test_one_run_is_verified_without_the_others(place: Place) -> None:
    fill(place)
    with changed(place) as connection:
        tampering.put(connection, rows(place, "sandbox-1")[2], {"venue": "elsewhere"})
    assert place.verify("paper-2").is_clean
    assert place.verify("sandbox-1").findings.counts["CHANGED"] == 1


def test_a_number_in_another_spelling_is_not_the_value_that_was_written(place: Place) -> None:
    """SQLite keeps amounts as text: 3.0 for 3 is an edit, too."""
    if place.template is None:
        pytest.skip("PostgreSQL keeps numbers, not their spelling")
    fill(place)
    with changed(place) as connection:
        connection.execute(text("UPDATE fills SET quantity = quantity || '.0' WHERE id = 2"))
        connection.execute(text("UPDATE fills SET price = 'much' WHERE id = 3"))
        connection.execute(text("UPDATE decisions SET reduces = 2 WHERE id = 1"))
    found = {(each.table, each.row) for each in place.verify().findings.kept if each.kind == "CHANGED"}
    assert found == {("fills", 2), ("fills", 3), ("decisions", 1)}


def test_amounts_of_any_size_give_the_same_hash_again(place: Place) -> None:
    prices = [
        Decimal("1E+9"),
        Decimal("0.00000001"),
        Decimal("100.10"),
        Decimal("12345678901.23456789"),
    ]
    fill(place, ([Step("order", price=price, text="é ☂ 漢") for price in prices], ALWAYS, ALWAYS))
    done = place.verify()
    assert done.is_clean, shown(done)
