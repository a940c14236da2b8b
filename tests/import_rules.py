"""Who may import whom, and does a source tree keep to it? Read from the syntax, nothing is imported."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PURE = frozenset({"exchange_calendars", "nautilus_trader", "numpy", "pandas", "pydantic", "pydantic_core"})


@dataclass(frozen=True)
class Rule:
    """What a package may import beside itself and the standard library; `packages` None: any installed one."""

    keel: frozenset[str]
    packages: frozenset[str] | None = None


RULES = {
    "strategies": Rule(frozenset(), PURE),
    "risk": Rule(frozenset(), PURE),
    "market": Rule(
        frozenset(),
        PURE | {"bokeh_sampledata", "currency_converter", "filelock", "platformdirs", "pyarrow", "rich"},
    ),
    "adapters": Rule(frozenset({"risk", "market"})),
    "journal": Rule(frozenset({"risk"})),
    "configs": Rule(frozenset({"risk", "market", "adapters", "journal"})),
    "simulators": Rule(frozenset({"risk", "market", "configs", "runs"})),
    "runs": Rule(frozenset({"strategies", "risk", "market", "adapters", "configs"})),
    "backtests": Rule(frozenset({"strategies", "risk", "market", "adapters", "configs", "runs"})),
    "live": Rule(frozenset({"strategies", "risk", "market", "adapters", "configs", "runs", "journal"})),
}
HYDRA = frozenset({"hydra", "omegaconf"})
HYDRA_FILE = "configs/load.py"


def sources(root: Path) -> Iterator[Path]:
    """The Python files of Keel's packages; notebooks read results and are not part of them.

    Nor is Alembic's entry, which Alembic runs and nobody imports.
    """
    for package in RULES:
        for file in sorted((root / package).rglob("*.py")):
            if "notebooks" not in file.parts and file.parts[-2:] != ("migrations", "env.py"):
                yield file


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def broken_rules(root: Path) -> list[str]:
    """One line for each import that the rules forbid."""
    return [
        f"{file.relative_to(root).as_posix()}:{line} imports {module}: {why}"
        for file in sources(root)
        for line, module in imported(file)
        if (why := _why_not(file.relative_to(root), module))
    ]


def _why_not(file: Path, module: str) -> str | None:
    package, top = file.parts[0], module.split(".", maxsplit=1)[0]
    rule = RULES[package]
    if module.startswith("."):
        return "imports name the whole path"
    if top in HYDRA and file.as_posix() != HYDRA_FILE:
        return f"only {HYDRA_FILE} knows Hydra"
    if top == package or top in sys.stdlib_module_names:
        return None
    if top in RULES:
        return None if top in rule.keel else f"{package} may not import {top}"
    if rule.packages is not None and top not in rule.packages:
        return f"{package} may import only {', '.join(sorted(rule.packages))}"
    return None
