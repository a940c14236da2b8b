"""Each notebook runs from its first cell to its last, says what its paired text says, and keeps no output."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

import backtests

if TYPE_CHECKING:
    from nbformat import NotebookNode

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted((Path(backtests.__file__).parent / "notebooks").glob("*.ipynb"))
# name of a notebook -> what its cells must have said, besides drawing something
SAYS = {
    "first_backtest": ("0.05 is 5%", "limit 5.0%"),
    "limits_in_2008": ("DAILY_LOSS: equity", "DRAWDOWN: equity", "MAX_POSITION: AAPL.XNAS would be"),
    "reading_the_journal": (
        "every row is as it was written",
        "CHANGED",
        "exit code 1",
        "The gate let it pass",
    ),
    "sweep_and_walk_forward": (
        "16 done",
        "probability of backtest overfitting",
        "efficiency",
        "16 trials after",
    ),
    "your_own_strategy": ("Breakout", "did you mean strategy.lookback?", "future changed", "run.png"),
}
# for the kernel and every command it starts
NO_NETWORK = """
import socket as _socket
_connect = _socket.socket.connect
def _loopback_only(self, address):
    if self.family != _socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a notebook has no business at {address}")
    return _connect(self, address)
_socket.socket.connect = _loopback_only
"""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def cells(notebook: NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def sources(notebook: NotebookNode, kind: str) -> str:
    return "\n".join(source for cell, source in cells(notebook) if cell == kind)


def test_no_notebook_is_left_out() -> None:
    assert [path.stem for path in NOTEBOOKS] == sorted(SAYS)


@each_notebook
def test_it_runs_without_a_network_and_leaves_nothing_behind(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    site, folder, scratch = tmp_path / "site", tmp_path / "work", tmp_path / "scratch"
    for each in (site, folder, scratch):
        each.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    (site / "sitecustomize.py").write_text(NO_NETWORK)
    monkeypatch.setenv("PYTHONPATH", str(site))
    notebook = read(path)
    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    outputs: list[dict[str, Any]] = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    data: list[dict[str, str]] = [output.get("data", {}) for output in outputs]
    said = "".join(
        [output.get("text", "") for output in outputs] + [shown.get("text/plain", "") for shown in data]
    )
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert [words for words in SAYS[path.stem] if words not in said] == []
    assert any("image/png" in shown for shown in data)
    assert list(folder.iterdir()) == []
    assert list(scratch.glob("keel-*")) == []


@each_notebook
def test_notebook_and_text_are_the_same(path: Path) -> None:
    text = jupytext.read(path.with_suffix(".py"))
    assert cells(read(path)) == cells(text), f"run: jupytext --sync backtests/notebooks/{path.name}"
    assert read(path).metadata.jupytext.formats == "ipynb,py:percent"


@each_notebook
def test_no_output_is_kept(path: Path) -> None:
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert code
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)


@each_notebook
def test_it_defines_nothing(path: Path) -> None:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert not [
        node for node in ast.walk(ast.parse(sources(read(path), "code"))) if isinstance(node, defined)
    ]


@each_notebook
def test_its_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", sources(read(path), "markdown"))
    assert [link for link in links if not (path.parent / link).exists()] == []
