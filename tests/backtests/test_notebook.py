"""The first notebook runs from its first cell to its last, says what its paired text says, and keeps no output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

import backtests

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK = Path(backtests.__file__).parent / "notebooks" / "first_backtest.ipynb"
NO_NETWORK = """
import socket as _socket
_connect = _socket.socket.connect
def _loopback_only(self, address):
    if self.family != _socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a notebook has no business at {address}")
    return _connect(self, address)
_socket.socket.connect = _loopback_only
"""


def read() -> NotebookNode:
    notebook: NotebookNode = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def cells(notebook: NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def test_it_runs_without_a_network_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    folder = tmp_path / "work"
    folder.mkdir()
    notebook = read()
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NO_NETWORK))  # type: ignore[no-untyped-call]
    NotebookClient(
        notebook, timeout=90, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    outputs: list[dict[str, Any]] = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "".join(output.get("text", "") for output in outputs)
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert "0.05 is 5%" in said
    assert "limit 5.0%" in said
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert list(folder.iterdir()) == []


def test_notebook_and_text_are_the_same() -> None:
    text = jupytext.read(NOTEBOOK.with_suffix(".py"))
    assert cells(read()) == cells(text), "run: jupytext --sync backtests/notebooks/first_backtest.ipynb"
    assert read().metadata.jupytext.formats == "ipynb,py:percent"


def test_no_output_is_kept() -> None:
    code = [cell for cell in read().cells if cell.cell_type == "code"]
    assert code
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)
