"""docs/contract.md names every case of both specifications once, with what the suite says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.adapters.contract import CASES, ELSEWHERE
from tests.adapters.contract_table import PAGE, SPECS, VENUES, numbers_of, table, tables_on

EXECUTION = (
    *range(1, 7), *range(10, 20), *range(20, 28), *range(30, 37), *range(40, 45), *range(50, 54), *range(60, 64),
    *range(70, 79), *range(80, 88), 90, 91, 92, 94, 96, 99, 100, 101,
)  # fmt: skip
"""The numbers of spec_exec_testing.md, groups 1 to 10."""
DATA = (1, 2, 3, *range(10, 16), 20, 21, 30, 31, 40, 41, *range(50, 54), *range(60, 64), 70, 71, 72)
"""The numbers of spec_data_testing.md, groups 1 to 9."""


@pytest.mark.parametrize(("spec", "numbers"), [("TC-E", EXECUTION), ("TC-D", DATA)])
def test_the_suite_has_every_case_of_the_specification(spec: str, numbers: tuple[int, ...]) -> None:
    assert list(numbers_of(spec)) == [f"{spec}{number:02d}" for number in numbers]


def test_no_case_is_in_two_places() -> None:
    assert not CASES.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize("name", SPECS)
def test_the_table_on_the_page_is_that_of_the_suite(name: str) -> None:
    """Running tests/adapters/contract_table.py as a module writes it anew."""
    assert tables_on(PAGE.read_text(encoding="utf-8"))[name] == table(SPECS[name])


def test_every_number_stands_once_on_the_page() -> None:
    found = re.findall(r"^\| ((?:TC-[ED]|KEEL-)\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(found) == sorted((*CASES, *ELSEWHERE))


def test_what_a_venue_refuses_are_cases_of_the_suite() -> None:
    for refuses, _ in VENUES.values():
        assert refuses.keys() <= CASES.keys()


def test_the_page_of_venues_names_this_page() -> None:
    assert "(contract.md)" in (PAGE.parent / "venues.md").read_text(encoding="utf-8")


def test_the_tests_that_the_page_names_are_there() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(r"`(tests/[\w/]+\.py)`", PAGE.read_text(encoding="utf-8"))
    assert named
    assert all((root / each).is_file() for each in named)
