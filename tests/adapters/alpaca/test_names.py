"""What an order is called at Alpaca tells every name of ours again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.alpaca._names import WireName, read
from adapters.outcomes import NotSentError

letters = st.text("ABCXYZ0123456789-_", min_size=1, max_size=40)


@given(letters, st.none() | letters, st.none() | letters, st.integers(0, 99))
def test_a_name_is_read_back_as_it_was_written(
    root: str, target: str | None, stop: str | None, revision: int
) -> None:
    name = WireName(root, target, stop, revision)
    try:
        text = str(name)
    except NotSentError:
        assert len(root) + len(target or "") + len(stop or "") > 100
    else:
        assert read(text) == name
        assert len(text) <= 128


def test_a_plain_order_keeps_its_own_name() -> None:
    assert str(WireName("O-20261121-143000-001-001-7")) == "O-20261121-143000-001-001-7"


def test_the_names_of_a_bracket_of_the_engine_fit() -> None:
    root, target, stop = (f"O-20261121-143000-001-EMACROSS-{n}" for n in (998, 1000, 999))
    assert len(str(WireName(root, target, stop, 12))) < 80


def test_a_name_that_would_be_read_as_another_is_not_sent() -> None:
    with pytest.raises(NotSentError, match="CLIENT_ORDER_ID"):
        str(WireName("mine.r2"))
