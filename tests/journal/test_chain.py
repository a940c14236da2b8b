"""Whatever is done to a chain of rows, some row or the head does not fit any more."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from journal.chain import Link, canonical, digest, link
from tests.journal.kept import amounts, texts

cells = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), amounts, texts)
rows = st.dictionaries(st.sampled_from(["at", "ts", "side", "price", "reason", "filled"]), cells, min_size=1)
chains = st.lists(st.tuples(st.sampled_from(["orders", "fills", "decisions"]), rows), min_size=2, max_size=8)
Chain = list[tuple[str, dict[str, Any]]]


def chained(given_rows: Chain) -> tuple[Chain, Link]:
    found, head = [], Link()
    for table, values in given_rows:
        row = link(head, table, values)
        head = Link(row["seq"], row["hash"])
        found.append((table, row))
    return found, head


def holds(chain: Chain, head: Link) -> bool:
    at = Link()
    for table, row in chain:
        if (row["seq"], row["prev"]) != (at.seq + 1, at.hash) or digest(table, row) != row["hash"]:
            return False
        at = Link(row["seq"], row["hash"])
    return at == head


@given(given_rows=chains)
def test_a_chain_as_it_was_written_holds(given_rows: Chain) -> None:
    assert holds(*chained(given_rows))


@given(given_rows=chains, data=st.data())
def test_no_value_can_be_changed_added_or_taken_away(given_rows: Chain, data: st.DataObject) -> None:
    chain, head = chained(given_rows)
    place = data.draw(st.integers(0, len(chain) - 1))
    table, row = chain[place]
    name = data.draw(st.sampled_from([*row, "new"]))
    value = data.draw(st.none() | texts if name in ("prev", "hash") else cells)
    changed = {**row, name: value}
    assume(canonical(changed) != canonical(row) or changed["hash"] != row["hash"])
    chain[place] = (table, changed)
    assert not holds(chain, head)


@given(given_rows=chains, data=st.data())
def test_no_row_can_be_removed_or_moved_to_another_table(given_rows: Chain, data: st.DataObject) -> None:
    chain, head = chained(given_rows)
    place = data.draw(st.integers(0, len(chain) - 1))
    assert not holds(chain[:place] + chain[place + 1 :], head)
    assert not holds(chain[:place], head)  # cut off
    chain[place] = ("alerts", chain[place][1])
    assert not holds(chain, head)


@given(given_rows=chains, data=st.data())
def test_no_two_rows_can_change_places(given_rows: Chain, data: st.DataObject) -> None:
    chain, head = chained(given_rows)
    one, other = data.draw(st.lists(st.integers(0, len(chain) - 1), min_size=2, max_size=2, unique=True))
    chain[one], chain[other] = chain[other], chain[one]
    assert not holds(chain, head)


@given(given_rows=chains, values=rows, data=st.data())
def test_no_row_can_be_put_in_even_with_a_right_hash(
    given_rows: Chain, values: dict[str, Any], data: st.DataObject
) -> None:
    chain, head = chained(given_rows)
    place = data.draw(st.integers(0, len(chain)))
    before = Link() if place == 0 else Link(chain[place - 1][1]["seq"], chain[place - 1][1]["hash"])
    chain.insert(place, ("orders", link(before, "orders", values)))
    assert not holds(chain, head)


@given(number=amounts)
def test_an_amount_is_hashed_as_the_number_it_is(number: Decimal) -> None:
    texts_of = {canonical({"price": each}) for each in (number, number.normalize(), number * 1, number + 0)}
    if len(number.as_tuple().digits) <= 28:  # more than arithmetic keeps
        assert len(texts_of) == 1
    assert Decimal(json.loads(canonical({"price": number}))["price"]) == number


@given(one=rows, other=rows)
def test_two_rows_have_the_same_text_only_when_they_say_the_same(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    def said(row: dict[str, Any]) -> dict[str, Any]:
        return {name: (type(value), value) for name, value in row.items() if value is not None}

    kinds = {name for name in one.keys() & other.keys() if type(one[name]) is not type(other[name])}
    assume(not kinds)  # a column is of one kind: an amount is never compared with a text
    assert (canonical(one) == canonical(other)) is (said(one) == said(other))
