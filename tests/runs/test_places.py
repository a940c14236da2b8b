"""Is the line of the author's own code found in a traceback?"""

from __future__ import annotations

import json

import pytest

from risk.numbers import exact
from runs.places import place_of


def own_line() -> None:
    json.loads("{")


@pytest.mark.parametrize("work", [own_line, lambda: exact("x")])
def test_the_innermost_line_that_is_neither_pythons_nor_keels_is_told(work: object) -> None:
    assert callable(work)
    with pytest.raises(ValueError, match=r".") as caught:
        work()
    line = work.__code__.co_firstlineno + (work is own_line)  # type: ignore[attr-defined]
    assert place_of(caught.value) == f" at test_places.py:{line}"


def test_an_error_without_such_a_line_has_no_place() -> None:
    assert place_of(ValueError("never raised")) == ""
