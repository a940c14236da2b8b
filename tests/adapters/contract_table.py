"""Which cases are there, and what does each venue do? The tables of docs/contract.md, made of the suite itself.

Run as a program it writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.adapters import (
    contract_changes,
    contract_data,
    contract_faults,
    contract_orders,
    contract_restarts,
)
from tests.adapters.alpaca import contract_site as alpaca
from tests.adapters.contract import CASES, ELSEWHERE

SUITE = (contract_orders, contract_changes, contract_restarts, contract_data, contract_faults)
PAGE = Path(__file__).parents[2] / "docs" / "contract.md"
VENUES: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "Alpaca": (alpaca.REFUSES, alpaca.STRANGERS),
}
"""Venue -> what its site refuses: by case, and by symbol of a kind that it does not trade."""
SPECS = {"orders": "TC-E", "data": "TC-D", "faults": "KEEL"}
"""Name of a table on the page -> the numbers in it."""
_PLACE = "<!-- {}: made by tests/adapters/contract_table.py -->"


def numbers_of(spec: str) -> Sequence[str]:
    """All numbers of a specification that the suite has, in order."""
    found = [each for each in (*CASES, *ELSEWHERE) if each.startswith(spec)]
    return sorted(found, key=lambda each: int(each.rpartition("-")[2].lstrip("ED")))


def table(spec: str) -> str:
    """A table of Markdown."""
    lines = [f"| case | what | driven by | {' | '.join(VENUES)} |", "|---" * (3 + len(VENUES)) + "|"]
    for number in numbers_of(spec):
        answers = [_answer(number, *refused) for refused in VENUES.values()]
        lines.append(f"| {number} | {_what(number)} | {_driver(number)} | {' | '.join(answers)} |")
    return "\n".join(lines)


def tables_on(page: str) -> dict[str, str]:
    """Name of a table -> its text as it stands on a page."""
    found = {}
    for name in SPECS:
        begin, end = _PLACE.format(name), f"<!-- end of {name} -->"
        match = re.search(f"{re.escape(begin)}\n\n(.*?)\n\n{re.escape(end)}", page, re.DOTALL)
        found[name] = "" if match is None else match[1]
    return found


def write(page: Path = PAGE) -> None:
    """Put the tables on the page."""
    text = page.read_text(encoding="utf-8")
    for name, spec in SPECS.items():
        begin, end = _PLACE.format(name), f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{table(spec)}\n\n{end}{rest.partition(end)[2]}"
    page.write_text(text, encoding="utf-8")


def _what(number: str) -> str:
    return ELSEWHERE[number][0] if number in ELSEWHERE else CASES[number].name.replace("_", " ")


def _driver(number: str) -> str:
    if number in ELSEWHERE:
        return "own"
    one = CASES[number]
    return "ExecTester" if one.tester is not None else "DataTester" if one.data is not None else "own"


def _answer(number: str, refuses: Mapping[str, str], strangers: Mapping[str, str]) -> str:
    if number in ELSEWHERE and ELSEWHERE[number][1] == contract_restarts.stranger.__name__:
        return f"not supported: `{next(iter(strangers.values()))}`"
    return f"not supported: `{refuses[number]}`" if number in refuses else "passes"


if __name__ == "__main__":
    write()
